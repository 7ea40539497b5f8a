import { writeBase64Body } from './base64.ts';
import { escapeLetters, needsCare, sequenceLength } from './json-escape.ts';
import { refusal } from './refusal.ts';

/**
 * Strings of a JSON document that is itself written as a JSON string: each character is escaped as MySQL does it
 * (`\u00xx` in lower case), then every quote and backslash once more.
 */

const escapedQuote = 0x225c;
const twoBackslashes = 0x5c5c;
const lowerHex = Buffer.from('0123456789abcdef', 'latin1');

/** `\"`: the quote of a string inside the document. */
export function writeInnerQuote(out: DataView, at: number): number {
  out.setUint16(at, escapedQuote, true);
  return at + 2;
}

function writeTwiceEscaped(out: DataView, at: number, byte: number): number {
  const letter = escapeLetters[byte] as number;
  if (letter === 0) {
    out.setUint8(at, byte);
    return at + 1;
  }
  out.setUint16(at, twoBackslashes, true);
  if (byte === 0x22 || byte === 0x5c) {
    out.setUint8(at + 2, 0x5c);
    out.setUint8(at + 3, byte);
    return at + 4;
  }
  out.setUint8(at + 2, letter);
  if (letter !== 0x75) return at + 3;
  out.setUint16(at + 3, 0x3030, true);
  out.setUint8(at + 5, 0x30 + (byte >>> 4));
  out.setUint8(at + 6, lowerHex[byte & 15] as number);
  return at + 7;
}

/** Greatest growth of one byte of text. */
export const innerStringFactor = 7;

/** Exact size of `writeInnerString`'s output, quotes included. */
export function innerStringLength(source: DataView, start: number, end: number): number {
  let length = end - start + 4;
  for (let position = start; position < end; position++) {
    const letter = escapeLetters[source.getUint8(position)] as number;
    if (letter === 0x75) length += 6;
    else if (letter === 0x22 || letter === 0x5c) length += 3;
    else if (letter !== 0) length += 2;
  }
  return length;
}

export function writeInnerString(out: DataView, at: number, source: DataView, start: number, end: number): number {
  let next = writeInnerQuote(out, at);
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
      next = writeTwiceEscaped(out, next, byte);
      position++;
      continue;
    }
    const length = sequenceLength(source, position, end);
    if (length === 0) return refusal.invalidText;
    for (let index = 0; index < length; index++) out.setUint8(next + index, source.getUint8(position + index));
    next += length;
    position += length;
  }
  return writeInnerQuote(out, next);
}

/** Bytes of one base64 line: the server breaks lines after 76 characters. */
const bytesPerLine = 57;

export function innerBase64Length(bytes: number): number {
  return Math.ceil(bytes / 3) * 4 + Math.ceil(bytes / bytesPerLine) * 3;
}

/** Base64 as the server prints it inside a document: with a line feed, escaped twice, between lines. */
export function writeInnerBase64(out: DataView, at: number, source: DataView, start: number, end: number): number {
  let next = at;
  for (let position = start; position < end; position += bytesPerLine) {
    if (position > start) {
      out.setUint16(next, twoBackslashes, true);
      out.setUint8(next + 2, 0x6e);
      next += 3;
    }
    next = writeBase64Body(out, next, source, position, Math.min(end, position + bytesPerLine));
  }
  return next;
}
