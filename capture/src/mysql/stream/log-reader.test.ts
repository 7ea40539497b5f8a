import { readFileSync } from 'node:fs';

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { CdcError } from '@millrace/shared/errors/cdc-error.ts';

import { failureCode } from '../binlog/failure-code.ts';
import { eventType } from '../binlog/event-header.ts';
import { refusalOf } from '../refused-rows.ts';
import { fixtureReader, LogBuilder, openedLog, serverUuid } from './log-fixture.ts';

const corrupt = expect.objectContaining({ code: 'SOURCE_LOG_CORRUPT' });

/** Events of a log file of MySQL 9.7.4: two tables, four row transactions, the last with a tagged GTID. */
function recorded(): readonly Buffer[] {
  const log = readFileSync(new URL('golden/rich.binlog', import.meta.url));
  const events: Buffer[] = [];
  for (let at = 4; at < log.length; at += log.readUInt32LE(at + 9)) {
    events.push(Buffer.from(log.subarray(at, at + log.readUInt32LE(at + 9))));
  }
  return events;
}

test('a log file of a real server is read to its end', () => {
  const { read, progress } = fixtureReader();
  const events = [...new LogBuilder().fakeRotate('binlog.000002').events, ...recorded()];
  expect(read(events).map((line) => line.slice(0, 40))).toEqual([
    'begin 34',
    'create fix.rich',
    'commit',
    'begin 35',
    'create fix.up',
    'commit',
    'begin 36',
    'create fix.rich baff03010000000000000001',
    'commit',
    'begin 37',
    'create fix.up 000100000002000000',
    'commit',
    'begin mytag:1',
    'create fix.up 000300000004000000',
    'commit',
  ]);
  expect(progress.executed?.toString()).toBe('86d8e103-e55f-11f1-8c20-02fc00000001:34-37:mytag:1');
  expect([progress.file, progress.position]).toEqual(['binlog.000003', 4]);
});

describe('transactions', () => {
  test('rows of one transaction over two tables stand between begin and commit', () => {
    const log = openedLog().begin(1).tableMap(7, 'a').tableMap(8, 'b').insert(8, 1).insert(7, 2, 3).xid();
    expect(fixtureReader().read(log.events)).toEqual([
      'begin 1',
      'create d.b 0001000000',
      'create d.a 00020000000003000000',
      'commit',
    ]);
  });

  test('T86 a transaction without XID ends with COMMIT', () => {
    const log = openedLog().begin(1).tableMap(7, 'a').insert(7, 1).query('COMMIT');
    expect(fixtureReader().read(log.events).at(-1)).toBe('commit');
  });

  test('T85 ROLLBACK takes the transaction back, ROLLBACK TO does not', () => {
    const log = openedLog()
      .begin(1)
      .query('SAVEPOINT a')
      .tableMap(7, 'a')
      .insert(7, 1)
      .query('ROLLBACK TO `a`')
      .query('ROLLBACK');
    const { read, progress } = fixtureReader();
    expect(read(log.events)).toEqual(['begin 1', 'create d.a 0001000000', 'rollback']);
    expect(progress.executed?.toString()).toBe(`${serverUuid}:1`);
  });

  test('a transaction left open by a crash of the server is taken back at the next file', () => {
    const log = openedLog().begin(1).tableMap(7, 'a').insert(7, 1).fakeRotate('binlog.000002');
    log.position = 4;
    log.formatDescription().begin(1).xid();
    const { read, progress } = fixtureReader();
    expect(read(log.events)).toEqual(['begin 1', 'create d.a 0001000000', 'rollback', 'begin 1', 'commit']);
    expect(progress.executed?.toString()).toBe(`${serverUuid}:1`);
  });

  test('T87 the position after a DDL statement is a boundary', () => {
    const log = openedLog().gtid(1).query('ALTER TABLE t ADD x int');
    const { read, progress } = fixtureReader();
    expect(read(log.events)).toEqual(['begin 1', 'alter d.t', 'commit']);
    expect(progress.position).toBe(log.position);
  });

  test('T67 CREATE TABLE … SELECT is one transaction with its rows', () => {
    const log = openedLog()
      .begin(1)
      .query('CREATE TABLE t (id int) START TRANSACTION')
      .tableMap(7, 't')
      .insert(7, 1)
      .xid();
    expect(fixtureReader().read(log.events)).toEqual(['begin 1', 'create d.t', 'create d.t 0001000000', 'commit']);
  });

  test('a transaction inside another is a corrupt log', () => {
    expect(() => fixtureReader().read(openedLog().begin(1).begin(2).events)).toThrow(corrupt);
    expect(() => fixtureReader().read(openedLog().xid().events)).toThrow(corrupt);
  });
});

describe('positions', () => {
  test('T103 an artificial ROTATE does not move what is stored', () => {
    const { read, progress } = fixtureReader({ resume: { file: 'binlog.000009', position: 900 } });
    read(openedLog('binlog.000003').events);
    expect([progress.file, progress.position]).toEqual(['binlog.000009', 900]);
  });

  test('T105 positions go on beyond 4 GiB', () => {
    const start = 2 ** 32 - 60;
    const log = new LogBuilder(start).fakeRotate('binlog.000001', start);
    log.formatDescription(1, { logPosition: 0 });
    log.position = start;
    log.begin(1).tableMap(7, 'a').insert(7, 1).xid();
    const {
      read,
      progress,
      log: reader,
    } = fixtureReader({ resume: { gtidSet: null, file: 'binlog.000001', position: start } });
    read(log.events);
    expect(progress.position).toBe(log.position);
    expect(log.position).toBeGreaterThan(2 ** 32);
    const rows = reader.events.find((event) => event.kind === 'rows');
    expect(rows?.kind === 'rows' && rows.position.toString()).toMatch(
      /^0001\.00000001\.00000001000000[0-9a-f]{2}\.0{8}$/,
    );
  });

  test('by file and position a gap is a corrupt log, by GTID it is what the server passed over', () => {
    const log = openedLog();
    log.position += 500;
    log.begin(1).xid();
    expect(() => fixtureReader({ resume: { gtidSet: null } }).read(log.events)).toThrow(corrupt);
    const { read, progress } = fixtureReader();
    read(log.events);
    expect(progress.position).toBe(log.position);
  });

  test('a log that starts over under the same names raises the epoch', () => {
    const { read, progress } = fixtureReader({ resume: { file: 'binlog.000009', position: 900 } });
    const log = openedLog('binlog.000001').rotate('binlog.000002').fakeRotate('binlog.000002').formatDescription();
    read(log.begin(7).xid().events);
    expect(progress.epoch).toBe(2);
  });

  test('T121 a heartbeat moves the position of an idle server', () => {
    const log = openedLog();
    const name = Buffer.from('binlog.000001');
    log.position = 5000;
    log.event(eventType.heartbeat, name, { logPosition: 5000 });
    const { read, progress } = fixtureReader();
    expect(read(log.events)).toEqual(['heartbeat']);
    expect(progress.position).toBe(5000);
  });

  test('skipped events and rows are left out of the first transaction only', () => {
    const log = openedLog().begin(1).tableMap(7, 'a').insert(7, 1).insert(7, 2, 3, 4).xid().begin(2).insert(7, 5).xid();
    const { read } = fixtureReader({ resume: { skipEvents: 1, skipRows: 2 } });
    expect(read(log.events).filter((text) => text.startsWith('create'))).toEqual([
      'create d.a 0004000000',
      'create d.a 0005000000',
    ]);
  });

  test('T106 a start by time drops transactions up to the first late one, then none', () => {
    const log = openedLog().tableMap(7, 'a');
    for (const [number, micros] of [
      [1, 50],
      [2, 150],
      [3, 60],
    ] as const) {
      log.gtid(number, micros).query('BEGIN').insert(7, number).xid();
    }
    const { read, progress } = fixtureReader({ resume: { notBeforeMicros: 100 } });
    expect(read(log.events).filter((text) => text.startsWith('create'))).toEqual([
      'create d.a 0002000000',
      'create d.a 0003000000',
    ]);
    expect(progress.notBeforeMicros).toBe(0);
  });
});

describe('checksums', () => {
  test('T116 a changed byte is found before anything is decoded', () => {
    const log = openedLog().begin(1).tableMap(7, 'a').insert(7, 1).xid();
    const bytes = log.events[5] as Buffer;
    bytes[bytes.length - 6] = (bytes[bytes.length - 6] as number) ^ 1;
    expect(() => fixtureReader().read(log.events)).toThrow(corrupt);
  });

  test('T166 each file has its own algorithm; the artificial ROTATE follows the one in force', () => {
    const log = openedLog().begin(1).xid().rotate('binlog.000002').fakeRotate('binlog.000002').formatDescription(0);
    log.begin(2).xid().rotate('binlog.000003').fakeRotate('binlog.000003').formatDescription(1).begin(3).xid();
    const { read, progress } = fixtureReader();
    read(log.events);
    expect(progress.executed?.toString()).toBe(`${serverUuid}:1-3`);
  });

  test('the first ROTATE has none when the session asked for none', () => {
    const log = new LogBuilder();
    log.checksums = false;
    log.fakeRotate('binlog.000001').formatDescription(1).begin(1).xid();
    expect(fixtureReader({ parts: { sessionChecksums: false } }).read(log.events)).toEqual(['begin 1', 'commit']);
  });
});

describe('tables', () => {
  test('T88 ids are forgotten at each FORMAT_DESCRIPTION, the dummy id ends a statement', () => {
    const log = openedLog().begin(1).tableMap(7, 'a').insert(7, 1).insert(0xffffff).xid();
    const { read } = fixtureReader();
    read(log.events);
    const next = new LogBuilder().fakeRotate('binlog.000002').formatDescription().begin(2).insert(7, 2);
    expect(() => read(next.events)).toThrow(corrupt);
  });

  test('T178 rows of tables that are not captured are passed over', () => {
    const log = openedLog().begin(1).tableMap(7, 'a').tableMap(8, 'aa').insert(7, 1).insert(8, 2).xid();
    const { read } = fixtureReader({ captures: (id) => id.table === 'a' });
    expect(read(log.events)).toEqual(['begin 1', 'create d.a 0001000000', 'commit']);
  });

  test('T61 columns are those of the event, and equal definitions are one object', () => {
    const log = openedLog().begin(1).tableMap(7, 'a').insert(7, 1).tableMap(8, 'a', ['x', 'id']);
    log.rows(eventType.writeRows, 8, Buffer.from([2, 3]), Buffer.from([0, 1, 0, 0, 0, 2, 0, 0, 0]));
    log.tableMap(9, 'a').insert(9, 3).xid();
    const { read, log: reader } = fixtureReader();
    read(log.events);
    const tables = reader.events.flatMap((event) => (event.kind === 'rows' ? [event.rows.table] : []));
    expect(tables.map((table) => table.schema.columns.map((column) => column.name).join())).toEqual([
      'id',
      'x,id',
      'id',
    ]);
    expect(tables[0]).toBe(tables[2]);
  });

  test('T92 extra row data is passed over by its length', () => {
    const log = openedLog().begin(1).tableMap(7, 'a');
    log.rows(eventType.writeRows, 7, Buffer.from([1, 1]), Buffer.from([0, 9, 0, 0, 0]), Buffer.from([5, 0, 1, 1, 0]));
    expect(fixtureReader().read(log.events)).toContain('create d.a 0009000000');
  });

  test('rows of version 1 have no extra data', () => {
    const log = openedLog().begin(1).tableMap(7, 'a');
    log.rows(eventType.writeRowsV1, 7, Buffer.from([1, 1]), Buffer.from([0, 9, 0, 0, 0]), Buffer.alloc(0));
    expect(fixtureReader().read(log.events)).toContain('create d.a 0009000000');
  });

  test('another number of columns than in the TABLE_MAP is a corrupt log', () => {
    const log = openedLog().begin(1).tableMap(7, 'a');
    log.rows(eventType.writeRows, 7, Buffer.from([2, 3]), Buffer.from([0, 9, 0, 0, 0]));
    expect(() => fixtureReader().read(log.events)).toThrow(corrupt);
  });
});

describe('what cannot be captured stops its table, in place', () => {
  function refusalIn(log: LogBuilder, options = {}): CdcError | undefined {
    const { read, log: reader } = fixtureReader(options);
    read(log.events);
    return reader.events.flatMap((event) => (event.kind === 'rows' ? [refusalOf(event.rows)] : []))[0];
  }

  test('T41 T172 incomplete images', () => {
    const log = openedLog().begin(1).tableMap(7, 'a', ['id', 'x']);
    log.rows(eventType.writeRows, 7, Buffer.from([2, 1]), Buffer.from([0, 9, 0, 0, 0])).xid();
    expect(refusalIn(log)).toMatchObject({ code: 'SOURCE_SCHEMA_UNSUPPORTED', details: { table: 'd.a' } });
  });

  test('T30 partial JSON updates', () => {
    const log = openedLog().begin(1).tableMap(7, 'a');
    log.rows(eventType.partialUpdateRows, 7, Buffer.from([1, 1, 1]), Buffer.alloc(8)).xid();
    expect(refusalIn(log)?.message).toBe('a session wrote partial JSON updates');
  });

  test('T84 XA transactions', () => {
    const log = openedLog()
      .gtid(1)
      .query("XA START X'61',X'',1")
      .tableMap(7, 'a')
      .insert(7, 1)
      .query("XA END X'61',X'',1");
    expect(refusalIn(log)?.message).toBe('an XA transaction changed a captured table');
  });

  test('T81 metadata that loses its names', () => {
    const log = openedLog().begin(1).tableMap(7, 'a').insert(7, 1).tableMap(8, 'a', ['id'], false).insert(8, 2).xid();
    const { read, log: reader } = fixtureReader();
    read(log.events);
    const refusals = reader.events.flatMap((event) => (event.kind === 'rows' ? [refusalOf(event.rows)?.code] : []));
    expect(refusals).toEqual([undefined, 'SOURCE_SCHEMA_UNSUPPORTED']);
  });

  test('T70 a partition that is dropped', () => {
    const log = openedLog()
      .begin(1)
      .tableMap(7, 'a')
      .insert(7, 1)
      .xid()
      .gtid(2)
      .query('ALTER TABLE a DROP PARTITION p0');
    const { read } = fixtureReader();
    expect(read(log.events).slice(-3)).toEqual(['alter d.a', 'delete d.a refused', 'commit']);
  });
});

describe('XA transactions without captured rows', () => {
  const prepare = Buffer.from('0001000000010000000000000061', 'hex');

  test('the outcome may come after a restart', () => {
    const { read, progress } = fixtureReader();
    read(
      openedLog().gtid(1).query("XA START X'61',X'',1").query("XA END X'61',X'',1").event(eventType.xaPrepare, prepare)
        .events,
    );
    const again = fixtureReader({ resume: JSON.parse(JSON.stringify({ xaPrepared: [...progress.xaPrepared] })) });
    expect(again.read(openedLog().gtid(2).query("XA COMMIT X'61',X'',1").events)).toEqual(['begin 2', 'commit']);
    expect(again.progress.xaPrepared.size).toBe(0);
  });

  test('T84 an outcome whose rows were not read stops the stream', () => {
    const log = openedLog().gtid(2).query("XA COMMIT X'62',X'',1");
    expect(() => fixtureReader().read(log.events)).toThrow(
      expect.objectContaining({ code: 'SOURCE_SCHEMA_UNSUPPORTED' }),
    );
  });
});

describe('events that stop the stream', () => {
  test('T93 INCIDENT', () => {
    const log = openedLog().event(eventType.incident, Buffer.from([1, 0, 0]));
    expect(() => fixtureReader().read(log.events)).toThrow(expect.objectContaining({ code: 'SOURCE_LOG_INCIDENT' }));
  });

  test('T94 an unknown type stops, unless its flag says that it may be ignored', () => {
    expect(() => fixtureReader().read(openedLog().event(99, Buffer.alloc(3)).events)).toThrow(
      expect.objectContaining({
        code: 'SOURCE_EVENT_UNKNOWN',
        details: expect.objectContaining({ type: 99 }) as object,
      }),
    );
    const { read, ignored } = fixtureReader();
    read(openedLog().event(99, Buffer.alloc(3), { flags: 0x80 }).events);
    expect(ignored).toEqual([99]);
  });

  test('T96 statement-format DML on a captured table, with its GTID', () => {
    const log = openedLog().begin(4).query('INSERT INTO a VALUES (1)');
    expect(() => fixtureReader({ captures: (id) => id.table === 'a' }).read(log.events)).toThrow(
      expect.objectContaining({ code: 'SOURCE_STATEMENT_EVENT', details: { table: 'd.a', gtid: `${serverUuid}:4` } }),
    );
    const other = openedLog().begin(4).query('INSERT INTO percona.checksums VALUES (1)').xid();
    expect(fixtureReader({ captures: (id) => id.table === 'a' }).read(other.events)).toEqual(['begin 4', 'commit']);
  });

  test('T72 a statement that is not understood and names a captured table', () => {
    const versions = fixtureReader().versions;
    const id = { namespace: '', schema: 'd', table: 'a' };
    const table = { id, engine: 'InnoDB', comment: '', createdSeconds: 0, columns: [], primaryKey: [] };
    versions.adopt(id, table, 0);
    versions.fromCatalogue(table);
    const log = openedLog().gtid(1).query('TRANSMOGRIFY `a`');
    expect(() => fixtureReader({ versions }).read(log.events)).toThrow(
      expect.objectContaining({ code: 'SOURCE_SCHEMA_UNSUPPORTED' }),
    );
    const harmless = openedLog().gtid(1).query('TRANSMOGRIFY `b`');
    expect(fixtureReader({ versions }).read(harmless.events)).toEqual(['begin 1', 'commit']);
  });

  test('compressed transactions', () => {
    const log = openedLog().gtid(1).event(eventType.transactionPayload, Buffer.alloc(10));
    expect(() => fixtureReader().read(log.events)).toThrow(
      expect.objectContaining({ code: 'SOURCE_SCHEMA_UNSUPPORTED', hint: expect.stringContaining('=OFF') as string }),
    );
  });
});

test('CREATE TABLE IF NOT EXISTS of a table that exists is no change', () => {
  const versions = fixtureReader().versions;
  const id = { namespace: '', schema: 'd', table: 'a' };
  const table = { id, engine: 'InnoDB', comment: '', createdSeconds: 0, columns: [], primaryKey: [] };
  versions.adopt(id, table, 0);
  versions.fromCatalogue(table);
  const create = 'CREATE TABLE IF NOT EXISTS a (id INT)';
  const log = openedLog().gtid(1).query(create).gtid(2).query('DROP TABLE `a`').gtid(3).query(create);
  const lines = fixtureReader({ versions }).read(log.events);
  expect(lines).toEqual(['begin 1', 'commit', 'begin 2', 'drop d.a', 'commit', 'begin 3', 'create d.a', 'commit']);
});

test('DROP DATABASE drops its captured tables', () => {
  const log = openedLog().begin(1).tableMap(7, 'a').insert(7, 1).xid().gtid(2).query('DROP DATABASE d', 'other');
  expect(fixtureReader().read(log.events).slice(-3)).toEqual(['begin 2', 'drop d.a', 'commit']);
});

test('T192 the text of a statement is read in the charset of its client', () => {
  const latin1 = Buffer.from([4, 8, 0, 8, 0, 8, 0]);
  const log = openedLog().gtid(1);
  const head = Buffer.alloc(13);
  head[8] = 1;
  head.writeUInt16LE(latin1.length, 11);
  log.event(
    eventType.query,
    Buffer.concat([head, latin1, Buffer.from('d\0'), Buffer.from('ALTER TABLE gr\xf6\xdfe ADD x int', 'latin1')]),
  );
  expect(fixtureReader().read(log.events)).toContain('alter d.größe');
});

test('damaged bytes without checksums never hang, and fail with a code if they fail', () => {
  const log = openedLog();
  log.events.pop();
  log.position = 4;
  log.formatDescription(0).begin(1).tableMap(7, 'a', ['id', 'x']).insert(7, 1).query('ALTER TABLE a ADD y int').xid();
  const damage = fc.record({
    event: fc.integer({ min: 2, max: log.events.length - 1 }),
    at: fc.nat(200),
    value: fc.nat(255),
    cut: fc.option(fc.nat(120)),
  });
  fc.assert(
    fc.property(damage, ({ event, at, value, cut }) => {
      const events = log.events.map((bytes) => Buffer.from(bytes));
      let bytes = events[event] as Buffer;
      if (cut !== null && cut < bytes.length) bytes = events[event] = Buffer.from(bytes.subarray(0, cut));
      if (bytes.length > 0) bytes[at % bytes.length] = value;
      expect(failureCode(() => fixtureReader().read(events))).not.toBe('not a CdcError');
    }),
    { numRuns: 3000 },
  );
});
