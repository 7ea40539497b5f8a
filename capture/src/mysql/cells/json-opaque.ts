import { writePadded, writeTwoDigits } from './digits.ts';
import { decimalBytes, writeDecimal } from './decimal.ts';
import { writeInnerQuote } from './json-inner-string.ts';
import { refusal } from './refusal.ts';

/** Decimal and temporal values inside JSON documents, as the server prints them there: temporals with six digits. */

export function writeJsonDecimal(out: DataView, at: number, source: DataView, start: number, length: number): number {
  if (length < 3) return refusal.corrupt;
  const precision = source.getUint8(start);
  const scale = source.getUint8(start + 1);
  if (precision > 65 || scale > precision || decimalBytes(precision, scale) !== length - 2) return refusal.corrupt;
  return writeDecimal(out, at, source, start + 2, precision, scale);
}

function writeClock(out: DataView, at: number, hours: number, clock: number, micros: number): number {
  let next = writePadded(out, at, hours, hours < 100 ? 2 : 3);
  out.setUint8(next, 0x3a);
  writeTwoDigits(out, next + 1, (clock >>> 6) & 63);
  out.setUint8(next + 3, 0x3a);
  writeTwoDigits(out, next + 4, clock & 63);
  out.setUint8(next + 6, 0x2e);
  next = writePadded(out, next + 7, micros, 6);
  return next;
}

/** 64 bits: ((year × 13 + month) << 5 | day) << 17 | hour << 12 | minute << 6 | second, then 24 bits of µs. */
export function writePackedDateTime(
  out: DataView,
  at: number,
  source: DataView,
  start: number,
  dateOnly: boolean,
): number {
  const low = source.getUint32(start, true);
  const high = source.getUint32(start + 4, true);
  const clock = ((high << 8) | (low >>> 24)) & 0x1_ffff;
  const date = high >>> 9;
  const yearMonth = date >>> 5;
  const year = Math.floor(yearMonth / 13);
  if (year > 9999) return refusal.corrupt;
  let next = writeInnerQuote(out, at);
  next = writePadded(out, next, year, 4);
  out.setUint8(next, 0x2d);
  writeTwoDigits(out, next + 1, yearMonth - year * 13);
  out.setUint8(next + 3, 0x2d);
  writeTwoDigits(out, next + 4, date & 31);
  next += 6;
  if (!dateOnly) {
    out.setUint8(next, 0x20);
    next = writeClock(out, next + 1, clock >>> 12, clock, low & 0xff_ffff);
  }
  return writeInnerQuote(out, next);
}

/** As above with hours of ten bits and no date; a negative time is the negative of the whole number. */
export function writePackedTime(out: DataView, at: number, source: DataView, start: number): number {
  let low = source.getUint32(start, true);
  let high = source.getUint32(start + 4, true);
  let next = writeInnerQuote(out, at);
  if (high >= 0x8000_0000) {
    high = (~high + (low === 0 ? 1 : 0)) >>> 0;
    low = -low >>> 0;
    out.setUint8(next++, 0x2d);
  }
  const clock = (high << 8) | (low >>> 24);
  const hours = (clock >>> 12) & 0x3ff;
  next = writeClock(out, next, hours, clock, low & 0xff_ffff);
  return writeInnerQuote(out, next);
}
