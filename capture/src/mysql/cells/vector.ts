import type { Value } from '@millrace/shared/event/value.ts';

import { writeFloat } from './floating.ts';
import { refusal } from './refusal.ts';

/** VECTOR: float32 little-endian each, in the log and in the text protocol (T47). */
export function writeVector(out: DataView, at: number, source: DataView, start: number, end: number): number {
  if ((end - start) % 4 !== 0) return refusal.corrupt;
  out.setUint8(at, 0x5b);
  let next = at + 1;
  for (let position = start; position < end; position += 4) {
    if (position > start) out.setUint8(next++, 0x2c);
    next = writeFloat(out, next, source.getFloat32(position, true));
    if (next < 0) return next;
  }
  out.setUint8(next, 0x5d);
  return next + 1;
}

export function readVector(source: DataView, start: number, end: number): Value {
  const count = Math.floor((end - start) / 4);
  return Array.from({ length: count }, (_, index) => source.getFloat32(start + index * 4, true));
}
