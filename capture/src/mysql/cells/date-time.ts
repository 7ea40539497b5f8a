import { asciiText } from './ascii.ts';
import { civil, setCivilDate } from './calendar.ts';
import { writeFourDigits, writeTwoDigits } from './digits.ts';
import { refusal } from './refusal.ts';
import {
  digitsAt,
  fractionMicros,
  fractionTextMicros,
  temporalStyle,
  trimmedFractionText,
  writeFullFraction,
  writeTrimmedFraction,
} from './temporal-style.ts';

/**
 * DATE, DATETIME and TIMESTAMP. A date is zero when its month or day is: such cells are refused with
 * `refusal.zeroDate`, or written as the server prints them (T11, T12). Years stay as stored (T10), no zone is applied
 * to DATETIME (T16), TIMESTAMP is UTC (T15).
 */

const quote = 0x22;

function writeDateDigits(out: DataView, at: number, year: number, month: number, day: number): number {
  writeFourDigits(out, at, year);
  out.setUint8(at + 4, 0x2d);
  writeTwoDigits(out, at + 5, month);
  out.setUint8(at + 7, 0x2d);
  writeTwoDigits(out, at + 8, day);
  return at + 10;
}

function writeDateParts(out: DataView, at: number, year: number, month: number, day: number, style: number): number {
  if (month > 12 || day > 31 || year > 9999) return refusal.corrupt;
  if ((month === 0 || day === 0) && (style & temporalStyle.keepZero) === 0) return refusal.zeroDate;
  out.setUint8(at, quote);
  const next = writeDateDigits(out, at + 1, year, month, day);
  out.setUint8(next, quote);
  return next + 1;
}

/** `clock` is hours × 10000 + minutes × 100 + seconds; `digits` the fraction of the column, for zero dates in full. */
function writeDateTimeParts(
  out: DataView,
  at: number,
  year: number,
  month: number,
  day: number,
  clock: number,
  micros: number,
  digits: number,
  style: number,
): number {
  if (month > 12 || day > 31 || year > 9999 || clock > 235_959 || micros > 999_999) return refusal.corrupt;
  const zero = month === 0 || day === 0;
  if (zero && (style & temporalStyle.keepZero) === 0) return refusal.zeroDate;
  out.setUint8(at, quote);
  let next = writeDateDigits(out, at + 1, year, month, day);
  out.setUint8(next, (style & temporalStyle.isoT) !== 0 && !zero ? 0x54 : 0x20);
  const hours = (clock / 10_000) >>> 0;
  const rest = clock - hours * 10_000;
  const minutes = (rest / 100) >>> 0;
  writeTwoDigits(out, next + 1, hours);
  out.setUint8(next + 3, 0x3a);
  writeTwoDigits(out, next + 4, minutes);
  out.setUint8(next + 6, 0x3a);
  writeTwoDigits(out, next + 7, rest - minutes * 100);
  next += 9;
  if (zero) next = writeFullFraction(out, next, micros, digits);
  else {
    next = writeTrimmedFraction(out, next, micros);
    if ((style & temporalStyle.utc) !== 0) out.setUint8(next++, 0x5a);
  }
  out.setUint8(next, quote);
  return next + 1;
}

/** DATE: 3 bytes little-endian, day 5 bits, month 4, year 15. */
export function writeDate(out: DataView, at: number, source: DataView, start: number, style: number): number {
  const packed = source.getUint16(start, true) | (source.getUint8(start + 2) << 16);
  return writeDateParts(out, at, packed >>> 9, (packed >>> 5) & 15, packed & 31, style);
}

/** DATETIME2: 5 bytes big-endian (sign, year × 13 + month, day, hour, minute, second) and the fraction. */
export function writeDateTime(
  out: DataView,
  at: number,
  source: DataView,
  start: number,
  digits: number,
  style: number,
): number {
  const high = source.getUint8(start);
  if (high < 0x80) return refusal.corrupt;
  const low = source.getUint32(start + 1);
  // 40 bits: 1 sign, 17 year and month, 5 day, 5 hour, 6 minute, 6 second.
  const yearMonth = ((high & 0x7f) << 10) | (low >>> 22);
  const year = (yearMonth / 13) >>> 0;
  const hours = (low >>> 12) & 31;
  const minutes = (low >>> 6) & 63;
  const seconds = low & 63;
  if (minutes > 59 || seconds > 59) return refusal.corrupt;
  const clock = hours * 10_000 + minutes * 100 + seconds;
  const micros = fractionMicros(source, start + 5, digits);
  return writeDateTimeParts(out, at, year, yearMonth - year * 13, (low >>> 17) & 31, clock, micros, digits, style);
}

/** Seconds since 1970 in UTC; 0 without a fraction is the zero timestamp (T17). */
function writeSeconds(
  out: DataView,
  at: number,
  seconds: number,
  micros: number,
  digits: number,
  style: number,
): number {
  if (seconds === 0 && micros === 0) return writeDateTimeParts(out, at, 0, 0, 0, 0, 0, digits, style);
  const days = Math.floor(seconds / 86_400);
  setCivilDate(days);
  const inDay = seconds - days * 86_400;
  const hours = (inDay / 3600) >>> 0;
  const inHour = inDay - hours * 3600;
  const minutes = (inHour / 60) >>> 0;
  const clock = hours * 10_000 + minutes * 100 + (inHour - minutes * 60);
  return writeDateTimeParts(out, at, civil.year, civil.month, civil.dayOfMonth, clock, micros, digits, style);
}

/** TIMESTAMP2: seconds big-endian and the fraction. */
export function writeTimestamp(
  out: DataView,
  at: number,
  source: DataView,
  start: number,
  digits: number,
  style: number,
): number {
  return writeSeconds(out, at, source.getUint32(start), fractionMicros(source, start + 4, digits), digits, style);
}

/** TIMESTAMP of tables from before 5.6: seconds little-endian. */
export function writeOldTimestamp(out: DataView, at: number, source: DataView, start: number, style: number): number {
  return writeSeconds(out, at, source.getUint32(start, true), 0, 0, style);
}

/** DATETIME of tables from before 5.6: the number YYYYMMDDhhmmss, 8 bytes little-endian. */
export function writeOldDateTime(out: DataView, at: number, source: DataView, start: number, style: number): number {
  const packed = source.getUint32(start + 4, true) * 4_294_967_296 + source.getUint32(start, true);
  const date = Math.floor(packed / 1_000_000);
  if (date > 99_999_999) return refusal.corrupt;
  const year = Math.floor(date / 10_000);
  const month = Math.floor(date / 100) % 100;
  return writeDateTimeParts(out, at, year, month, date % 100, packed - date * 1_000_000, 0, 0, style);
}

/** `YYYY-MM-DD` of the text protocol. */
export function writeDateText(
  out: DataView,
  at: number,
  source: DataView,
  start: number,
  end: number,
  style: number,
): number {
  if (end - start !== 10) return refusal.corrupt;
  const year = digitsAt(source, start, start + 4);
  const month = digitsAt(source, start + 5, start + 7);
  const day = digitsAt(source, start + 8, start + 10);
  if (year < 0 || month < 0 || day < 0) return refusal.corrupt;
  return writeDateParts(out, at, year, month, day, style);
}

/** `YYYY-MM-DD hh:mm:ss[.ffffff]` of the text protocol, a TIMESTAMP in a session of time zone +00:00. */
export function writeDateTimeText(
  out: DataView,
  at: number,
  source: DataView,
  start: number,
  end: number,
  digits: number,
  style: number,
): number {
  if (end - start < 19) return refusal.corrupt;
  const year = digitsAt(source, start, start + 4);
  const month = digitsAt(source, start + 5, start + 7);
  const day = digitsAt(source, start + 8, start + 10);
  const hours = digitsAt(source, start + 11, start + 13);
  const minutes = digitsAt(source, start + 14, start + 16);
  const seconds = digitsAt(source, start + 17, start + 19);
  const micros = fractionTextMicros(source, start + 19, end);
  if (year < 0 || month < 0 || day < 0 || hours < 0 || minutes < 0 || seconds < 0 || micros < 0) return refusal.corrupt;
  const clock = hours * 10_000 + minutes * 100 + seconds;
  return writeDateTimeParts(out, at, year, month, day, clock, micros, digits, style);
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}

function dateText(year: number, month: number, day: number): string {
  return `${String(year).padStart(4, '0')}-${twoDigits(month)}-${twoDigits(day)}`;
}

/** Readers give the server's text with the fraction trimmed, zero dates too; TIMESTAMP without its `Z`. */
export function readDate(source: DataView, start: number): string {
  const packed = source.getUint8(start) + source.getUint8(start + 1) * 256 + source.getUint8(start + 2) * 65_536;
  return dateText(Math.floor(packed / 512), Math.floor(packed / 32) % 16, packed % 32);
}

export function readDateTime(source: DataView, start: number, digits: number): string {
  let packed = BigInt(source.getUint8(start) & 0x7f);
  for (let index = 1; index < 5; index++) packed = packed * 256n + BigInt(source.getUint8(start + index));
  const take = (size: bigint): number => {
    const value = Number(packed % size);
    packed /= size;
    return value;
  };
  const seconds = take(64n);
  const minutes = take(64n);
  const hours = take(32n);
  const day = take(32n);
  const month = take(13n);
  const clock = `${twoDigits(hours)}:${twoDigits(minutes)}:${twoDigits(seconds)}`;
  const fraction = trimmedFractionText(fractionMicros(source, start + 5, digits));
  return `${dateText(Number(packed), month, day)} ${clock}${fraction}`;
}

export function readTimestamp(source: DataView, start: number, digits: number): string {
  const seconds = source.getUint32(start);
  const micros = fractionMicros(source, start + 4, digits);
  if (seconds === 0 && micros === 0) return '0000-00-00 00:00:00';
  const iso = new Date(seconds * 1000).toISOString();
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)}${trimmedFractionText(micros)}`;
}

export function readTemporalText(source: DataView, start: number, end: number): string {
  return asciiText(source, start, end)
    .replace(/(\.\d*?)0+$/, '$1')
    .replace(/\.$/, '');
}

export function readOldTimestamp(source: DataView, start: number): string {
  const seconds = source.getUint32(start, true);
  if (seconds === 0) return '0000-00-00 00:00:00';
  return new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ');
}

export function readOldDateTime(source: DataView, start: number): string {
  const packed = String(source.getBigUint64(start, true)).padStart(14, '0');
  return packed.replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/, '$1-$2-$3 $4:$5:$6');
}
