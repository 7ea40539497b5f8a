import { expect, test } from 'vitest';

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
