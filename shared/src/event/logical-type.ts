import { CdcError } from '../errors/cdc-error.ts';

/** Database-neutral column type. Notation of Flink SQL, which the schema log uses. */
export type LogicalType =
  | { readonly kind: 'boolean' | 'tinyint' | 'smallint' | 'int' | 'bigint' | 'float' | 'double' }
  | { readonly kind: 'date' | 'string' | 'bytes' }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'time' | 'timestamp' | 'timestamp-ltz'; readonly precision: number }
  | { readonly kind: 'char' | 'varchar' | 'binary' | 'varbinary'; readonly length: number }
  | { readonly kind: 'array'; readonly element: LogicalType };

const plainNames = {
  boolean: 'BOOLEAN',
  tinyint: 'TINYINT',
  smallint: 'SMALLINT',
  int: 'INT',
  bigint: 'BIGINT',
  float: 'FLOAT',
  double: 'DOUBLE',
  date: 'DATE',
  string: 'STRING',
  bytes: 'BYTES',
} as const;

export function printLogicalType(type: LogicalType): string {
  switch (type.kind) {
    case 'decimal':
      return `DECIMAL(${type.precision}, ${type.scale})`;
    case 'time':
      return `TIME(${type.precision})`;
    case 'timestamp':
      return `TIMESTAMP(${type.precision})`;
    case 'timestamp-ltz':
      return `TIMESTAMP_LTZ(${type.precision})`;
    case 'char':
    case 'varchar':
    case 'binary':
    case 'varbinary':
      return `${type.kind.toUpperCase()}(${type.length})`;
    case 'array':
      return `ARRAY<${printLogicalType(type.element)}>`;
    default:
      return plainNames[type.kind];
  }
}

const plainByName = new Map<string, LogicalType>(
  Object.entries(plainNames).map(([kind, name]) => [name, { kind: kind as keyof typeof plainNames }]),
);
plainByName.set('INTEGER', { kind: 'int' });

function unreadable(text: string): CdcError {
  return new CdcError('DESTINATION_SCHEMA_INCOMPATIBLE', 'a column type cannot be read', { details: { type: text } });
}

/** Reads what `printLogicalType` writes, any case and spacing, and the usual abbreviations of Flink SQL. */
export function parseLogicalType(text: string): LogicalType {
  const trimmed = text.trim();
  const array = /^ARRAY\s*<(.*)>$/is.exec(trimmed);
  if (array?.[1] !== undefined) return { kind: 'array', element: parseLogicalType(array[1]) };
  const match = /^([A-Z_]+)\s*(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?$/i.exec(trimmed);
  if (match?.[1] === undefined) throw unreadable(text);
  const name = match[1].toUpperCase();
  const first = match[2] === undefined ? undefined : Number(match[2]);
  const second = match[3] === undefined ? undefined : Number(match[3]);
  switch (name) {
    case 'DECIMAL':
    case 'NUMERIC':
    case 'DEC':
      return { kind: 'decimal', precision: first ?? 10, scale: second ?? 0 };
    case 'TIME':
      return { kind: 'time', precision: first ?? 0 };
    case 'TIMESTAMP':
      return { kind: 'timestamp', precision: first ?? 6 };
    case 'TIMESTAMP_LTZ':
      return { kind: 'timestamp-ltz', precision: first ?? 6 };
    case 'CHAR':
    case 'VARCHAR':
    case 'BINARY':
    case 'VARBINARY':
      return { kind: name.toLowerCase() as 'char' | 'varchar' | 'binary' | 'varbinary', length: first ?? 1 };
    default: {
      const plain = plainByName.get(name);
      if (plain === undefined) throw unreadable(text);
      return plain;
    }
  }
}
