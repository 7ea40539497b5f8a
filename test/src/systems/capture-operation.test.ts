import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';

import { captureFile } from '../harness/capture-document.ts';
import { stackEnvironment } from '../harness/environment.ts';
import { eventually } from '../harness/eventually.ts';
import { consumeTopic, deleteTopics } from '../harness/kafka-tools.ts';
import { MysqlDatabase } from '../harness/mysql-database.ts';
import { PostgresDatabase } from '../harness/postgres-database.ts';
import { scratchFolder } from '../harness/scratch-folder.ts';
import { metricOf, statusOf } from '../harness/service-status.ts';
import { spawnService } from '../harness/service.ts';

async function database(): Promise<MysqlDatabase> {
  const created = await MysqlDatabase.create('operation');
  await created.run(`CREATE TABLE t (id INT PRIMARY KEY, v INT); INSERT INTO t VALUES (1, 1), (2, 2)`);
  onTestFinished(async () => {
    await created[Symbol.asyncDispose]();
    await deleteTopics(created.name);
  });
  return created;
}

async function recordsAre(topic: string, count: number): Promise<void> {
  await eventually(`${count} records`, async () => (await consumeTopic(topic)).length >= count, { timeoutMs: 30_000 });
}

test('a file holds the checkpoint, progress stands beside it, and a restart repeats nothing', async () => {
  const mysql = await database();
  await using folder = await scratchFolder();
  const { name } = mysql;
  const state = `${folder.path}/state`;
  const document = {
    folder: folder.path,
    name,
    tables: `${name}.t`,
    pipeline: ['checkpoint.store: file', `state.dir: ${state}`],
  };
  const start = () => spawnService('capture', ['run', captureFile(document), '--metrics-port', '0']);
  {
    await using capture = start();
    await recordsAre(`${name}.t`, 2);
    await eventually('the checkpoint says so', async () => {
      const path = `${state}/${name}.checkpoint.json`;
      return existsSync(path) && readFileSync(path, 'utf8').includes('"state":"live"');
    });
    expect(await metricOf(capture, 'checkpoint_age_seconds')).toBeLessThan(30);
    await capture.kill('SIGKILL');
  }
  await mysql.run(`UPDATE t SET v = 3 WHERE id = 1`);
  await using again = start();
  await recordsAre(`${name}.t`, 3);
  const lag = await eventually('the lag is known', async () => {
    const { seconds, bytes } = (await statusOf(again)).lag.capture ?? { seconds: null, bytes: null };
    return seconds !== null && bytes === 0 ? seconds : undefined;
  });
  expect(lag).toBeLessThan(30);
  expect(Math.abs((await metricOf(again, 'clock_skew_seconds')) ?? 99)).toBeLessThan(1);
  expect(await again.stop()).toEqual({ code: 0, signal: null });
  const progress = JSON.parse(readFileSync(`${state}/progress.json`, 'utf8')) as { tables: unknown };
  expect(progress.tables).toMatchObject([{ table: `${name}.t`, state: 'live', rows: { update: 1 } }]);
  expect(await consumeTopic(`${name}.t`)).toHaveLength(3);
});

test('without a state folder in the document none is made', async () => {
  const mysql = await database();
  await using folder = await scratchFolder();
  const { name } = mysql;
  const file = captureFile({ folder: folder.path, name, tables: `${name}.t` });
  const args = ['run', file, '--until-idle', '--metrics-port', '-1'];
  await using capture = spawnService('capture', args, { workingFolder: folder.path });
  expect(await capture.exit()).toEqual({ code: 0, signal: null });
  expect(existsSync(`${folder.path}/state`)).toBe(false);
});

function ingestFile(folder: string, name: string, postgres: PostgresDatabase): string {
  const { host, pathname, username, password } = new URL(postgres.url);
  const path = `${folder}/${name}-ingest.yaml`;
  writeFileSync(
    path,
    `source:
  type: kafka
  properties.bootstrap.servers: ${stackEnvironment().kafkaBootstrapServers}
  topic: ${name}.t
  scan.startup.mode: earliest-offset
  debezium-json.distributed-tables: true
sink:
  type: postgres
  url: postgresql://${host}${pathname}
  username: ${username}
  password: ${password}
pipeline:
  name: ${name}-ingest
  dead-letter.policy: stop
`,
  );
  return path;
}

test('--from-scratch asks, reads everything again under a higher epoch, and an ingest does not take it for repeats', async () => {
  const mysql = await database();
  await using postgres = await PostgresDatabase.create('operation');
  await using folder = await scratchFolder();
  const { name } = mysql;
  const file = captureFile({ folder: folder.path, name, tables: `${name}.t` });
  const capture = async (input: string | null): Promise<number | null> => {
    const more = input === null ? [] : ['--from-scratch'];
    const args = ['run', file, '--until-idle', '--metrics-port', '-1', ...more];
    await using service = spawnService('capture', args, { input: input ?? '' });
    return (await service.exit()).code;
  };
  const ingest = async (): Promise<readonly unknown[]> => {
    const args = ['run', ingestFile(folder.path, name, postgres), '--until-idle', '--metrics-port', '-1'];
    await using service = spawnService('ingest', args);
    expect({ ...(await service.exit()), log: service.tail(4) }).toMatchObject({ code: 0 });
    return await postgres.rows(`SELECT * FROM ${name}.t ORDER BY id`);
  };
  expect(await capture(null)).toBe(0);
  await mysql.run(`UPDATE t SET v = 20 WHERE id = 2`);
  expect(await capture(null)).toBe(0);
  expect(await ingest()).toEqual([
    { id: '1', v: '1' },
    { id: '2', v: '20' },
  ]);
  const before = (await consumeTopic(`${name}.t`)).length;
  expect(await capture('no\n')).toBe(2);
  expect(await capture('')).toBe(2);
  expect(await consumeTopic(`${name}.t`)).toHaveLength(before);

  // Lost at the destination: only what is really read again brings it back.
  await postgres.run(`UPDATE ${name}.t SET v = -1`);
  expect(await capture(`${name}\n`)).toBe(0);
  await mysql.run(`INSERT INTO t VALUES (3, 3)`);
  expect(await capture(null)).toBe(0);
  expect(await ingest()).toEqual([
    { id: '1', v: '1' },
    { id: '2', v: '20' },
    { id: '3', v: '3' },
  ]);
  const epochs = (await consumeTopic(`${name}.t`)).map(({ headers }) => headers['mr.pos']?.slice(0, 4));
  expect(epochs.slice(0, before).every((epoch) => epoch === epochs[0])).toBe(true);
  expect(epochs.slice(before).every((epoch) => epoch !== undefined && epoch > (epochs[0] ?? ''))).toBe(true);
});

test('B12 of two captures of one pipeline the older ends with 5 and says why, the newer goes on', async () => {
  const mysql = await database();
  await using folder = await scratchFolder();
  const { name } = mysql;
  const file = captureFile({ folder: folder.path, name, tables: `${name}.t` });
  const start = () => spawnService('capture', ['run', file, '--metrics-port', '-1']);
  await using older = start();
  await older.line('"msg":"running"');
  await recordsAre(`${name}.t`, 2);
  await using newer = start();
  await newer.line('"msg":"running"');
  expect((await older.exit()).code).toBe(5);
  expect(older.tail()).toContain('SOURCE_FENCED');
  await mysql.run(`INSERT INTO t VALUES (3, 3)`);
  await recordsAre(`${name}.t`, 3);
  expect(await newer.stop()).toEqual({ code: 0, signal: null });
});

test('the action query writes at each heartbeat, and a refusal is told without stopping anything', async () => {
  const mysql = await database();
  await using folder = await scratchFolder();
  const { name } = mysql;
  const { mysql: administrator } = stackEnvironment();
  await mysql.run(`CREATE TABLE beat (id INT PRIMARY KEY, n INT); INSERT INTO beat VALUES (1, 0)`);
  const source = [
    'heartbeat.interval: 200ms',
    `heartbeat.action.query: UPDATE ${name}.beat SET n = n + 1`,
    'server-time-zone: +09:00',
  ];
  const file = captureFile({ folder: folder.path, name, tables: `${name}.t`, source });
  const start = () => spawnService('capture', ['run', file, '--metrics-port', '-1']);
  {
    await using refused = start();
    await refused.line('heartbeat.action.query failed');
    await refused.line(/server-time-zone: \+09:00 is declared/);
    await recordsAre(`${name}.t`, 2);
    expect(refused.running).toBe(true);
    expect(await refused.stop()).toEqual({ code: 0, signal: null });
  }
  const asRoot = readFileSync(file, 'utf8')
    .replace(/username: .*/, `username: ${administrator.user}`)
    .replace(/password: .*/, `password: ${administrator.password}`);
  writeFileSync(file, asRoot);
  await using allowed = start();
  await eventually('the query has run', async () => Number((await mysql.rows('SELECT n FROM beat'))[0]?.['n']) > 2);
  expect(await allowed.stop()).toEqual({ code: 0, signal: null });
});
