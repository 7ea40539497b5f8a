import { escapeLetters, writeEscapedAscii } from './json-escape.ts';
import { asciiText } from './ascii.ts';
import { integerValue } from './digits.ts';
import { readDecimal } from './decimal.ts';
import { mysqlJsonDouble } from './json-number.ts';
import { refusal } from './refusal.ts';

/** The server's text of a JSON document: compacting it for snapshots, and reading it from the binary format. */

/**
 * The document text in `source[start, end)`, which the server printed, as a JSON string without the blanks behind
 * separators. UTF-8 is taken as the server made it.
 */
export function writeCompactJson(out: DataView, at: number, source: DataView, start: number, end: number): number {
  out.setUint8(at, 0x22);
  let next = at + 1;
  let inString = false;
  for (let position = start; position < end; position++) {
    const byte = source.getUint8(position);
    if (!inString && byte === 0x20) continue;
    if (byte === 0x22) inString = !inString;
    next = (escapeLetters[byte] as number) === 0 ? writeRaw(out, next, byte) : writeEscapedAscii(out, next, byte);
    if (byte === 0x5c && position + 1 < end) next = writeEscapedAscii(out, next, source.getUint8(++position));
  }
  if (inString) return refusal.corrupt;
  out.setUint8(next, 0x22);
  return next + 1;
}

function writeRaw(out: DataView, at: number, byte: number): number {
  out.setUint8(at, byte);
  return at + 1;
}

interface Separators {
  readonly comma: string;
  readonly colon: string;
}

/** The text of a binary document; the slow twin of `writeJsonDocument`. */
export function readJsonDocument(source: DataView, start: number, end: number, compact: boolean): string {
  if (start === end) return 'null';
  const separators = compact ? { comma: ',', colon: ':' } : { comma: ', ', colon: ': ' };
  return elementText(source, source.getUint8(start), start + 1, separators);
}

function elementText(source: DataView, type: number, position: number, separators: Separators): string {
  switch (type) {
    case 4:
      return ['null', 'true', 'false'][source.getUint8(position)] ?? '';
    case 5:
      return String(source.getInt16(position, true));
    case 6:
      return String(source.getUint16(position, true));
    case 7:
      return String(source.getInt32(position, true));
    case 8:
      return String(source.getUint32(position, true));
    case 9:
      return String(integerValue(source.getBigInt64(position, true)));
    case 10:
      return String(integerValue(source.getBigUint64(position, true)));
    case 11:
      return doubleText(source.getFloat64(position, true));
    case 12: {
      const { start, end } = lengthEncoded(source, position);
      return stringText(source, start, end);
    }
    case 15: {
      const { start, end } = lengthEncoded(source, position + 1);
      return opaqueText(source, source.getUint8(position), start, end);
    }
    default:
      return containerText(source, type, position, separators);
  }
}

function doubleText(value: number): string {
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  return sign + mysqlJsonDouble(String(Math.abs(value)));
}

function lengthEncoded(source: DataView, position: number): { start: number; end: number } {
  let length = 0;
  for (let index = 0; ; index++) {
    const byte = source.getUint8(position + index);
    length += (byte % 128) * 128 ** index;
    if (byte < 128) return { start: position + index + 1, end: position + index + 1 + length };
  }
}

function stringText(source: DataView, start: number, end: number): string {
  return JSON.stringify(Buffer.from(source.buffer, source.byteOffset + start, end - start).toString('utf8'));
}

function containerText(source: DataView, type: number, start: number, separators: Separators): string {
  const large = type % 2 === 1;
  const isObject = type < 2;
  const width = large ? 4 : 2;
  const offset = (position: number): number =>
    large ? source.getUint32(position, true) : source.getUint16(position, true);
  const count = offset(start);
  const values = start + 2 * width + (isObject ? count * (width + 2) : 0);
  const parts = Array.from({ length: count }, (_, index) => {
    const entry = values + index * (width + 1);
    const valueType = source.getUint8(entry);
    const inline = [4, 5, 6].includes(valueType) || (large && [7, 8].includes(valueType));
    const text = elementText(source, valueType, inline ? entry + 1 : start + offset(entry + 1), separators);
    if (!isObject) return text;
    const key = start + 2 * width + index * (width + 2);
    const keyStart = start + offset(key);
    return stringText(source, keyStart, keyStart + source.getUint16(key + width, true)) + separators.colon + text;
  });
  const body = parts.join(separators.comma);
  return isObject ? `{${body}}` : `[${body}]`;
}

function opaqueText(source: DataView, type: number, start: number, end: number): string {
  if (type === 246) return readDecimal(source, start + 2, source.getUint8(start), source.getUint8(start + 1));
  if (type === 7 || type === 10 || type === 12) return `"${packedText(source.getBigInt64(start, true), type)}"`;
  if (type === 11) {
    const packed = source.getBigInt64(start, true);
    return packed < 0n ? `"-${packedText(-packed, type)}"` : `"${packedText(packed, type)}"`;
  }
  const bytes = Buffer.from(asciiText(source, start, end), 'latin1').toString('base64');
  const lines = bytes.match(/.{1,76}/g) ?? [];
  return `"base64:type${type}:${lines.join('\\n')}"`;
}

function packedText(packed: bigint, type: number): string {
  const micros = String(packed & 0xff_ffffn).padStart(6, '0');
  const seconds = packed >> 24n;
  const two = (value: bigint): string => String(value).padStart(2, '0');
  const clockTail = `${two((seconds >> 6n) & 63n)}:${two(seconds & 63n)}.${micros}`;
  if (type === 11) return `${two((seconds >> 12n) & 1023n)}:${clockTail}`;
  const day = seconds >> 17n;
  const date = `${String(day / 416n).padStart(4, '0')}-${two((day >> 5n) % 13n)}-${two(day & 31n)}`;
  return type === 10 ? date : `${date} ${two((seconds >> 12n) & 31n)}:${clockTail}`;
}
