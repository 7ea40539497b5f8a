import { int24At, uint24At, writeIntegerText, writeTinyint1, writeTinyint1Text, yearAt } from '../cells/integer.ts';
import { writeBase64, writePaddedBase64 } from '../cells/base64.ts';
import { writeBit1, writeBits } from '../cells/bit.ts';
import {
  writeDate,
  writeDateText,
  writeDateTime,
  writeDateTimeText,
  writeOldDateTime,
  writeOldTimestamp,
  writeTimestamp,
} from '../cells/date-time.ts';
import { writeDecimal, writeDecimalText } from '../cells/decimal.ts';
import { writeInt32, writeInt64, writeUint32, writeUint64 } from '../cells/digits.ts';
import { doubleOfText, writeDouble, writeFloat } from '../cells/floating.ts';
import { writeGeometry } from '../cells/geometry.ts';
import { writeJsonDocument } from '../cells/json-document.ts';
import { writeCompactJson } from '../cells/json-text.ts';
import { writeEnum, writeSet, writeSetText } from '../cells/labels.ts';
import type { LabelTable } from '../cells/labels.ts';
import { restyle } from '../cells/number-style.ts';
import { refusal } from '../cells/refusal.ts';
import { writeMultiByte, writeSingleByte, writeUtf8 } from '../cells/text.ts';
import { writeOldTime, writeTime, writeTimeText } from '../cells/time.ts';
import { writeVector } from '../cells/vector.ts';
import type { Charset } from '../charset.ts';
import type { CellPlan } from './cell-plan.ts';
import { opcode } from './opcode.ts';

/** The cell plans of several columns as columns of typed arrays: what the switch reads stays in a few cache lines. */
export interface CellPlans {
  readonly op: Uint8Array;
  readonly a: Int32Array;
  readonly b: Int32Array;
  readonly style: Uint8Array;
  readonly labels: readonly (LabelTable | null)[];
  readonly charsets: readonly (Charset | null)[];
}

export function cellPlans(plans: readonly CellPlan[]): CellPlans {
  return {
    op: Uint8Array.from(plans, (plan) => plan.op),
    a: Int32Array.from(plans, (plan) => plan.a),
    b: Int32Array.from(plans, (plan) => plan.b),
    style: Uint8Array.from(plans, (plan) => plan.style),
    labels: plans.map((plan) => plan.labels),
    charsets: plans.map((plan) => plan.charset),
  };
}

function restyled(out: DataView, at: number, next: number, style: number): number {
  return next < 0 ? next : restyle(out, at, next, style);
}

/** The integers up to 32 bits: small enough to become part of the row loop. */
export function writeSmallInteger(op: number, out: DataView, at: number, source: DataView, start: number): number {
  switch (op) {
    case opcode.int32:
      return writeInt32(out, at, source.getInt32(start, true));
    case opcode.int8:
      return writeInt32(out, at, source.getInt8(start));
    case opcode.uint8:
      return writeUint32(out, at, source.getUint8(start));
    case opcode.int16:
      return writeInt32(out, at, source.getInt16(start, true));
    case opcode.uint16:
      return writeUint32(out, at, source.getUint16(start, true));
    case opcode.int24:
      return writeInt32(out, at, int24At(source, start));
    case opcode.uint24:
      return writeUint32(out, at, uint24At(source, start));
    default:
      return writeUint32(out, at, source.getUint32(start, true));
  }
}

/**
 * Writes the cell in `source[start, end)` of column `index` at `at`; the caller has made room up to `limit`. Returns
 * the next position or a `refusal`. The hottest function of capture: one switch, no allocation.
 */
export function writeCell(
  plans: CellPlans,
  index: number,
  out: DataView,
  at: number,
  source: DataView,
  start: number,
  end: number,
  limit: number,
): number {
  switch (plans.op[index]) {
    case opcode.int64:
      return writeInt64(out, at, source.getUint32(start + 4, true), source.getUint32(start, true));
    case opcode.uint64:
      return writeUint64(out, at, source.getUint32(start + 4, true), source.getUint32(start, true));
    case opcode.tinyint1:
      return writeTinyint1(out, at, source.getInt8(start));
    case opcode.float:
      return writeFloat(out, at, source.getFloat32(start, true));
    case opcode.double:
      return writeDouble(out, at, source.getFloat64(start, true));
    case opcode.decimal:
      return writeDecimal(out, at, source, start, plans.a[index] as number, plans.b[index] as number);
    case opcode.date:
      return writeDate(out, at, source, start, plans.style[index] as number);
    case opcode.dateTime:
      return writeDateTime(out, at, source, start, plans.a[index] as number, plans.style[index] as number);
    case opcode.timestamp:
      return writeTimestamp(out, at, source, start, plans.a[index] as number, plans.style[index] as number);
    case opcode.time:
      return writeTime(out, at, source, start, plans.a[index] as number, plans.style[index] as number);
    case opcode.utf8:
      return writeUtf8(out, at, source, start, end);
    case opcode.binary:
      return writeBase64(out, at, source, start, end);
    case opcode.paddedBinary:
      return writePaddedBase64(out, at, source, start, end, plans.a[index] as number);
    case opcode.enum:
      return writeEnum(out, at, source, start, end, plans.labels[index] as LabelTable);
    case opcode.json:
      return writeJsonDocument(out, at, source, start, end, limit, plans.a[index] === 1);
    case opcode.integerText:
      return writeIntegerText(out, at, source, start, end);
    default:
      return writeRareCell(plans, index, out, at, source, start, end);
  }
}

/** The rest of the switch: kept apart so that the common half stays small enough for the optimiser. */
function writeRareCell(
  plans: CellPlans,
  index: number,
  out: DataView,
  at: number,
  source: DataView,
  start: number,
  end: number,
): number {
  const op = plans.op[index] as number;
  if (op <= opcode.lastSmallInteger) return writeSmallInteger(op, out, at, source, start);
  const style = plans.style[index] as number;
  const a = plans.a[index] as number;
  switch (op) {
    case opcode.singleByte:
    case opcode.multiByte:
      return writeCharsetCell(plans.charsets[index] as Charset, out, at, source, start, end);
    case opcode.int64Styled: {
      const next = writeInt64(out, at, source.getUint32(start + 4, true), source.getUint32(start, true));
      return restyle(out, at, next, style);
    }
    case opcode.uint64Styled: {
      const next = writeUint64(out, at, source.getUint32(start + 4, true), source.getUint32(start, true));
      return restyle(out, at, next, style);
    }
    case opcode.decimalStyled:
      return restyled(out, at, writeDecimal(out, at, source, start, a, plans.b[index] as number), style);
    case opcode.bit1:
      return writeBit1(out, at, source, start, end);
    case opcode.bits:
      return writeBits(out, at, source, start, end);
    case opcode.year:
      return writeUint32(out, at, yearAt(source, start));
    case opcode.oldDateTime:
      return writeOldDateTime(out, at, source, start, style);
    case opcode.oldTimestamp:
      return writeOldTimestamp(out, at, source, start, style);
    case opcode.oldTime:
      return writeOldTime(out, at, source, start, style);
    case opcode.set:
      return writeSet(out, at, source, start, end, plans.labels[index] as LabelTable);
    case opcode.geometry:
      return writeGeometry(out, at, source, start, end);
    case opcode.vector:
      return writeVector(out, at, source, start, end);
    default:
      return writeTextProtocolCell(plans, index, out, at, source, start, end);
  }
}

function writeTextProtocolCell(
  plans: CellPlans,
  index: number,
  out: DataView,
  at: number,
  source: DataView,
  start: number,
  end: number,
): number {
  const style = plans.style[index] as number;
  switch (plans.op[index]) {
    case opcode.integerTextStyled:
      return restyled(out, at, writeIntegerText(out, at, source, start, end), style);
    case opcode.tinyint1Text:
      return writeTinyint1Text(out, at, source, start, end);
    case opcode.floatText:
      return writeFloat(out, at, Math.fround(doubleOfText(source, start, end)));
    case opcode.doubleText:
      return writeDouble(out, at, doubleOfText(source, start, end));
    case opcode.decimalText:
      return writeDecimalText(out, at, source, start, end);
    case opcode.decimalTextStyled:
      return restyled(out, at, writeDecimalText(out, at, source, start, end), style);
    case opcode.dateText:
      return writeDateText(out, at, source, start, end, style);
    case opcode.dateTimeText:
      return writeDateTimeText(out, at, source, start, end, plans.a[index] as number, style);
    case opcode.timeText:
      return writeTimeText(out, at, source, start, end, style);
    case opcode.setText:
      return writeSetText(out, at, source, start, end);
    case opcode.compactJsonText:
      return writeCompactJson(out, at, source, start, end);
    default:
      return refusal.unsupported;
  }
}

function writeCharsetCell(
  charset: Charset,
  out: DataView,
  at: number,
  source: DataView,
  start: number,
  end: number,
): number {
  if (charset.kind === 'single-byte') {
    return writeSingleByte(out, at, source, start, end, charset.escapes, charset.asciiBelow80);
  }
  if (charset.kind === 'multi-byte') return writeMultiByte(out, at, source, start, end, charset.decode);
  return refusal.unsupported;
}
