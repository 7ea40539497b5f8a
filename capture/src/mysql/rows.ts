import type { RowBatch, RowOp } from '../source.ts';
import type { MysqlTable } from './column.ts';

/** Body of a WRITE, UPDATE or DELETE_ROWS event after its bitmaps (binlog protocol, rows events v1 and v2). */
export interface BinlogRows extends RowBatch {
  readonly kind: 'binlog';
  readonly table: MysqlTable;
  readonly op: RowOp;
  readonly bytes: Buffer;
  /** The rows area `[start, end)`, checksum excluded. */
  readonly start: number;
  readonly end: number;
  /** Offset of the columns-present bitmaps in `bytes`; equal offsets for events with one image. */
  readonly presentBefore: number;
  readonly presentAfter: number;
  /** Every column is present in every image. */
  readonly complete: boolean;
}

/** Rows of a text protocol result set whose columns are the table's columns in order, selected as `selectExpression` says. */
export interface TextRows extends RowBatch {
  readonly kind: 'text';
  readonly table: MysqlTable;
  readonly bytes: Buffer;
  readonly count: number;
  /** Payload of row `i` is `bytes[rowStart[i], rowEnd[i])`, packet header excluded. */
  readonly rowStart: Int32Array;
  readonly rowEnd: Int32Array;
}

export type MysqlRows = BinlogRows | TextRows;
