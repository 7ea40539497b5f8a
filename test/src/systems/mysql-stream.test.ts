import { delay } from '@millrace/shared/async/delay.ts';
import type { Source } from '@millrace/capture/source.ts';
import ZongJi from '@vlasky/zongji';
import { createConnection } from 'mysql2/promise';
import { expect, test } from 'vitest';

import { stackEnvironment } from '../harness/environment.ts';
import { MysqlDatabase } from '../harness/mysql-database.ts';
import { uniqueName } from '../harness/unique-name.ts';
import { applied, openSource, readAllChunks, TransactionLog } from './mysql-source-harness.ts';

const signal = AbortSignal.timeout(600_000);

async function started(source: Source): Promise<TransactionLog> {
  const stream = await source.stream(await source.resolveStart({ kind: 'now' }, signal), signal);
  return new TransactionLog(source, stream);
}

/** What the table holds, through the snapshot path: the second way to the same rows. */
async function stored(source: Source, name: string): Promise<readonly string[]> {
  const table = (await source.tables(signal)).find((each) => each.schema.id.table === name);
  if (table === undefined) throw new Error(`no table ${name}`);
  return (await readAllChunks(source, table, 1000, signal)).flat().sort();
}

test('a mixed workload over two tables, rotations and DDL leads to the rows that the tables hold', async () => {
  await using database = await MysqlDatabase.create('stream');
  await database.run(
    'CREATE TABLE a (id INT PRIMARY KEY, t VARCHAR(80)); CREATE TABLE b (id BIGINT UNSIGNED PRIMARY KEY, d DECIMAL(20,4))',
  );
  const { source } = await openSource(database.name, signal);
  await using _ = source;
  const log = await started(source);
  for (let round = 0; round < 40; round++) {
    await database.run(
      `BEGIN; INSERT INTO a (id, t) VALUES (${round}, 'r${round}'), (${round + 1000}, 'é😀'); ` +
        `INSERT INTO b VALUES (${round} + 18446744073709550000, ${round}.5); ` +
        `UPDATE a SET t = CONCAT(t, '!') WHERE id < 5; DELETE FROM b WHERE d = ${round - 3}.5; COMMIT`,
    );
    if (round % 10 === 3) await database.run('FLUSH BINARY LOGS');
    if (round === 20) {
      await database.run(
        'ALTER TABLE a ADD COLUMN c INT DEFAULT 7; ALTER TABLE a MODIFY c INT AFTER id; UPDATE a SET c = id; ' +
          "ALTER TABLE a ADD COLUMN z ENUM('x','y') DEFAULT 'y'; UPDATE a SET z = 'x'",
      );
    }
  }
  await log.catchUp(signal);
  expect(applied(log.changes, 'a')).toEqual(await stored(source, 'a'));
  expect(applied(log.changes, 'b')).toEqual(await stored(source, 'b'));
}, 120_000);

test('T61 T62 columns that are added, moved and swapped keep their values', async () => {
  await using database = await MysqlDatabase.create('stream');
  await database.run('CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT)');
  const { source } = await openSource(database.name, signal);
  await using _ = source;
  const log = await started(source);
  await database.run(
    'INSERT INTO t VALUES (1, 10, 20); ALTER TABLE t MODIFY a INT AFTER b; INSERT INTO t VALUES (2, 200, 100); ' +
      'ALTER TABLE t ADD COLUMN n INT FIRST; INSERT INTO t (id, a, b) VALUES (3, 1, 2); ' +
      'ALTER TABLE t DROP COLUMN b; INSERT INTO t (id, a) VALUES (4, 5); RENAME TABLE t TO u; INSERT INTO u VALUES (9, 5, 6)',
  );
  await log.catchUp(signal);
  expect(log.changes.map(({ table, after }) => `${table} ${after}`)).toEqual([
    't {"id":1,"a":10,"b":20}',
    't {"id":2,"b":200,"a":100}',
    't {"n":null,"id":3,"b":2,"a":1}',
    't {"n":null,"id":4,"a":5}',
    'u {"n":9,"id":5,"a":6}',
  ]);
  expect(log.transactions.flatMap(({ ddl }) => ddl)).toEqual(['alter t', 'alter t', 'alter t', 'rename u']);
});

test('a stream that starts at a GTID set, a position or a time reads the same transactions', async () => {
  await using database = await MysqlDatabase.create('stream');
  await database.run('CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1)');
  await delay(1_100, signal);
  const [status] = await database.rows('SHOW BINARY LOG STATUS');
  const millis = Date.now();
  await database.run('INSERT INTO t VALUES (2); FLUSH BINARY LOGS; INSERT INTO t VALUES (3)');
  const { source } = await openSource(database.name, signal);
  await using _ = source;
  const read = async (start: Parameters<Source['resolveStart']>[0]): Promise<string[]> => {
    await using stream = await source.stream(await source.resolveStart(start, signal), signal);
    const log = new TransactionLog(source, stream);
    await log.catchUp(signal);
    return log.changes.map(({ after, position }) => `${after ?? ''} ${position}`);
  };
  const gtidSet = status?.['Executed_Gtid_Set'] ?? '';
  const file = status?.['File'] ?? '';
  const position = Number(status?.['Position']);
  const bySet = await read({ kind: 'gtid-set', gtidSet });
  expect(bySet.map((text) => text.split(' ')[0])).toEqual(['{"id":2}', '{"id":3}']);
  expect(await read({ kind: 'file', file, position, skipEvents: 0, skipRows: 0 })).toEqual(bySet);
  expect(await read({ kind: 'timestamp', millis })).toEqual(bySet);
  await expect(
    source.resolveStart({ kind: 'file', file, position: position - 1, skipEvents: 0, skipRows: 0 }, signal),
  ).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  await expect(
    source.resolveStart({ kind: 'file', file: 'binlog.999999', position: 4, skipEvents: 0, skipRows: 0 }, signal),
  ).rejects.toMatchObject({ code: 'SOURCE_POSITION_LOST' });
  await expect(source.resolveStart({ kind: 'gtid-set', gtidSet: 'nonsense' }, signal)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
  });
});

test('a killed connection is made again, from the last transaction boundary, without loss or repetition', async () => {
  await using database = await MysqlDatabase.create('stream');
  await database.run('CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, pad VARCHAR(1000))');
  const { source, reconnects } = await openSource(database.name, signal);
  await using _ = source;
  const log = await started(source);
  const kill = async (): Promise<void> => {
    const dumps = await database.rows(
      "SELECT id FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%' AND USER = 'millrace'",
    );
    for (const { id } of dumps) await database.run(`KILL ${id ?? '0'}`).catch(() => undefined);
  };
  const writing = (async () => {
    for (let round = 0; round < 12; round++) {
      await database.run(
        `INSERT INTO t (pad) WITH RECURSIVE n AS (SELECT 1 i UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT REPEAT('x', 900) FROM n`,
      );
      if (round % 3 === 1) await kill();
    }
  })();
  const reading = (async () => {
    while (new Set(log.changes.map(({ key }) => key)).size < 12_000) {
      await log.pull(signal);
      await delay(20, signal);
    }
  })();
  await Promise.all([writing, reading]);
  await log.catchUp(signal);
  const ids = log.changes.map(({ key }) => key);
  expect(new Set(ids).size).toBe(12_000);
  expect(ids).toHaveLength(12_000);
  expect(reconnects.length).toBeGreaterThan(0);
  expect(new Set(log.changes.map(({ position }) => position.slice(0, 4)))).toEqual(new Set(['0001']));
});

test('T91 a row of more than 16 MiB is read whole', async () => {
  await using database = await MysqlDatabase.create('stream');
  await database.run('CREATE TABLE t (id INT PRIMARY KEY, c LONGTEXT)');
  const { source } = await openSource(database.name, signal);
  await using _ = source;
  const log = await started(source);
  const sizes = [16_777_215 - 60, 20_000_000, 5];
  for (const [id, size] of sizes.entries()) await database.run(`INSERT INTO t VALUES (${id}, REPEAT('y', ${size}))`);
  await log.catchUp(signal);
  expect(log.changes.map(({ after }) => after?.length)).toEqual(sizes.map((size) => size + '{"id":0,"c":""}'.length));
  expect(await stored(source, 't')).toEqual(applied(log.changes, 't'));
});

test('T114 a second reader of one pipeline ends the first for good', async () => {
  await using database = await MysqlDatabase.create('stream');
  await database.run('CREATE TABLE t (id INT PRIMARY KEY)');
  const pipelineName = uniqueName('twin');
  const first = await openSource(database.name, signal, { pipelineName });
  await using _ = first.source;
  const second = await openSource(database.name, signal, { pipelineName });
  await using __ = second.source;
  const log = await started(first.source);
  await log.pull(signal);
  const winner = await started(second.source);
  await expect(
    (async () => {
      for (;;) await log.pull(signal);
    })(),
  ).rejects.toMatchObject({ code: 'SOURCE_FENCED' });
  await database.run('INSERT INTO t VALUES (1)');
  await winner.catchUp(signal);
  expect(winner.changes).toHaveLength(1);
});

test('T96 T30 sessions that write in other ways than full rows are stopped at, by name', async () => {
  await using database = await MysqlDatabase.create('stream');
  await database.run('CREATE TABLE t (id INT PRIMARY KEY, j JSON); INSERT INTO t VALUES (1, \'{"a": 1}\')');
  const attempt = async (setting: string, write: string): Promise<unknown> => {
    const { source } = await openSource(database.name, signal);
    await using _ = source;
    const log = await started(source);
    await database.run(`SET SESSION ${setting}; ${write}`);
    return log.catchUp(signal).then(
      () => 'nothing',
      (error: unknown) => error,
    );
  };
  expect(await attempt("binlog_row_image = 'MINIMAL'", 'INSERT INTO t (id) VALUES (2)')).toMatchObject({
    code: 'SOURCE_SCHEMA_UNSUPPORTED',
    message: 'a session wrote incomplete row images',
  });
  expect(
    await attempt(
      "binlog_row_image = 'FULL', binlog_row_value_options = 'PARTIAL_JSON'",
      "UPDATE t SET j = JSON_SET(j, '$.a', 2) WHERE id = 1",
    ),
  ).toMatchObject({ message: 'a session wrote partial JSON updates' });
  expect(
    await attempt("binlog_row_value_options = '', binlog_format = 'STATEMENT'", 'INSERT INTO t (id) VALUES (3)'),
  ).toMatchObject({ code: 'SOURCE_STATEMENT_EVENT' });
  expect(
    await attempt(
      "binlog_format = 'ROW'",
      "XA START 'x'; INSERT INTO t (id) VALUES (4); XA END 'x'; XA PREPARE 'x'; XA COMMIT 'x'",
    ),
  ).toMatchObject({ message: 'an XA transaction changed a captured table' });
});

test('a watermark is reached when everything visible at it was delivered', async () => {
  await using database = await MysqlDatabase.create('stream');
  await database.run('CREATE TABLE t (id INT PRIMARY KEY)');
  const { source } = await openSource(database.name, signal);
  await using _ = source;
  const stream = await source.stream(await source.resolveStart({ kind: 'now' }, signal), signal);
  const log = new TransactionLog(source, stream);
  const before = await source.watermark(signal);
  await database.run('INSERT INTO t VALUES (1)');
  const after = await source.watermark(signal);
  expect(stream.hasReached(after)).toBe(false);
  await log.catchUp(signal);
  expect([stream.hasReached(before), stream.hasReached(after)]).toEqual([true, true]);
  const delivered = stream.delivered();
  const later = await source.watermark(signal);
  expect([delivered.isWithin(before), delivered.isWithin(later)]).toEqual([false, true]);
  expect((log.changes[0]?.position ?? '') < `${after.position}.`).toBe(true);
  expect((log.changes[0]?.position ?? '') > `${before.position}.`).toBe(true);
});

test('an independent reader of the same log sees the same changes', async () => {
  await using database = await MysqlDatabase.create('stream');
  await database.run(
    'CREATE TABLE t (id INT PRIMARY KEY, s VARCHAR(50), n DECIMAL(12,3), e ENUM("a","b"), m MEDIUMINT UNSIGNED)',
  );
  const [status] = await database.rows('SHOW BINARY LOG STATUS');
  const { source } = await openSource(database.name, signal);
  await using _ = source;
  const log = await started(source);
  for (let round = 0; round < 30; round++) {
    await database.run(
      `BEGIN; INSERT INTO t VALUES (${round}, 'ü${round}', ${round}.125, 'b', 16777215), (${round + 100}, NULL, -1.5, 'a', 0); ` +
        `UPDATE t SET s = 'changed' WHERE id = ${round - 2}; DELETE FROM t WHERE id = ${round + 95}; COMMIT`,
    );
  }
  await log.catchUp(signal);
  const seen: string[] = [];
  const { user, password, host, port } = stackEnvironment().mysql;
  const zongji = new ZongJi({ host, port, user, password, ssl: { rejectUnauthorized: false } });
  const wanted = log.changes.length;
  await new Promise<void>((resolve, reject) => {
    zongji.on('error', reject);
    zongji.on('binlog', (binlogEvent: unknown) => {
      const event = binlogEvent as { getTypeName(): string; rows?: readonly Record<string, unknown>[] };
      for (const row of event.rows ?? []) {
        const [before, after] = 'after' in row ? [row['before'], row['after']] : [null, row];
        const kind = event.getTypeName();
        if (kind === 'WriteRows') seen.push(JSON.stringify(['create', null, after]));
        else if (kind === 'DeleteRows') seen.push(JSON.stringify(['delete', after, null]));
        else if (kind === 'UpdateRows') seen.push(JSON.stringify(['update', before, after]));
      }
      if (seen.length >= wanted) resolve();
    });
    zongji.start({
      serverId: 69_000 + (process.pid % 900),
      filename: status?.['File'] ?? '',
      position: Number(status?.['Position']),
      includeEvents: ['tablemap', 'writerows', 'updaterows', 'deleterows'],
      includeSchema: { [database.name]: true },
    });
  });
  zongji.stop();
  const decimalAsText = (image: string | null): unknown =>
    image === null ? null : JSON.parse(image.replace(/"n":(-?[\d.]+)/, '"n":"$1"'));
  const ours = log.changes.map(({ op, before, after }) =>
    JSON.stringify([op, decimalAsText(before), decimalAsText(after)]),
  );
  expect(ours).toEqual(seen);
});

test('T117 the account logs in with an empty authentication cache, over TLS and by RSA key when allowed', async () => {
  await using database = await MysqlDatabase.create('auth');
  const user = uniqueName('u').slice(0, 30);
  await database.run(
    `CREATE USER '${user}'@'%' IDENTIFIED BY 'p√ss'; GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO '${user}'@'%'`,
  );
  const address = { ...stackEnvironment().mysql, user, password: 'p√ss' };
  const attempt = async (mode: 'disabled' | 'required' | 'verify-ca', allow: boolean): Promise<unknown> => {
    await database.run('FLUSH PRIVILEGES');
    const tls = { mode, ca: null, cert: null, key: null };
    const opened = openSource(database.name, signal, { address, connection: { tls, allowPublicKeyRetrieval: allow } });
    return opened.then(
      async ({ source }) => source[Symbol.asyncDispose]().then(() => 'in'),
      (error: unknown) => error,
    );
  };
  try {
    expect(await attempt('required', false)).toBe('in');
    expect(await attempt('disabled', true)).toBe('in');
    expect(await attempt('disabled', false)).toMatchObject({
      code: 'SOURCE_AUTH_FAILED',
      hint: expect.stringContaining('allow-public-key-retrieval') as string,
    });
    expect(await attempt('verify-ca', false)).toMatchObject({ code: 'SOURCE_AUTH_FAILED' });
  } finally {
    const admin = await createConnection(stackEnvironment().mysql);
    await admin.query(`DROP USER '${user}'@'%'`);
    await admin.end();
  }
});
