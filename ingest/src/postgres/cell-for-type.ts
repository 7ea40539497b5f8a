import type { ColumnSchema } from '@millrace/shared/event/schema.ts';

import { arrayCell } from './array-cell.ts';
import { bitCell, byteaCell } from './binary-cell.ts';
import type { CellContext, CellWriter } from './cell.ts';
import { booleanCell, floatCell, integerCell, numericCell } from './number-cell.ts';
import type { PgType } from './pg-type.ts';
import { dateCell, durationCell, timeOfDayCell, timestampCell } from './temporal-cell.ts';
import { jsonbCell, textCell } from './text-cell.ts';

/** Producers that declare their types send milliseconds up to three digits of fraction, microseconds beyond. */
function unitMicros(column: ColumnSchema): bigint | null {
  const { type } = column;
  if (column.sourceType === null || (type.kind !== 'timestamp' && type.kind !== 'timestamp-ltz')) return null;
  return type.precision <= 3 ? 1000n : 1n;
}

function strictCell(target: PgType, column: ColumnSchema): CellWriter | null {
  const precision = target.args[0] ?? 6;
  switch (target.name) {
    case 'int2':
    case 'int4':
    case 'int8':
    case 'oid':
      return integerCell;
    case 'numeric':
      return numericCell(target.args.length === 0 ? Number.POSITIVE_INFINITY : (target.args[1] ?? 0));
    case 'float4':
    case 'float8':
      return floatCell;
    case 'bool':
      return booleanCell;
    case 'bytea':
      return byteaCell;
    case 'bit':
      return bitCell(target.args[0] ?? 1);
    case 'date':
      return dateCell();
    case 'timestamp':
      return timestampCell({ zoned: false, precision, unitMicros: unitMicros(column) });
    case 'timestamptz':
      return timestampCell({ zoned: true, precision, unitMicros: unitMicros(column) });
    case 'time':
      return timeOfDayCell(false, precision);
    case 'timetz':
      return timeOfDayCell(true, precision);
    case 'interval':
      return column.type.kind === 'time' ? durationCell() : null;
    default:
      return null;
  }
}

/** The writer for one column, chosen once per table version: by the target's type, helped by what the stream says. */
export function cellFor(target: PgType, column: ColumnSchema, context: CellContext): CellWriter {
  if (target.array) {
    const element = column.type.kind === 'array' ? { ...column, type: column.type.element } : column;
    return arrayCell(cellFor({ ...target, array: false }, element, context));
  }
  if (target.name === 'jsonb') return jsonbCell(context);
  return strictCell(target, column) ?? textCell(context);
}
