import pg from 'pg';
import { expect, test } from 'vitest';

import { eventually } from '../harness/eventually.ts';
import { PostgresDatabase } from '../harness/postgres-database.ts';
import { laneBatch, never, openDestination, partition0, schemaOf, tableBatch } from './postgres-lanes.ts';
import type { LogLine } from './postgres-lanes.ts';

const id = { name: 'id', type: 'BIGINT', source: 'bigint' };

test('names with quotes, blanks, dots, reserved words, capitals and unicode are kept (T74, T159)', async () => {
  await using database = await PostgresDatabase.create();
  await using destination = await openDestination(database);
  await using lane = await destination.openLane(0, never);
  await lane.claim([partition0], never);
  const names = [
    'select',
    'Order',
    'order',
    'a b',
    'a.b',
    'quote"d',
    "it's",
    'back\\slash',
    '$1',
    '1st',
    'größe',
    '表',
    '%s',
    'tab\there',
  ];
  const odd = schemaOf(
    'Sel"ect.from',
    [id, ...names.map((name) => ({ name, type: 'STRING', source: 'text', comment: `${name}'\\` }))],
    ['id'],
    'My Shop',
  );
  for (const [index, count] of [2, 60].entries()) {
    const upserts = Array.from({ length: count }, (_, row) => ({
      id: row,
      ...Object.fromEntries(names.map((name) => [name, `${name}!`])),
    }));
    await lane.commit(laneBatch(index, index + 1, [tableBatch(odd, { upserts, deletes: [{ id: 99 }] })]), never);
  }
  const stored = await database.rows('SELECT * FROM "My Shop"."Sel""ect.from"');
  expect(stored).toHaveLength(60);
  expect(stored[0]).toEqual({ id: stored[0]?.['id'], ...Object.fromEntries(names.map((name) => [name, `${name}!`])) });
});

test('names beyond 63 bytes stay distinct (T75)', async () => {
  await using database = await PostgresDatabase.create();
  await using destination = await openDestination(database);
  await using lane = await destination.openLane(0, never);
  await lane.claim([partition0], never);
  const long = 'é'.repeat(40);
  const first = schemaOf(`${long}1`, [id, { name: `${long}a`, type: 'INT' }, { name: `${long}b`, type: 'INT' }]);
  const second = schemaOf(`${long}2`, [id]);
  const row = { id: 1, [`${long}a`]: 2, [`${long}b`]: 3 };
  await lane.commit(
    laneBatch(0, 1, [tableBatch(first, { upserts: [row] }), tableBatch(second, { upserts: [{ id: 5 }] })]),
    never,
  );
  const tables = await database.rows(
    "SELECT t.table_name t FROM information_schema.tables t JOIN millrace.tables m USING (table_name) WHERE table_schema = 'shop' ORDER BY m.source_table",
  );
  expect(tables).toHaveLength(2);
  const values = await Promise.all(tables.map((table) => database.rows(`SELECT * FROM shop."${String(table['t'])}"`)));
  expect(values.flat().map((found) => Object.values(found))).toEqual([['1', '2', '3'], ['5']]);
});

test('228 columns and thousands of rows go in one batch (T152)', async () => {
  await using database = await PostgresDatabase.create();
  await using destination = await openDestination(database);
  await using lane = await destination.openLane(0, never);
  await lane.claim([partition0], never);
  const wide = schemaOf('wide', [
    id,
    ...Array.from({ length: 227 }, (_, index) => ({ name: `c${index}`, type: 'INT', source: 'int' })),
  ]);
  const upserts = Array.from({ length: 3000 }, (_, row) => ({
    id: row,
    ...Object.fromEntries(Array.from({ length: 227 }, (_, c) => [`c${c}`, row + c])),
  }));
  await lane.commit(laneBatch(0, 1, [tableBatch(wide, { upserts })]), never);
  await lane.commit(laneBatch(1, 2, [tableBatch(wide, { upserts: upserts.slice(0, 49) })]), never);
  expect(await database.rows('SELECT count(*) n, sum(c226) s FROM shop.wide')).toEqual([
    { n: '3000', s: String((2999 * 3000) / 2 + 3000 * 226) },
  ]);
});

test('composite keys are upserted and deleted; a table of key columns only takes repeats', async () => {
  await using database = await PostgresDatabase.create();
  await using destination = await openDestination(database);
  await using lane = await destination.openLane(0, never);
  await lane.claim([partition0], never);
  const pair = schemaOf(
    'pair',
    [
      { name: 'v', type: 'INT' },
      { name: 'b', type: 'STRING', source: 'text' },
      { name: 'a', type: 'INT' },
    ],
    ['a', 'b'],
  );
  const keys = schemaOf('keys', [{ name: 'a', type: 'INT' }], ['a']);
  for (const [index, count] of [3, 70].entries()) {
    const rows = Array.from({ length: count }, (_, a) => ({ a, b: `x"${a}\\`, v: index }));
    const batch = [
      tableBatch(pair, {
        upserts: rows.slice(1),
        deletes: [
          { a: 0, b: 'x"0\\', v: null },
          { a: 1, b: 'other' },
        ],
      }),
      tableBatch(keys, { upserts: rows }),
    ];
    await lane.commit(laneBatch(2 * index, 2 * index + 1, [tableBatch(pair, { upserts: rows.slice(0, 1) })]), never);
    await lane.commit(laneBatch(2 * index + 1, 2 * index + 2, batch), never);
    expect(await database.rows('SELECT count(*) c, min(a) a, min(v) v FROM shop.pair')).toEqual([
      { c: String(count - 1), a: '1', v: String(index) },
    ]);
    expect(await database.rows('SELECT count(*) c FROM shop.keys')).toEqual([{ c: String(count) }]);
  }
});

test('a table without a key takes rows and refuses deletes; truncate empties first (T35, T162)', async () => {
  await using database = await PostgresDatabase.create();
  await using destination = await openDestination(database);
  await using lane = await destination.openLane(0, never);
  await lane.claim([partition0], never);
  const history = schemaOf('history', [{ name: 'a', type: 'INT' }], []);
  const same = Array.from({ length: 60 }, () => ({ a: 1 }));
  await lane.commit(laneBatch(0, 1, [tableBatch(history, { upserts: same })]), never);
  await lane.commit(laneBatch(1, 2, [tableBatch(history, { upserts: [{ a: 1 }] })]), never);
  expect(await database.rows('SELECT count(*) c FROM shop.history')).toEqual([{ c: '61' }]);
  await expect(
    lane.commit(laneBatch(2, 3, [tableBatch(history, { deletes: [{ a: 1 }] })]), never),
  ).rejects.toMatchObject({
    code: 'DESTINATION_WRITE_REJECTED',
  });
  await lane.commit(laneBatch(2, 3, [tableBatch(history, { upserts: [{ a: 2 }], truncateFirst: true })]), never);
  expect(await database.rows('SELECT a FROM shop.history')).toEqual([{ a: '2' }]);
});

test.each([2, 100])('rows that trade the values of a unique column are applied (%i rows; T151)', async (count) => {
  await using database = await PostgresDatabase.create();
  await database.run('CREATE SCHEMA shop; CREATE TABLE shop.u (id bigint PRIMARY KEY, mail text UNIQUE)');
  await using destination = await openDestination(database);
  await using lane = await destination.openLane(0, never);
  await lane.claim([partition0], never);
  const users = schemaOf('u', [id, { name: 'mail', type: 'STRING', source: 'text' }]);
  const mails = (shift: number): unknown[] =>
    Array.from({ length: count }, (_, row) => ({ id: row, mail: `m${(row + shift) % count}` }));
  await lane.commit(laneBatch(0, 1, [tableBatch(users, { upserts: mails(0) })]), never);
  await lane.commit(laneBatch(1, 2, [tableBatch(users, { upserts: mails(1) })]), never);
  await lane.commit(
    laneBatch(2, 3, [tableBatch(users, { upserts: [{ id: count, mail: 'm1' }], deletes: [{ id: 0 }] })]),
    never,
  );
  expect(await database.rows('SELECT mail FROM shop.u WHERE id IN (1, 2) ORDER BY id')).toEqual(
    count === 2 ? [{ mail: 'm0' }, { mail: 'm1' }] : [{ mail: 'm2' }, { mail: 'm3' }],
  );
  const collision = lane.commit(laneBatch(3, 4, [tableBatch(users, { upserts: [{ id: 999, mail: 'm1' }] })]), never);
  await expect(collision).rejects.toMatchObject({
    code: 'DESTINATION_WRITE_REJECTED',
    details: { sqlstate: '23505', table: 'shop.u', constraint: 'u_mail_key' },
  });
});

test('a deferrable key, an identity key and generated columns are written around (T42, T155)', async () => {
  await using database = await PostgresDatabase.create();
  await database.run(`CREATE SCHEMA shop;
    CREATE TABLE shop.d (id bigint PRIMARY KEY DEFERRABLE, v int);
    CREATE TABLE shop.g (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v int, twice int GENERATED ALWAYS AS (v * 2) STORED)`);
  await using destination = await openDestination(database);
  await using lane = await destination.openLane(0, never);
  await lane.claim([partition0], never);
  const columns = [id, { name: 'v', type: 'INT', source: 'int' }];
  const d = schemaOf('d', columns);
  const g = schemaOf('g', [...columns, { name: 'twice', type: 'BIGINT', source: 'bigint' }]);
  for (const [index, count] of [2, 60, 2].entries()) {
    const upserts = Array.from({ length: count }, (_, row) => ({ id: row + 1, v: index, twice: 999 }));
    await lane.commit(laneBatch(index, index + 1, [tableBatch(d, { upserts }), tableBatch(g, { upserts })]), never);
  }
  expect(await database.rows('SELECT v, count(*) c FROM shop.d GROUP BY v ORDER BY v')).toEqual([
    { v: '1', c: '58' },
    { v: '2', c: '2' },
  ]);
  expect(await database.rows('SELECT v, twice, count(*) c FROM shop.g GROUP BY v, twice ORDER BY v')).toEqual([
    { v: '1', twice: '2', c: '58' },
    { v: '2', twice: '4', c: '2' },
  ]);
});

test('a table follows its stream: new columns, wider types, NOT NULL relaxed, in the transaction of the rows (T77, T78)', async () => {
  await using database = await PostgresDatabase.create();
  const lines: LogLine[] = [];
  await using destination = await openDestination(database, {}, lines);
  await using lane = await destination.openLane(0, never);
  await lane.claim([partition0], never);
  const v1 = schemaOf('t', [
    id,
    { name: 'a', type: 'INT', source: 'int', nullable: false },
    { name: 'b', type: 'DECIMAL(5, 2)', source: 'decimal(5,2)' },
  ]);
  const v2 = schemaOf('t', [
    id,
    { name: 'a', type: 'BIGINT', source: 'bigint' },
    { name: 'b', type: 'DECIMAL(9, 2)', source: 'decimal(9,2)' },
    { name: 'c', type: 'STRING', source: 'json' },
  ]);
  await lane.commit(laneBatch(0, 1, [tableBatch(v1, { upserts: [{ id: 1, a: 1, b: 1 }] })]), never);
  const refused = lane.commit(laneBatch(1, 2, [tableBatch(v2, { upserts: [{ id: 2, a: 'x' }] })]), never);
  await expect(refused).rejects.toMatchObject({ code: 'DESTINATION_WRITE_REJECTED' });
  expect((await destination.describe('shop', 't', never))?.columns).toHaveLength(3);
  await lane.commit(
    laneBatch(1, 2, [tableBatch(v2, { upserts: [{ id: 2, a: 2 ** 40, b: 1234567.5, c: '{}' }, { id: 1 }] })]),
    never,
  );
  await lane.commit(laneBatch(2, 3, [tableBatch(v1, { upserts: [{ id: 3, a: 3, b: 3 }] })]), never);
  expect(await database.rows('SELECT * FROM shop.t ORDER BY id')).toEqual([
    { id: '1', a: null, b: null, c: null },
    { id: '2', a: String(2 ** 40), b: '1234567.50', c: '{}' },
    { id: '3', a: '3', b: '3.00', c: null },
  ]);
  expect(await database.rows("SELECT count(*) n FROM pg_class WHERE relname LIKE 'mr_stage%'")).toEqual([{ n: '1' }]);
  expect(lines.map((line) => line.message)).toContain('table altered');
});

test('an existing table that does not fit is refused with one error that lists every column', async () => {
  await using database = await PostgresDatabase.create();
  await database.run('CREATE SCHEMA shop; CREATE TABLE shop.t (id int, a bytea, v timestamptz)');
  await using destination = await openDestination(database);
  await using lane = await destination.openLane(0, never);
  await lane.claim([partition0], never);
  const t = schemaOf('t', [
    id,
    { name: 'a', type: 'STRING', source: 'text' },
    { name: 'v', type: 'TIMESTAMP(6)', source: 'datetime(6)' },
  ]);
  await expect(lane.commit(laneBatch(0, 1, [tableBatch(t, { upserts: [{ id: 1 }] })]), never)).rejects.toMatchObject({
    code: 'DESTINATION_SCHEMA_INCOMPATIBLE',
    details: {
      table: 'shop.t',
      columns: [
        'a: is bytea, the stream needs text',
        'v: is timestamp with time zone, the stream needs timestamp(6)',
        'no unique index over exactly the key: ALTER TABLE "shop"."t" ADD PRIMARY KEY ("id")',
      ],
    },
  });
});

test('two streams that meet in one table are refused', async () => {
  await using database = await PostgresDatabase.create();
  await using destination = await openDestination(database, { schema: 'public' });
  await using lane = await destination.openLane(0, never);
  await lane.claim([partition0], never);
  await lane.commit(laneBatch(0, 1, [tableBatch(schemaOf('t', [id], ['id'], 'one'), { upserts: [{ id: 1 }] })]), never);
  const second = lane.commit(
    laneBatch(1, 2, [tableBatch(schemaOf('t', [id], ['id'], 'two'), { upserts: [{ id: 1 }] })]),
    never,
  );
  await expect(second).rejects.toMatchObject({
    code: 'DESTINATION_SCHEMA_INCOMPATIBLE',
    details: { table: 'public.t', streams: ['one.t', 'two.t'] },
  });
});

test('several lanes create the same tables side by side', async () => {
  await using database = await PostgresDatabase.create();
  await using destination = await openDestination(database);
  const tables = ['a', 'b', 'c'].map((name) => schemaOf(name, [id]));
  await Promise.all(
    [0, 1, 2, 3].map(async (partition) => {
      await using lane = await destination.openLane(partition, never);
      await lane.claim([{ topic: 't', partition, firstOffset: 0n }], never);
      const order = partition % 2 === 0 ? tables : tables.toReversed();
      await lane.commit(
        {
          partitions: [{ topic: 't', partition, from: 0n, to: 1n, marks: new Map() }],
          tables: order.map((table) => tableBatch(table, { upserts: [{ id: partition }] })),
          sourceTimeMicros: 0,
        },
        never,
      );
    }),
  );
  expect(await database.rows('SELECT (SELECT count(*) FROM shop.a) a, (SELECT count(*) FROM shop.c) c')).toEqual([
    { a: '4', c: '4' },
  ]);
});

test('an ALTER by somebody else is noticed and the batch goes on (T163)', async () => {
  await using database = await PostgresDatabase.create();
  await using destination = await openDestination(database);
  await using lane = await destination.openLane(0, never);
  await lane.claim([partition0], never);
  const t = schemaOf('t', [id, { name: 'a', type: 'INT', source: 'int' }]);
  await lane.commit(laneBatch(0, 1, [tableBatch(t, { upserts: [{ id: 1, a: 1 }] })]), never);
  await database.run('ALTER TABLE shop.t DROP COLUMN a');
  await lane.commit(laneBatch(1, 2, [tableBatch(t, { upserts: [{ id: 1, a: 2 }] })]), never);
  await database.run('ALTER TABLE shop.t ALTER COLUMN a TYPE bigint');
  await lane.commit(
    laneBatch(2, 3, [tableBatch(t, { upserts: Array.from({ length: 60 }, (_, row) => ({ id: row, a: 3 })) })]),
    never,
  );
  await database.run('DROP TABLE shop.t');
  await lane.commit(laneBatch(3, 4, [tableBatch(t, { upserts: [{ id: 1, a: 4 }] })]), never);
  expect(await database.rows('SELECT * FROM shop.t')).toEqual([{ id: '1', a: '4' }]);
});

test('a deadlock is retried and the batch applied once (40P01; T153)', async () => {
  await using database = await PostgresDatabase.create();
  const lines: LogLine[] = [];
  await using destination = await openDestination(database, {}, lines);
  await using lane = await destination.openLane(0, never);
  await lane.claim([partition0], never);
  const t = schemaOf('t', [id, { name: 'a', type: 'INT', source: 'int' }]);
  await lane.commit(
    laneBatch(0, 1, [
      tableBatch(t, {
        upserts: [
          { id: 1, a: 0 },
          { id: 2, a: 0 },
        ],
      }),
    ]),
    never,
  );
  const other = new pg.Client({ connectionString: database.url });
  await other.connect();
  // The lane looks for deadlocks late, so that the other side is never the victim's survivor by chance.
  await other.query("SET deadlock_timeout = '60s'; BEGIN; UPDATE shop.t SET a = 7 WHERE id = 2");
  const commit = lane.commit(
    laneBatch(1, 2, [
      tableBatch(t, {
        upserts: [
          { id: 1, a: 1 },
          { id: 2, a: 1 },
        ],
      }),
    ]),
    never,
  );
  await eventually(
    'the lane waits for row 2',
    async () => {
      const waiting = await database.rows(
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'millrace:p:0' AND wait_event_type = 'Lock'",
      );
      return waiting.length === 1;
    },
    { everyMs: 20 },
  );
  await other.query('UPDATE shop.t SET a = 7 WHERE id = 1; COMMIT');
  await commit;
  await other.end();
  expect(await database.rows('SELECT a, count(*) c FROM shop.t GROUP BY a')).toEqual([{ a: '1', c: '2' }]);
  expect(lines).toContainEqual({
    message: 'a batch is tried again',
    details: expect.objectContaining({ sqlstate: '40P01' }) as unknown,
  });
});

test('an unprivileged role works with exactly the printed grants, and is told what it lacks', async () => {
  await using database = await PostgresDatabase.create();
  const role = `r_${database.name}`;
  await database.run(
    `CREATE ROLE ${role} LOGIN PASSWORD 'pw' NOSUPERUSER; REVOKE ALL ON DATABASE ${database.name} FROM PUBLIC; GRANT CONNECT ON DATABASE ${database.name} TO ${role}`,
  );
  try {
    await using destination = await openDestination(database, { username: role, password: () => 'pw' });
    const missing: unknown = await destination.check(never).catch((error: unknown) => error);
    expect(missing).toMatchObject({ code: 'DESTINATION_AUTH_FAILED' });
    const { details } = missing as { details: { grants: readonly string[] } };
    expect(details.grants).toEqual([
      `GRANT TEMPORARY ON DATABASE "${database.name}" TO "${role}"`,
      `GRANT CREATE ON DATABASE "${database.name}" TO "${role}"`,
    ]);
    await database.run(details.grants.join(';'));
    expect(await destination.check(never)).toEqual([]);
    await using lane = await destination.openLane(0, never);
    await lane.claim([partition0], never);
    const t = schemaOf('t', [id]);
    await lane.commit(
      laneBatch(0, 1, [tableBatch(t, { upserts: [{ id: 1 }], deletes: [{ id: 2 }], truncateFirst: true })]),
      never,
    );

    await database.run(`ALTER TABLE shop.t OWNER TO CURRENT_USER`);
    const denied: unknown = await lane
      .commit(laneBatch(1, 2, [tableBatch(t, { upserts: [{ id: 3 }] })]), never)
      .catch((error: unknown) => error);
    expect(denied).toMatchObject({
      code: 'DESTINATION_AUTH_FAILED',
      hint: `GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON "shop"."t" TO "${role}"`,
    });
    await database.run((denied as { hint: string }).hint);
    await lane.commit(laneBatch(1, 2, [tableBatch(t, { upserts: [{ id: 3 }] })]), never);
    expect(await database.rows('SELECT count(*) c FROM shop.t')).toEqual([{ c: '2' }]);
  } finally {
    await database.run(`REASSIGN OWNED BY ${role} TO CURRENT_USER; DROP OWNED BY ${role}; DROP ROLE ${role}`);
  }
});

test('a wrong password is an authorisation failure', async () => {
  await using database = await PostgresDatabase.create();
  const role = `w_${database.name}`;
  await database.run(`CREATE ROLE ${role} LOGIN PASSWORD 'pw'`);
  try {
    await using destination = await openDestination(database, { username: role, password: () => 'other' });
    await expect(destination.openLane(0, never)).rejects.toMatchObject({
      code: 'DESTINATION_AUTH_FAILED',
      details: { sqlstate: '28P01' },
    });
  } finally {
    await database.run(`DROP ROLE ${role}`);
  }
});

test('nobody listening is unavailable, not a defect', async () => {
  await using database = await PostgresDatabase.create();
  await using destination = await openDestination(database, { hostname: '127.0.0.1', port: 9 });
  await expect(destination.check(never)).rejects.toMatchObject({ code: 'DESTINATION_UNAVAILABLE' });
});
