import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { expect, test } from 'vitest';
import { stackEnvironment } from '../harness/environment.ts';
import { createTopic } from '../harness/kafka-tools.ts';
import { PostgresDatabase } from '../harness/postgres-database.ts';
import { readLake } from '../harness/read-lake.ts';
import { scratchFolder } from '../harness/scratch-folder.ts';
import { spawnService } from '../harness/service.ts';
import { uniqueName } from '../harness/unique-name.ts';

interface Produced {
  readonly key: string | null;
  readonly value: string | null;
}

/** Values of a Debezium MySQL connector, of which nothing but the records themselves is known. */
function ofConnector(table: string): readonly Produced[] {
  const source = `"source":{"version":"3.7.0","connector":"mysql","name":"shop","ts_ms":1728528674000,"snapshot":"false","db":"shop","table":"${table}","server_id":1,"gtid":null,"file":"b.1","pos":484,"row":0}`;
  const change = (op: string, before: string, after: string, id: number): Produced => ({
    key: `{"id":${id}}`,
    value: `{"before":${before},"after":${after},${source},"transaction":null,"op":"${op}","ts_ms":1}`,
  });
  const row = (id: number, name: string, amount: string): string => `{"id":${id},"name":"${name}","amount":${amount}}`;
  const enveloped = (record: Produced): Produced => ({
    key: record.key === null ? null : `{"schema":{"type":"struct"},"payload":${record.key}}`,
    value: `{"schema":{"type":"struct","fields":[]},"payload":${record.value ?? 'null'}}`,
  });
  return [
    change('r', 'null', row(1, 'one', '1'), 1),
    change('c', 'null', row(2, 'two', '18446744073709551615'), 2),
    enveloped(change('c', 'null', row(3, 'three', '2.50'), 3)),
    change('u', row(1, 'one', '1'), row(1, 'uno', '-7'), 1),
    change('d', row(2, 'two', '0'), 'null', 2),
    { key: '{"id":2}', value: null },
    change('u', row(3, 'three', '2.50'), row(4, 'moved', '3.25'), 4),
  ];
}

function ofCanal(table: string): readonly Produced[] {
  const tail = `"database":"shop","table":"${table}","pkNames":["id"]`;
  const row = (id: number, name: string, amount: string): string => `{"id":${id},"name":"${name}","amount":${amount}}`;
  const value = (text: string): Produced => ({ key: null, value: text });
  return [
    value(
      `{"old":null,"data":[${row(1, 'one', '1')},${row(2, 'two', '2')},${row(3, 'x', '3.25')}],"type":"INSERT",${tail}}`,
    ),
    value(`{"old":[${row(1, 'one', '1')}],"data":[${row(1, 'uno', '-7')}],"type":"UPDATE",${tail},"ts":1,"es":0}`),
    value(`{"old":[${row(2, 'two', '2')}],"data":null,"type":"DELETE",${tail}}`),
    value(`{"old":[${row(3, 'x', '3.25')}],"data":[${row(4, 'moved', '3.25')}],"type":"UPDATE",${tail}}`),
  ];
}

const expected = [
  { id: '1', name: 'uno', amount: '-7.00' },
  { id: '4', name: 'moved', amount: '3.25' },
];

async function copied(
  format: string,
  records: (table: string) => readonly Produced[],
  sink: string,
  folder: string,
): Promise<string> {
  const { kafkaBootstrapServers } = stackEnvironment();
  const table = uniqueName('foreign');
  await using topic = await createTopic(1, { name: `dbz.shop.${table}` });
  const producer = new Kafka({ brokers: [kafkaBootstrapServers], logLevel: logLevel.NOTHING }).producer();
  await producer.connect();
  await producer.send({ topic: topic.name, acks: -1, messages: [...records(table)] });
  await producer.disconnect();
  const file = join(folder, `${uniqueName('pipeline')}.yaml`);
  writeFileSync(
    file,
    `source:
  type: kafka
  properties.bootstrap.servers: ${kafkaBootstrapServers}
  topic-pattern: dbz\\.shop\\.${table}
  scan.startup.mode: earliest-offset
  value.format: ${format}
transform:
  - source-table: shop.${table}
    projection: \\*
    primary-keys: id
sink:
${sink}
pipeline:
  name: ${uniqueName('ingest')}
`,
  );
  await using service = spawnService('ingest', ['run', file, '--metrics-port', '-1', '--until-idle']);
  const { code } = await service.exit();
  if (code !== 0) throw new Error(`ended with ${String(code)}\n${service.tail()}`);
  return table;
}

test.each([
  ['debezium-json', ofConnector],
  ['canal-json', ofCanal],
])('%s of other producers is copied into PostgreSQL with inferred types (T33, T136, T182)', async (format, records) => {
  await using folder = await scratchFolder();
  await using database = await PostgresDatabase.create();
  const sink = `  type: postgres\n  url: ${database.url.replace('postgres://', 'postgresql://')}`;
  const table = await copied(format, records, sink, folder.path);
  expect(
    await database.rows(`SELECT id, name, round(amount, 2) AS amount FROM shop.${table} ORDER BY id`),
  ).toStrictEqual(expected);
});

test('debezium-json of other producers is copied into the lake with inferred types', async () => {
  await using folder = await scratchFolder();
  const warehouse = join(folder.path, 'lake');
  const table = await copied('debezium-json', ofConnector, `  type: lakehouse\n  warehouse: ${warehouse}`, folder.path);
  const metadata = join(warehouse, 'shop', table, 'metadata');
  const newest = Math.max(...readdirSync(metadata).map((name) => Number(/^v(\d+)\.metadata/.exec(name)?.[1] ?? 0)));
  const { rows } = await readLake(
    `SELECT id, name, amount::DECIMAL(30, 2) AS amount FROM iceberg_scan('${metadata}/v${newest}.metadata.json') ORDER BY id`,
  );
  expect(rows).toStrictEqual(expected);
});
