import type { LogicalType } from '@millrace/shared/event/logical-type.ts';
import type { ColumnSchema } from '@millrace/shared/event/schema.ts';

import { elementType, parsePrimitive } from './schema.ts';
import type { IcebergField, IcebergType } from './schema.ts';

const maximumPrecision = 38;

function primitiveFor(type: LogicalType, sourceType: string | null): string {
  switch (type.kind) {
    case 'tinyint':
    case 'smallint':
    case 'int':
      return 'int';
    case 'bigint':
      return 'long';
    case 'boolean':
    case 'float':
    case 'double':
    case 'date':
    case 'time':
    case 'timestamp':
      return type.kind;
    case 'timestamp-ltz':
      return 'timestamptz';
    case 'decimal':
      return type.precision > maximumPrecision ? 'string' : `decimal(${type.precision}, ${type.scale})`;
    case 'char':
    case 'varchar':
    case 'string':
      return sourceType === 'uuid' ? 'uuid' : 'string';
    case 'binary':
    case 'varbinary':
    case 'bytes':
      return 'binary';
    default:
      return 'string';
  }
}

/** The type a column gets when it is created (values §3, §4, §9). The element id of a list is filled in later. */
export function icebergTypeFor(column: ColumnSchema): IcebergType {
  const { type } = column;
  if (type.kind !== 'array' || type.element.kind === 'array') return primitiveFor(type, column.sourceType);
  return { type: 'list', 'element-id': 0, element: primitiveFor(type.element, null), 'element-required': false };
}

const microseconds = 6;

function logicalFor(text: string): LogicalType {
  const type = parsePrimitive(text);
  if (type === null) return { kind: 'string' };
  switch (type.kind) {
    case 'long':
      return { kind: 'bigint' };
    case 'time':
    case 'timestamp':
      return { kind: type.kind, precision: microseconds };
    case 'timestamptz':
      return { kind: 'timestamp-ltz', precision: microseconds };
    case 'decimal':
      return { kind: 'decimal', precision: type.precision, scale: type.scale };
    case 'uuid':
      return { kind: 'string' };
    case 'binary':
      return { kind: 'bytes' };
    default:
      return { kind: type.kind };
  }
}

/** What a stored column looks like to the pipeline: the way back of `icebergTypeFor`, as far as the type tells. */
export function columnOf(field: IcebergField): ColumnSchema {
  const element = logicalFor(elementType(field.type));
  return {
    name: field.name,
    type: typeof field.type === 'string' ? element : { kind: 'array', element },
    nullable: !field.required,
    sourceType: field.type === 'uuid' ? 'uuid' : null,
    comment: field.doc ?? null,
    defaultValue: null,
    generated: false,
  };
}
