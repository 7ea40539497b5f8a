import { writeInt32, writeUint32 } from './digits.ts';
import { writeAscii } from './floating.ts';
import { refusal } from './refusal.ts';

/**
 * GEOMETRY: SRID (4 bytes) and WKB, little-endian. The value is a JSON string that holds
 * `{"coordinates":…,"type":"Point","srid":0}`, members in this order, axes as stored (T46).
 */

const typeNames = [
  '',
  'Point',
  'LineString',
  'Polygon',
  'MultiPoint',
  'MultiLineString',
  'MultiPolygon',
  'GeometryCollection',
];
const point = 1;
const lineString = 2;
const polygon = 3;
const collection = 7;
/** Kind of the members of a multi geometry. */
const memberOf = [0, 0, 0, 0, point, lineString, polygon];
const wkbHeader = 5;
const pointBytes = 16;
const greatestDepth = 100;

/** Where the next read starts; the geometry is read front to back once. */
const cursor = { position: 0, end: 0 };

export function writeGeometry(out: DataView, at: number, source: DataView, start: number, end: number): number {
  if (start === end) return refusal.unsupported;
  cursor.position = start + 4;
  cursor.end = end;
  const type = readHeader(source);
  if (type < 0) return refusal.corrupt;
  let next = writeAscii(out, at, type === collection ? '"{\\"geometries\\":' : '"{\\"coordinates\\":');
  next = writeShape(out, next, source, type, 0);
  if (next < 0) return next;
  if (cursor.position !== end) return refusal.corrupt;
  next = writeAscii(out, next, `,\\"type\\":\\"${typeNames[type] ?? ''}\\",\\"srid\\":`);
  next = writeUint32(out, next, source.getUint32(start, true));
  return writeAscii(out, next, '}"');
}

/** Byte order and type of a WKB header; −1 when it is none. */
function readHeader(source: DataView): number {
  const position = cursor.position;
  if (position + wkbHeader > cursor.end || source.getUint8(position) !== 1) return -1;
  const type = source.getUint32(position + 1, true);
  cursor.position = position + wkbHeader;
  return type >= point && type <= collection ? type : -1;
}

/** An element count, plausible for elements of at least `bytesEach`; −1 when it is not. */
function readCount(source: DataView, bytesEach: number): number {
  if (cursor.position + 4 > cursor.end) return -1;
  const count = source.getUint32(cursor.position, true);
  cursor.position += 4;
  return cursor.position + count * bytesEach <= cursor.end ? count : -1;
}

function writeShape(out: DataView, at: number, source: DataView, type: number, depth: number): number {
  if (depth > greatestDepth) return refusal.corrupt;
  switch (type) {
    case point:
      return cursor.position + pointBytes <= cursor.end ? writePoint(out, at, source) : refusal.corrupt;
    case lineString:
      return writePoints(out, at, source);
    case polygon:
      return writeRings(out, at, source);
    case collection:
      return writeMembers(out, at, source, 0, depth + 1);
    default:
      return writeMembers(out, at, source, memberOf[type] as number, depth + 1);
  }
}

function writePoint(out: DataView, at: number, source: DataView): number {
  out.setUint8(at, 0x5b);
  let next = writeCoordinate(out, at + 1, source.getFloat64(cursor.position, true));
  out.setUint8(next, 0x2c);
  next = writeCoordinate(out, next + 1, source.getFloat64(cursor.position + 8, true));
  out.setUint8(next, 0x5d);
  cursor.position += pointBytes;
  return next + 1;
}

/** Shortest digits, integral values without a fraction. */
function writeCoordinate(out: DataView, at: number, value: number): number {
  if (Object.is(value, -0)) return writeAscii(out, at, '-0');
  const whole = value | 0;
  return whole === value ? writeInt32(out, at, whole) : writeAscii(out, at, coordinateText(value));
}

function coordinateText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value).replace('e+', 'e');
}

function writePoints(out: DataView, at: number, source: DataView): number {
  const count = readCount(source, pointBytes);
  if (count < 0) return refusal.corrupt;
  let next = at;
  out.setUint8(next++, 0x5b);
  for (let index = 0; index < count; index++) {
    if (index > 0) out.setUint8(next++, 0x2c);
    next = writePoint(out, next, source);
  }
  out.setUint8(next, 0x5d);
  return next + 1;
}

function writeRings(out: DataView, at: number, source: DataView): number {
  const count = readCount(source, 4);
  if (count < 0) return refusal.corrupt;
  let next = at;
  out.setUint8(next++, 0x5b);
  for (let index = 0; index < count; index++) {
    if (index > 0) out.setUint8(next++, 0x2c);
    next = writePoints(out, next, source);
    if (next < 0) return next;
  }
  out.setUint8(next, 0x5d);
  return next + 1;
}

/** Members of a multi geometry (all of `only`, written as coordinates) or of a collection (`only` 0, whole objects). */
function writeMembers(out: DataView, at: number, source: DataView, only: number, depth: number): number {
  const count = readCount(source, wkbHeader);
  if (count < 0) return refusal.corrupt;
  let next = at;
  out.setUint8(next++, 0x5b);
  for (let index = 0; index < count; index++) {
    if (index > 0) out.setUint8(next++, 0x2c);
    const type = readHeader(source);
    if (type < 0 || (only !== 0 && type !== only)) return refusal.corrupt;
    if (only === 0) {
      const member = type === collection ? 'geometries' : 'coordinates';
      next = writeAscii(out, next, `{\\"type\\":\\"${typeNames[type] ?? ''}\\",\\"${member}\\":`);
    }
    next = writeShape(out, next, source, type, depth);
    if (next < 0) return next;
    if (only === 0) out.setUint8(next++, 0x7d);
  }
  out.setUint8(next, 0x5d);
  return next + 1;
}

interface Shape {
  readonly type: string;
  readonly body: string;
}

/** The text of the value, without its JSON quotes. */
export function readGeometry(source: DataView, start: number): string {
  let position = start + 4;
  const u32 = (): number => {
    position += 4;
    return source.getUint32(position - 4, true);
  };
  const pair = (): string => {
    position += 16;
    const [x, y] = [source.getFloat64(position - 16, true), source.getFloat64(position - 8, true)];
    return `[${coordinateText(x)},${coordinateText(y)}]`;
  };
  const list = (item: () => string): string => `[${Array.from({ length: u32() }, item).join(',')}]`;
  const shape = (): Shape => {
    position += 1;
    const type = u32();
    const name = typeNames[type] ?? '';
    if (type === point) return { type: name, body: pair() };
    if (type === lineString) return { type: name, body: list(pair) };
    if (type === polygon) return { type: name, body: list(() => list(pair)) };
    if (type !== collection) return { type: name, body: list(() => shape().body) };
    const member = (): string => {
      const { type: inner, body } = shape();
      return `{"type":"${inner}","${inner === 'GeometryCollection' ? 'geometries' : 'coordinates'}":${body}}`;
    };
    return { type: name, body: list(member) };
  };
  const { type, body } = shape();
  const member = type === 'GeometryCollection' ? 'geometries' : 'coordinates';
  return `{"${member}":${body},"type":"${type}","srid":${source.getUint32(start, true)}}`;
}
