import { describe, expect, test } from 'vitest';

import { eventType } from '../binlog/event-header.ts';
import { failureCode } from '../binlog/failure-code.ts';
import { wireType } from '../column.ts';
import type { MysqlTable } from '../column.ts';
import { refusalOf } from '../refused-rows.ts';
import type { BinlogRows } from '../rows.ts';
import { readRows } from './row-events.ts';
import { skipRows } from './row-walk.ts';

function table(...types: readonly number[]): MysqlTable {
  return {
    schema: { id: { namespace: '', schema: 'd', table: 't' } },
    columns: types.map((type, index) => ({ name: `c${index}`, wireType: type, meta: 1, scale: 0 })),
  } as unknown as MysqlTable;
}

function lenenc(value: number): Buffer {
  return value < 0xfb ? Buffer.of(value) : Buffer.of(0xfc, value & 0xff, value >> 8);
}

function event(width: number, bitmaps: readonly number[], rows: readonly number[]): Buffer {
  const head = Buffer.from([7, 0, 0, 0, 0, 0, 1, 0, 2, 0]);
  return Buffer.concat([head, lenenc(width), Buffer.from(bitmaps), Buffer.from(rows)]);
}

describe('T41 T172 images that leave columns out', () => {
  const two = table(wireType.long, wireType.blob);

  test('an INSERT without its large column took a default that nobody logged', () => {
    const bytes = event(2, [1], [0, 1, 0, 0, 0]);
    expect(refusalOf(readRows(eventType.writeRows, two, bytes, 0, bytes.length))?.code).toBe(
      'SOURCE_SCHEMA_UNSUPPORTED',
    );
  });

  test('an UPDATE may leave an unchanged large column out', () => {
    const bytes = event(2, [3, 1], [0, 1, 0, 0, 0, 1, 65, 0, 2, 0, 0, 0]);
    const rows = readRows(eventType.updateRows, two, bytes, 0, bytes.length) as BinlogRows;
    expect(refusalOf(rows)).toBeUndefined();
    expect(rows).toMatchObject({ op: 'update', complete: false, presentBefore: 11, presentAfter: 12, start: 13 });
  });

  test('an UPDATE that leaves out any other column is refused', () => {
    const bytes = event(2, [3, 2], [0, 1, 0, 0, 0, 1, 65, 0, 1, 66]);
    expect(refusalOf(readRows(eventType.updateRows, two, bytes, 0, bytes.length))).toBeDefined();
  });
});

test.each([1, 7, 8, 9, 64, 228, 250, 251, 1000])('T45 bitmaps of %i columns', (count) => {
  const columns = table(...Array.from({ length: count }, () => wireType.tiny));
  const bitmap = Array.from({ length: (count + 7) >> 3 }, () => 0xff);
  const bytes = event(count, bitmap, [1, 2, 3]);
  const rows = readRows(eventType.deleteRows, columns, bytes, 0, bytes.length) as BinlogRows;
  expect(rows).toMatchObject({ op: 'delete', complete: true, start: bytes.length - 3, end: bytes.length });
  // The last column alone is absent.
  bitmap[(count - 1) >> 3] = 0xff & ~(1 << ((count - 1) & 7));
  const partial = event(count, bitmap, [1, 2, 3]);
  expect(refusalOf(readRows(eventType.deleteRows, columns, partial, 0, partial.length))).toBeDefined();
});

test('every cell is passed over by its own size', () => {
  const types: readonly (readonly [number, number, number, readonly number[]])[] = [
    [wireType.tiny, 0, 0, [1]],
    [wireType.int24, 0, 0, [1, 2, 3]],
    [wireType.decimal, 14, 4, [1, 2, 3, 4, 5, 6, 7]],
    [wireType.bit, 9, 0, [1, 2]],
    [wireType.set, 4, 0, [1, 2, 3, 4]],
    [wireType.timestamp2, 3, 0, [1, 2, 3, 4, 5, 6]],
    [wireType.datetime2, 6, 0, [1, 2, 3, 4, 5, 6, 7, 8]],
    [wireType.time2, 0, 0, [1, 2, 3]],
    [wireType.varchar, 255, 0, [2, 65, 66]],
    [wireType.varchar, 256, 0, [2, 0, 65, 66]],
    [wireType.string, 20, 0, [1, 65]],
    [wireType.blob, 3, 0, [1, 0, 0, 65]],
    [wireType.json, 4, 0, [0, 0, 0, 0]],
  ];
  const columns = types.map(([type, meta, scale], index) => ({ name: `c${index}`, wireType: type, meta, scale }));
  const all = { schema: { id: {} }, columns } as unknown as MysqlTable;
  const row = [0, 0, ...types.flatMap(([, , , cell]) => cell)];
  const nulls = [0xff, 0x1f];
  const bytes = event(13, [0xff, 0xff], [...row, ...nulls, ...row]);
  const rows = readRows(eventType.writeRows, all, bytes, 0, bytes.length) as BinlogRows;
  const rest = skipRows(rows, 2);
  expect(rest.count).toBe(2);
  expect((rest.rows as BinlogRows).start).toBe(bytes.length - row.length);
  expect(skipRows(rows, 9)).toEqual({ rows: null, count: 3 });
  const cut = { ...rows, end: bytes.length - 1 };
  expect(failureCode(() => skipRows(cut, 3))).toBe('SOURCE_LOG_CORRUPT');
});

test('an event that is cut in its head is a corrupt log', () => {
  const one = table(wireType.tiny);
  const bytes = event(1, [1], [0, 1]);
  for (let length = 8; length < 12; length++) {
    expect(failureCode(() => readRows(eventType.writeRows, one, bytes, 0, length))).toBe('SOURCE_LOG_CORRUPT');
  }
});
