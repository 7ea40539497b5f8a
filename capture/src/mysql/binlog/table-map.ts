import { wireType } from '../column.ts';
import { logCorrupt } from '../log-corrupt.ts';
import { ByteCursor } from './byte-cursor.ts';

/** One column as a TABLE_MAP event describes it; what the event leaves out is null. */
export interface MappedColumn {
  /** Real type: ENUM and SET unwrapped from STRING. */
  readonly wireType: number;
  /** As `MysqlColumn.meta`. */
  readonly meta: number;
  readonly scale: number;
  readonly nullable: boolean;
  /** null: the event has no signedness (5.7). */
  unsigned: boolean | null;
  collation: number | null;
  name: string | null;
  /** Bytes of ENUM and SET labels in the column's charset. */
  labels: readonly Buffer[] | null;
}

export interface TableMap {
  readonly schema: string;
  readonly table: string;
  readonly columns: readonly MappedColumn[];
  /** Column indexes in key order; null: the event does not say. Empty: the table has no key. */
  readonly primaryKey: readonly number[] | null;
  /** Names are there (`binlog_row_metadata=FULL`). */
  readonly named: boolean;
}

/** Where the names stand in a TABLE_MAP body: table_id u48 · flags u16 · len u8 schema 00 · len u8 table 00. */
const schemaOffset = 8;

export interface MappedName {
  readonly schema: string;
  readonly table: string;
  /** Offset of the column part, which is all that tells versions of one table apart. */
  readonly columnsAt: number;
}

export function readTableMapName(bytes: Buffer, start: number, end: number): MappedName {
  const cursor = new ByteCursor(bytes, start + schemaOffset, end, 'TABLE_MAP');
  const schema = cursor.utf8(cursor.u8());
  cursor.skip(1);
  const table = cursor.utf8(cursor.u8());
  cursor.skip(1);
  return { schema, table, columnsAt: cursor.at };
}

/** Greatest column count of a table (server limit 4096, MariaDB 4096). */
const maxColumns = 4096;

function stringColumn(b0: number, b1: number): { readonly type: number; readonly meta: number } {
  if (b0 === wireType.enum || b0 === wireType.set) return { type: b0, meta: b1 };
  return { type: wireType.string, meta: b1 + (((b0 << 4) & 0x300) ^ 0x300) };
}

interface ColumnShape {
  readonly wireType: number;
  readonly meta: number;
  readonly scale: number;
}

function readShape(type: number, metadata: ByteCursor): ColumnShape {
  switch (type) {
    case wireType.float:
    case wireType.double:
    case wireType.timestamp2:
    case wireType.datetime2:
    case wireType.time2:
    case wireType.json:
    case wireType.blob:
    case wireType.vector:
    case wireType.geometry:
      return { wireType: type, meta: metadata.u8(), scale: 0 };
    case wireType.varchar:
      return { wireType: type, meta: metadata.u16(), scale: 0 };
    case wireType.bit: {
      const bits = metadata.u8();
      return { wireType: type, meta: metadata.u8() * 8 + bits, scale: 0 };
    }
    case wireType.decimal: {
      const precision = metadata.u8();
      return { wireType: type, meta: precision, scale: metadata.u8() };
    }
    case wireType.string:
    case wireType.varString:
    case wireType.enum:
    case wireType.set: {
      const b0 = metadata.u8();
      const shape = stringColumn(b0, metadata.u8());
      return { wireType: shape.type, meta: shape.meta, scale: 0 };
    }
    case wireType.tiny:
    case wireType.short:
    case wireType.int24:
    case wireType.long:
    case wireType.longlong:
    case wireType.year:
    case wireType.date:
    case wireType.newDate:
    case wireType.timestampOld:
    case wireType.timeOld:
    case wireType.datetimeOld:
      return { wireType: type, meta: 0, scale: 0 };
    default:
      // The size of such a cell is unknown, and so is everything after it (T165).
      throw logCorrupt('a column has an unknown type', { type });
  }
}

const numericTypes: ReadonlySet<number> = new Set([
  wireType.tiny,
  wireType.short,
  wireType.int24,
  wireType.long,
  wireType.longlong,
  wireType.decimal,
  wireType.float,
  wireType.double,
  wireType.year,
]);

/** The columns over which the charset lists run; VECTOR counts (T164), JSON and GEOMETRY do not. */
const characterTypes: ReadonlySet<number> = new Set([
  wireType.varchar,
  wireType.varString,
  wireType.string,
  wireType.blob,
  wireType.vector,
]);

export function readTableMap(bytes: Buffer, start: number, end: number): TableMap {
  const name = readTableMapName(bytes, start, end);
  const cursor = new ByteCursor(bytes, name.columnsAt, end, 'TABLE_MAP');
  const count = cursor.lenenc();
  if (count === 0 || count > maxColumns) throw logCorrupt('impossible number of columns', { count });
  const types = cursor.skip(count);
  const metadataBytes = cursor.lenenc();
  const metadataAt = cursor.skip(metadataBytes);
  const metadata = new ByteCursor(bytes, metadataAt, metadataAt + metadataBytes, 'TABLE_MAP');
  const nullBits = cursor.skip((count + 7) >> 3);
  const columns: MappedColumn[] = [];
  for (let index = 0; index < count; index++) {
    columns.push({
      ...readShape(bytes[types + index] as number, metadata),
      nullable: ((bytes[nullBits + (index >> 3)] as number) & (1 << (index & 7))) !== 0,
      unsigned: null,
      collation: null,
      name: null,
      labels: null,
    });
  }
  if (metadata.left !== 0) throw logCorrupt('TABLE_MAP has metadata left over');
  const optional = new OptionalFields(columns);
  while (cursor.left > 0) {
    const field = cursor.u8();
    const length = cursor.lenenc();
    const from = cursor.skip(length);
    optional.read(field, new ByteCursor(bytes, from, from + length, 'TABLE_MAP'));
  }
  const named = columns.every((column) => column.name !== null);
  return {
    schema: name.schema,
    table: name.table,
    columns,
    primaryKey: optional.primaryKey ?? (named ? [] : null),
    named,
  };
}

const isLabelled = (column: MappedColumn): boolean =>
  column.wireType === wireType.enum || column.wireType === wireType.set;

/** Reads the optional metadata fields into the columns; unknown fields are skipped by their length. */
class OptionalFields {
  primaryKey: readonly number[] | null = null;
  readonly #columns: readonly MappedColumn[];

  constructor(columns: readonly MappedColumn[]) {
    this.#columns = columns;
  }

  #having(types: (column: MappedColumn) => boolean): readonly MappedColumn[] {
    return this.#columns.filter(types);
  }

  read(field: number, cursor: ByteCursor): void {
    switch (field) {
      case 1:
        return this.#signedness(cursor);
      case 2:
        return defaultCharset(
          this.#having((column) => characterTypes.has(column.wireType)),
          cursor,
        );
      case 3:
        return columnCharsets(
          this.#having((column) => characterTypes.has(column.wireType)),
          cursor,
        );
      case 4:
        for (const column of this.#columns) column.name = cursor.utf8(cursor.u8());
        return;
      case 5:
        return labels(
          this.#having((column) => column.wireType === wireType.set),
          cursor,
        );
      case 6:
        return labels(
          this.#having((column) => column.wireType === wireType.enum),
          cursor,
        );
      case 8:
        return this.#simpleKey(cursor);
      case 9:
        return this.#prefixedKey(cursor);
      case 10:
        return defaultCharset(this.#having(isLabelled), cursor);
      case 11:
        return columnCharsets(this.#having(isLabelled), cursor);
      default:
        return;
    }
  }

  /** Most significant bit first, over numeric columns only. */
  #signedness(cursor: ByteCursor): void {
    const numeric = this.#having((column) => numericTypes.has(column.wireType));
    const from = cursor.skip((numeric.length + 7) >> 3);
    for (const [index, column] of numeric.entries()) {
      column.unsigned = ((cursor.bytes[from + (index >> 3)] as number) & (0x80 >> (index & 7))) !== 0;
    }
  }

  #simpleKey(cursor: ByteCursor): void {
    const key: number[] = [];
    while (cursor.left > 0) key.push(this.#keyIndex(cursor));
    this.primaryKey = key;
  }

  /** A prefix is no identity by itself: the whole columns are (T36). */
  #prefixedKey(cursor: ByteCursor): void {
    const key: number[] = [];
    while (cursor.left > 0) {
      key.push(this.#keyIndex(cursor));
      cursor.lenenc();
    }
    this.primaryKey = key;
  }

  #keyIndex(cursor: ByteCursor): number {
    const index = cursor.lenenc();
    if (index >= this.#columns.length) throw logCorrupt('a key names a column that is not there', { index });
    return index;
  }
}

function defaultCharset(columns: readonly MappedColumn[], cursor: ByteCursor): void {
  const fallback = cursor.lenenc();
  for (const column of columns) column.collation = fallback;
  while (cursor.left > 0) {
    const column = columns[cursor.lenenc()];
    if (column === undefined) throw logCorrupt('a charset is given for a column that is not there');
    column.collation = cursor.lenenc();
  }
}

function columnCharsets(columns: readonly MappedColumn[], cursor: ByteCursor): void {
  for (const column of columns) column.collation = cursor.lenenc();
}

function labels(columns: readonly MappedColumn[], cursor: ByteCursor): void {
  for (const column of columns) {
    const count = cursor.lenenc();
    if (count > cursor.left) throw logCorrupt('impossible number of labels', { count });
    column.labels = Array.from({ length: count }, () => {
      const length = cursor.lenenc();
      const from = cursor.skip(length);
      return Buffer.from(cursor.bytes.subarray(from, from + length));
    });
  }
}
