import { writePadded, writeTwoDigits } from './digits.ts';
import { refusal } from './refusal.ts';
import {
  digitsAt,
  fractionBytes,
  fractionTextMicros,
  temporalStyle,
  trimmedFractionText,
  writeTrimmedFraction,
} from './temporal-style.ts';

/** TIME: signed, up to 838:59:59.999999, the hour in two or three digits (T13); fractions as the server rounded them (T14). */

const quote = 0x22;

function writeTimeParts(
  out: DataView,
  at: number,
  negative: boolean,
  hours: number,
  minutes: number,
  seconds: number,
  micros: number,
  style: number,
): number {
  if (hours > 838 || minutes > 59 || seconds > 59 || micros > 999_999) return refusal.corrupt;
  let next = at;
  out.setUint8(next++, quote);
  if (negative) out.setUint8(next++, 0x2d);
  next = writePadded(out, next, hours, hours < 100 ? 2 : 3);
  out.setUint8(next, 0x3a);
  writeTwoDigits(out, next + 1, minutes);
  out.setUint8(next + 3, 0x3a);
  writeTwoDigits(out, next + 4, seconds);
  next += 6;
  if ((style & temporalStyle.dropFraction) === 0) next = writeTrimmedFraction(out, next, micros);
  out.setUint8(next, quote);
  return next + 1;
}

/**
 * TIME2: sign, hour 10 bits, minute 6, second 6, then the fraction; all of it one number, big-endian, offset by half its
 * range. So a negative time with a fraction borrows from the seconds.
 */
export function writeTime(
  out: DataView,
  at: number,
  source: DataView,
  start: number,
  digits: number,
  style: number,
): number {
  const bytes = fractionBytes[digits] as number;
  const whole = ((source.getUint8(start) << 16) | source.getUint16(start + 1)) - 0x80_0000;
  const range = 1 << (bytes * 8);
  const packed = whole * range + storedFraction(source, start + 3, bytes);
  const negative = packed < 0;
  const magnitude = negative ? -packed : packed;
  const clock = Math.floor(magnitude / range);
  const units = magnitude - clock * range;
  const micros = bytes === 1 ? units * 10_000 : bytes === 2 ? units * 100 : units;
  return writeTimeParts(
    out,
    at,
    negative,
    clock >>> 12,
    (clock >>> 6) & 63,
    clock & 63,
    bytes === 0 ? 0 : micros,
    style,
  );
}

function storedFraction(source: DataView, start: number, bytes: number): number {
  if (bytes === 0) return 0;
  if (bytes === 1) return source.getUint8(start);
  if (bytes === 2) return source.getUint16(start);
  return (source.getUint8(start) << 16) | source.getUint16(start + 1);
}

/** TIME of tables from before 5.6: the signed number HHMMSS, 3 bytes little-endian. */
export function writeOldTime(out: DataView, at: number, source: DataView, start: number, style: number): number {
  const packed = source.getUint16(start, true) | (source.getInt8(start + 2) << 16);
  const magnitude = packed < 0 ? -packed : packed;
  const hours = (magnitude / 10_000) >>> 0;
  const minutes = ((magnitude / 100) >>> 0) % 100;
  return writeTimeParts(out, at, packed < 0, hours, minutes, magnitude % 100, 0, style);
}

/** `[-]hh[h]:mm:ss[.ffffff]` of the text protocol. */
export function writeTimeText(
  out: DataView,
  at: number,
  source: DataView,
  start: number,
  end: number,
  style: number,
): number {
  if (start === end) return refusal.corrupt;
  const negative = source.getUint8(start) === 0x2d;
  const first = negative ? start + 1 : start;
  let colon = first;
  while (colon < end && source.getUint8(colon) !== 0x3a) colon++;
  if (end - colon < 6) return refusal.corrupt;
  const hours = digitsAt(source, first, colon);
  const minutes = digitsAt(source, colon + 1, colon + 3);
  const seconds = digitsAt(source, colon + 4, colon + 6);
  const micros = fractionTextMicros(source, colon + 6, end);
  if (hours < 0 || minutes < 0 || seconds < 0 || micros < 0) return refusal.corrupt;
  return writeTimeParts(out, at, negative, hours, minutes, seconds, micros, style);
}

function timeText(micros: bigint): string {
  const magnitude = micros < 0n ? -micros : micros;
  const seconds = Number(magnitude / 1_000_000n);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const clock = parts.map((part) => String(part).padStart(2, '0')).join(':');
  return `${micros < 0n ? '-' : ''}${clock}${trimmedFractionText(Number(magnitude % 1_000_000n))}`;
}

export function readTime(source: DataView, start: number, digits: number): string {
  const bytes = fractionBytes[digits] as number;
  let packed = 0n;
  for (let index = 0; index < 3 + bytes; index++) packed = packed * 256n + BigInt(source.getUint8(start + index));
  packed -= 1n << BigInt(23 + bytes * 8);
  const sign = packed < 0n ? -1n : 1n;
  const magnitude = packed * sign;
  const clock = magnitude >> BigInt(bytes * 8);
  const units = magnitude & ((1n << BigInt(bytes * 8)) - 1n);
  const unitMicros = [0n, 10_000n, 100n, 1n][bytes] as bigint;
  const seconds = (clock >> 12n) * 3600n + ((clock >> 6n) & 63n) * 60n + (clock & 63n);
  return timeText(sign * (seconds * 1_000_000n + units * unitMicros));
}

export function readOldTime(source: DataView, start: number): string {
  const packed = source.getInt16(start + 1, true) * 256 + source.getUint8(start);
  const digits = String(Math.abs(packed)).padStart(6, '0');
  return `${packed < 0 ? '-' : ''}${digits.replace(/^(\d+)(\d\d)(\d\d)$/, '$1:$2:$3')}`;
}
