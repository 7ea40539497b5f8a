import { CdcError } from '@millrace/shared/errors/cdc-error.ts';
import type { LogicalType } from '@millrace/shared/event/logical-type.ts';

import { binaryCollation, bytesPerCharacter } from './charset.ts';
import { wireType } from './column.ts';
import type { MysqlColumn } from './column.ts';

export type ColumnFacts = Omit<MysqlColumn, 'schema'>;

export interface LogicalTypeOptions {
  readonly tinyint1AsBoolean: boolean;
}

const widestDecimal = 38;
/** Types of MariaDB that look like BINARY in the log. */
const textTypesInBinary = new Set(['uuid', 'inet4', 'inet6']);

/** `TINYINT(1)` stands for a boolean; unsigned ones are numbers, as the server itself stopped printing their width. */
export function isTinyint1(column: ColumnFacts): boolean {
  return column.wireType === wireType.tiny && column.displayWidthOne && !column.unsigned;
}

function isBinary(column: ColumnFacts): boolean {
  return column.collation === null || column.collation === binaryCollation;
}

/** Length in characters: the log has bytes, the catalogue's text has the declared number. */
function characters(column: ColumnFacts, columnTypeText: string | null): number {
  const declared = /^\w+\((\d+)\)/.exec(columnTypeText ?? '')?.[1];
  if (declared !== undefined) return Number(declared);
  return Math.floor(column.meta / bytesPerCharacter(column.collation ?? binaryCollation));
}

function stringType(column: ColumnFacts, columnTypeText: string | null, varying: boolean): LogicalType {
  if (isBinary(column)) {
    if (column.meta === 0) return { kind: 'bytes' };
    return { kind: varying ? 'varbinary' : 'binary', length: column.meta };
  }
  const length = characters(column, columnTypeText);
  return length === 0 ? { kind: 'string' } : { kind: varying ? 'varchar' : 'char', length };
}

function integerType(column: ColumnFacts, options: LogicalTypeOptions): LogicalType {
  switch (column.wireType) {
    case wireType.tiny:
      if (isTinyint1(column) && options.tinyint1AsBoolean) return { kind: 'boolean' };
      return { kind: column.unsigned ? 'smallint' : 'tinyint' };
    case wireType.short:
      return { kind: column.unsigned ? 'int' : 'smallint' };
    case wireType.long:
      return { kind: column.unsigned ? 'bigint' : 'int' };
    case wireType.longlong:
      return column.unsigned ? { kind: 'decimal', precision: 20, scale: 0 } : { kind: 'bigint' };
    default:
      return { kind: 'int' };
  }
}

function bitType(bits: number): LogicalType {
  return bits <= 1 ? { kind: 'boolean' } : { kind: 'binary', length: Math.ceil(bits / 8) };
}

function decimalType(column: ColumnFacts): LogicalType {
  if (column.meta > widestDecimal) return { kind: 'string' };
  return { kind: 'decimal', precision: column.meta, scale: column.scale };
}

/**
 * Logical type of a column. `columnTypeText` is COLUMN_TYPE of the catalogue where it describes this very column, else
 * null. Throws `SOURCE_SCHEMA_UNSUPPORTED` for a wire type that no cell writer knows.
 */
export function logicalType(
  column: ColumnFacts,
  columnTypeText: string | null,
  options: LogicalTypeOptions,
): LogicalType {
  if (columnTypeText !== null && textTypesInBinary.has(columnTypeText.toLowerCase())) return { kind: 'string' };
  switch (column.wireType) {
    case wireType.tiny:
    case wireType.short:
    case wireType.int24:
    case wireType.long:
    case wireType.longlong:
    case wireType.year:
      return integerType(column, options);
    case wireType.decimal:
      return decimalType(column);
    case wireType.float:
      return { kind: /^float\(\d+,\d+\)/i.test(columnTypeText ?? '') ? 'double' : 'float' };
    case wireType.double:
      return { kind: 'double' };
    case wireType.bit:
      return bitType(column.meta);
    case wireType.date:
    case wireType.newDate:
      return { kind: 'date' };
    case wireType.time2:
      return { kind: 'time', precision: column.meta };
    case wireType.datetime2:
      return { kind: 'timestamp', precision: column.meta };
    case wireType.timestamp2:
      return { kind: 'timestamp-ltz', precision: column.meta };
    case wireType.timeOld:
      return { kind: 'time', precision: 0 };
    case wireType.datetimeOld:
      return { kind: 'timestamp', precision: 0 };
    case wireType.timestampOld:
      return { kind: 'timestamp-ltz', precision: 0 };
    case wireType.varchar:
    case wireType.varString:
      return stringType(column, columnTypeText, true);
    case wireType.string:
      return stringType(column, columnTypeText, false);
    case wireType.blob:
      return { kind: isBinary(column) ? 'bytes' : 'string' };
    case wireType.enum:
    case wireType.json:
    case wireType.geometry:
      return { kind: 'string' };
    case wireType.set:
      return { kind: 'array', element: { kind: 'string' } };
    case wireType.vector:
      return { kind: 'array', element: { kind: 'float' } };
    default:
      throw new CdcError('SOURCE_SCHEMA_UNSUPPORTED', 'column type is not known', {
        details: { column: column.name, type: column.wireType },
      });
  }
}

const integerNames = new Map<number, string>([
  [wireType.tiny, 'tinyint'],
  [wireType.short, 'smallint'],
  [wireType.int24, 'mediumint'],
  [wireType.long, 'int'],
  [wireType.longlong, 'bigint'],
  [wireType.float, 'float'],
  [wireType.double, 'double'],
]);

const plainNames = new Map<number, string>([
  [wireType.year, 'year'],
  [wireType.date, 'date'],
  [wireType.newDate, 'date'],
  [wireType.timeOld, 'time'],
  [wireType.datetimeOld, 'datetime'],
  [wireType.timestampOld, 'timestamp'],
  [wireType.json, 'json'],
  [wireType.geometry, 'geometry'],
  [wireType.vector, 'vector'],
]);

const fractionNames = new Map<number, string>([
  [wireType.time2, 'time'],
  [wireType.datetime2, 'datetime'],
  [wireType.timestamp2, 'timestamp'],
]);

const lobPrefixes = ['', 'tiny', '', 'medium', 'long'];

function quotedLabels(labels: readonly string[] | null): string {
  return (labels ?? []).map((label) => `'${label.replaceAll("'", "''")}'`).join(',');
}

function characterTypeText(column: ColumnFacts): string {
  const binary = isBinary(column);
  if (column.wireType === wireType.blob) return `${lobPrefixes[column.meta] ?? ''}${binary ? 'blob' : 'text'}`;
  const length = binary ? column.meta : characters(column, null);
  if (column.wireType === wireType.string) return `${binary ? 'binary' : 'char'}(${length})`;
  return `${binary ? 'varbinary' : 'varchar'}(${length})`;
}

/** What COLUMN_TYPE of the catalogue would say as far as the log knows, for columns that the catalogue no longer has. */
export function sourceTypeText(column: ColumnFacts): string {
  const sign = column.unsigned ? ' unsigned' : '';
  if (isTinyint1(column)) return 'tinyint(1)';
  const integer = integerNames.get(column.wireType);
  if (integer !== undefined) return `${integer}${sign}`;
  const fraction = fractionNames.get(column.wireType);
  if (fraction !== undefined) return column.meta === 0 ? fraction : `${fraction}(${column.meta})`;
  switch (column.wireType) {
    case wireType.decimal:
      return `decimal(${column.meta},${column.scale})${sign}`;
    case wireType.bit:
      return `bit(${column.meta})`;
    case wireType.enum:
      return `enum(${quotedLabels(column.labels)})`;
    case wireType.set:
      return `set(${quotedLabels(column.labels)})`;
    case wireType.varchar:
    case wireType.varString:
    case wireType.string:
    case wireType.blob:
      return characterTypeText(column);
    default:
      return plainNames.get(column.wireType) ?? `type ${column.wireType}`;
  }
}
