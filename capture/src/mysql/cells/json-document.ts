import { writeBoolean, writeNull } from './ascii.ts';
import { writeInt32, writeInt64, writeUint32, writeUint64 } from './digits.ts';
import {
  innerBase64Length,
  innerStringFactor,
  innerStringLength,
  writeInnerBase64,
  writeInnerQuote,
  writeInnerString,
} from './json-inner-string.ts';
import { writeJsonDouble } from './json-number.ts';
import { writeJsonDecimal, writePackedDateTime, writePackedTime } from './json-opaque.ts';
import { writeAscii } from './floating.ts';
import { refusal } from './refusal.ts';

/**
 * JSON cells of the log (MySQL's binary format) as a JSON string that holds the document's text, byte for byte as the
 * server prints it (T31, T170), or without blanks. Walked straight from bytes to escaped text.
 */

/** Element types of the binary format. */
const element = {
  smallObject: 0,
  largeObject: 1,
  smallArray: 2,
  largeArray: 3,
  literal: 4,
  int16: 5,
  uint16: 6,
  int32: 7,
  uint32: 8,
  int64: 9,
  uint64: 10,
  double: 11,
  string: 12,
  opaque: 15,
} as const;

/** The server's own limit. */
const greatestDepth = 100;
/** Room for any scalar but strings and opaque bytes, with separators. */
const scalarRoom = 128;

/** What stays the same while one document is walked. Set before, never kept. */
const walk = { limit: 0, end: 0, compact: false };

/**
 * Appends the document in `source[start, end)`, an empty cell being JSON null (T32). `limit` is where the output must
 * end; `refusal.room` when it would pass it.
 */
export function writeJsonDocument(
  out: DataView,
  at: number,
  source: DataView,
  start: number,
  end: number,
  limit: number,
  compact: boolean,
): number {
  walk.limit = limit - scalarRoom;
  walk.end = end;
  walk.compact = compact;
  out.setUint8(at, 0x22);
  const next =
    start === end ? writeNull(out, at + 1) : writeElement(out, at + 1, source, start + 1, source.getUint8(start), 0);
  if (next < 0) return next;
  out.setUint8(next, 0x22);
  return next + 1;
}

/** Writes the element of `type` whose data begin at `position`. */
function writeElement(
  out: DataView,
  at: number,
  source: DataView,
  position: number,
  type: number,
  depth: number,
): number {
  if (at > walk.limit) return refusal.room;
  const bytes = walk.end - position;
  if (bytes < 1) return refusal.corrupt;
  switch (type) {
    case element.smallObject:
    case element.largeObject:
    case element.smallArray:
    case element.largeArray:
      return writeContainer(out, at, source, position, type, depth + 1);
    case element.literal:
      return writeLiteral(out, at, source.getUint8(position));
    case element.int16:
      return bytes < 2 ? refusal.corrupt : writeInt32(out, at, source.getInt16(position, true));
    case element.uint16:
      return bytes < 2 ? refusal.corrupt : writeUint32(out, at, source.getUint16(position, true));
    case element.int32:
      return bytes < 4 ? refusal.corrupt : writeInt32(out, at, source.getInt32(position, true));
    case element.uint32:
      return bytes < 4 ? refusal.corrupt : writeUint32(out, at, source.getUint32(position, true));
    case element.int64:
      if (bytes < 8) return refusal.corrupt;
      return writeInt64(out, at, source.getUint32(position + 4, true), source.getUint32(position, true));
    case element.uint64:
      if (bytes < 8) return refusal.corrupt;
      return writeUint64(out, at, source.getUint32(position + 4, true), source.getUint32(position, true));
    case element.double:
      return bytes < 8 ? refusal.corrupt : writeJsonDouble(out, at, source.getFloat64(position, true));
    case element.string:
      return writeStringElement(out, at, source, position);
    case element.opaque:
      return writeOpaque(out, at, source, position);
    default:
      return refusal.corrupt;
  }
}

function writeLiteral(out: DataView, at: number, literal: number): number {
  if (literal === 0) return writeNull(out, at);
  return literal < 3 ? writeBoolean(out, at, literal === 1) : refusal.corrupt;
}

/** Seven bits per byte, low first. */
const lengthField = { value: 0, next: 0 };

function readLength(source: DataView, position: number): boolean {
  let value = 0;
  for (let index = 0; index < 5 && position + index < walk.end; index++) {
    const byte = source.getUint8(position + index);
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) {
      lengthField.value = value;
      lengthField.next = position + index + 1;
      return lengthField.next + value <= walk.end;
    }
  }
  return false;
}

function writeStringElement(out: DataView, at: number, source: DataView, position: number): number {
  if (!readLength(source, position)) return refusal.corrupt;
  return writeRoomyString(out, at, source, lengthField.next, lengthField.next + lengthField.value);
}

function writeRoomyString(out: DataView, at: number, source: DataView, start: number, end: number): number {
  if (at + (end - start) * innerStringFactor > walk.limit && at + innerStringLength(source, start, end) > walk.limit) {
    return refusal.room;
  }
  return writeInnerString(out, at, source, start, end);
}

function isInline(type: number, large: boolean): boolean {
  if (type === element.literal || type === element.int16 || type === element.uint16) return true;
  return large && (type === element.int32 || type === element.uint32);
}

function offsetAt(source: DataView, position: number, large: boolean): number {
  return large ? source.getUint32(position, true) : source.getUint16(position, true);
}

/** Objects and arrays: count, size, key entries, value entries; offsets count from the count field. */
function writeContainer(
  out: DataView,
  at: number,
  source: DataView,
  start: number,
  type: number,
  depth: number,
): number {
  const large = type === element.largeObject || type === element.largeArray;
  const isObject = type === element.smallObject || type === element.largeObject;
  const width = large ? 4 : 2;
  if (depth > greatestDepth || start + 2 * width > walk.end) return refusal.corrupt;
  const count = offsetAt(source, start, large);
  const size = offsetAt(source, start + width, large);
  const keys = start + 2 * width;
  const values = isObject ? keys + count * (width + 2) : keys;
  if (start + size > walk.end || values + count * (width + 1) > walk.end) return refusal.corrupt;
  let next = at;
  out.setUint8(next++, isObject ? 0x7b : 0x5b);
  for (let index = 0; index < count; index++) {
    if (index > 0) next = writeSeparator(out, next, 0x2c);
    if (isObject) {
      const entry = keys + index * (width + 2);
      const keyStart = start + offsetAt(source, entry, large);
      const keyEnd = keyStart + source.getUint16(entry + width, true);
      if (keyEnd > walk.end) return refusal.corrupt;
      next = writeRoomyString(out, next, source, keyStart, keyEnd);
      if (next < 0) return next;
      next = writeSeparator(out, next, 0x3a);
    }
    const entry = values + index * (width + 1);
    const valueType = source.getUint8(entry);
    const position = isInline(valueType, large) ? entry + 1 : start + offsetAt(source, entry + 1, large);
    next = writeElement(out, next, source, position, valueType, depth);
    if (next < 0) return next;
  }
  out.setUint8(next, isObject ? 0x7d : 0x5d);
  return next + 1;
}

function writeSeparator(out: DataView, at: number, separator: number): number {
  out.setUint8(at, separator);
  if (walk.compact) return at + 1;
  out.setUint8(at + 1, 0x20);
  return at + 2;
}

/** Values that JSON itself does not have: decimals are numbers, temporals text, all others base64 (T169). */
function writeOpaque(out: DataView, at: number, source: DataView, position: number): number {
  const type = source.getUint8(position);
  if (!readLength(source, position + 1)) return refusal.corrupt;
  const start = lengthField.next;
  const length = lengthField.value;
  switch (type) {
    case 246:
      return writeJsonDecimal(out, at, source, start, length);
    case 7:
    case 10:
    case 12:
      return length === 8 ? writePackedDateTime(out, at, source, start, type === 10) : refusal.corrupt;
    case 11:
      return length === 8 ? writePackedTime(out, at, source, start) : refusal.corrupt;
    default:
      if (at + innerBase64Length(length) > walk.limit) return refusal.room;
      return writeTyped(out, at, source, start, length, type);
  }
}

function writeTyped(out: DataView, at: number, source: DataView, start: number, length: number, type: number): number {
  let next = writeInnerQuote(out, at);
  next = writeAscii(out, next, 'base64:type');
  next = writeUint32(out, next, type);
  out.setUint8(next, 0x3a);
  next = writeInnerBase64(out, next + 1, source, start, start + length);
  return writeInnerQuote(out, next);
}
