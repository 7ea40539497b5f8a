import { cellKind } from '@millrace/shared/format/json-cells.ts';

import { rejectCell } from './cell.ts';
import type { CellWriter } from './cell.ts';
import type { JsonCopy } from './json-copy.ts';

const padding = 0x3d;
const backslash = 0x5c;
const notBase64 = 255;

/** Value of each base64 digit; the URL alphabet is read too. */
const digitValue = new Uint8Array(256).fill(notBase64);
const alphabet = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/');
for (const [index, digit] of alphabet.entries()) digitValue[digit] = index;
digitValue[0x2d] = 62;
digitValue[0x5f] = 63;

const hexHigh = Buffer.from(Array.from({ length: 256 }, (_, byte) => '0123456789abcdef'.charCodeAt(byte >> 4)));
const hexLow = Buffer.from(Array.from({ length: 256 }, (_, byte) => '0123456789abcdef'.charCodeAt(byte & 15)));

/** Index after the last digit, padding left out. Throws unless the length is one that base64 can have. */
function digitsEnd(source: Buffer, start: number, end: number): number {
  let last = end;
  while (last > start && end - last < 2 && source[last - 1] === padding) last--;
  const length = last - start;
  if (length % 4 === 1 || (last !== end && (end - start) % 4 !== 0)) throw rejectCell('not-base64');
  return last;
}

function digitAt(source: Buffer, at: number): number {
  const value = digitValue[source[at] as number] as number;
  if (value === notBase64) throw rejectCell('not-base64');
  return value;
}

/** Hex digits of each byte, as two bytes in memory order. */
const hexPair = Uint16Array.from(
  { length: 256 },
  (_, byte) => (hexHigh[byte] as number) | ((hexLow[byte] as number) << 8),
);
const quote = 0x22;
const twoPaddings = 0x3d3d;

function copyBase64(copy: JsonCopy): boolean {
  const { view, outView, limit } = copy;
  let { at, to } = copy;
  if (view.getUint8(at) !== quote) return false;
  at++;
  outView.setUint8(to++, backslash);
  outView.setUint8(to++, backslash);
  outView.setUint8(to++, 0x78);
  let first = 0;
  let second = 0;
  let third = 0;
  for (; at < limit; at += 4) {
    first = digitValue[view.getUint8(at)] as number;
    second = digitValue[view.getUint8(at + 1)] as number;
    third = digitValue[view.getUint8(at + 2)] as number;
    const fourth = digitValue[view.getUint8(at + 3)] as number;
    if ((first | second | third | fourth) > 63) break;
    outView.setUint16(to, hexPair[(first << 2) | (second >> 4)] as number, true);
    outView.setUint16(to + 2, hexPair[((second & 15) << 4) | (third >> 2)] as number, true);
    outView.setUint16(to + 4, hexPair[((third & 3) << 6) | fourth] as number, true);
    to += 6;
  }
  if (at >= limit) return false;
  if (view.getUint8(at) !== quote) {
    if ((first | second) > 63) return false;
    outView.setUint16(to, hexPair[(first << 2) | (second >> 4)] as number, true);
    to += 2;
    if (view.getInt16(at + 2, true) !== twoPaddings) {
      if (third > 63 || view.getUint8(at + 3) !== padding) return false;
      outView.setUint16(to, hexPair[((second & 15) << 4) | (third >> 2)] as number, true);
      to += 2;
    }
    at += 4;
    if (at >= limit || view.getUint8(at) !== quote) return false;
  }
  copy.at = at + 1;
  copy.to = to;
  return true;
}

/** bytea from base64: `\\x` and hex. */
export const byteaCell: CellWriter = {
  copy: copyBase64,
  readsEscapes: false,
  bytesPerByte: 2,
  extraBytes: 3,
  write: (source, kind, start, end, out, at) => {
    if (kind !== cellKind.string) throw rejectCell('kind-of-value');
    const last = digitsEnd(source, start, end);
    let to = at;
    out[to++] = backslash;
    out[to++] = backslash;
    out[to++] = 0x78;
    let bits = 0;
    let held = 0;
    for (let from = start; from < last; from++) {
      held = (held << 6) | digitAt(source, from);
      bits += 6;
      if (bits >= 8) {
        bits -= 8;
        const byte = (held >> bits) & 0xff;
        out[to++] = hexHigh[byte] as number;
        out[to++] = hexLow[byte] as number;
      }
    }
    return to;
  },
};

function writeBits(value: bigint, width: number, out: Buffer, at: number): number {
  if (value < 0n || value >> BigInt(width) !== 0n) throw rejectCell('bits');
  return at + out.write(value.toString(2).padStart(width, '0'), at, 'latin1');
}

/**
 * bit(n): base64 of the bytes, least significant first, or the value as a number. Exactly n digits are written; a bit
 * set beyond them is refused, because a cast would cut it in silence.
 */
export function bitCell(width: number): CellWriter {
  return {
    copy: null,
    readsEscapes: false,
    bytesPerByte: 0,
    extraBytes: width,
    write: (source, kind, start, end, out, at) => {
      if (kind === cellKind.true || kind === cellKind.false) {
        return writeBits(kind === cellKind.true ? 1n : 0n, width, out, at);
      }
      if (kind === cellKind.number) {
        const digits = source.toString('latin1', start, end);
        if (!/^\d{1,20}$/.test(digits)) throw rejectCell('bits');
        return writeBits(BigInt(digits), width, out, at);
      }
      if (kind !== cellKind.string) throw rejectCell('kind-of-value');
      const last = digitsEnd(source, start, end);
      for (let from = start; from < last; from++) digitAt(source, from);
      const bytes = Buffer.from(source.toString('latin1', start, last), 'base64').reverse();
      return writeBits(bytes.length === 0 ? 0n : BigInt(`0x${bytes.toString('hex')}`), width, out, at);
    },
  };
}
