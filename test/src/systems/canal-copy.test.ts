import { writeFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';

import { captureFile } from '../harness/capture-document.ts';
import { stackEnvironment } from '../harness/environment.ts';
import { eventually } from '../harness/eventually.ts';
import { consumeTopic, deleteTopics } from '../harness/kafka-tools.ts';
import { MysqlDatabase } from '../harness/mysql-database.ts';
import { PostgresDatabase } from '../harness/postgres-database.ts';
import { readLake } from '../harness/read-lake.ts';
import { scratchFolder } from '../harness/scratch-folder.ts';
import { metricOf, statusOf } from '../harness/service-status.ts';
import { spawnService } from '../harness/service.ts';

interface Canal {
  readonly type: string;
  readonly old: readonly Readonly<Record<string, unknown>>[] | null;
  readonly ts: number;
  readonly es: number;
}

test('canal-json carries tables into PostgreSQL and the lake, new columns included, whatever `old` holds', async () => {
  await using mysql = await MysqlDatabase.create('canal');
  await using postgres = await PostgresDatabase.create('canal');
  await using folder = await scratchFolder();
  const { name } = mysql;
  onTestFinished(() => deleteTopics(name));
  await mysql.run(`CREATE TABLE orders (id BIGINT UNSIGNED PRIMARY KEY, total DECIMAL(10,2), note TEXT, made DATETIME(3));
    INSERT INTO orders VALUES (18446744073709551615, 99.50, 'ü "quoted"', '2026-01-02 03:04:05.678'), (2, 600, NULL, NULL)`);
  const file = captureFile({
    folder: folder.path,
    name,
    tables: String.raw`${name}.\.*`,
    schemaLog: 'millrace.schema',
    source: ['metadata.list: op_ts, es_ts'],
    sink: [
      'value.format: canal-json',
      'canal-json.old: changed',
      'partition.strategy: hash-by-key',
      'topic.creation.default.partitions: 3',
    ],
  });
  const { host, pathname, username, password } = new URL(postgres.url);
  const warehouse = [`url: postgresql://${host}${pathname}`, `username: ${username}`, `password: ${password}`];
  const lake = [`warehouse: ${folder.path}/lake`, 'commit.interval: 300ms'];
  const copyFile = (kind: 'postgres' | 'lakehouse'): string => {
    const path = `${folder.path}/${kind}.yaml`;
    const sink = [`type: ${kind}`, ...(kind === 'postgres' ? warehouse : lake)];
    writeFileSync(
      path,
      `source:
  type: kafka
  properties.bootstrap.servers: ${stackEnvironment().kafkaBootstrapServers}
  topic: ${name}.orders
  scan.startup.mode: earliest-offset
  value.format: canal-json
  canal-json.distributed-tables: true
sink:
${sink.map((line) => `  ${line}`).join('\n')}
pipeline:
  name: ${name}-${kind}
`,
    );
    return path;
  };
  await using capture = spawnService('capture', ['run', file, '--metrics-port', '-1']);
  await using ingest = spawnService('ingest', ['run', copyFile('postgres'), '--metrics-port', '0']);
  await using lakeIngest = spawnService('ingest', ['run', copyFile('lakehouse'), '--metrics-port', '0']);
  const stored = async (): Promise<readonly unknown[]> => {
    try {
      return await postgres.rows(`SELECT * FROM ${name}.orders ORDER BY id`);
    } catch (cause) {
      throw new Error(`${capture.tail(4)}\n${ingest.tail(4)}`, { cause });
    }
  };
  const hold = (what: string, expected: readonly unknown[]) =>
    eventually(
      what,
      async () => {
        expect(await stored()).toEqual(expected);
        return true;
      },
      { timeoutMs: 40_000 },
    );
  const great = { id: '18446744073709551615', total: '99.50', note: 'ü "quoted"', made: '2026-01-02 03:04:05.678' };
  await hold('the snapshot is there', [{ id: '2', total: '600.00', note: null, made: null }, great]);
  await mysql.run(`UPDATE orders SET total = 601, note = 'paid' WHERE id = 2; UPDATE orders SET id = 3 WHERE id = 2;
    ALTER TABLE orders ADD COLUMN vip INT; INSERT INTO orders VALUES (4, 1, 'new', NULL, 1);
    DELETE FROM orders WHERE id = 18446744073709551615`);
  await hold('changes and the new column are there', [
    { id: '3', total: '601.00', note: 'paid', made: null, vip: null },
    { id: '4', total: '1.00', note: 'new', made: null, vip: '1' },
  ]);
  await eventually('the lake is equal', async () => {
    const { rows } = await readLake(
      `SELECT id, total, note, made, vip FROM iceberg_scan('${folder.path}/lake/${name}/orders') ORDER BY id`,
    );
    expect(rows).toEqual([
      { id: '3', total: '601.00', note: 'paid', made: null, vip: null },
      { id: '4', total: '1.00', note: 'new', made: null, vip: '1' },
    ]);
    return true;
  });
  expect(await metricOf(lakeIngest, 'files_live', `${name}.orders`)).toBeGreaterThan(0);
  expect(await metricOf(lakeIngest, 'lake_bytes', `${name}.orders`)).toBeGreaterThan(0);
  // None where a whole file was superseded; absent where nobody set it.
  expect(await metricOf(lakeIngest, 'deletion_vectors', `${name}.orders`)).toBeGreaterThanOrEqual(0);
  expect(await lakeIngest.stop()).toEqual({ code: 0, signal: null });
  const table = (await statusOf(ingest)).tables.find((status) => status.table === `${name}.orders`);
  expect(table?.rows.update).toBeGreaterThanOrEqual(4);
  expect(table?.lagSeconds).toBeGreaterThanOrEqual(0);
  expect(await metricOf(ingest, 'rows_written_total', `${name}.orders`)).toBeGreaterThan(0);
  expect(await capture.stop()).toEqual({ code: 0, signal: null });
  expect(await ingest.stop()).toEqual({ code: 0, signal: null });

  const records = (await consumeTopic(`${name}.orders`)).map((record) => JSON.parse(record.value ?? '') as Canal);
  const update = records.find((record) => record.type === 'UPDATE');
  expect(update?.old).toEqual([{ total: 600, note: null }]);
  expect(update?.es).toBeGreaterThan(0);
  expect(update?.es).toBe(update?.ts);
  expect(records.filter((record) => record.type === 'INSERT').some((record) => record.es === 0)).toBe(true);
});
