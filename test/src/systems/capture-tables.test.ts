import { expect, onTestFinished, test } from 'vitest';

import { captureFile } from '../harness/capture-document.ts';
import type { CaptureDocument } from '../harness/capture-document.ts';
import { eventually } from '../harness/eventually.ts';
import { consumeTopic, deleteTopics } from '../harness/kafka-tools.ts';
import { MysqlDatabase } from '../harness/mysql-database.ts';
import { scratchFolder } from '../harness/scratch-folder.ts';
import { metricOf, statusOf } from '../harness/service-status.ts';
import { spawnService } from '../harness/service.ts';
import type { Service } from '../harness/service.ts';

interface Change {
  readonly op: string;
  readonly before: Readonly<Record<string, unknown>> | null;
  readonly after: Readonly<Record<string, unknown>> | null;
}

/** What happened to the rows of a topic: `[op, after ?? before, mr.snap]`. */
async function changes(topic: string): Promise<readonly (readonly [string, unknown, string | undefined])[]> {
  return (await consumeTopic(topic)).map(({ value, headers }) => {
    const { op, before, after } = JSON.parse(value ?? '') as Change;
    return [op, after ?? before, headers['mr.snap']] as const;
  });
}

async function rowsAre(topic: string, count: number): Promise<void> {
  const check = async (): Promise<boolean> => (await changes(topic)).length >= count;
  await eventually(`${count} records are in ${topic}`, check, { timeoutMs: 30_000 });
}

function run(document: CaptureDocument): Service {
  return spawnService('capture', ['run', captureFile(document), '--metrics-port', '0']);
}

async function database(): Promise<MysqlDatabase> {
  const created = await MysqlDatabase.create('tables');
  onTestFinished(async () => {
    await created[Symbol.asyncDispose]();
    await deleteTopics(created.name);
  });
  return created;
}

async function tableStatus(capture: Service, table: string) {
  return (await statusOf(capture)).tables.find((status) => status.table === table);
}

test('a value that cannot be written stops its table alone, in the stream and in the snapshot, over restarts', async () => {
  const mysql = await database();
  await using folder = await scratchFolder();
  const { name } = mysql;
  await mysql.run(`CREATE TABLE bad (id INT PRIMARY KEY, flag TINYINT(1)); INSERT INTO bad VALUES (1, 1);
    CREATE TABLE bad_before (id INT PRIMARY KEY, flag TINYINT(1)); INSERT INTO bad_before VALUES (1, 2);
    CREATE TABLE good (id INT PRIMARY KEY, v INT); INSERT INTO good VALUES (1, 10)`);
  const document = { folder: folder.path, name, tables: String.raw`${name}.\.*` };
  {
    await using capture = run(document);
    await capture.line('running');
    await rowsAre(`${name}.bad`, 1);
    await mysql.run(`INSERT INTO bad VALUES (2, 2); INSERT INTO good VALUES (2, 20); INSERT INTO bad VALUES (3, 1)`);
    await rowsAre(`${name}.good`, 2);
    for (const table of [`${name}.bad`, `${name}.bad_before`]) {
      await eventually(`${table} shows its error`, async () => (await tableStatus(capture, table))?.state === 'error');
      const error = (await tableStatus(capture, table))?.error;
      expect(error).toMatchObject({ code: 'VALUE_UNSUPPORTED', where: table });
      expect(error?.fix).toContain('treat-tinyint1-as-boolean.enabled');
    }
    expect(await metricOf(capture, 'errors_total', 'VALUE_UNSUPPORTED')).toBe(2);
    expect(await metricOf(capture, 'records_published_total', `${name}.good`)).toBe(2);
    expect((await statusOf(capture)).state).toBe('running');
    expect(await capture.stop()).toEqual({ code: 0, signal: null });
  }
  await using again = run(document);
  await again.line(/a table stopped.*--from-scratch|--from-scratch.*a table stopped/);
  await mysql.run(`INSERT INTO bad VALUES (4, 1); INSERT INTO good VALUES (4, 40)`);
  await rowsAre(`${name}.good`, 3);
  expect((await tableStatus(again, `${name}.bad`))?.state).toBe('error');
  expect(await again.stop()).toEqual({ code: 0, signal: null });
  expect((await changes(`${name}.bad`)).map(([, row]) => row)).toEqual([{ id: 1, flag: true }]);
});

test('a projection that drops the key stops its table alone, at the start', async () => {
  const mysql = await database();
  await using folder = await scratchFolder();
  const { name } = mysql;
  await mysql.run(`CREATE TABLE cut (id INT PRIMARY KEY, v INT); INSERT INTO cut VALUES (1, 10);
    CREATE TABLE whole (id INT PRIMARY KEY, v INT); INSERT INTO whole VALUES (1, 10)`);
  await using capture = run({
    folder: folder.path,
    name,
    tables: String.raw`${name}.\.*`,
    transform: [`- source-table: ${name}.cut`, '  projection: v'],
  });
  await rowsAre(`${name}.whole`, 1);
  expect((await tableStatus(capture, `${name}.cut`))?.error).toMatchObject({ code: 'SOURCE_SCHEMA_UNSUPPORTED' });
});

test('tables that are made, renamed into the selection, or came while down are read whole and followed', async () => {
  const mysql = await database();
  await using folder = await scratchFolder();
  const { name } = mysql;
  await mysql.run(`CREATE TABLE a_first (id INT PRIMARY KEY); INSERT INTO a_first VALUES (1);
    CREATE TABLE other (id INT PRIMARY KEY); INSERT INTO other VALUES (1), (2), (3);
    CREATE TABLE quiet (id INT PRIMARY KEY); INSERT INTO quiet VALUES (1), (2)`);
  const document = {
    folder: folder.path,
    name,
    tables: String.raw`${name}.a_\.*`,
    source: ['scan.newly-added-table.enabled: true', 'scan.table-discovery.interval: 1s'],
  };
  {
    await using capture = run(document);
    await capture.line('running');
    await mysql.run(
      `CREATE TABLE a_made (id INT PRIMARY KEY); INSERT INTO a_made VALUES (1); INSERT INTO a_made VALUES (2)`,
    );
    // Changed at once: the log shows the table before anybody looked for it.
    await mysql.run(`RENAME TABLE other TO a_renamed; INSERT INTO a_renamed VALUES (4)`);
    await mysql.run(`RENAME TABLE quiet TO a_quiet`);
    await rowsAre(`${name}.a_made`, 2);
    const ids = async (topic: string): Promise<readonly unknown[]> =>
      [...new Set((await changes(topic)).map(([, row]) => (row as { id: number }).id))].toSorted((a, b) => a - b);
    await eventually(
      'the renamed tables are whole',
      async () => (await ids(`${name}.a_renamed`)).length === 4 && (await ids(`${name}.a_quiet`)).length === 2,
      { timeoutMs: 30_000 },
    );
    expect((await changes(`${name}.a_made`)).map(([, , snapshot]) => snapshot)).toEqual([undefined, undefined]);
    expect((await changes(`${name}.a_quiet`)).map(([, , snapshot]) => snapshot)).toEqual(['resync', 'resync']);
    await mysql.run(`DELETE FROM a_renamed WHERE id = 1`);
    await eventually('deletes follow', async () => (await changes(`${name}.a_renamed`)).some(([op]) => op === 'd'));
    expect(await capture.stop()).toEqual({ code: 0, signal: null });
  }
  await mysql.run(`CREATE TABLE a_down (id INT PRIMARY KEY); INSERT INTO a_down VALUES (1), (2)`);
  await using again = run(document);
  await rowsAre(`${name}.a_down`, 2);
  await mysql.run(`UPDATE a_down SET id = 5 WHERE id = 2; INSERT INTO a_first VALUES (2)`);
  await rowsAre(`${name}.a_down`, 4);
  await rowsAre(`${name}.a_first`, 2);
  expect(await again.stop()).toEqual({ code: 0, signal: null });
});

test('tables that may come later are waited for', async () => {
  const mysql = await database();
  await using folder = await scratchFolder();
  const { name } = mysql;
  const source = ['scan.binlog.newly-added-table.enabled: true'];
  await using capture = run({ folder: folder.path, name, tables: String.raw`${name}.\.*`, source });
  await capture.line('no table matches yet');
  await capture.line('running');
  await mysql.run(`CREATE TABLE first (id INT PRIMARY KEY); INSERT INTO first VALUES (1)`);
  await rowsAre(`${name}.first`, 1);
  expect((await changes(`${name}.first`)).map(([, , snapshot]) => snapshot)).toEqual([undefined]);
});

test('without the option a new table is named in a warning and left alone', async () => {
  const mysql = await database();
  await using folder = await scratchFolder();
  const { name } = mysql;
  await mysql.run(`CREATE TABLE first (id INT PRIMARY KEY)`);
  await using capture = run({ folder: folder.path, name, tables: String.raw`${name}.\.*` });
  await capture.line('running');
  await mysql.run(
    `CREATE TABLE later (id INT PRIMARY KEY); INSERT INTO later VALUES (1); INSERT INTO first VALUES (1)`,
  );
  expect(await capture.line('came later is not captured')).toContain(`${name}.later`);
  await rowsAre(`${name}.first`, 1);
  expect((await statusOf(capture)).tables.map(({ table }) => table)).toEqual([`${name}.first`]);
});

interface SchemaRecord {
  readonly columns: readonly { readonly name: string; readonly type: string; readonly comment: string | null }[];
  readonly comment: string | null;
  readonly change: { readonly type: string; readonly ddl: string | null };
}

test.each([true, false])(
  'ALTER and TRUNCATE are in the schema log, comments only where asked for: %s',
  async (comments) => {
    const mysql = await database();
    await using folder = await scratchFolder();
    const { name } = mysql;
    await mysql.run(
      `CREATE TABLE t (id INT PRIMARY KEY COMMENT 'the key') COMMENT 'a table'; INSERT INTO t VALUES (1)`,
    );
    await using capture = run({
      folder: folder.path,
      name,
      tables: String.raw`${name}.\.*`,
      source: [`include-comments.enabled: ${comments}`],
      sink: ['sink.truncate-events.enabled: true'],
    });
    await rowsAre(`${name}.t`, 1);
    await mysql.run(`ALTER TABLE t ADD COLUMN note VARCHAR(20) DEFAULT 'x'; INSERT INTO t VALUES (2, 'two'); TRUNCATE TABLE t;
    INSERT INTO t VALUES (3, NULL)`);
    await rowsAre(`${name}.t`, 4);
    const log = (await consumeTopic(`${name}.schema`)).map((record) => JSON.parse(record.value ?? '') as SchemaRecord);
    // Compaction may keep less; a test is faster than it.
    expect(log.map(({ change }) => change.type)).toEqual(['SNAPSHOT', 'ALTER', 'TRUNCATE']);
    expect(log[1]?.columns.map((column) => column.name)).toEqual(['id', 'note']);
    expect(log[1]?.change.ddl).toContain('ADD COLUMN note');
    expect([log[0]?.comment, log[0]?.columns[0]?.comment]).toEqual(comments ? ['a table', 'the key'] : [null, null]);
    const records = await consumeTopic(`${name}.t`);
    expect((await changes(`${name}.t`)).map(([op, row]) => [op, row])).toEqual([
      ['c', { id: 1 }],
      ['c', { id: 2, note: 'two' }],
      ['t', null],
      ['c', { id: 3, note: null }],
    ]);
    expect(records[0]?.headers['mr.schema']).not.toBe(records[1]?.headers['mr.schema']);
    expect(await capture.stop()).toEqual({ code: 0, signal: null });
  },
);
