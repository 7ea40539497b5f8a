import type { ColumnSchema } from '@millrace/shared/event/schema.ts';

import type { SourceTable } from '../source.ts';

/** Column type bytes of TABLE_MAP (binlog protocol). ENUM and SET are unwrapped from STRING. */
export const wireType = {
  tiny: 1,
  short: 2,
  long: 3,
  float: 4,
  double: 5,
  timestampOld: 7,
  longlong: 8,
  int24: 9,
  date: 10,
  timeOld: 11,
  datetimeOld: 12,
  year: 13,
  newDate: 14,
  varchar: 15,
  bit: 16,
  timestamp2: 17,
  datetime2: 18,
  time2: 19,
  vector: 242,
  json: 245,
  decimal: 246,
  enum: 247,
  set: 248,
  blob: 252,
  varString: 253,
  string: 254,
  geometry: 255,
} as const;

/** What reading a cell of this column needs, from row metadata where it has it, else from the catalogue. */
export interface MysqlColumn {
  readonly name: string;
  readonly wireType: number;
  /**
   * By type. BLOB, TEXT, JSON, GEOMETRY, VECTOR: bytes of the length prefix. VARCHAR, CHAR, BINARY: greatest length in
   * bytes. TIME2, DATETIME2, TIMESTAMP2: fractional digits. ENUM, SET: storage bytes. BIT: bits. DECIMAL: precision.
   * FLOAT, DOUBLE: size in bytes. Others 0.
   */
  readonly meta: number;
  /** DECIMAL only, else 0. */
  readonly scale: number;
  readonly unsigned: boolean;
  /** Collation id of character columns and of ENUM and SET; 63 is binary; null for other types. */
  readonly collation: number | null;
  /** Decoded labels of ENUM and SET in definition order. */
  readonly labels: readonly string[] | null;
  /** Declared as `TINYINT(1)`; only the catalogue knows. */
  readonly displayWidthOne: boolean;
  readonly schema: ColumnSchema;
}

export interface MysqlTable extends SourceTable {
  readonly columns: readonly MysqlColumn[];
}
