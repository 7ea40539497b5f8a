import pg from 'pg';
import { expect, test } from 'vitest';

import { eventually } from '../harness/eventually.ts';
import { PostgresDatabase } from '../harness/postgres-database.ts';
import { laneBatch, never, openDestination, partition0, schemaOf, tableBatch } from './postgres-lanes.ts';
import type { LogLine } from './postgres-lanes.ts';
import { CommitProxy } from './postgres-proxy.ts';

const log = schemaOf('log', [
  { name: 'id', type: 'BIGINT', source: 'bigint' },
  { name: 'v', type: 'INT', source: 'int' },
]);

function upserts(count: number, v: number): { upserts: unknown[] } {
  return { upserts: Array.from({ length: count }, (_, id) => ({ id, v })) };
}

const waitingLane =
  "FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'millrace:p:0' AND wait_event_type = 'Lock'";

/** Starts a COPY and never sends a row. */
class SilentCopy implements pg.Submittable {
  started = false;
  submit(connection: pg.Connection): void {
    connection.query('COPY shop.log FROM STDIN');
  }
  handleCopyInResponse(): void {
    this.started = true;
  }
  handleError(): void {
    this.started = false;
  }
}

test('a commit of an older owner fails without effect after a takeover (T141)', async () => {
  await using database = await PostgresDatabase.create();
  await using destination = await openDestination(database);
  await using older = await destination.openLane(0, never);
  await using newer = await destination.openLane(1, never);
  await older.claim([partition0], never);
  await older.commit(laneBatch(0, 10, [tableBatch(log, upserts(3, 1))]), never);

  const [claimed] = await newer.claim([partition0], never);
  expect(claimed).toMatchObject({ epoch: 2n, nextOffset: 10n });
  const late = older.commit(laneBatch(10, 20, [tableBatch(log, upserts(3, 2))]), never);
  await expect(late).rejects.toMatchObject({
    code: 'DESTINATION_FENCED',
    details: { topic: 't', partition: 0, ourEpoch: 1n, storedEpoch: 2n },
  });
  expect(await database.rows('SELECT DISTINCT v FROM shop.log')).toEqual([{ v: '1' }]);
  await newer.commit(laneBatch(10, 20, [tableBatch(log, upserts(3, 3))]), never);
  expect(await database.rows('SELECT DISTINCT v FROM shop.log')).toEqual([{ v: '3' }]);
});

test('a claim tells offsets and marks as they were committed', async () => {
  await using database = await PostgresDatabase.create();
  await using destination = await openDestination(database);
  await using lane = await destination.openLane(0, never);
  const second = { topic: 'other "topic"', partition: 3, firstOffset: 40n };
  await lane.claim([partition0, second], never);
  await lane.commit(laneBatch(0, 10, [], new Map([['s,"1\0shop.log', 'a\\b']])), never);
  expect(await lane.claim([second, partition0], never)).toEqual([
    { topic: second.topic, partition: 3, epoch: 2n, nextOffset: 40n, marks: new Map(), tableOffsets: new Map() },
    {
      topic: 't',
      partition: 0,
      epoch: 2n,
      nextOffset: 10n,
      marks: new Map([['s,"1\0shop.log', 'a\\b']]),
      tableOffsets: new Map(),
    },
  ]);
});

test('a batch that does not continue at the stored offset is refused', async () => {
  await using database = await PostgresDatabase.create();
  await using destination = await openDestination(database);
  await using lane = await destination.openLane(0, never);
  await lane.claim([partition0], never);
  await expect(lane.commit(laneBatch(5, 10, []), never)).rejects.toMatchObject({ code: 'INVARIANT_BROKEN' });
});

test.each([
  ['lose-answer', 3],
  ['lose-answer', 300],
  ['lose-request', 3],
  ['lose-request', 300],
] as const)(
  'a COMMIT whose outcome is unknown (%s, %i rows) takes effect exactly once (T153)',
  async (fault, count) => {
    await using database = await PostgresDatabase.create();
    const url = new URL(database.url);
    await using proxy = await CommitProxy.start(url.hostname, Number(url.port));
    const lines: LogLine[] = [];
    await using destination = await openDestination(
      database,
      { hostname: '127.0.0.1', port: proxy.port, tls: { mode: 'disable' } },
      lines,
    );
    await using lane = await destination.openLane(0, never);
    await lane.claim([partition0], never);
    await lane.commit(laneBatch(0, 1, [tableBatch(log, upserts(1, 0))]), never);
    await database.run(
      'CREATE TABLE public.audit (id bigint, v int); CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql AS ' +
        '$$BEGIN INSERT INTO public.audit VALUES (NEW.id, NEW.v); RETURN NEW; END$$;' +
        'CREATE TRIGGER note AFTER INSERT OR UPDATE ON shop.log FOR EACH ROW EXECUTE FUNCTION public.note()',
    );

    proxy.fault = fault;
    await lane.commit(laneBatch(1, 10, [tableBatch(log, upserts(count, 7))]), never);
    expect(proxy.faults).toBe(1);
    await lane.commit(laneBatch(10, 11, [tableBatch(log, upserts(1, 8))]), never);
    expect(
      await database.rows('SELECT v, count(*) c, count(DISTINCT id) d FROM public.audit GROUP BY v ORDER BY v'),
    ).toEqual([
      { v: '7', c: String(count), d: String(count) },
      { v: '8', c: '1', d: '1' },
    ]);
    expect(lines.some((line) => line.message === 'a batch is tried again')).toBe(true);
  },
);

test('a connection that is ended in the middle is replaced and the batch repeated (T153)', async () => {
  await using database = await PostgresDatabase.create();
  await using destination = await openDestination(database);
  await using lane = await destination.openLane(0, never);
  await lane.claim([partition0], never);
  await lane.commit(laneBatch(0, 1, [tableBatch(log, upserts(100, 0))]), never);
  await database.run('BEGIN; LOCK TABLE shop.log IN ACCESS EXCLUSIVE MODE');
  const commit = lane.commit(laneBatch(1, 2, [tableBatch(log, upserts(100, 1))]), never);
  await eventually('the lane waits for the lock', async () => {
    const ended = await database.rows(`SELECT pg_terminate_backend(pid) ${waitingLane}`);
    return ended.length === 1;
  });
  await database.run('ROLLBACK');
  await commit;
  expect(await database.rows('SELECT v, count(*) c FROM shop.log GROUP BY v')).toEqual([{ v: '1', c: '100' }]);
});

test('a process that was frozen inside a COPY is disconnected by its successor', async () => {
  await using database = await PostgresDatabase.create();
  await using destination = await openDestination(database, { session: new Map([['lock_timeout', '500ms']]) });
  await using lane = await destination.openLane(0, never);
  await lane.claim([partition0], never);
  await lane.commit(laneBatch(0, 1, [tableBatch(log, upserts(1, 0))]), never);
  // The frozen process: the fence is held, the rows never come.
  const frozen = new pg.Client({ connectionString: database.url, application_name: 'millrace:p:7' });
  frozen.on('error', () => undefined);
  await frozen.connect();
  await frozen.query("BEGIN; UPDATE millrace.offsets SET updated_at = now() WHERE pipeline = 'p'");
  const copy = new SilentCopy();
  frozen.query(copy);
  await eventually('the copy waits for rows', () => Promise.resolve(copy.started));

  const lines: LogLine[] = [];
  await using successor = await openDestination(database, { session: new Map([['lock_timeout', '500ms']]) }, lines);
  await using newLane = await successor.openLane(0, never);
  const [claimed] = await newLane.claim([partition0], never);
  expect(claimed).toMatchObject({ epoch: 2n, nextOffset: 1n });
  expect(lines).toContainEqual({ message: 'a frozen owner was disconnected', details: { connections: 1 } });
});

test('after an abort only a new claim tells where to continue', async () => {
  await using database = await PostgresDatabase.create();
  await using destination = await openDestination(database);
  await using lane = await destination.openLane(0, never);
  await lane.claim([partition0], never);
  await lane.commit(laneBatch(0, 1, [tableBatch(log, upserts(100, 0))]), never);
  await database.run('BEGIN; LOCK TABLE shop.log IN ACCESS EXCLUSIVE MODE');
  const abort = new AbortController();
  const commit = lane.commit(laneBatch(1, 2, [tableBatch(log, upserts(100, 1))]), abort.signal);
  const rejection = commit.catch((error: unknown) => error);
  await eventually(
    'the lane waits for the lock',
    async () => (await database.rows(`SELECT 1 ${waitingLane}`)).length === 1,
  );
  abort.abort(new Error('stop now'));
  expect(await rejection).toMatchObject({ message: 'stop now' });
  await expect(lane.commit(laneBatch(1, 2, []), never)).rejects.toMatchObject({ code: 'INVARIANT_BROKEN' });
  await database.run('ROLLBACK');
  // The server had received the COMMIT before the abort, and carries it out when the lock is free.
  const [claimed] = await lane.claim([partition0], never);
  expect(claimed?.nextOffset).toBe(2n);
  expect(await database.rows('SELECT DISTINCT v FROM shop.log')).toEqual([{ v: '1' }]);
});
