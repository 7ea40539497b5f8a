import { CdcError } from '@millrace/shared/errors/cdc-error.ts';
import type { Value } from '@millrace/shared/event/value.ts';

import { asciiText } from '../cells/ascii.ts';
import { readBinary } from '../cells/base64.ts';
import { readBits } from '../cells/bit.ts';
import {
  readDate,
  readDateTime,
  readOldDateTime,
  readOldTimestamp,
  readTemporalText,
  readTimestamp,
} from '../cells/date-time.ts';
import { readDecimal, readDecimalText } from '../cells/decimal.ts';
import { doubleOfText } from '../cells/floating.ts';
import { readGeometry } from '../cells/geometry.ts';
import { readInteger, readIntegerText, yearAt } from '../cells/integer.ts';
import { readJsonDocument } from '../cells/json-text.ts';
import { readEnum, readSet } from '../cells/labels.ts';
import { readText } from '../cells/text.ts';
import { readOldTime, readTime } from '../cells/time.ts';
import { readVector } from '../cells/vector.ts';
import { binaryCollation, charsetOfCollation } from '../charset.ts';
import { wireType } from '../column.ts';
import type { MysqlColumn } from '../column.ts';

/**
 * One cell as data, for rules and as the second path to the same answer in tests. Temporals are the server's text with
 * the fraction trimmed, zero dates included, TIMESTAMP in UTC without `Z`; null where the text cannot be decoded.
 */
export type CellReader = (source: DataView, start: number, end: number) => Value;

function readTinyint1(value: Value, asBoolean: boolean): Value {
  return asBoolean && (value === 0 || value === 1) ? value === 1 : value;
}

function characterReader(column: MysqlColumn): CellReader {
  if (column.collation === null || column.collation === binaryCollation) {
    const length = column.wireType === wireType.string ? column.meta : 0;
    return (source, start, end) => readBinary(source, start, end, length);
  }
  const charset = charsetOfCollation(column.collation);
  if (charset === null) throw unsupported(column);
  return (source, start, end) => readText(source, start, end, charset);
}

function unsupported(column: MysqlColumn): CdcError {
  return new CdcError('SOURCE_SCHEMA_UNSUPPORTED', 'column type is not known', {
    details: { column: column.name, type: column.wireType },
  });
}

/** Types whose cell holds the same bytes in the log and in the text protocol. */
function sharedReader(column: MysqlColumn): CellReader {
  switch (column.wireType) {
    case wireType.bit:
      return (source, start, end) => readBits(source, start, end, column.meta);
    case wireType.varchar:
    case wireType.varString:
    case wireType.string:
    case wireType.blob:
      return characterReader(column);
    case wireType.geometry:
      return readGeometry;
    case wireType.vector:
      return readVector;
    default:
      throw unsupported(column);
  }
}

/** Reader of binlog cells of the column. */
export function streamReader(column: MysqlColumn, tinyint1AsBoolean: boolean): CellReader {
  const labels = column.labels ?? [];
  const asBoolean = column.displayWidthOne && !column.unsigned && tinyint1AsBoolean;
  switch (column.wireType) {
    case wireType.tiny:
      return (source, start, end) => readTinyint1(readInteger(source, start, end, column.unsigned), asBoolean);
    case wireType.short:
    case wireType.int24:
    case wireType.long:
    case wireType.longlong:
      return (source, start, end) => readInteger(source, start, end, column.unsigned);
    case wireType.year:
      return yearAt;
    case wireType.float:
      return (source, start) => source.getFloat32(start, true);
    case wireType.double:
      return (source, start) => source.getFloat64(start, true);
    case wireType.decimal:
      return (source, start) => readDecimal(source, start, column.meta, column.scale);
    case wireType.date:
    case wireType.newDate:
      return readDate;
    case wireType.datetime2:
      return (source, start) => readDateTime(source, start, column.meta);
    case wireType.timestamp2:
      return (source, start) => readTimestamp(source, start, column.meta);
    case wireType.time2:
      return (source, start) => readTime(source, start, column.meta);
    case wireType.datetimeOld:
      return readOldDateTime;
    case wireType.timestampOld:
      return readOldTimestamp;
    case wireType.timeOld:
      return readOldTime;
    case wireType.enum:
      return (source, start, end) => readEnum(source, start, end, labels);
    case wireType.set:
      return (source, start, end) => readSet(source, start, end, labels);
    case wireType.json:
      return (source, start, end) => readJsonDocument(source, start, end, false);
    default:
      return sharedReader(column);
  }
}

/** Reader of text protocol cells of the column, selected as `selectExpression` says. */
export function snapshotReader(column: MysqlColumn, tinyint1AsBoolean: boolean): CellReader {
  const asBoolean = column.displayWidthOne && !column.unsigned && tinyint1AsBoolean;
  switch (column.wireType) {
    case wireType.tiny:
      return (source, start, end) => readTinyint1(readIntegerText(source, start, end), asBoolean);
    case wireType.short:
    case wireType.int24:
    case wireType.long:
    case wireType.longlong:
    case wireType.year:
      return readIntegerText;
    case wireType.float:
      return (source, start, end) => Math.fround(doubleOfText(source, start, end));
    case wireType.double:
      return doubleOfText;
    case wireType.decimal:
      return readDecimalText;
    case wireType.date:
    case wireType.newDate:
    case wireType.datetime2:
    case wireType.datetimeOld:
    case wireType.timestamp2:
    case wireType.timestampOld:
    case wireType.time2:
    case wireType.timeOld:
      return readTemporalText;
    case wireType.enum:
    case wireType.json:
      return (source, start, end) => Buffer.from(asciiText(source, start, end), 'latin1').toString('utf8');
    case wireType.set:
      return (source, start, end) => {
        const text = Buffer.from(asciiText(source, start, end), 'latin1').toString('utf8');
        return text === '' ? [] : text.split(',');
      };
    default:
      return sharedReader(column);
  }
}
