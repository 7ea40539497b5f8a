import { assertNever, CdcError } from '@millrace/shared/errors/cdc-error.ts';
import type { TableId } from '@millrace/shared/event/table-id.ts';
import { tableIdText } from '@millrace/shared/event/table-id.ts';

import type { ValueRendering } from '../../source.ts';
import { labelTable } from '../cells/labels.ts';
import type { LabelTable } from '../cells/labels.ts';
import { numberStyle } from '../cells/number-style.ts';
import { temporalStyle } from '../cells/temporal-style.ts';
import { charsetOfCollation } from '../charset.ts';
import type { Charset } from '../charset.ts';
import { wireType } from '../column.ts';
import type { MysqlColumn } from '../column.ts';
import { isTinyint1 } from '../logical-column.ts';
import { opcode } from './opcode.ts';

/** How one cell is written: what the cell switch needs, decided once per table version. */
export interface CellPlan {
  readonly op: number;
  readonly a: number;
  readonly b: number;
  readonly style: number;
  readonly labels: LabelTable | null;
  readonly charset: Charset | null;
  /** Room beyond eight times the cell's bytes. */
  readonly room: number;
}

export interface CellPlanRequest {
  readonly column: MysqlColumn;
  readonly table: TableId;
  readonly values: ValueRendering;
  readonly from: 'stream' | 'snapshot';
  /** The cell is part of a record key: decimals lose trailing zeros. */
  readonly inKey: boolean;
  /** The column belongs to the key: zero dates stay text there and in the row (T12). */
  readonly keepZero: boolean;
}

const scalarRoom = 96;
const jsonRoom = 512;
/** DECIMAL beyond this precision is text. */
const widestNumber = 38;

function plan(op: number, parts: Partial<Omit<CellPlan, 'op'>> = {}): CellPlan {
  return { op, a: 0, b: 0, style: 0, labels: null, charset: null, room: scalarRoom, ...parts };
}

function unsupported(request: CellPlanRequest, message: string): CdcError {
  return new CdcError('SOURCE_SCHEMA_UNSUPPORTED', message, {
    details: {
      table: tableIdText(request.table),
      column: request.column.name,
      type: request.column.schema.sourceType ?? request.column.wireType,
    },
  });
}

/** Chooses the writer of a column. Throws `SOURCE_SCHEMA_UNSUPPORTED` naming table and column when there is none. */
export function planCell(request: CellPlanRequest): CellPlan {
  const sourceType = request.column.schema.sourceType;
  if (sourceType !== null && /^(?:uuid|inet4|inet6)\b/i.test(sourceType)) {
    throw unsupported(request, 'column type has no rendering yet');
  }
  return request.from === 'stream' ? planStreamCell(request) : planSnapshotCell(request);
}

/** How an exact number of more than 53 bits is laid out and quoted. */
function exactStyle(request: CellPlanRequest, quote: number): number {
  const { decimals, bigNumbers } = request.values;
  const quoted = bigNumbers === 'string' ? quote : 0;
  if (decimals === 'scientific') return numberStyle.stripped | quoted;
  if (decimals === 'plain' || request.inKey) return numberStyle.plain | quoted;
  return numberStyle.asWritten | quoted;
}

/** DECIMAL of more than 38 digits is text: in quotes, with its scale, in keys without trailing zeros. */
function decimalStyle(request: CellPlanRequest): number {
  if (request.column.meta <= widestNumber) return exactStyle(request, numberStyle.quoted);
  if (request.values.decimals === 'scientific') return numberStyle.scaled | numberStyle.quoted;
  return (request.inKey ? numberStyle.plain : numberStyle.asWritten) | numberStyle.quoted;
}

function decimalPlan(request: CellPlanRequest, plain: number, styled: number): CellPlan {
  const style = decimalStyle(request);
  return plan(style === 0 ? plain : styled, { a: request.column.meta, b: request.column.scale, style });
}

/** BIGINT, and BIGINT UNSIGNED, which is a decimal to those who strip zeros. */
function bigintPlan(request: CellPlanRequest): CellPlan {
  const text = request.from === 'snapshot';
  if (request.column.unsigned) {
    const style = exactStyle(request, numberStyle.quoted) & ~numberStyle.plain;
    if (style === 0) return plan(text ? opcode.integerText : opcode.uint64);
    return plan(text ? opcode.integerTextStyled : opcode.uint64Styled, { style });
  }
  const style = request.values.bigNumbers === 'string' ? numberStyle.quotedIfBig : 0;
  if (style === 0) return plan(text ? opcode.integerText : opcode.int64);
  return plan(text ? opcode.integerTextStyled : opcode.int64Styled, { style });
}

function temporalPlan(request: CellPlanRequest, op: number, utc: boolean): CellPlan {
  const { timestampStandard, timeFraction, zeroDates } = request.values;
  const style =
    (timestampStandard === 'iso-8601' ? temporalStyle.isoT : 0) |
    (utc ? temporalStyle.utc : 0) |
    (timeFraction ? 0 : temporalStyle.dropFraction) |
    (request.keepZero || zeroDates === 'keep' ? temporalStyle.keepZero : 0);
  const old = [wireType.timeOld, wireType.datetimeOld, wireType.timestampOld].some(
    (type) => type === request.column.wireType,
  );
  return plan(op, { a: old ? 0 : request.column.meta, style });
}

/** Character, ENUM and SET columns need a known charset; text protocol labels are utf8mb4 already. */
function charsetOf(request: CellPlanRequest): Charset {
  const { collation } = request.column;
  const charset = collation === null ? null : charsetOfCollation(collation);
  if (charset === null) throw unsupported(request, 'character set of the column is not known');
  return charset;
}

function textPlan(request: CellPlanRequest): CellPlan {
  const charset = charsetOf(request);
  const { column } = request;
  switch (charset.kind) {
    case 'binary':
      return column.wireType === wireType.string
        ? plan(opcode.paddedBinary, { a: column.meta, room: scalarRoom + column.meta * 2 })
        : plan(opcode.binary);
    case 'utf8':
      return plan(opcode.utf8, { charset });
    case 'single-byte':
      return plan(opcode.singleByte, { charset });
    case 'multi-byte':
      return plan(opcode.multiByte, { charset });
    default:
      return assertNever(charset);
  }
}

function labelsPlan(request: CellPlanRequest, op: number): CellPlan {
  const { labels } = request.column;
  if (labels === null) throw unsupported(request, 'labels of the column are not known');
  const table = labelTable(labels);
  return plan(op, { labels: table, room: table.totalBytes + scalarRoom });
}

function integerOp(column: MysqlColumn): number {
  switch (column.wireType) {
    case wireType.tiny:
      return column.unsigned ? opcode.uint8 : opcode.int8;
    case wireType.short:
      return column.unsigned ? opcode.uint16 : opcode.int16;
    case wireType.int24:
      return column.unsigned ? opcode.uint24 : opcode.int24;
    default:
      return column.unsigned ? opcode.uint32 : opcode.int32;
  }
}

function planStreamCell(request: CellPlanRequest): CellPlan {
  const { column, values } = request;
  switch (column.wireType) {
    case wireType.tiny:
      return plan(isTinyint1(column) && values.tinyint1AsBoolean ? opcode.tinyint1 : integerOp(column));
    case wireType.short:
    case wireType.int24:
    case wireType.long:
      return plan(integerOp(column));
    case wireType.longlong:
      return bigintPlan(request);
    case wireType.float:
      return plan(opcode.float);
    case wireType.double:
      return plan(opcode.double);
    case wireType.decimal:
      return decimalPlan(request, opcode.decimal, opcode.decimalStyled);
    case wireType.year:
      return plan(opcode.year);
    case wireType.date:
    case wireType.newDate:
      return temporalPlan(request, opcode.date, false);
    case wireType.time2:
      return temporalPlan(request, opcode.time, false);
    case wireType.datetime2:
      return temporalPlan(request, opcode.dateTime, false);
    case wireType.timestamp2:
      return temporalPlan(request, opcode.timestamp, true);
    case wireType.timeOld:
      return temporalPlan(request, opcode.oldTime, false);
    case wireType.datetimeOld:
      return temporalPlan(request, opcode.oldDateTime, false);
    case wireType.timestampOld:
      return temporalPlan(request, opcode.oldTimestamp, true);
    case wireType.enum:
      return labelsPlan(request, opcode.enum);
    case wireType.set:
      return labelsPlan(request, opcode.set);
    case wireType.json:
      return plan(opcode.json, { a: values.compactJson ? 1 : 0, room: jsonRoom });
    default:
      return planSharedCell(request);
  }
}

function planSnapshotCell(request: CellPlanRequest): CellPlan {
  const { column, values } = request;
  switch (column.wireType) {
    case wireType.tiny:
      return plan(isTinyint1(column) && values.tinyint1AsBoolean ? opcode.tinyint1Text : opcode.integerText);
    case wireType.short:
    case wireType.int24:
    case wireType.long:
      return plan(opcode.integerText);
    case wireType.longlong:
      return bigintPlan(request);
    case wireType.float:
      return plan(opcode.floatText);
    case wireType.double:
      return plan(opcode.doubleText);
    case wireType.decimal:
      return decimalPlan(request, opcode.decimalText, opcode.decimalTextStyled);
    case wireType.year:
      return plan(opcode.integerText);
    case wireType.date:
    case wireType.newDate:
      return temporalPlan(request, opcode.dateText, false);
    case wireType.time2:
    case wireType.timeOld:
      return temporalPlan(request, opcode.timeText, false);
    case wireType.datetime2:
    case wireType.datetimeOld:
      return temporalPlan(request, opcode.dateTimeText, false);
    case wireType.timestamp2:
    case wireType.timestampOld:
      return temporalPlan(request, opcode.dateTimeText, true);
    case wireType.enum:
      return plan(opcode.utf8, { charset: utf8() });
    case wireType.set:
      return plan(opcode.setText);
    case wireType.json:
      return values.compactJson ? plan(opcode.compactJsonText) : plan(opcode.utf8, { charset: utf8() });
    default:
      return planSharedCell(request);
  }
}

/** utf8mb4, the connection's charset. */
function utf8(): Charset | null {
  return charsetOfCollation(255);
}

/** Types whose cell holds the same bytes in the log and in the text protocol. */
function planSharedCell(request: CellPlanRequest): CellPlan {
  const { column } = request;
  switch (column.wireType) {
    case wireType.bit:
      return plan(column.meta === 1 ? opcode.bit1 : opcode.bits);
    case wireType.varchar:
    case wireType.varString:
    case wireType.string:
    case wireType.blob:
      return textPlan(request);
    case wireType.geometry:
      return plan(opcode.geometry, { room: jsonRoom });
    case wireType.vector:
      return plan(opcode.vector);
    default:
      throw unsupported(request, 'column type is not known');
  }
}
