import type { ByteWriter } from '@millrace/shared/bytes/byte-writer.ts';

const minus = 0x2d;
const zero = 0x30;

/** Kinds of key values; an integer in quotes is a number. */
export const keyTag = { number: 0x6e, text: 0x73, true: 0x74, false: 0x66, json: 0x6a } as const;

/** Appends one value of a row's identity: kind and length stand before the bytes, so that different keys never have equal bytes. */
export function putKeyPart(kind: number, bytes: Buffer, start: number, end: number, out: ByteWriter): void {
  const length = end - start;
  const target = out.reserve(length + 5);
  let at = out.length;
  target[at++] = kind;
  target[at++] = length & 0xff;
  target[at++] = (length >>> 8) & 0xff;
  target[at++] = (length >>> 16) & 0xff;
  target[at++] = length >>> 24;
  out.length = at;
  if (length < 32) for (let i = start; i < end; i++) target[at++] = bytes[i] as number;
  else at += bytes.copy(target, at, start, end);
  out.length = at;
}

/** End of an integer as it is usually written, −1 where none stands: no plus, no zeros in front, no minus zero. */
export function integerEnd(bytes: Buffer, start: number, end: number): number {
  const first = bytes[start] === minus ? start + 1 : start;
  let at = first;
  while (at < end) {
    const digit = (bytes[at] as number) - zero;
    if (digit < 0 || digit > 9) break;
    at++;
  }
  if (at === first) return -1;
  return bytes[first] === zero && (at > first + 1 || first > start) ? -1 : at;
}
