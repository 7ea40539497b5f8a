import { expect, test } from 'vitest';

import type { LaneBatch } from '@millrace/ingest/destination.ts';
import { PostgresDatabase } from '../harness/postgres-database.ts';
import { laneBatch, never, openDestination, partition0, schemaOf, tableBatch } from './postgres-lanes.ts';

const orders = schemaOf('orders', [
  { name: 'id', type: 'BIGINT', source: 'bigint' },
  { name: 'note', type: 'VARCHAR(20)', source: 'varchar(20)', comment: "a 'note'" },
]);

function rows(from: number, to: number, note: string): unknown[] {
  return Array.from({ length: to - from }, (_, index) => ({ id: from + index, note: `${note} ${from + index}` }));
}

test.each([3, 200])(
  '%i rows are created, changed and deleted, with offsets and marks in the same transaction',
  async (count) => {
    await using database = await PostgresDatabase.create();
    await using destination = await openDestination(database);
    await using lane = await destination.openLane(0, never);
    const [claimed] = await lane.claim([{ ...partition0, firstOffset: 7n }], never);
    expect(claimed).toMatchObject({ epoch: 1n, nextOffset: null });

    await lane.commit(
      laneBatch(
        7,
        300,
        [tableBatch(orders, { upserts: rows(0, count, 'a') })],
        new Map([['src\0shop.orders', '0001']]),
      ),
      never,
    );
    await lane.commit(
      laneBatch(
        300,
        400,
        [tableBatch(orders, { upserts: rows(1, count, 'b'), deletes: [{ id: 0 }, { id: 9999 }] })],
        new Map([['src\0shop.orders', '0002']]),
      ),
      never,
    );

    expect(await database.rows('SELECT * FROM shop.orders ORDER BY id')).toEqual(
      Array.from({ length: count - 1 }, (_, index) => ({ id: String(index + 1), note: `b ${index + 1}` })),
    );
    expect(
      await database.rows(
        'SELECT next_offset, epoch, source_position, extract(epoch FROM source_time) t FROM millrace.offsets',
      ),
    ).toEqual([{ next_offset: '400', epoch: '1', source_position: '0002', t: '1767323045.000006' }]);
    expect(await database.rows('SELECT source, table_name, token FROM millrace.marks')).toEqual([
      { source: 'src', table_name: 'shop.orders', token: '0002' },
    ]);
  },
);

test('a batch that is applied again from the same offsets changes nothing', async () => {
  await using database = await PostgresDatabase.create();
  await using destination = await openDestination(database);
  await using lane = await destination.openLane(0, never);
  await lane.claim([partition0], never);
  const changes = { upserts: rows(10, 200, 'x'), deletes: [{ id: 3 }] };
  await lane.commit(laneBatch(0, 10, [tableBatch(orders, { upserts: rows(0, 10, 'a') })]), never);
  await lane.commit(laneBatch(10, 20, [tableBatch(orders, changes)]), never);
  const before = await database.rows('SELECT * FROM shop.orders ORDER BY id');
  await database.run('UPDATE millrace.offsets SET next_offset = 10');
  const [claimed] = await lane.claim([partition0], never);
  expect(claimed?.nextOffset).toBe(10n);
  await lane.commit(laneBatch(10, 20, [tableBatch(orders, changes)]), never);
  expect(await database.rows('SELECT * FROM shop.orders ORDER BY id')).toEqual(before);
});

test('empty text, NULL and an empty row of optional columns are kept apart (T48, T160)', async () => {
  await using database = await PostgresDatabase.create();
  await database.run(
    "CREATE SCHEMA shop; CREATE TABLE shop.orders (id bigint PRIMARY KEY, note text DEFAULT 'filled')",
  );
  await using destination = await openDestination(database);
  await using lane = await destination.openLane(0, never);
  await lane.claim([partition0], never);
  for (const [index, filler] of [0, 60].entries()) {
    const more = rows(100, 100 + filler, 'z');
    const upserts = [{ id: 1, note: '' }, { id: 2, note: null }, { id: 3 }, ...more];
    await lane.commit(laneBatch(index, index + 1, [tableBatch(orders, { upserts })]), never);
    expect(await database.rows('SELECT note FROM shop.orders WHERE id < 10 ORDER BY id')).toEqual([
      { note: '' },
      { note: null },
      { note: null },
    ]);
  }
});

test('a value of many megabytes passes', async () => {
  await using database = await PostgresDatabase.create();
  await using destination = await openDestination(database);
  await using lane = await destination.openLane(0, never);
  await lane.claim([partition0], never);
  const large = schemaOf('large', [
    { name: 'id', type: 'BIGINT', source: 'bigint' },
    { name: 'blob', type: 'BYTES', source: 'longblob' },
    { name: 'text', type: 'STRING', source: 'longtext' },
  ]);
  const row = (id: number): unknown => ({
    id,
    blob: Buffer.alloc(8 << 20, id).toString('base64'),
    text: '\\n"'.repeat(1 << 20),
  });
  await lane.commit(laneBatch(0, 1, [tableBatch(large, { upserts: [row(1)] })]), never);
  await lane.commit(
    laneBatch(1, 2, [
      tableBatch(large, { upserts: [...Array.from({ length: 60 }, (_, id) => ({ id: id + 10 })), row(2)] }),
    ]),
    never,
  );
  expect(
    await database.rows(
      'SELECT length(blob) b, length(text) t, get_byte(blob, 7) v FROM shop.large WHERE id < 10 ORDER BY id',
    ),
  ).toEqual([
    { b: String(8 << 20), t: String(3 << 20), v: '1' },
    { b: String(8 << 20), t: String(3 << 20), v: '2' },
  ]);
});

test('several tables and partitions move together or not at all', async () => {
  await using database = await PostgresDatabase.create();
  await using destination = await openDestination(database);
  await using lane = await destination.openLane(0, never);
  const second = { topic: 'u', partition: 5, firstOffset: 0n };
  await lane.claim([partition0, second], never);
  const items = schemaOf('items', [{ name: 'id', type: 'INT', source: 'int' }]);
  const batch = (from: bigint, itemRows: unknown[]): LaneBatch => ({
    partitions: [partition0, second].map(({ topic, partition }) => ({
      topic,
      partition,
      from,
      to: from + 1n,
      marks: new Map(),
    })),
    tables: [tableBatch(orders, { upserts: rows(0, 100, `v${from}`) }), tableBatch(items, { upserts: itemRows })],
    sourceTimeMicros: 0,
  });
  await lane.commit(batch(0n, [{ id: 1 }]), never);
  await expect(lane.commit(batch(1n, [{ id: 'x' }]), never)).rejects.toMatchObject({
    code: 'DESTINATION_WRITE_REJECTED',
  });
  expect(await database.rows('SELECT DISTINCT left(note, 2) n FROM shop.orders')).toEqual([{ n: 'v0' }]);
  expect(await database.rows('SELECT DISTINCT next_offset n FROM millrace.offsets')).toEqual([{ n: '1' }]);
  await lane.commit(batch(1n, []), never);
  expect(await database.rows('SELECT DISTINCT left(note, 2) n FROM shop.orders')).toEqual([{ n: 'v1' }]);
});
