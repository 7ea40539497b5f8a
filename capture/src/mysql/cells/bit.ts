import type { Value } from '@millrace/shared/event/value.ts';

import { bytesOf, writeBoolean } from './ascii.ts';
import { writeBase64 } from './base64.ts';
import { refusal } from './refusal.ts';

/** BIT: big-endian in the log and in the text protocol; BIT(1) is a boolean, BIT(n) base64 of little-endian bytes (T8). */

const reversed = new DataView(new ArrayBuffer(8));

export function writeBit1(out: DataView, at: number, source: DataView, start: number, end: number): number {
  if (end - start !== 1 || source.getUint8(start) > 1) return refusal.corrupt;
  return writeBoolean(out, at, source.getUint8(start) === 1);
}

export function writeBits(out: DataView, at: number, source: DataView, start: number, end: number): number {
  const bytes = end - start;
  if (bytes < 1 || bytes > 8) return refusal.corrupt;
  for (let index = 0; index < bytes; index++) reversed.setUint8(index, source.getUint8(end - 1 - index));
  return writeBase64(out, at, reversed, 0, bytes);
}

export function readBits(source: DataView, start: number, end: number, bits: number): Value {
  const bytes = bytesOf(source, start, end);
  return bits === 1 ? bytes[0] === 1 : bytes.reverse();
}
