import type { LogicalType } from '@millrace/shared/event/logical-type.ts';
import { tableSchema } from '@millrace/shared/event/schema.ts';
import type { ColumnSchema, TableSchema } from '@millrace/shared/event/schema.ts';
import type { TableId } from '@millrace/shared/event/table-id.ts';

import type { CatalogColumn, CatalogTable } from './catalog.ts';
import type { PgType } from './pg-type.ts';

/** Numbers of up to this many digits are decimals of the stream; longer ones travel as text. */
const maxDecimalDigits = 38;

function scalarLogical(type: PgType): LogicalType {
  const [first, second] = type.args;
  switch (type.name) {
    case 'bool':
      return { kind: 'boolean' };
    case 'int2':
      return { kind: 'smallint' };
    case 'int4':
      return { kind: 'int' };
    case 'int8':
    case 'oid':
      return { kind: 'bigint' };
    case 'float4':
      return { kind: 'float' };
    case 'float8':
      return { kind: 'double' };
    case 'numeric':
      return first !== undefined && first <= maxDecimalDigits
        ? { kind: 'decimal', precision: first, scale: second ?? 0 }
        : { kind: 'string' };
    case 'date':
      return { kind: 'date' };
    case 'time':
      return { kind: 'time', precision: first ?? 6 };
    case 'timestamp':
      return { kind: 'timestamp', precision: first ?? 6 };
    case 'timestamptz':
      return { kind: 'timestamp-ltz', precision: first ?? 6 };
    case 'bpchar':
      return first === undefined ? { kind: 'string' } : { kind: 'char', length: first };
    case 'varchar':
      return first === undefined ? { kind: 'string' } : { kind: 'varchar', length: first };
    case 'bytea':
      return { kind: 'bytes' };
    case 'bit':
      return first === 1 ? { kind: 'boolean' } : { kind: 'binary', length: Math.ceil((first ?? 1) / 8) };
    case 'varbit':
      return { kind: 'bytes' };
    default:
      return { kind: 'string' };
  }
}

function describeColumn(column: CatalogColumn): ColumnSchema {
  const scalar = scalarLogical({ ...column.type, array: false });
  return {
    name: column.name,
    type: column.type.array ? { kind: 'array', element: scalar } : scalar,
    nullable: !column.notNull,
    sourceType: column.typeText,
    comment: column.comment,
    defaultValue: null,
    generated: column.generated,
  };
}

/** The primary key, else the first unique index whose columns are all NOT NULL. */
function keyOf(table: CatalogTable): readonly string[] {
  const notNull = new Set(table.columns.filter((column) => column.notNull).map((column) => column.name));
  const candidates = table.uniqueIndexes.filter(
    (index) => !index.partial && index.columns !== null && index.columns.every((column) => notNull.has(column)),
  );
  return (candidates.find((index) => index.primary) ?? candidates[0])?.columns ?? [];
}

/** A table of the catalogue as a stream's schema; `id` is what the stream calls it. Generated columns are left out. */
export function describeTable(id: TableId, table: CatalogTable): TableSchema {
  return tableSchema({
    id,
    columns: table.columns.filter((column) => !column.generated).map(describeColumn),
    primaryKey: keyOf(table),
    comment: table.comment,
  });
}
