import { decimalBytes } from '../cells/decimal.ts';
import { fractionBytes } from '../cells/temporal-style.ts';
import { wireType } from '../column.ts';
import type { MysqlColumn } from '../column.ts';

/** `starts` of a cell that is NULL, and of one that the image does not carry (T41). */
export const nullCell = -1;
export const absentCell = -2;

/** Where the cells of one row image lie in the source bytes, by table column. */
export interface Spans {
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** Bytes of all cells together. */
  bytes: number;
}

export function spans(columns: number): Spans {
  return { starts: new Int32Array(columns), ends: new Int32Array(columns), bytes: 0 };
}

/** How the cells of a table are laid out in the log: size of the length prefix, or 0 and the fixed size. */
export interface BinlogLayout {
  readonly prefixBytes: Uint8Array;
  readonly fixedBytes: Int32Array;
}

/** Fixed size of a cell, or minus the size of its length prefix; `null` for a type whose cells cannot be measured. */
function cellSize(column: MysqlColumn): number | null {
  switch (column.wireType) {
    case wireType.tiny:
    case wireType.year:
      return 1;
    case wireType.short:
      return 2;
    case wireType.int24:
    case wireType.date:
    case wireType.newDate:
    case wireType.timeOld:
      return 3;
    case wireType.long:
    case wireType.float:
    case wireType.timestampOld:
      return 4;
    case wireType.longlong:
    case wireType.double:
    case wireType.datetimeOld:
      return 8;
    case wireType.time2:
      return 3 + (fractionBytes[column.meta] ?? 0);
    case wireType.datetime2:
      return 5 + (fractionBytes[column.meta] ?? 0);
    case wireType.timestamp2:
      return 4 + (fractionBytes[column.meta] ?? 0);
    case wireType.decimal:
      return decimalBytes(column.meta, column.scale);
    case wireType.bit:
      return Math.ceil(column.meta / 8);
    case wireType.enum:
    case wireType.set:
      return column.meta;
    case wireType.varchar:
    case wireType.varString:
    case wireType.string:
      return column.meta > 255 ? -2 : -1;
    case wireType.blob:
    case wireType.json:
    case wireType.geometry:
    case wireType.vector:
      return -column.meta;
    default:
      return null;
  }
}

/** `null` names the first column whose cells cannot be measured, captured or not (T165). */
export function binlogLayout(columns: readonly MysqlColumn[]): BinlogLayout | MysqlColumn {
  const prefixBytes = new Uint8Array(columns.length);
  const fixedBytes = new Int32Array(columns.length);
  for (const [index, column] of columns.entries()) {
    const size = cellSize(column);
    if (size === null) return column;
    if (size < 0) prefixBytes[index] = -size;
    else fixedBytes[index] = size;
  }
  return { prefixBytes, fixedBytes };
}

function prefixedLength(source: DataView, position: number, prefixBytes: number): number {
  switch (prefixBytes) {
    case 1:
      return source.getUint8(position);
    case 2:
      return source.getUint16(position, true);
    case 3:
      return source.getUint16(position, true) | (source.getUint8(position + 2) << 16);
    default:
      return source.getUint32(position, true);
  }
}

/** Records the cells of an image that has every column. Returns where the image ends; −1 if that is beyond `end`. */
export function walkCompleteImage(
  source: DataView,
  start: number,
  end: number,
  layout: BinlogLayout,
  into: Spans,
): number {
  const { prefixBytes, fixedBytes } = layout;
  const { starts, ends } = into;
  const count = starts.length;
  let position = start + ((count + 7) >>> 3);
  if (position > end) return -1;
  let nullBits = 0;
  for (let column = 0; column < count; column++) {
    if ((column & 7) === 0) nullBits = source.getUint8(start + (column >>> 3));
    const isNull = (nullBits & 1) !== 0;
    nullBits >>>= 1;
    if (isNull) {
      starts[column] = nullCell;
      continue;
    }
    const prefix = prefixBytes[column] as number;
    if (prefix === 0) {
      starts[column] = position;
      position += fixedBytes[column] as number;
    } else {
      if (position + prefix > end) return -1;
      const length = prefixedLength(source, position, prefix);
      position += prefix;
      starts[column] = position;
      position += length;
    }
    if (position > end) return -1;
    ends[column] = position;
  }
  into.bytes = position - start;
  return position;
}

/** As above for an image with the columns of the bitmap at `presentAt` in `bitmaps`; null bits count those only. */
export function walkPartialImage(
  source: DataView,
  start: number,
  end: number,
  layout: BinlogLayout,
  into: Spans,
  presentAt: number,
): number {
  const count = into.starts.length;
  const isPresent = (column: number): boolean =>
    ((source.getUint8(presentAt + (column >>> 3)) >>> (column & 7)) & 1) === 1;
  let present = 0;
  for (let column = 0; column < count; column++) if (isPresent(column)) present++;
  let position = start + ((present + 7) >>> 3);
  if (position > end) return -1;
  let nullBit = 0;
  for (let column = 0; column < count; column++) {
    if (!isPresent(column)) {
      into.starts[column] = absentCell;
      continue;
    }
    const isNull = ((source.getUint8(start + (nullBit >>> 3)) >>> (nullBit & 7)) & 1) === 1;
    nullBit++;
    if (isNull) {
      into.starts[column] = nullCell;
      continue;
    }
    const prefix = layout.prefixBytes[column] as number;
    if (position + prefix > end) return -1;
    const length = prefix === 0 ? (layout.fixedBytes[column] as number) : prefixedLength(source, position, prefix);
    into.starts[column] = position + prefix;
    position += prefix + length;
    if (position > end) return -1;
    into.ends[column] = position;
  }
  into.bytes = position - start;
  return position;
}

/** Cells of a text protocol row: length-encoded strings, FB for NULL. False if they do not fill the row exactly. */
export function walkTextRow(source: DataView, start: number, end: number, into: Spans): boolean {
  const { starts, ends } = into;
  let position = start;
  for (let column = 0; column < starts.length; column++) {
    if (position >= end) return false;
    const first = source.getUint8(position++);
    if (first === 0xfb) {
      starts[column] = nullCell;
      continue;
    }
    let length = first;
    if (first > 0xfb) {
      const bytes = first === 0xfc ? 2 : first === 0xfd ? 3 : 8;
      if (first === 0xff || position + bytes > end) return false;
      length = prefixedLength(source, position, Math.min(bytes, 4));
      if (bytes === 8 && source.getUint32(position + 4, true) !== 0) return false;
      position += bytes;
    }
    starts[column] = position;
    position += length;
    if (position > end) return false;
    ends[column] = position;
  }
  into.bytes = end - start;
  return position === end;
}

/** The same cell bytes, or both NULL. */
export function sameCell(source: DataView, a: Spans, b: Spans, column: number): boolean {
  const startA = a.starts[column] as number;
  const startB = b.starts[column] as number;
  if (startA < 0 || startB < 0) return startA === startB;
  const length = (a.ends[column] as number) - startA;
  if (length !== (b.ends[column] as number) - startB) return false;
  for (let index = 0; index < length; index++) {
    if (source.getUint8(startA + index) !== source.getUint8(startB + index)) return false;
  }
  return true;
}
