import { cellKind } from '@millrace/shared/format/json-cells.ts';

import { copyBytes, rejectCell } from './cell.ts';
import type { CellWriter } from './cell.ts';
import { areDigits, copyDigits } from './json-copy.ts';
import type { CopyCell, JsonCopy } from './json-copy.ts';

const plus = 0x2b;
const minus = 0x2d;
const colon = 0x3a;
const point = 0x2e;
const quote = 0x22;
const blank = 0x20;
const zulu = 0x5a;
const microsPerDay = 86_400_000_000n;

/** Two digits as a number, or −1. */
function twoDigits(source: Buffer, at: number, end: number): number {
  if (at + 2 > end) return -1;
  const tens = (source[at] as number) - 0x30;
  const ones = (source[at + 1] as number) - 0x30;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1;
}

function putAscii(text: string, out: Buffer, at: number): number {
  let to = at;
  for (let index = 0; index < text.length; index++) out[to++] = text.charCodeAt(index);
  return to;
}

const infinities = new Set(['infinity', '-infinity']);

function writeInfinity(source: Buffer, start: number, end: number, out: Buffer, at: number): number {
  const length = end - start;
  if (length !== 8 && length !== 9) return -1;
  return infinities.has(source.toString('latin1', start, end)) ? copyBytes(source, start, end, out, at) : -1;
}

/**
 * Walks one text of the canonical forms and writes what PostgreSQL reads. Fields are used by one call at a time, which
 * is why one instance serves every column of a writer set. Words that PostgreSQL would take (`now`, `today`) are no
 * values and are refused.
 */
class TemporalText {
  at = 0;
  /** Years of 0 and before are written as years BC, with the era at the end. */
  beforeChrist = false;

  /** `±YYYY…-MM-DD`; leaves `at` after it. */
  date(source: Buffer, start: number, end: number, out: Buffer, to: number): number {
    let from = start;
    const sign = source[from] as number;
    if (sign === plus || sign === minus) from++;
    const firstDigit = from;
    let year = 0;
    while (from < end) {
      const digit = (source[from] as number) - 0x30;
      if (digit < 0 || digit > 9) break;
      year = year * 10 + digit;
      from++;
    }
    const yearDigits = from - firstDigit;
    if (yearDigits < 4 || yearDigits > 7 || source[from] !== minus) throw rejectCell('not-a-date');
    const month = twoDigits(source, from + 1, end);
    const day = twoDigits(source, from + 4, end);
    if (month < 0 || day < 0 || source[from + 3] !== minus || month > 12 || day > 31) throw rejectCell('not-a-date');
    if (month === 0 || day === 0) throw rejectCell('zero-date');
    this.at = from + 6;
    this.beforeChrist = year === 0 || sign === minus;
    if (!this.beforeChrist) return copyBytes(source, firstDigit, this.at, out, to);
    const yearBc = putAscii(String(year + 1).padStart(4, '0'), out, to);
    return copyBytes(source, from, this.at, out, yearBc);
  }

  /** `HH:MM:SS[.f]`; leaves `at` after it. Digits of the fraction beyond `precision` must be zeros. */
  time(source: Buffer, start: number, end: number, maxHour: number, precision: number): void {
    const hour = twoDigits(source, start, end);
    const minute = twoDigits(source, start + 3, end);
    const second = twoDigits(source, start + 6, end);
    const framed = source[start + 2] === colon && source[start + 5] === colon;
    if (!framed || hour < 0 || hour > maxHour || minute < 0 || minute > 59 || second < 0 || second > 59) {
      throw rejectCell('not-a-time');
    }
    this.at = fraction(source, start + 8, end, precision);
    if (hour === 24 && (minute > 0 || second > 0 || this.at > start + 8)) throw rejectCell('not-a-time');
  }
}

/** Index after `.digits`, if there is a fraction at all. */
function fraction(source: Buffer, start: number, end: number, precision: number): number {
  if (start >= end || source[start] !== 0x2e) return start;
  let from = start + 1;
  while (from < end) {
    const byte = source[from] as number;
    if (byte < 0x30 || byte > 0x39) break;
    if (byte !== 0x30 && from - start > precision) throw rejectCell('scale');
    from++;
  }
  if (from === start + 1) throw rejectCell('not-a-time');
  return from;
}

/** Index after `Z` or `±hh[:mm]`, or −1 where neither stands. */
function zoneEnd(source: Buffer, at: number, end: number): number {
  const first = source[at] as number;
  if (at >= end) return -1;
  if (first === 0x5a) return at + 1;
  if ((first !== plus && first !== minus) || twoDigits(source, at + 1, end) < 0) return -1;
  if (at + 3 === end) return end;
  return source[at + 3] === colon && twoDigits(source, at + 4, end) >= 0 ? at + 6 : -1;
}

const maxDays = 200_000_000_000n;

/** Days since 1970-01-01 as a date of the proleptic calendar: 400-year eras that begin on 1 March. */
function civilDate(days: bigint): { readonly text: string; readonly beforeChrist: boolean } {
  if (days > maxDays || days < -maxDays) throw rejectCell('out-of-range');
  const shifted = Number(days) + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthIndex = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * monthIndex + 2) / 5) + 1;
  const month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  const beforeChrist = year <= 0;
  const shown = String(beforeChrist ? 1 - year : year).padStart(4, '0');
  return { text: `${shown}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`, beforeChrist };
}

function wholeNumber(source: Buffer, start: number, end: number): bigint {
  const text = source.toString('latin1', start, end);
  if (!/^-?\d{1,19}$/.test(text)) throw rejectCell('not-an-integer');
  return BigInt(text);
}

function clockText(micros: bigint): string {
  const seconds = micros / 1_000_000n;
  const parts = [seconds / 3600n, (seconds / 60n) % 60n, seconds % 60n].map((part) => String(part).padStart(2, '0'));
  const rest = micros % 1_000_000n;
  return rest === 0n ? parts.join(':') : `${parts.join(':')}.${String(rest).padStart(6, '0')}`;
}

const yearZero = 0x30303030;

/** Two digits as a number; without meaning where others stand. */
function digitPair(view: DataView, at: number): number {
  return (view.getUint8(at) - 0x30) * 10 + view.getUint8(at + 1) - 0x30;
}

/** `YYYY-MM-DD` of the years 1 to 9999. */
function copyDate(copy: JsonCopy): boolean {
  const { view, outView, at, to } = copy;
  if (at + 10 > copy.limit) return false;
  const year = view.getInt32(at, true);
  const monthDay = view.getInt32(at + 5, true);
  // MM-D and DD: with the dash in the middle replaced by a digit, all must be digits.
  const digits = (monthDay & (0xff00ffff | 0)) | 0x00300000;
  const lastDigit = view.getUint8(at + 9);
  const month = digitPair(view, at + 5);
  const day = digitPair(view, at + 8);
  const isDate =
    areDigits(year) &&
    year !== yearZero &&
    view.getUint8(at + 4) === minus &&
    view.getUint8(at + 7) === minus &&
    areDigits(digits) &&
    lastDigit >= 0x30 &&
    lastDigit <= 0x39 &&
    month >= 1 &&
    month <= 12 &&
    day >= 1 &&
    day <= 31;
  if (!isDate) return false;
  outView.setInt32(to, year, true);
  outView.setInt32(to + 4, view.getInt32(at + 4, true), true);
  outView.setInt16(to + 8, view.getInt16(at + 8, true), true);
  copy.at = at + 10;
  copy.to = to + 10;
  return true;
}

/** `HH:MM:SS[.f]` with at most `precision` digits of fraction. */
function copyTime(copy: JsonCopy, precision: number): boolean {
  const { view, outView, at, to } = copy;
  if (at + 8 > copy.limit) return false;
  const hourMinute = view.getInt32(at, true);
  const rest = view.getInt32(at + 4, true);
  // HH:M and M:SS: the colons replaced by digits.
  const isTime =
    view.getUint8(at + 2) === colon &&
    view.getUint8(at + 5) === colon &&
    areDigits((hourMinute & (0xff00ffff | 0)) | 0x00300000) &&
    areDigits((rest & (0xffff00ff | 0)) | 0x00003000) &&
    digitPair(view, at) <= 23 &&
    digitPair(view, at + 3) <= 59 &&
    digitPair(view, at + 6) <= 59;
  if (!isTime) return false;
  outView.setInt32(to, hourMinute, true);
  outView.setInt32(to + 4, rest, true);
  copy.at = at + 8;
  copy.to = to + 8;
  if (view.getUint8(copy.at) !== point) return true;
  outView.setUint8(copy.to++, point);
  copy.at++;
  const digits = copyDigits(copy);
  return digits > 0 && digits <= precision;
}

function copyQuotedDate(copy: JsonCopy): boolean {
  const { view } = copy;
  return view.getUint8(copy.at++) === quote && copyDate(copy) && view.getUint8(copy.at++) === quote;
}

function copyTimestamp({ zoned, precision }: TimestampRules): CopyCell {
  return (copy) => {
    const { view, outView } = copy;
    if (view.getUint8(copy.at++) !== quote || !copyDate(copy) || view.getUint8(copy.at++) !== blank) return false;
    outView.setUint8(copy.to++, blank);
    if (!copyTime(copy, precision)) return false;
    if (zoned) {
      if (view.getUint8(copy.at++) !== zulu) return false;
      outView.setUint8(copy.to++, plus);
      outView.setInt16(copy.to, 0x3030, true);
      copy.to += 2;
    }
    return view.getUint8(copy.at++) === quote;
  };
}

/** date: canonical text, `±infinity`, or days since 1970-01-01. */
export function dateCell(): CellWriter {
  const text = new TemporalText();
  return {
    copy: copyQuotedDate,
    readsEscapes: false,
    bytesPerByte: 1,
    extraBytes: 48,
    write: (source, kind, start, end, out, at) => {
      if (kind === cellKind.number) {
        const date = civilDate(wholeNumber(source, start, end));
        return putAscii(date.beforeChrist ? `${date.text} BC` : date.text, out, at);
      }
      if (kind !== cellKind.string) throw rejectCell('kind-of-value');
      const infinite = writeInfinity(source, start, end, out, at);
      if (infinite >= 0) return infinite;
      const to = text.date(source, start, end, out, at);
      if (text.at !== end) throw rejectCell('not-a-date');
      return text.beforeChrist ? putAscii(' BC', out, to) : to;
    },
  };
}

export interface TimestampRules {
  /** timestamptz: the text must say its zone. timestamp: it must not, because PostgreSQL would ignore it in silence. */
  readonly zoned: boolean;
  readonly precision: number;
  /** Microseconds that one unit of a number stands for; null where the stream does not tell. */
  readonly unitMicros: bigint | null;
}

/** timestamp, timestamptz: canonical text, `±infinity`, or a number since 1970 in a known unit. */
export function timestampCell(rules: TimestampRules): CellWriter {
  const text = new TemporalText();
  const step = 10n ** BigInt(6 - rules.precision);
  const writeEpoch = (value: bigint, out: Buffer, at: number): number => {
    if (rules.unitMicros === null) throw rejectCell('unit-unknown');
    const micros = value * rules.unitMicros;
    if (micros % step !== 0n) throw rejectCell('scale');
    const rest = ((micros % microsPerDay) + microsPerDay) % microsPerDay;
    const date = civilDate((micros - rest) / microsPerDay);
    return putAscii(
      `${date.text} ${clockText(rest)}${rules.zoned ? '+00' : ''}${date.beforeChrist ? ' BC' : ''}`,
      out,
      at,
    );
  };
  return {
    copy: copyTimestamp(rules),
    readsEscapes: false,
    bytesPerByte: 1,
    extraBytes: 48,
    write: (source, kind, start, end, out, at) => {
      if (kind === cellKind.number) return writeEpoch(wholeNumber(source, start, end), out, at);
      if (kind !== cellKind.string) throw rejectCell('kind-of-value');
      const infinite = writeInfinity(source, start, end, out, at);
      if (infinite >= 0) return infinite;
      let to = text.date(source, start, end, out, at);
      const separator = source[text.at] as number;
      if (text.at >= end || (separator !== 0x20 && separator !== 0x54)) throw rejectCell('not-a-time');
      const clock = text.at + 1;
      text.time(source, clock, end, 23, rules.precision);
      out[to++] = 0x20;
      to = copyBytes(source, clock, text.at, out, to);
      if (rules.zoned) {
        const zone = zoneEnd(source, text.at, end);
        if (zone !== end) throw rejectCell('time-zone');
        to = source[text.at] === 0x5a ? putAscii('+00', out, to) : copyBytes(source, text.at, end, out, to);
      } else if (text.at !== end) {
        throw rejectCell('time-zone');
      }
      return text.beforeChrist ? putAscii(' BC', out, to) : to;
    },
  };
}

/** time, timetz: 00:00:00 to 24:00:00. */
export function timeOfDayCell(zoned: boolean, precision: number): CellWriter {
  const text = new TemporalText();
  return {
    copy: null,
    readsEscapes: false,
    bytesPerByte: 1,
    extraBytes: 48,
    write: (source, kind, start, end, out, at) => {
      if (kind !== cellKind.string) throw rejectCell('kind-of-value');
      text.time(source, start, end, 24, precision);
      const after = zoned ? zoneEnd(source, text.at, end) : text.at;
      if (after !== end) throw rejectCell(zoned ? 'time-zone' : 'not-a-time');
      return copyBytes(source, start, end, out, at);
    },
  };
}

/** interval from MySQL's TIME: `[-]H…:MM:SS[.f]`, or microseconds. */
export function durationCell(): CellWriter {
  return {
    copy: null,
    readsEscapes: false,
    bytesPerByte: 1,
    extraBytes: 48,
    write: (source, kind, start, end, out, at) => {
      if (kind === cellKind.number) {
        const micros = wholeNumber(source, start, end);
        return putAscii(micros < 0n ? `-${clockText(-micros)}` : clockText(micros), out, at);
      }
      if (kind !== cellKind.string) throw rejectCell('kind-of-value');
      let from = start;
      if (source[from] === minus) from++;
      const firstDigit = from;
      while (from < end && (source[from] as number) >= 0x30 && (source[from] as number) <= 0x39) from++;
      const digits = from - firstDigit;
      const minute = twoDigits(source, from + 1, end);
      const second = twoDigits(source, from + 4, end);
      const framed = source[from] === colon && source[from + 3] === colon;
      if (digits < 1 || digits > 6 || !framed || minute < 0 || minute > 59 || second < 0 || second > 59) {
        throw rejectCell('not-a-time');
      }
      if (fraction(source, from + 6, end, 6) !== end) throw rejectCell('not-a-time');
      return copyBytes(source, start, end, out, at);
    },
  };
}
