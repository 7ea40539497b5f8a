import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tableSchema } from '@millrace/shared/event/schema.ts';
import type { ColumnSchema, TableSchema } from '@millrace/shared/event/schema.ts';
import { murmur2 } from '@millrace/shared/kafka/murmur2.ts';
import { KafkaClient } from '@millrace/shared/kafka/kafka-client.ts';
import { SchemaLogWriter } from '@millrace/shared/schema-log/schema-log-writer.ts';
import { Kafka, logLevel } from 'kafkajs';
import type { Message, Producer } from 'kafkajs';
import { expect, test } from 'vitest';
import { stackEnvironment } from '../harness/environment.ts';
import { eventually } from '../harness/eventually.ts';
import { createTopic } from '../harness/kafka-tools.ts';
import type { Topic } from '../harness/kafka-tools.ts';
import { PostgresDatabase } from '../harness/postgres-database.ts';
import { readLake } from '../harness/read-lake.ts';
import { scratchFolder } from '../harness/scratch-folder.ts';
import type { ScratchFolder } from '../harness/scratch-folder.ts';
import { spawnService } from '../harness/service.ts';
import type { Service } from '../harness/service.ts';
import { uniqueName } from '../harness/unique-name.ts';

const partitions = 3;
const exitStopped = 0;
const exitInvalid = 2;
const exitFenced = 5;
const exitForPerson = 6;

interface Row {
  readonly id: string;
  readonly name: string;
  readonly amount: string;
}

function column(name: string, type: ColumnSchema['type'], sourceType: string): ColumnSchema {
  return { name, type, nullable: name !== 'id', sourceType, comment: null, defaultValue: null, generated: false };
}

/** A table as capture would publish it: records of Millrace's shape, written by a client that shares no code with ours. */
class PublishedTable implements AsyncDisposable {
  readonly rows = new Map<string, Row>();
  readonly topic: Topic;
  readonly name: string;
  readonly #schema: TableSchema;
  readonly #producer: Producer;
  #waiting: (Message & { readonly partition: number })[] = [];
  #position = 1;

  private constructor(topic: Topic, schema: TableSchema, producer: Producer) {
    this.topic = topic;
    this.name = schema.id.table;
    this.#schema = schema;
    this.#producer = producer;
  }

  static async create(): Promise<PublishedTable> {
    const { kafkaBootstrapServers } = stackEnvironment();
    const topic = await createTopic(partitions, { name: `shop.${uniqueName('t')}` });
    const schema = tableSchema({
      id: { namespace: '', schema: 'shop', table: topic.name.slice('shop.'.length) },
      columns: [
        column('id', { kind: 'bigint' }, 'bigint'),
        column('name', { kind: 'varchar', length: 200 }, 'varchar(200)'),
        column('amount', { kind: 'decimal', precision: 20, scale: 2 }, 'decimal(20,2)'),
      ],
      primaryKey: ['id'],
      comment: null,
    });
    const signal = AbortSignal.timeout(30_000);
    const [host = '', port = ''] = kafkaBootstrapServers.split(':');
    await using client = await KafkaClient.connect(
      {
        bootstrapServers: [{ host, port: Number(port) }],
        clientId: 'test',
        tls: null,
        sasl: null,
        requestTimeoutMs: 30_000,
        metadataMaxAgeMs: 30_000,
        retryBackoffMs: 100,
      },
      signal,
    );
    await using log = await SchemaLogWriter.open(client, { topic: 'millrace.schema', idempotent: true }, signal);
    const change = { type: 'SNAPSHOT', ddl: null } as const;
    await log.write({ schema, source: 'shop', position: '0', change }, signal);
    const producer = new Kafka({ brokers: [kafkaBootstrapServers], logLevel: logLevel.NOTHING }).producer();
    await producer.connect();
    return new PublishedTable(topic, schema, producer);
  }

  set(id: bigint, name: string, cents: bigint): void {
    const before = this.rows.get(String(id)) ?? null;
    const digits = String(cents < 0n ? -cents : cents).padStart(3, '0');
    const amount = `${cents < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
    const after = { id: String(id), name, amount };
    this.rows.set(after.id, after);
    this.#change(before === null ? 'c' : 'u', before, after);
  }

  remove(id: bigint): void {
    const before = this.rows.get(String(id));
    if (before === undefined) return;
    this.rows.delete(before.id);
    this.#change('d', before, null);
  }

  /** What a killed capture does: the last records again, with the same tokens. */
  repeatLast(count: number): void {
    this.#waiting.push(...this.#waiting.slice(-count));
  }

  raw(value: string): void {
    this.#waiting.push({ partition: 0, key: null, value });
  }

  async flush(): Promise<void> {
    for (let at = 0; at < this.#waiting.length; at += 2000) {
      await this.#producer.send({ topic: this.topic.name, acks: -1, messages: this.#waiting.slice(at, at + 2000) });
    }
    this.#waiting = [];
  }

  get sorted(): readonly Row[] {
    return [...this.rows.values()].toSorted((a, b) => (BigInt(a.id) < BigInt(b.id) ? -1 : 1));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#producer.disconnect();
    await this.topic[Symbol.asyncDispose]();
  }

  #change(op: string, before: Row | null, after: Row | null): void {
    const id = after?.id ?? before?.id ?? '';
    const key = `{"TableId":"shop.${this.name}","id":${id}}`;
    const bytes = Buffer.from(key);
    const source = `{"db":"shop","table":"${this.name}","ts_ms":${Date.now()}}`;
    this.#waiting.push({
      partition: (murmur2(bytes, 0, bytes.length) & 0x7fffffff) % partitions,
      key,
      value: `{"before":${json(before)},"after":${json(after)},"op":"${op}","source":${source}}`,
      headers: {
        'mr.src': 'shop',
        'mr.pos': `0001.00000001.${(this.#position++).toString(16).padStart(16, '0')}.00000000`,
        'mr.ts': String(Date.now() * 1000),
        'mr.schema': this.#schema.fingerprint,
      },
    });
  }
}

function json(row: Row | null): string {
  return row === null ? 'null' : `{"id":${row.id},"name":${JSON.stringify(row.name)},"amount":${row.amount}}`;
}

function document(folder: ScratchFolder, table: PublishedTable, sink: string): string {
  const file = join(folder.path, `${uniqueName('pipeline')}.yaml`);
  const name = uniqueName('ingest');
  writeFileSync(
    file,
    `source:
  type: kafka
  properties.bootstrap.servers: ${stackEnvironment().kafkaBootstrapServers}
  properties.session.timeout.ms: 6000
  topic: ${table.topic.name}
  scan.startup.mode: earliest-offset
  value.format: debezium-json
  debezium-json.distributed-tables: true
sink:
${sink}
pipeline:
  name: ${name}
`,
  );
  return file;
}

function intoPostgres(database: PostgresDatabase): string {
  return `  type: postgres\n  url: ${database.url.replace('postgres://', 'postgresql://')}\n  sink.parallelism: 2`;
}

function ingest(file: string, ...options: readonly string[]): Service {
  return spawnService('ingest', ['run', file, '--metrics-port', '-1', ...options]);
}

async function untilIdle(file: string): Promise<void> {
  await using service = ingest(file, '--until-idle');
  const { code } = await service.exit();
  if (code !== exitStopped) throw new Error(`ended with ${String(code)}\n${service.tail()}`);
}

async function inPostgres(database: PostgresDatabase, table: PublishedTable): Promise<readonly object[]> {
  return await database.rows(`SELECT id, name, amount FROM shop.${table.name} ORDER BY id`);
}

async function inLake(warehouse: string, table: PublishedTable): Promise<readonly object[]> {
  const metadata = join(warehouse, 'shop', table.name, 'metadata');
  const newest = readdirSync(metadata)
    .flatMap((name) => /^v(\d+)\.metadata\.json$/.exec(name)?.[1] ?? [])
    .map(Number)
    .reduce((a, b) => Math.max(a, b), 0);
  const from = `iceberg_scan('${metadata}/v${newest}.metadata.json')`;
  const { rows } = await readLake(`SELECT id, name, amount FROM ${from} ORDER BY id`);
  return rows;
}

function firstHistory(table: PublishedTable): void {
  for (let id = 0n; id < 3000n; id++) table.set(id, `name ${id} Ünï-✓ "\\`, id * 7n);
  table.set(9007199254740993n, 'beyond a double', 123456789012345678n);
  table.set(-1n, 'negative', -5n);
  for (let id = 0n; id < 3000n; id += 3n) table.set(id, `again\t${id}\n`, id);
  table.repeatLast(300);
  for (let id = 1n; id < 3000n; id += 9n) table.remove(id);
}

test('what was published is in PostgreSQL, and goes on after a kill -9 without loss or repeat', async () => {
  await using folder = await scratchFolder();
  await using table = await PublishedTable.create();
  await using database = await PostgresDatabase.create();
  firstHistory(table);
  await table.flush();
  const file = document(folder, table, intoPostgres(database));
  await untilIdle(file);
  expect(await inPostgres(database, table)).toStrictEqual(table.sorted);

  for (let round = 0; round < 3; round++) {
    await using service = ingest(file);
    await service.line('partitions assigned');
    for (let id = 0n; id < 2000n; id++) table.set(id, `round ${round}`, id);
    await table.flush();
    await eventually('some rows of the round', async () => {
      const [found] = await database.rows(`SELECT count(*) AS n FROM shop.${table.name} WHERE name = 'round ${round}'`);
      return Number(found?.['n']) > 0;
    });
    await service.kill('SIGKILL');
    for (let id = 2n; id < 2000n; id += 5n) table.remove(id);
    await table.flush();
  }
  await untilIdle(file);
  expect(await inPostgres(database, table)).toStrictEqual(table.sorted);
});

test('plan tells topics, types and statements, and changes nothing', async () => {
  await using folder = await scratchFolder();
  await using table = await PublishedTable.create();
  await using database = await PostgresDatabase.create();
  table.set(1n, 'a', 1n);
  await table.flush();
  await using planned = spawnService('ingest', ['plan', document(folder, table, intoPostgres(database))]);
  expect(await planned.exit()).toStrictEqual({ code: exitStopped, signal: null });
  const text = planned.output.join('\n');
  expect(text).toContain(`${table.topic.name}  ${partitions} partition(s), 1 record(s)`);
  expect(text).toContain('to be created, key id');
  expect(text).toContain('"amount" numeric(20,2)');
  const schemas = `SELECT nspname FROM pg_namespace WHERE nspname IN ('shop', 'millrace')`;
  expect(await database.rows(schemas)).toStrictEqual([]);

  const warehouse = join(folder.path, 'lake');
  await using lake = spawnService('ingest', [
    'plan',
    document(folder, table, `  type: lakehouse\n  warehouse: ${warehouse}`),
  ]);
  expect(await lake.exit()).toStrictEqual({ code: exitStopped, signal: null });
  expect(lake.output.join('\n')).toContain('amount: DECIMAL(20, 2) → decimal(20, 2)');
  expect(existsSync(warehouse)).toBe(false);
});

test('a document that is wrong, or of the other program, is refused with 2', async () => {
  await using folder = await scratchFolder();
  const wrong = join(folder.path, 'wrong.yaml');
  writeFileSync(wrong, 'source:\n  type: kafka\nsink:\n  type: postgres\n');
  await using refused = spawnService('ingest', ['validate', wrong]);
  expect((await refused.exit()).code).toBe(exitInvalid);
  expect(refused.tail()).toContain('CONFIG_INVALID');
  const capture = join(folder.path, 'capture.yaml');
  writeFileSync(
    capture,
    `source:
  type: mysql
  hostname: localhost
  username: u
  password: p
  tables: shop.\\.*
sink:
  type: kafka
  properties.bootstrap.servers: localhost:9092
`,
  );
  await using other = spawnService('ingest', ['run', capture]);
  expect((await other.exit()).code).toBe(exitInvalid);
  expect(other.tail()).toContain('millrace-capture');
});

test('a change is applied at once, and a clean stop exits with 0', async () => {
  await using folder = await scratchFolder();
  await using table = await PublishedTable.create();
  await using database = await PostgresDatabase.create();
  await using service = ingest(document(folder, table, intoPostgres(database)));
  await service.line('partitions assigned');
  table.set(1n, 'first', 1n);
  await table.flush();
  await eventually('the row', async () => (await inPostgres(database, table)).length === 1, { everyMs: 20 });
  const startedMs = Date.now();
  table.set(2n, 'second', 2n);
  await table.flush();
  await eventually('the row', async () => (await inPostgres(database, table)).length === 2, { everyMs: 10 });
  expect(Date.now() - startedMs).toBeLessThan(1000);
  expect(await service.stop()).toStrictEqual({ code: exitStopped, signal: null });
});

test('two members share the partitions and hand them over under load', async () => {
  await using folder = await scratchFolder();
  await using table = await PublishedTable.create();
  await using database = await PostgresDatabase.create();
  const file = document(folder, table, intoPostgres(database));
  await using first = ingest(file);
  await first.line('partitions assigned');
  const write = async (text: string): Promise<void> => {
    for (let part = 0; part < 5; part++) {
      for (let id = 0n; id < 1000n; id++) table.set(id, `${text} ${part}`, id);
      await table.flush();
    }
  };
  const writing = write('before');
  await using second = ingest(file);
  await second.line('partitions assigned');
  await writing;
  await write('with two');
  await first.kill('SIGKILL');
  await write('after');
  await eventually(
    'equal tables',
    async () => JSON.stringify(await inPostgres(database, table)) === JSON.stringify(table.sorted),
    { timeoutMs: 60_000 },
  );
  expect(await second.stop()).toStrictEqual({ code: exitStopped, signal: null });
});

test('a member that was frozen through a rebalance changes nothing when it wakes (T141)', async () => {
  await using folder = await scratchFolder();
  await using table = await PublishedTable.create();
  await using database = await PostgresDatabase.create();
  const file = document(folder, table, intoPostgres(database));
  const copied = async (): Promise<boolean> =>
    JSON.stringify(await inPostgres(database, table)) === JSON.stringify(table.sorted);
  await using first = ingest(file);
  await first.line('partitions assigned');
  for (let id = 0n; id < 2000n; id++) table.set(id, 'before', id);
  await table.flush();
  await eventually('rows', async () => (await inPostgres(database, table)).length > 0, { everyMs: 5 });
  first.signal('SIGSTOP');
  for (let id = 0n; id < 2000n; id++) table.set(id, 'meanwhile', id);
  await table.flush();
  await using second = ingest(file);
  await second.line('partitions assigned');
  await eventually('equal tables', copied);
  for (let id = 0n; id < 2000n; id += 3n) table.remove(id);
  await table.flush();
  first.signal('SIGCONT');
  await eventually('equal tables', copied);
  for (let id = 5000n; id < 7000n; id++) table.set(id, 'after', id);
  await table.flush();
  await eventually('equal tables', copied);
  // It either found nothing of its own to commit and joined again, or it was refused.
  const code = first.running ? exitFenced : (await first.exit()).code;
  expect(code).toBe(exitFenced);
});

test('a record that does not decode stops the pipeline before it, with its place (T144)', async () => {
  await using folder = await scratchFolder();
  await using table = await PublishedTable.create();
  await using database = await PostgresDatabase.create();
  table.set(1n, 'good', 1n);
  await table.flush();
  table.raw('{"before":null');
  await table.flush();
  await using service = ingest(document(folder, table, intoPostgres(database)), '--until-idle');
  const { code } = await service.exit();
  expect(code).toBe(exitForPerson);
  expect(service.tail()).toContain('RECORD_UNDECODABLE');
  expect(service.tail()).toContain('bad-json');
});

test('what was published is in the lake, and goes on after a kill -9 without loss or repeat', async () => {
  await using folder = await scratchFolder();
  await using table = await PublishedTable.create();
  firstHistory(table);
  await table.flush();
  const warehouse = join(folder.path, 'lake');
  const file = document(folder, table, `  type: lakehouse\n  warehouse: ${warehouse}\n  commit.interval: 200ms`);
  await untilIdle(file);
  expect(await inLake(warehouse, table)).toStrictEqual(table.sorted);

  for (let round = 0; round < 2; round++) {
    await using service = ingest(file);
    await service.line('partitions assigned');
    for (let id = 0n; id < 2000n; id++) table.set(id, `round ${round}`, id);
    await table.flush();
    await eventually('some rows of the round', async () => {
      const rows = await inLake(warehouse, table);
      return rows.some((row) => 'name' in row && row.name === `round ${round}`);
    });
    await service.kill('SIGKILL');
    for (let id = 2n; id < 2000n; id += 5n) table.remove(id);
    await table.flush();
  }
  await untilIdle(file);
  expect(await inLake(warehouse, table)).toStrictEqual(table.sorted);
});
