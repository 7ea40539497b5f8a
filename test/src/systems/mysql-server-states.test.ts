import type { ResumePoint } from '@millrace/shared/event/position.ts';
import type { Source } from '@millrace/capture/source.ts';
import { describe, expect, test } from 'vitest';

import { eventually } from '../harness/eventually.ts';
import { openSource, readAllChunks, renderRows, TransactionLog } from './mysql-source-harness.ts';
import type { SourceSettings } from './mysql-source-harness.ts';
import { PrivateMysql, privateServers } from './mysql-private-server.ts';

const signal = AbortSignal.timeout(900_000);
const gtids = ['--gtid-mode=ON', '--enforce-gtid-consistency=ON'];
const noGtids = ['--gtid-mode=OFF', '--enforce-gtid-consistency=OFF'];
const full = ['--log-bin=binlog', '--binlog-row-metadata=FULL'];

function open(server: PrivateMysql, settings: SourceSettings = {}): ReturnType<typeof openSource> {
  return openSource('d', signal, { address: server.address, ...settings });
}

async function streamFrom(
  source: Source,
  resume?: ResumePoint,
): Promise<TransactionLog & { resumePoint(): ResumePoint }> {
  const stream = await source.stream(resume ?? (await source.resolveStart({ kind: 'now' }, signal)), signal);
  return Object.assign(new TransactionLog(source, stream), { resumePoint: () => stream.resumePoint() });
}

const problemsOf = (error: unknown): readonly string[] =>
  ((error as { details?: { kinds?: readonly string[] } }).details?.kinds ?? []).toSorted();

describe.skipIf(!privateServers)('servers in states of their own', () => {
  test('check names everything that is wrong in one error, with statements', async () => {
    await using server = await PrivateMysql.start([
      '--log-bin=binlog',
      ...noGtids,
      '--binlog-format=MIXED',
      '--binlog-row-image=MINIMAL',
      '--binlog-row-value-options=PARTIAL_JSON',
      '--binlog-transaction-compression=ON',
      '--binlog-ignore-db=d',
      '--binlog-expire-logs-seconds=60',
    ]);
    await server.run(
      "CREATE DATABASE d; CREATE TABLE d.t (id INT) ENGINE=MyISAM; CREATE USER c@'%' IDENTIFIED BY 'c'; GRANT SELECT ON d.* TO c@'%'",
    );
    const address = { ...server.address, user: 'c', password: 'c' };
    const { source } = await open(server, { address });
    await using _ = source;
    const error: unknown = await source.check(signal).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'SOURCE_NOT_READY' });
    expect(problemsOf(error)).toEqual([
      'binlog-format',
      'binlog-row-image',
      'binlog-row-value-options',
      'binlog-transaction-compression',
      'grants',
    ]);
    expect(JSON.stringify(error)).toContain('GRANT REPLICATION CLIENT, REPLICATION SLAVE ON *.*');
    await server.run("GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO c@'%'");
    const again: unknown = await source.check(signal).catch((thrown: unknown) => thrown);
    expect(problemsOf(again)).toContain('binlog-filter');
    expect(problemsOf(again)).not.toContain('grants');
    await server.run(
      "SET GLOBAL binlog_format='ROW', GLOBAL binlog_row_image='FULL', GLOBAL binlog_row_value_options='', GLOBAL binlog_transaction_compression=OFF; CREATE DATABASE e; CREATE TABLE e.t (id INT) ENGINE=MyISAM; GRANT SELECT ON e.* TO c@'%'",
    );
    const healthy = await openSource('e', signal, { address });
    await using __ = healthy.source;
    const warnings = (await healthy.source.check(signal)).map((warning) => warning.split(':')[0]);
    expect(warnings).toEqual(['binlog-row-metadata', 'gtid-off', 'binlog-expiry', 'no-key', 'engine']);
    const nothing = await openSource('nowhere', signal, { address });
    await using ___ = nothing.source;
    expect(problemsOf(await nothing.source.check(signal).catch((thrown: unknown) => thrown))).toEqual([
      'no-table-matched',
    ]);
  });

  test('T108 a purged log is an error with the missing part, not another start', async () => {
    await using server = await PrivateMysql.start([...full, ...gtids]);
    await server.run('CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY)');
    const { source } = await open(server);
    await using _ = source;
    const start = await source.resolveStart({ kind: 'now' }, signal);
    await server.run('INSERT INTO d.t VALUES (1); FLUSH BINARY LOGS');
    const [status] = await server.run('SHOW BINARY LOG STATUS');
    await server.run(`PURGE BINARY LOGS TO '${String(status?.['File'])}'`);
    await expect(source.stream(start, signal)).rejects.toMatchObject({
      code: 'SOURCE_POSITION_LOST',
      details: { missing: expect.stringMatching(/:3$/) as string },
    });
    const earliest = await streamFrom(source, await source.resolveStart({ kind: 'earliest' }, signal));
    await earliest.catchUp(signal);
    expect(earliest.changes).toEqual([]);
    await expect(source.resolveStart({ kind: 'gtid-set', gtidSet: '' }, signal)).rejects.toMatchObject({
      code: 'SOURCE_POSITION_LOST',
    });
  });

  test('T107 a server whose log was reset is noticed', async () => {
    await using server = await PrivateMysql.start([...full, ...gtids]);
    await server.run('CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY)');
    const { source } = await open(server);
    await using _ = source;
    const start = await source.resolveStart({ kind: 'now' }, signal);
    await server.run('RESET BINARY LOGS AND GTIDS; INSERT INTO d.t VALUES (1)');
    await expect(source.stream(start, signal)).rejects.toMatchObject({
      code: 'SOURCE_POSITION_LOST',
      message: 'the source lacks transactions that were read from it',
    });
  });

  test('a log that starts over with all its GTIDs gets tokens of a new epoch', async () => {
    await using server = await PrivateMysql.start([...full, ...gtids]);
    await server.run('CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY); INSERT INTO d.t VALUES (1)');
    const { source } = await open(server);
    await using _ = source;
    const log = await streamFrom(source);
    await server.run('INSERT INTO d.t VALUES (2)');
    await log.catchUp(signal);
    const [executed] = await server.run('SELECT @@global.gtid_executed AS s');
    await server.run(`RESET BINARY LOGS AND GTIDS; SET GLOBAL gtid_purged = '${String(executed?.['s'])}'`);
    await server.run('INSERT INTO d.t VALUES (3)');
    const again = await open(server);
    await using __ = again.source;
    const second = await streamFrom(again.source, log.resumePoint());
    await second.catchUp(signal);
    expect(second.changes.map(({ after, position }) => `${after ?? ''} ${position.slice(0, 4)}`)).toEqual([
      '{"id":3} 0002',
    ]);
  });

  test('the stream outlives a restart and a crash of the server', async () => {
    await using server = await PrivateMysql.start([...full, ...gtids]);
    await server.run('CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY); INSERT INTO d.t VALUES (1)');
    const { source, reconnects } = await open(server, { giveUpMs: 60_000 });
    await using _ = source;
    const log = await streamFrom(source);
    for (const [round, how] of (['SIGTERM', 'SIGKILL'] as const).entries()) {
      await server.run(`INSERT INTO d.t VALUES (${10 + round})`);
      await log.catchUp(signal);
      await server.stop(how);
      const reading = log.pull(signal);
      await server.up();
      await reading;
      await server.run(`INSERT INTO d.t VALUES (${20 + round})`);
      await eventually('the session for queries is back', () => log.catchUp(signal).then(() => true));
    }
    expect(log.changes.map(({ after }) => after)).toEqual(['{"id":10}', '{"id":20}', '{"id":11}', '{"id":21}']);
    expect(reconnects.length).toBeGreaterThan(1);
  });

  test('a server without GTIDs is read by file and position, and not continued on another one', async () => {
    await using server = await PrivateMysql.start([...full, ...noGtids]);
    await server.run('CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY); INSERT INTO d.t VALUES (1)');
    const { source } = await open(server);
    await using _ = source;
    const log = await streamFrom(source);
    await server.run('INSERT INTO d.t VALUES (2); FLUSH BINARY LOGS; INSERT INTO d.t VALUES (3)');
    await log.catchUp(signal);
    expect(log.changes.map(({ after }) => after)).toEqual(['{"id":2}', '{"id":3}']);
    const resume = log.resumePoint();
    expect(JSON.parse(resume)).toMatchObject({ gtid_set: null });
    const elsewhere = JSON.stringify({ ...(JSON.parse(resume) as object), server_uuid: 'other' }) as ResumePoint;
    await expect(source.stream(elsewhere, signal)).rejects.toMatchObject({ code: 'SOURCE_POSITION_LOST' });
    await server.run('INSERT INTO d.t VALUES (4)');
    const again = await streamFrom(source, resume);
    await again.catchUp(signal);
    expect(again.changes.map(({ after }) => after)).toEqual(['{"id":4}']);
  });

  test('T66 T195 with metadata MINIMAL names come from the catalogue, or the table stops', async () => {
    await using server = await PrivateMysql.start(['--log-bin=binlog', ...gtids]);
    await server.run(
      "CREATE DATABASE d; CREATE TABLE d.t (id INT UNSIGNED, e ENUM('x','é') CHARACTER SET latin1, b TINYINT(1), v VARCHAR(9) CHARACTER SET latin1, UNIQUE KEY z (v), PRIMARY KEY (id, b))",
    );
    const { source } = await open(server);
    await using _ = source;
    const [table] = await source.tables(signal);
    const stream = await source.stream(await source.resolveStart({ kind: 'now' }, signal), signal);
    await server.run("INSERT INTO d.t VALUES (4294967295, 'é', 1, 'ü')");
    const mark = await source.watermark(signal);
    const texts: (string | null)[] = [];
    while (!stream.hasReached(mark)) {
      for (const event of await stream.next(signal)) {
        if (event.kind !== 'rows') continue;
        expect(event.rows.table).toBe(table);
        texts.push(...renderRows(source, event).map(({ after }) => after));
      }
    }
    expect(texts).toEqual(['{"id":4294967295,"e":"é","b":true,"v":"ü"}']);
    expect((await readAllChunks(source, table as NonNullable<typeof table>, 9, signal)).flat()).toEqual(texts);
    const behind = await source.resolveStart({ kind: 'now' }, signal);
    await server.run("INSERT INTO d.t VALUES (1, 'x', 0, 'a'); ALTER TABLE d.t DROP COLUMN v");
    const late = await open(server);
    await using __ = late.source;
    const log = await streamFrom(late.source, behind);
    await expect(log.catchUp(signal)).rejects.toMatchObject({
      code: 'SOURCE_SCHEMA_UNSUPPORTED',
      details: { table: 'd.t' },
    });
  });

  test('T118 a server without TLS is used in the clear only with a warning', async () => {
    await using server = await PrivateMysql.start([...full, ...gtids, '--tls-version=']);
    await server.run('CREATE DATABASE d');
    const preferred = await open(server);
    await using _ = preferred.source;
    expect(preferred.warnings).toEqual([expect.stringContaining('no TLS')]);
    const tls = { mode: 'required', ca: null, cert: null, key: null } as const;
    await expect(open(server, { connection: { tls } })).rejects.toMatchObject({ code: 'SOURCE_AUTH_FAILED' });
  });

  test('T73 names are compared without case where the server does so', async () => {
    await using server = await PrivateMysql.start([...full, ...gtids]);
    await server.run(
      'CREATE DATABASE d; CREATE TABLE d.T (id INT PRIMARY KEY); CREATE TABLE d.t (id INT PRIMARY KEY, x INT)',
    );
    const { source } = await open(server);
    await using _ = source;
    const log = await streamFrom(source);
    await server.run('INSERT INTO d.T VALUES (1); INSERT INTO d.t VALUES (2, 3)');
    await log.catchUp(signal);
    expect(log.changes.map(({ table, after }) => `${table} ${after ?? ''}`)).toEqual([
      'T {"id":1}',
      't {"id":2,"x":3}',
    ]);
  });

  test('a compressed transaction is named, not passed over', async () => {
    await using server = await PrivateMysql.start([...full, ...gtids]);
    await server.run('CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY)');
    const { source } = await open(server);
    await using _ = source;
    const log = await streamFrom(source);
    await server.run('SET binlog_transaction_compression = ON; INSERT INTO d.t VALUES (1)');
    await expect(log.catchUp(signal)).rejects.toMatchObject({ message: 'the source writes compressed transactions' });
  });
});
