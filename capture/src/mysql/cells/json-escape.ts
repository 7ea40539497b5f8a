import { refusal } from './refusal.ts';

/**
 * Text to the inside of a JSON string: `"`, `\` and control characters escaped (`\u00XX` in upper case), everything
 * else raw UTF-8, `/` too. The output takes up to six bytes per byte of text.
 */

const backslash = 0x5c;

/** By byte: 0 = as it is, `u` = `\u00XX`, else the letter behind the backslash. */
export const escapeLetters = new Uint8Array(256);
escapeLetters.fill(0x75, 0, 0x20);
for (const [byte, letter] of [
  [0x08, 'b'],
  [0x09, 't'],
  [0x0a, 'n'],
  [0x0c, 'f'],
  [0x0d, 'r'],
  [0x22, '"'],
  [0x5c, '\\'],
] as const) {
  escapeLetters[byte] = letter.charCodeAt(0);
}

const upperHex = Buffer.from('0123456789ABCDEF', 'latin1');

/** A control character as `\u00XX`. */
function writeControl(out: DataView, at: number, byte: number): number {
  out.setUint32(at, 0x3030_755c, true);
  out.setUint8(at + 4, 0x30 + (byte >>> 4));
  out.setUint8(at + 5, upperHex[byte & 15] as number);
  return at + 6;
}

/** One ASCII character. */
export function writeEscapedAscii(out: DataView, at: number, byte: number): number {
  const letter = escapeLetters[byte] as number;
  if (letter === 0) {
    out.setUint8(at, byte);
    return at + 1;
  }
  if (letter === 0x75) return writeControl(out, at, byte);
  out.setUint8(at, backslash);
  out.setUint8(at + 1, letter);
  return at + 2;
}

/**
 * Whether any of the four bytes may be a control character, a quote, a backslash or beyond ASCII. False alarms are
 * possible, misses are not.
 */
export function needsCare(word: number): boolean {
  const suspects =
    (word - 0x2020_2020) | ((word ^ 0x2222_2222) - 0x0101_0101) | ((word ^ 0x5c5c_5c5c) - 0x0101_0101) | word;
  return (suspects & 0x8080_8080) !== 0;
}

/** Length of the well-formed UTF-8 sequence at `position`, whose first byte is 80 or above; 0 if it is malformed. */
export function sequenceLength(source: DataView, position: number, end: number): number {
  const lead = source.getUint8(position);
  if (lead < 0xe0) {
    return lead >= 0xc2 && position + 2 <= end && (source.getUint8(position + 1) & 0xc0) === 0x80 ? 2 : 0;
  }
  if (lead < 0xf0) {
    if (position + 3 > end) return 0;
    const second = source.getUint8(position + 1);
    if ((second & 0xc0) !== 0x80 || (source.getUint8(position + 2) & 0xc0) !== 0x80) return 0;
    // No overlong forms, no surrogates.
    if ((lead === 0xe0 && second < 0xa0) || (lead === 0xed && second > 0x9f)) return 0;
    return 3;
  }
  if (lead > 0xf4 || position + 4 > end) return 0;
  const second = source.getUint8(position + 1);
  if ((second & 0xc0) !== 0x80 || (lead === 0xf0 && second < 0x90) || (lead === 0xf4 && second > 0x8f)) return 0;
  if ((source.getUint8(position + 2) & 0xc0) !== 0x80 || (source.getUint8(position + 3) & 0xc0) !== 0x80) return 0;
  return 4;
}

/** UTF-8 `source[start, end)` without quotes around it; `refusal.invalidText` if it is malformed. */
export function writeEscapedUtf8(out: DataView, at: number, source: DataView, start: number, end: number): number {
  let next = at;
  let position = start;
  const lastWord = end - 4;
  while (position < end) {
    while (position <= lastWord) {
      const word = source.getInt32(position, true);
      if (needsCare(word)) break;
      out.setInt32(next, word, true);
      position += 4;
      next += 4;
    }
    if (position >= end) break;
    const byte = source.getUint8(position);
    if (byte < 0x80) {
      next = writeEscapedAscii(out, next, byte);
      position++;
      continue;
    }
    const length = sequenceLength(source, position, end);
    if (length === 0) return refusal.invalidText;
    for (let index = 0; index < length; index++) out.setUint8(next + index, source.getUint8(position + index));
    next += length;
    position += length;
  }
  return next;
}

/** The first `count` UTF-16 code units without quotes around them; surrogates must be paired. */
export function writeEscapedUnits(out: DataView, at: number, units: Uint16Array, count: number): number {
  let next = at;
  for (let index = 0; index < count; index++) {
    const unit = units[index] as number;
    if (unit < 0x80) next = writeEscapedAscii(out, next, unit);
    else if (unit < 0x800) {
      out.setUint8(next, 0xc0 | (unit >>> 6));
      out.setUint8(next + 1, 0x80 | (unit & 63));
      next += 2;
    } else if ((unit & 0xfc00) !== 0xd800) {
      out.setUint8(next, 0xe0 | (unit >>> 12));
      out.setUint8(next + 1, 0x80 | ((unit >>> 6) & 63));
      out.setUint8(next + 2, 0x80 | (unit & 63));
      next += 3;
    } else {
      const codePoint = ((unit & 0x3ff) << 10) + ((units[++index] as number) & 0x3ff) + 0x1_0000;
      out.setUint8(next, 0xf0 | (codePoint >>> 18));
      out.setUint8(next + 1, 0x80 | ((codePoint >>> 12) & 63));
      out.setUint8(next + 2, 0x80 | ((codePoint >>> 6) & 63));
      out.setUint8(next + 3, 0x80 | (codePoint & 63));
      next += 4;
    }
  }
  return next;
}
