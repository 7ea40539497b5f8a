import type { Value } from '@millrace/shared/event/value.ts';

import { asciiText, copyBytes, writeBoolean } from './ascii.ts';
import { integerValue } from './digits.ts';
import { refusal } from './refusal.ts';

/** Integer cells beyond the fixed-width reads, which the cell switch does itself with the writers of `digits.ts`. */

export function int24At(source: DataView, start: number): number {
  return source.getUint16(start, true) | (source.getInt8(start + 2) << 16);
}

export function uint24At(source: DataView, start: number): number {
  return source.getUint16(start, true) | (source.getUint8(start + 2) << 16);
}

/** TINYINT(1): 0 and 1 only; anything else is refused, never coerced (T7). */
export function writeTinyint1(out: DataView, at: number, value: number): number {
  return value === 0 || value === 1 ? writeBoolean(out, at, value === 1) : refusal.notBoolean;
}

/** Binlog integers of 1, 2, 3, 4 or 8 bytes, little-endian. */
export function readInteger(source: DataView, start: number, end: number, unsigned: boolean): Value {
  let value = 0n;
  for (let position = end - 1; position >= start; position--) value = value * 256n + BigInt(source.getUint8(position));
  const bits = (end - start) * 8;
  return integerValue(unsigned ? value : BigInt.asIntN(bits, value));
}

/** First position of the digits proper: a ZEROFILL column pads them with zeros in the text protocol. */
function afterZeroFill(source: DataView, start: number, end: number): number {
  let position = start;
  while (position + 1 < end && source.getUint8(position) === 0x30) position++;
  return position;
}

/** Digits of the text protocol. */
export function writeIntegerText(out: DataView, at: number, source: DataView, start: number, end: number): number {
  if (start === end) return refusal.corrupt;
  return copyBytes(out, at, source, afterZeroFill(source, start, end), end);
}

export function writeTinyint1Text(out: DataView, at: number, source: DataView, start: number, end: number): number {
  const first = afterZeroFill(source, start, end);
  const digit = end - first === 1 ? source.getUint8(first) - 0x30 : -1;
  return writeTinyint1(out, at, digit);
}

export function readIntegerText(source: DataView, start: number, end: number): Value {
  return integerValue(BigInt(asciiText(source, start, end)));
}

/** YEAR of the log: 0 is 0000, else years since 1900 (T9). */
export function yearAt(source: DataView, start: number): number {
  const value = source.getUint8(start);
  return value === 0 ? 0 : 1900 + value;
}
