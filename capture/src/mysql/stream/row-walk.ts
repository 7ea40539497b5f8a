import type { RowBatch } from '../../source.ts';
import { wireType } from '../column.ts';
import type { MysqlColumn } from '../column.ts';
import { logCorrupt } from '../log-corrupt.ts';
import type { BinlogRows } from '../rows.ts';

const fixedSizes: Readonly<Record<number, number>> = {
  [wireType.tiny]: 1,
  [wireType.short]: 2,
  [wireType.int24]: 3,
  [wireType.long]: 4,
  [wireType.longlong]: 8,
  [wireType.float]: 4,
  [wireType.double]: 8,
  [wireType.year]: 1,
  [wireType.date]: 3,
  [wireType.newDate]: 3,
  [wireType.timestampOld]: 4,
  [wireType.timeOld]: 3,
  [wireType.datetimeOld]: 8,
};

const digitBytes = [0, 1, 1, 2, 2, 3, 3, 4, 4];

function decimalBytes(digits: number): number {
  return Math.floor(digits / 9) * 4 + (digitBytes[digits % 9] as number);
}

/** Bytes that the cell at `at` occupies. */
function cellBytes(column: MysqlColumn, bytes: Buffer, at: number, end: number): number {
  const fixed = fixedSizes[column.wireType];
  if (fixed !== undefined) return fixed;
  const { meta, scale } = column;
  switch (column.wireType) {
    case wireType.decimal:
      return decimalBytes(meta - scale) + decimalBytes(scale);
    case wireType.bit:
      return (meta + 7) >> 3;
    case wireType.enum:
    case wireType.set:
      return meta;
    case wireType.timestamp2:
      return 4 + ((meta + 1) >> 1);
    case wireType.datetime2:
      return 5 + ((meta + 1) >> 1);
    case wireType.time2:
      return 3 + ((meta + 1) >> 1);
    default: {
      const lob = [wireType.blob, wireType.json, wireType.geometry, wireType.vector].includes(
        column.wireType as typeof wireType.blob,
      );
      const prefix = lob ? meta : meta > 255 ? 2 : 1;
      if (prefix < 1 || prefix > 4 || at + prefix > end) throw logCorrupt('row ends too early');
      return prefix + bytes.readUIntLE(at, prefix);
    }
  }
}

function imageEnd(rows: BinlogRows, present: number, from: number): number {
  const { bytes, end } = rows;
  const { columns } = rows.table;
  const has = (index: number): boolean => ((bytes[present + (index >> 3)] as number) & (1 << (index & 7))) !== 0;
  const count = columns.reduce((sum, _, index) => sum + (has(index) ? 1 : 0), 0);
  let at = from + ((count + 7) >> 3);
  let bit = 0;
  for (const [index, column] of columns.entries()) {
    if (!has(index)) continue;
    const isNull = ((bytes[from + (bit >> 3)] as number) & (1 << (bit & 7))) !== 0;
    bit += 1;
    if (!isNull) at += cellBytes(column, bytes, at, end);
    if (at > end) throw logCorrupt('row ends too early');
  }
  return at;
}

/** Leaves out up to `limit` rows at the front of an event; `rows` is null when none is left. */
export function skipRows(batch: RowBatch, limit: number): { readonly rows: RowBatch | null; readonly count: number } {
  const rows = batch as BinlogRows;
  if (rows.kind !== 'binlog') return { rows: batch, count: 0 };
  let at = rows.start;
  let count = 0;
  while (count < limit && at < rows.end) {
    at = imageEnd(rows, rows.presentBefore, at);
    if (rows.op === 'update') at = imageEnd(rows, rows.presentAfter, at);
    count += 1;
  }
  return { rows: at >= rows.end ? null : ({ ...rows, start: at } as BinlogRows), count };
}
