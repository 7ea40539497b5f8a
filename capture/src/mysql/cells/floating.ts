import { asciiText } from './ascii.ts';
import { writePadded, writeSafeInteger } from './digits.ts';
import { refusal } from './refusal.ts';

/**
 * FLOAT and DOUBLE: the shortest digits that read back to the same number, in the layout of Java's `Double.toString`:
 * plain with a point from 10^-3 to below 10^7, else `d.dddE±n` without a plus.
 */

const powersOfTen = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000];

/** Writes `whole`.`fraction` of `mantissa / 10^places`. */
function writePlain(out: DataView, at: number, mantissa: number, places: number): number {
  if (places === 0) {
    const next = writeSafeInteger(out, at, mantissa);
    out.setUint16(next, 0x302e, true);
    return next + 2;
  }
  const power = powersOfTen[places] as number;
  const whole = Math.floor(mantissa / power);
  const next = writeSafeInteger(out, at, whole);
  out.setUint8(next, 0x2e);
  return writePadded(out, next + 1, mantissa - whole * power, places);
}

/**
 * Writes a magnitude from 10^-3 to below 10^7 that has at most six fraction digits, or zero; −1 for others. Two
 * decimals of at most 13 digits never read back to one double, so the first hit is the shortest.
 */
export function writeShortDouble(out: DataView, at: number, magnitude: number): number {
  if (magnitude >= 1e7 || (magnitude < 1e-3 && magnitude !== 0)) return -1;
  if (Math.round(magnitude * 1e6) / 1e6 !== magnitude) return -1;
  for (let places = 0; places < 6; places++) {
    const power = powersOfTen[places] as number;
    const mantissa = Math.round(magnitude * power);
    if (mantissa / power === magnitude) return writePlain(out, at, mantissa, places);
  }
  return writePlain(out, at, Math.round(magnitude * 1e6), 6);
}

export function writeDouble(out: DataView, at: number, value: number): number {
  let next = at;
  let magnitude = value;
  if (value < 0 || Object.is(value, -0)) {
    out.setUint8(next++, 0x2d);
    magnitude = -value;
  }
  const end = writeShortDouble(out, next, magnitude);
  if (end >= 0) return end;
  // Not integral here, so JavaScript's own text is already the plain layout.
  if (magnitude >= 1e-3 && magnitude < 1e7) return writeAscii(out, next, String(magnitude));
  if (!(magnitude < Infinity)) return refusal.corrupt;
  return writeAscii(out, next, javaLayout(String(magnitude)));
}

export function writeFloat(out: DataView, at: number, value: number): number {
  let next = at;
  let magnitude = value;
  if (value < 0 || Object.is(value, -0)) {
    out.setUint8(next++, 0x2d);
    magnitude = -value;
  }
  if (magnitude < 1e7 && (magnitude >= 1e-3 || magnitude === 0)) {
    // Six digits are unique for a float32, so the first hit is the shortest.
    for (let places = 0; places <= 6; places++) {
      const power = powersOfTen[places] as number;
      const mantissa = Math.round(magnitude * power);
      if (mantissa >= 1_000_000) break;
      if (Math.fround(mantissa / power) === magnitude) return writePlain(out, next, mantissa, places);
    }
  }
  if (!(magnitude < Infinity)) return refusal.corrupt;
  return writeAscii(out, next, javaLayout(shortestFloat(magnitude)));
}

/** The shortest decimal that reads back to the same float32, and of these the nearest. */
export function shortestFloat(magnitude: number): string {
  for (let precision = 1; precision < 9; precision++) {
    const text = magnitude.toPrecision(precision);
    if (Math.fround(Number(text)) === magnitude) return text;
  }
  return magnitude.toPrecision(9);
}

/** Digits of a positive JavaScript number text, without zeros at either end, and where its point stands. */
export interface DecimalDigits {
  readonly digits: string;
  /** value = 0.digits × 10^pointPosition. */
  readonly pointPosition: number;
}

export function decimalDigits(text: string): DecimalDigits {
  const [mantissa = '', exponent = '0'] = text.split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  const all = whole + fraction;
  const leadingZeros = /^0*/.exec(all)?.[0].length ?? 0;
  const digits = all.slice(leadingZeros).replace(/0+$/, '');
  return { digits, pointPosition: whole.length - leadingZeros + Number(exponent) };
}

/** The layout of Java for a positive number given as JavaScript text. */
export function javaLayout(text: string): string {
  const { digits, pointPosition } = decimalDigits(text);
  if (digits === '') return '0.0';
  if (pointPosition > -3 && pointPosition <= 7) {
    if (pointPosition <= 0) return `0.${'0'.repeat(-pointPosition)}${digits}`;
    const whole = digits.slice(0, pointPosition).padEnd(pointPosition, '0');
    return `${whole}.${digits.slice(pointPosition) || '0'}`;
  }
  return `${digits.slice(0, 1)}.${digits.slice(1) || '0'}E${pointPosition - 1}`;
}

export function writeAscii(out: DataView, at: number, text: string): number {
  for (let index = 0; index < text.length; index++) out.setUint8(at + index, text.charCodeAt(index));
  return at + text.length;
}

/** A double of the text protocol in MySQL's layout; NaN when it is none. */
export function doubleOfText(source: DataView, start: number, end: number): number {
  let mantissa = 0;
  let places = -1;
  let position = start;
  const negative = start < end && source.getUint8(start) === 0x2d;
  if (negative) position++;
  if (end - position > 16 || position === end) return slowDouble(source, start, end);
  for (; position < end; position++) {
    const byte = source.getUint8(position);
    if (byte === 0x2e) {
      if (places >= 0) return Number.NaN;
      places = 0;
      continue;
    }
    if (byte < 0x30 || byte > 0x39) return slowDouble(source, start, end);
    mantissa = mantissa * 10 + byte - 0x30;
    if (places >= 0) places++;
  }
  // At most 15 or 16 digits and a power of ten up to 10^15: one exact division, correctly rounded.
  if (mantissa > Number.MAX_SAFE_INTEGER) return slowDouble(source, start, end);
  const magnitude = places > 0 ? mantissa / 10 ** places : mantissa;
  return negative ? -magnitude : magnitude;
}

function slowDouble(source: DataView, start: number, end: number): number {
  const text = asciiText(source, start, end);
  return text === '' ? Number.NaN : Number(text);
}
