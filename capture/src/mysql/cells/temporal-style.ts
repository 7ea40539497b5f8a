import { writePadded } from './digits.ts';
import { refusal } from './refusal.ts';

/** How temporal text is written. Bits, so that plans can hold them. */
export const temporalStyle = {
  /** `T` between date and time (ISO-8601) instead of a blank. */
  isoT: 1,
  /** `Z` at the end: the cell is in UTC. */
  utc: 2,
  /** TIME without its fraction. */
  dropFraction: 4,
  /** Zero dates as the server prints them; without this bit they are `refusal.zeroDate`. */
  keepZero: 8,
} as const;

const fractionPowers = [1_000_000, 100_000, 10_000, 1000, 100, 10, 1];

/** `.5` of 500000 µs; nothing of 0. */
export function writeTrimmedFraction(out: DataView, at: number, micros: number): number {
  if (micros === 0) return at;
  out.setUint8(at, 0x2e);
  let next = writePadded(out, at + 1, micros, 6);
  while (out.getUint8(next - 1) === 0x30) next--;
  return next;
}

/** All `digits` of the fraction, as the server prints them. */
export function writeFullFraction(out: DataView, at: number, micros: number, digits: number): number {
  if (digits === 0) return at;
  out.setUint8(at, 0x2e);
  return writePadded(out, at + 1, Math.floor(micros / (fractionPowers[digits] as number)), digits);
}

export function trimmedFractionText(micros: number): string {
  if (micros === 0) return '';
  return `.${String(micros).padStart(6, '0').replace(/0+$/, '')}`;
}

/** Bytes of the stored fraction by fractional digits. */
export const fractionBytes = [0, 1, 1, 2, 2, 3, 3];

/** Microseconds of a stored fraction, big-endian, in units of 10 ms, 100 µs or 1 µs by its size. */
export function fractionMicros(source: DataView, start: number, digits: number): number {
  switch (fractionBytes[digits]) {
    case 1:
      return source.getUint8(start) * 10_000;
    case 2:
      return source.getUint16(start) * 100;
    case 3:
      return (source.getUint8(start) << 16) | source.getUint16(start + 1);
    default:
      return 0;
  }
}

/** The number in `source[start, end)`, ASCII digits only; −1 otherwise. */
export function digitsAt(source: DataView, start: number, end: number): number {
  if (start >= end) return -1;
  let value = 0;
  for (let position = start; position < end; position++) {
    const digit = source.getUint8(position) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/** Microseconds of `.ddd…` in `source[start, end)`, which may be empty; `refusal.corrupt` if it is something else. */
export function fractionTextMicros(source: DataView, start: number, end: number): number {
  if (start === end) return 0;
  const digits = end - start - 1;
  const value = digitsAt(source, start + 1, end);
  if (source.getUint8(start) !== 0x2e || digits < 1 || digits > 6 || value < 0) return refusal.corrupt;
  return value * (fractionPowers[digits] as number);
}
