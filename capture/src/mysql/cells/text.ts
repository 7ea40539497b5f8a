import { unitScratch } from '../charset.ts';
import type { Charset } from '../charset.ts';
import { escapeEntryBytes } from '../charset/single-byte.ts';
import type { UnitDecoder } from '../charset/unit-decoder.ts';
import { needsCare, writeEscapedUnits, writeEscapedUtf8 } from './json-escape.ts';
import { refusal } from './refusal.ts';

/** Character cells as JSON strings, by the kind of their charset (T23). Both protocols give the same bytes. */

const quote = 0x22;

export function writeUtf8(out: DataView, at: number, source: DataView, start: number, end: number): number {
  out.setUint8(at, quote);
  const next = writeEscapedUtf8(out, at + 1, source, start, end);
  if (next < 0) return next;
  out.setUint8(next, quote);
  return next + 1;
}

/** Charsets of one byte per character: words of plain ASCII are copied, other bytes go through the table. */
export function writeSingleByte(
  out: DataView,
  at: number,
  source: DataView,
  start: number,
  end: number,
  escapes: Uint8Array,
  asciiBelow80: boolean,
): number {
  out.setUint8(at, quote);
  let next = at + 1;
  let position = start;
  const lastWord = asciiBelow80 ? end - 4 : -1;
  while (position < end) {
    while (position <= lastWord) {
      const word = source.getInt32(position, true);
      if (needsCare(word)) break;
      out.setInt32(next, word, true);
      position += 4;
      next += 4;
    }
    if (position >= end) break;
    const entry = source.getUint8(position++) * escapeEntryBytes;
    const length = escapes[entry] as number;
    if (length === 0) return refusal.invalidText;
    for (let index = 1; index <= length; index++) out.setUint8(next++, escapes[entry + index] as number);
  }
  out.setUint8(next, quote);
  return next + 1;
}

export function writeMultiByte(
  out: DataView,
  at: number,
  source: DataView,
  start: number,
  end: number,
  decode: UnitDecoder,
): number {
  const units = unitScratch(end - start);
  const count = decode(source, start, end, units, false);
  if (count < 0) return refusal.invalidText;
  return writeUnits(out, at, units, count);
}

function writeUnits(out: DataView, at: number, units: Uint16Array, count: number): number {
  out.setUint8(at, quote);
  const next = writeEscapedUnits(out, at + 1, units, count);
  out.setUint8(next, quote);
  return next + 1;
}

/** Any charset with U+FFFD for what it cannot decode (T29); slow. */
export function writeReplaced(
  out: DataView,
  at: number,
  source: DataView,
  start: number,
  end: number,
  charset: Charset,
): number {
  const units = unitScratch(end - start);
  if (charset.kind === 'single-byte' || charset.kind === 'multi-byte') {
    return writeUnits(out, at, units, charset.decode(source, start, end, units, true));
  }
  const text = Buffer.from(source.buffer, source.byteOffset + start, end - start).toString('utf8');
  for (let index = 0; index < text.length; index++) units[index] = text.charCodeAt(index);
  return writeUnits(out, at, units, text.length);
}

/** The text of a cell; null if its charset cannot decode it. */
export function readText(source: DataView, start: number, end: number, charset: Charset): string | null {
  const bytes = Buffer.from(source.buffer, source.byteOffset + start, end - start);
  if (charset.kind === 'utf8' || charset.kind === 'binary') {
    const text = bytes.toString('utf8');
    return Buffer.from(text, 'utf8').equals(bytes) ? text : null;
  }
  const units = new Uint16Array(end - start);
  const count = charset.decode(source, start, end, units, false);
  return count < 0 ? null : Buffer.from(units.buffer, 0, count * 2).toString('utf16le');
}
