import { CdcError } from '@millrace/shared/errors/cdc-error.ts';

import { elementType, parsePrimitive } from '../iceberg/schema.ts';
import type { IcebergField } from '../iceberg/schema.ts';
import type { ColumnBuilder, ColumnPlace } from './column-builder.ts';
import { BigIntColumn, DecimalColumn, FloatColumn, IntColumn } from './number-columns.ts';
import { binaryColumn, booleanColumn, listColumn, textColumn, uuidColumn } from './object-column.ts';
import { DateColumn, MicrosColumn } from './temporal-columns.ts';

function primitiveBuilder(place: ColumnPlace, typeText: string): ColumnBuilder {
  const type = parsePrimitive(typeText);
  switch (type?.kind) {
    case 'boolean':
      return booleanColumn(place);
    case 'int':
      return new IntColumn(place);
    case 'long':
      return new BigIntColumn(place);
    case 'float':
    case 'double':
      return new FloatColumn(place, type.kind);
    case 'decimal':
      return new DecimalColumn(place, type.precision, type.scale);
    case 'date':
      return new DateColumn(place);
    case 'time':
    case 'timestamp':
    case 'timestamptz':
      return new MicrosColumn(place, type.kind);
    case 'string':
      return textColumn(place);
    case 'uuid':
      return uuidColumn(place);
    case 'binary':
      return binaryColumn(place);
    default:
      throw new CdcError('DESTINATION_SCHEMA_INCOMPATIBLE', 'a column of the table has a type that is not written', {
        details: { table: place.table, column: place.column, type: typeText },
      });
  }
}

export function buildColumn(table: string, field: IcebergField): ColumnBuilder {
  const typeText = elementType(field.type);
  const place = { table, column: field.name, type: typeof field.type === 'string' ? typeText : `list<${typeText}>` };
  const primitive = primitiveBuilder(place, typeText);
  return typeof field.type === 'string' ? primitive : listColumn(place, primitive);
}
