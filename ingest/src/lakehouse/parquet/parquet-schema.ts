import type { SchemaElement } from 'hyparquet';

import { parsePrimitive } from '../iceberg/schema.ts';
import type { IcebergField } from '../iceberg/schema.ts';

/** Bytes of a fixed-length decimal: the shortest that holds the precision. */
function decimalBytes(precision: number): number {
  const limit = 10n ** BigInt(precision);
  let bytes = 1;
  while (1n << BigInt(8 * bytes - 1) < limit) bytes++;
  return bytes;
}

type Leaf = Omit<SchemaElement, 'name' | 'repetition_type' | 'field_id'>;

function decimalLeaf(precision: number, scale: number): Leaf {
  const logical = {
    converted_type: 'DECIMAL',
    precision,
    scale,
    logical_type: { type: 'DECIMAL', precision, scale },
  } as const;
  if (precision <= 9) return { type: 'INT32', ...logical };
  if (precision <= 18) return { type: 'INT64', ...logical };
  return { type: 'FIXED_LEN_BYTE_ARRAY', type_length: decimalBytes(precision), ...logical };
}

function leafFor(typeText: string): Leaf {
  const type = parsePrimitive(typeText);
  switch (type?.kind) {
    case 'boolean':
      return { type: 'BOOLEAN' };
    case 'int':
      return { type: 'INT32' };
    case 'long':
      return { type: 'INT64' };
    case 'float':
      return { type: 'FLOAT' };
    case 'double':
      return { type: 'DOUBLE' };
    case 'decimal':
      return decimalLeaf(type.precision, type.scale);
    case 'date':
      return { type: 'INT32', converted_type: 'DATE', logical_type: { type: 'DATE' } };
    case 'time':
      return { type: 'INT64', logical_type: { type: 'TIME', isAdjustedToUTC: false, unit: 'MICROS' } };
    case 'timestamp':
      return { type: 'INT64', logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: false, unit: 'MICROS' } };
    case 'timestamptz':
      return {
        type: 'INT64',
        converted_type: 'TIMESTAMP_MICROS',
        logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' },
      };
    case 'uuid':
      return { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 16, logical_type: { type: 'UUID' } };
    case 'binary':
      return { type: 'BYTE_ARRAY' };
    default:
      return { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } };
  }
}

function elementsFor(field: IcebergField): SchemaElement[] {
  const repetition_type = field.required ? 'REQUIRED' : 'OPTIONAL';
  if (typeof field.type === 'string') {
    return [{ name: field.name, repetition_type, field_id: field.id, ...leafFor(field.type) }];
  }
  return [
    {
      name: field.name,
      repetition_type,
      field_id: field.id,
      num_children: 1,
      converted_type: 'LIST',
      logical_type: { type: 'LIST' },
    },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    {
      name: 'element',
      repetition_type: 'OPTIONAL',
      field_id: field.type['element-id'],
      ...leafFor(field.type.element),
    },
  ];
}

/** Parquet schema of a data file: field ids on every column, three-level lists, REQUIRED where the table says so. */
export function parquetSchemaFor(fields: readonly IcebergField[]): SchemaElement[] {
  return [{ name: 'table', num_children: fields.length }, ...fields.flatMap(elementsFor)];
}

/**
 * The same without the logical types of 32- and 64-bit integers: what is handed to the writer are unscaled and
 * microsecond integers already, which it would otherwise copy once more, cell by cell.
 */
export function physicalSchema(schema: readonly SchemaElement[]): SchemaElement[] {
  return schema.map((element) => {
    if (element.type !== 'INT32' && element.type !== 'INT64') return element;
    const {
      converted_type: _converted,
      logical_type: _logical,
      scale: _scale,
      precision: _precision,
      ...rest
    } = element;
    return rest;
  });
}
