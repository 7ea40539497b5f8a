import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { createConnection } from 'mysql2/promise';
import { expect, test } from 'vitest';
import { stackEnvironment } from '../harness/environment.ts';
import { consumeTopic, createTopic, endOffsets, listTopics } from '../harness/kafka-tools.ts';
import { MysqlDatabase } from '../harness/mysql-database.ts';
import { PostgresDatabase } from '../harness/postgres-database.ts';
import { readLake } from '../harness/read-lake.ts';
import { scratchFolder } from '../harness/scratch-folder.ts';

test('MySQL writes full rows with full metadata and GTIDs, and returns values as exact text', async () => {
  await using database = await MysqlDatabase.create();
  await database.run('CREATE TABLE t (id BIGINT PRIMARY KEY, amount DECIMAL(38, 10), at DATETIME(6))');
  await database.run(
    "INSERT INTO t VALUES (9007199254740993, 1234567890123456789.0123456789, '2026-01-02 03:04:05.000006')",
  );
  expect(await database.rows('SELECT * FROM t')).toEqual([
    { id: '9007199254740993', amount: '1234567890123456789.0123456789', at: '2026-01-02 03:04:05.000006' },
  ]);
  expect(
    await database.rows(
      'SELECT @@binlog_format f, @@binlog_row_image i, @@binlog_row_metadata m, @@gtid_mode g, @@binlog_row_value_options o',
    ),
  ).toEqual([{ f: 'ROW', i: 'FULL', m: 'FULL', g: 'ON', o: '' }]);
});

test('the capture user reads but cannot write', async () => {
  await using database = await MysqlDatabase.create();
  await database.run('CREATE TABLE t (id INT PRIMARY KEY)');
  const connection = await createConnection({ ...stackEnvironment().mysqlCapture, database: database.name });
  try {
    await connection.query('SELECT * FROM t');
    await connection.query('SHOW BINARY LOG STATUS');
    await expect(connection.query('INSERT INTO t VALUES (1)')).rejects.toMatchObject({
      code: 'ER_TABLEACCESS_DENIED_ERROR',
    });
  } finally {
    await connection.end();
  }
});

test("Kafka's own tools show every part of a record, nulls as nulls", async () => {
  await using topic = await createTopic(2);
  const kafka = new Kafka({
    brokers: stackEnvironment().kafkaBootstrapServers.split(','),
    logLevel: logLevel.NOTHING,
  });
  const producer = kafka.producer();
  await producer.connect();
  try {
    await producer.send({
      topic: topic.name,
      messages: [
        {
          partition: 1,
          key: 'k',
          value: '{"a":"x:y, z"}',
          headers: { 'mr.pos': '1:2', other: 'b' },
          timestamp: '1700000000000',
        },
        { partition: 1, key: null, value: null, timestamp: '1700000000001' },
      ],
    });
  } finally {
    await producer.disconnect();
  }
  expect(await consumeTopic(topic.name)).toEqual([
    {
      partition: 1,
      offset: 0n,
      timestampMs: 1_700_000_000_000,
      headers: { 'mr.pos': '1:2', other: 'b' },
      key: 'k',
      value: '{"a":"x:y, z"}',
    },
    { partition: 1, offset: 1n, timestampMs: 1_700_000_000_001, headers: {}, key: null, value: null },
  ]);
  expect(await endOffsets(topic.name)).toEqual(
    new Map([
      [0, 0n],
      [1, 2n],
    ]),
  );
  expect(await listTopics()).toContain(topic.name);
});

test('PostgreSQL returns values as exact text and its database goes away with the test', async () => {
  let name: string;
  {
    await using database = await PostgresDatabase.create();
    name = database.name;
    await database.run('CREATE TABLE t (id bigint PRIMARY KEY, amount numeric, b bytea, n text)');
    await database.run(String.raw`INSERT INTO t VALUES (9007199254740993, 1.10, '\x00ff', NULL)`);
    expect(await database.rows('SELECT * FROM t')).toEqual([
      { id: '9007199254740993', amount: '1.10', b: String.raw`\x00ff`, n: null },
    ]);
  }
  await using other = await PostgresDatabase.create();
  expect(await other.rows(`SELECT 1 FROM pg_database WHERE datname = '${name}'`)).toEqual([]);
});

test('DuckDB reads files and renders values exactly, with the Iceberg reader at hand', async () => {
  await using folder = await scratchFolder();
  const path = join(folder.path, 'rows.csv');
  await writeFile(path, 'id,amount\n9007199254740993,1234567890123456789.0123456789\n');
  const sql = `SELECT id, amount::DECIMAL(38,10) AS amount, TIMESTAMPTZ '2026-01-02 03:04:05.000006+00' AS at,
    NULL::INTEGER AS n, 0.1::DOUBLE AS d FROM read_csv('${path}', all_varchar = true)`;
  expect(await readLake(sql)).toEqual({
    types: { id: 'VARCHAR', amount: 'DECIMAL(38,10)', at: 'TIMESTAMP WITH TIME ZONE', n: 'INTEGER', d: 'DOUBLE' },
    rows: [
      {
        id: '9007199254740993',
        amount: '1234567890123456789.0123456789',
        at: '2026-01-02 03:04:05.000006+00',
        n: null,
        d: '0.1',
      },
    ],
  });
  await expect(readLake(`SELECT * FROM iceberg_scan('${folder.path}/absent')`)).rejects.toThrow(/absent/);
});
