import { readFileSync, writeFileSync } from 'node:fs';
import { createConnection } from 'mysql2/promise';
import type { Connection } from 'mysql2/promise';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { checkoutPath, stackEnvironment } from '../harness/environment.ts';
import { eventually } from '../harness/eventually.ts';
import { consumeTopic, runKafkaClass } from '../harness/kafka-tools.ts';
import { readLake } from '../harness/read-lake.ts';
import { scratchFolder } from '../harness/scratch-folder.ts';
import { spawnService } from '../harness/service.ts';
import { uniqueName } from '../harness/unique-name.ts';

// The documents name the database and topics themselves, so that these names are fixed.
const topics = [
  'customers',
  'products',
  'kafka_test.customers',
  'kafka_test.products',
  'kafka_test.log_entries',
  'inventory',
];
const documents = `${checkoutPath}/test/documents`;
let mysql: Connection;

async function deleteTopics(): Promise<void> {
  for (const topic of topics) {
    await runKafkaClass('org.apache.kafka.tools.TopicCommand', ['--delete', '--if-exists', '--topic', topic]);
  }
}

async function makeShop(): Promise<void> {
  await mysql.query(`DROP DATABASE IF EXISTS kafka_test`);
  await mysql.query(`CREATE DATABASE kafka_test; USE kafka_test;
    CREATE TABLE customers (id INT NOT NULL PRIMARY KEY, name VARCHAR(20), address VARCHAR(40), phone_number VARCHAR(20), age INT);
    CREATE TABLE products (id INT NOT NULL PRIMARY KEY, name VARCHAR(20), price DECIMAL(10,2));
    CREATE TABLE log_entries (id BIGINT UNSIGNED NOT NULL PRIMARY KEY, text VARCHAR(40));
    INSERT INTO customers VALUES (4, 'John', 'New York', '2222', 12), (5, 'Jane', NULL, '3333', NULL);
    INSERT INTO products VALUES (101, 'scooter', 99.50), (102, 'car', 600);
    INSERT INTO log_entries VALUES (18446744073709551615, 'last')`);
}

const variables = (): Readonly<Record<string, string>> => {
  const { mysqlCapture, kafkaBootstrapServers } = stackEnvironment();
  return {
    SECRET_VALUES_MYSQL_HOSTNAME: mysqlCapture.host,
    MYSQL_PORT: String(mysqlCapture.port),
    SECRET_VALUES_MYSQL_USERNAME: mysqlCapture.user,
    SECRET_VALUES_MYSQL_PASSWORD: mysqlCapture.password,
    KAFKA_BOOTSTRAPS_SERVER: kafkaBootstrapServers,
    KAFKA_BOOTSTRAP_SERVERS: kafkaBootstrapServers,
  };
};

/** The document as printed, under a file name of its own, which is the pipeline's name; `more` is appended to the sink. */
function copyOf(document: string, folder: string, more = ''): string {
  const path = `${folder}/${uniqueName('published')}.yaml`;
  writeFileSync(path, `${readFileSync(`${documents}/${document}.yaml`, 'utf8').trimEnd()}\n${more}`);
  return path;
}

const customer = '"id":4,"name":"John","address":"New York","phone_number":';

beforeAll(async () => {
  mysql = await createConnection({ ...stackEnvironment().mysql, multipleStatements: true });
});

afterAll(async () => {
  await deleteTopics();
  await mysql.query('DROP DATABASE IF EXISTS kafka_test');
  await mysql.end();
});

test.each([
  ['published-capture-minimal', 'kafka_test.customers', 'kafka_test.products'],
  // The full form maps two tables to topics of other names.
  ['published-capture-full', 'customers', 'products'],
])('%s runs as printed', async (document, customers, products) => {
  await deleteTopics();
  await makeShop();
  await using folder = await scratchFolder();
  const args = ['run', copyOf(document, folder.path), '--metrics-port', '-1'];
  await using capture = spawnService('capture', args, { env: variables() });
  await capture.line('running');
  const count = (records: number) => async () => (await consumeTopic(customers)).length === records;
  await eventually('the snapshot is in the topic', count(2), { timeoutMs: 30_000 });
  await mysql.query(
    `UPDATE kafka_test.customers SET phone_number = '1234' WHERE id = 4; DELETE FROM kafka_test.customers WHERE id = 5`,
  );
  await eventually('the changes are in the topic', count(4), { timeoutMs: 30_000 });
  expect(await capture.stop()).toEqual({ code: 0, signal: null });

  const records = await consumeTopic(customers);
  expect(records.map((record) => record.partition)).toEqual([0, 0, 0, 0]);
  expect(records[0]?.value).toBe(
    `{"before":null,"after":{${customer}"2222","age":12},"op":"c","source":{"db":"kafka_test","table":"customers","ts_ms":0}}`,
  );
  expect(records[2]?.value).toMatch(
    new RegExp(
      `^\\{"before":\\{${customer}"2222","age":12\\},"after":\\{${customer}"1234","age":12\\},"op":"u","source":\\{"db":"kafka_test","table":"customers","ts_ms":1\\d{12}\\}\\}$`,
    ),
  );
  expect(records[2]?.key).toBe('{"TableId":"kafka_test.customers","id":4}');
  expect(records[3]?.value).toMatch(/^\{"before":\{"id":5,.*"age":null\},"after":null,"op":"d"/);
  expect((await consumeTopic(products)).map((record) => record.value)).toEqual([
    expect.stringContaining('"price":99.50}'),
    expect.stringContaining('"price":600.00}'),
  ]);
  const [entry] = await consumeTopic('kafka_test.log_entries');
  expect(entry?.key).toBe('{"TableId":"kafka_test.log_entries","id":18446744073709551615}');
});

test('the published ingest document keeps a lake equal to the tables of one topic', async () => {
  await deleteTopics();
  await makeShop();
  await using folder = await scratchFolder();
  const all = copyOf(
    'published-capture-minimal',
    folder.path,
    '  topic: inventory\n  partition.strategy: hash-by-key\n',
  );
  await using capture = spawnService('capture', ['run', all, '--until-idle', '--metrics-port', '-1'], {
    env: variables(),
  });
  expect(await capture.exit()).toEqual({ code: 0, signal: null });
  const document = copyOf('published-ingest', folder.path);
  writeFileSync(document, readFileSync(document, 'utf8').replace('your_warehouse', `${folder.path}/lake`));
  const args = ['run', document, '--until-idle', '--metrics-port', '-1'];
  await using ingest = spawnService('ingest', args, { env: variables() });
  expect({ ...(await ingest.exit()), log: ingest.tail(5) }).toMatchObject({ code: 0, signal: null });
  const table = (name: string) => `iceberg_scan('${folder.path}/lake/kafka_test/${name}')`;
  expect((await readLake(`SELECT * FROM ${table('customers')} ORDER BY id`)).rows).toEqual([
    { id: '4', name: 'John', address: 'New York', phone_number: '2222', age: '12' },
    { id: '5', name: 'Jane', address: null, phone_number: '3333', age: null },
  ]);
  const products = await readLake(`SELECT * FROM ${table('products')} ORDER BY id`);
  expect(products.rows.map((row) => row['price'])).toEqual(['99.50', '600.00']);
  expect(products.types['price']).toBe('DECIMAL(10,2)');
  const log = await readLake(`SELECT * FROM ${table('log_entries')}`);
  expect(log.rows).toEqual([{ id: '18446744073709551615', text: 'last' }]);
});

test('an invalid document is refused whole, before anything is started', async () => {
  await using folder = await scratchFolder();
  const document = copyOf('published-capture-minimal', folder.path, '  partition.strategy: hash-by-kye\n  topics: x\n');
  await using capture = spawnService('capture', ['run', document], { env: { MYSQL_PORT: 'many' } });
  expect((await capture.exit()).code).toBe(2);
  const text = capture.log.join('\n');
  expect(text).toContain('CONFIG_INVALID');
  expect(text).toContain('hash-by-key');
  expect(text).toContain('SECRET_VALUES_MYSQL_HOSTNAME');
  expect(text).toContain('topic');
  expect(text).toMatch(/:\d+:\d+ /);
});
