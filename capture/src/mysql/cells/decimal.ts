import { asciiText, copyBytes } from './ascii.ts';
import { writePadded, writeUint32 } from './digits.ts';
import { refusal } from './refusal.ts';

/** Bytes of a left-over group by its digits. */
const leftOverBytes = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4];
const digitsPerGroup = 9;
const largestGroup = 999_999_999;

/** Size of a DECIMAL cell. */
export function decimalBytes(precision: number, scale: number): number {
  return wholeBytes(precision - scale) + wholeBytes(scale);
}

function wholeBytes(digits: number): number {
  return Math.floor(digits / digitsPerGroup) * 4 + (leftOverBytes[digits % digitsPerGroup] as number);
}

/** A big-endian group of 1–4 bytes, unsigned. */
function groupAt(source: DataView, start: number, bytes: number): number {
  switch (bytes) {
    case 1:
      return source.getUint8(start);
    case 2:
      return source.getUint16(start);
    case 3:
      return (source.getUint8(start) << 16) | source.getUint16(start + 1);
    default:
      return source.getUint32(start);
  }
}

/**
 * Writes a DECIMAL cell of the log in plain digits with all digits of its scale. Groups of nine digits stand in four
 * bytes; the first bit is inverted, all bits of a negative number are (T4).
 */
export function writeDecimal(
  out: DataView,
  at: number,
  source: DataView,
  start: number,
  precision: number,
  scale: number,
): number {
  const negative = source.getUint8(start) < 0x80;
  const mask = negative ? 0xffff_ffff : 0;
  let position = start;
  let next = negative ? at + 1 : at;
  const whole = precision - scale;
  const leading = whole % digitsPerGroup;
  let bytes = leading === 0 ? 4 : (leftOverBytes[leading] as number);
  let anyDigit = 0;
  let wroteWhole = false;
  // The sign bit stands in the first group, of the fraction when there is no integer part.
  let signBit = 0x80;
  for (let groups = Math.ceil(whole / digitsPerGroup); groups > 0; groups--) {
    const wide = bytes === 4 ? 0xffff_ffff : (1 << (bytes * 8)) - 1;
    const group = ((groupAt(source, position, bytes) ^ mask ^ (signBit << ((bytes - 1) * 8))) & wide) >>> 0;
    if (group > largestGroup) return refusal.corrupt;
    signBit = 0;
    position += bytes;
    bytes = 4;
    anyDigit |= group;
    if (wroteWhole) next = writePadded(out, next, group, digitsPerGroup);
    else if (group !== 0) {
      next = writeUint32(out, next, group);
      wroteWhole = true;
    }
  }
  if (!wroteWhole) out.setUint8(next++, 0x30);
  if (scale > 0) {
    out.setUint8(next++, 0x2e);
    for (let left = scale; left > 0; left -= digitsPerGroup) {
      const digits = left < digitsPerGroup ? left : digitsPerGroup;
      bytes = leftOverBytes[digits] as number;
      const wide = bytes === 4 ? 0xffff_ffff : (1 << (bytes * 8)) - 1;
      const group = ((groupAt(source, position, bytes) ^ mask ^ (signBit << ((bytes - 1) * 8))) & wide) >>> 0;
      if (group > largestGroup) return refusal.corrupt;
      signBit = 0;
      position += bytes;
      anyDigit |= group;
      next = writePadded(out, next, group, digits);
    }
  }
  if (!negative) return next;
  if (anyDigit !== 0) {
    out.setUint8(at, 0x2d);
    return next;
  }
  return copyBytes(out, at, out, at + 1, next);
}

/** The canonical text of a DECIMAL cell of the log: plain digits with its scale. */
export function readDecimal(source: DataView, start: number, precision: number, scale: number): string {
  const length = decimalBytes(precision, scale);
  const bytes = Array.from({ length }, (_, index) => source.getUint8(start + index));
  const negative = (bytes[0] as number) < 0x80;
  const plain = bytes.map((byte, index) => (byte ^ (negative ? 0xff : 0) ^ (index === 0 ? 0x80 : 0)) & 0xff);
  let offset = 0;
  const take = (digits: number): string => {
    const size = leftOverBytes[digits] as number;
    const group = plain.slice(offset, offset + size).reduce((value, byte) => value * 256 + byte, 0);
    offset += size;
    return String(group).padStart(digits, '0');
  };
  const wholeDigits = precision - scale;
  let text = wholeDigits % digitsPerGroup === 0 ? '' : take(wholeDigits % digitsPerGroup);
  for (let groups = Math.floor(wholeDigits / digitsPerGroup); groups > 0; groups--) text += take(digitsPerGroup);
  let fraction = '';
  for (let left = scale; left > 0; left -= digitsPerGroup) fraction += take(Math.min(left, digitsPerGroup));
  text = text.replace(/^0+(?=.)/, '') || '0';
  if (fraction !== '') text += `.${fraction}`;
  return negative && /[1-9]/.test(text) ? `-${text}` : text;
}

/** DECIMAL of the text protocol: declared scale already; ZEROFILL pads the integer part. */
export function writeDecimalText(out: DataView, at: number, source: DataView, start: number, end: number): number {
  if (start === end) return refusal.corrupt;
  let next = at;
  let position = start;
  if (source.getUint8(position) === 0x2d) {
    out.setUint8(next++, 0x2d);
    position++;
  }
  while (position + 1 < end && source.getUint8(position) === 0x30 && source.getUint8(position + 1) !== 0x2e) position++;
  return copyBytes(out, next, source, position, end);
}

export function readDecimalText(source: DataView, start: number, end: number): string {
  return asciiText(source, start, end).replace(/^(-?)0+(?=\d)/, '$1');
}
