import { bytesOf } from './ascii.ts';

/** Standard base64 with padding, in quotes. */

const alphabet = Uint8Array.from(
  Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', 'latin1'),
);

/** Two base64 characters by 12 bits, the first in the low byte. */
const pairs = Uint16Array.from(
  { length: 4096 },
  (_, bits) => (alphabet[bits >>> 6] as number) | ((alphabet[bits & 63] as number) << 8),
);

const quote = 0x22;
const padding = 0x3d;

export function base64Length(bytes: number): number {
  return Math.ceil(bytes / 3) * 4;
}

/** The characters alone, without quotes. */
export function writeBase64Body(out: DataView, at: number, source: DataView, start: number, end: number): number {
  let next = at;
  let position = start;
  for (const whole = end - 2; position < whole; position += 3) {
    const bits = (source.getUint16(position) << 8) | source.getUint8(position + 2);
    out.setUint16(next, pairs[bits >>> 12] as number, true);
    out.setUint16(next + 2, pairs[bits & 4095] as number, true);
    next += 4;
  }
  if (position === end) return next;
  const first = source.getUint8(position);
  const second = position + 1 < end ? source.getUint8(position + 1) : 0;
  const bits = (first << 16) | (second << 8);
  out.setUint16(next, pairs[bits >>> 12] as number, true);
  out.setUint8(next + 2, position + 1 < end ? (alphabet[(bits >>> 6) & 63] as number) : padding);
  out.setUint8(next + 3, padding);
  return next + 4;
}

export function writeBase64(out: DataView, at: number, source: DataView, start: number, end: number): number {
  out.setUint8(at, quote);
  const next = writeBase64Body(out, at + 1, source, start, end);
  out.setUint8(next, quote);
  return next + 1;
}

let padded = new DataView(new ArrayBuffer(256));

/** BINARY(n): the log strips trailing zero bytes, the value has them (T26). */
export function writePaddedBase64(
  out: DataView,
  at: number,
  source: DataView,
  start: number,
  end: number,
  length: number,
): number {
  const present = end - start;
  if (present >= length) return writeBase64(out, at, source, start, end);
  if (padded.byteLength < length) padded = new DataView(new ArrayBuffer(length));
  for (let index = 0; index < length; index++) {
    padded.setUint8(index, index < present ? source.getUint8(start + index) : 0);
  }
  return writeBase64(out, at, padded, 0, length);
}

export function readBinary(source: DataView, start: number, end: number, length: number): Uint8Array {
  const value = new Uint8Array(Math.max(length, end - start));
  value.set(bytesOf(source, start, end));
  return value;
}
