import { CdcError } from '@millrace/shared/errors/cdc-error.ts';

import { countRange } from './position-set.ts';
import type { PositionSet } from './position-set.ts';

/** Roaring bitmaps, portable format (RoaringFormatSpec), with 64-bit keys as Iceberg and Delta frame them. */

const cookieWithRuns = 12_347;
const cookieWithoutRuns = 12_346;
const wordsPerContainer = 2048;
const arrayLimit = 4096;
const bitmapBytes = 8192;
const offsetThreshold = 4;

type Shape = 'array' | 'bitmap' | 'run';

interface Container {
  readonly key: number;
  readonly firstWord: number;
  readonly lastWord: number;
  readonly cardinality: number;
  readonly runs: number;
  readonly shape: Shape;
  readonly bytes: number;
}

function describeContainer(key: number, words: Uint32Array): Container | null {
  const firstWord = key * wordsPerContainer;
  const lastWord = Math.min(firstWord + wordsPerContainer, words.length);
  const { cardinality, runs } = countRange(words, firstWord, lastWord);
  if (cardinality === 0) return null;
  const plainBytes = cardinality <= arrayLimit ? 2 * cardinality : bitmapBytes;
  const runBytes = 2 + 4 * runs;
  if (runBytes < plainBytes) return { key, firstWord, lastWord, cardinality, runs, shape: 'run', bytes: runBytes };
  const shape = cardinality <= arrayLimit ? 'array' : 'bitmap';
  return { key, firstWord, lastWord, cardinality, runs, shape, bytes: plainBytes };
}

function containersOf(words: Uint32Array): Container[] {
  const containers: Container[] = [];
  for (let key = 0; key * wordsPerContainer < words.length; key++) {
    const container = describeContainer(key, words);
    if (container !== null) containers.push(container);
  }
  return containers;
}

function writeArray(out: Buffer, at: number, words: Uint32Array, container: Container): void {
  let next = at;
  for (let index = container.firstWord; index < container.lastWord; index++) {
    let word = words[index] as number;
    while (word !== 0) {
      const lowest = word & -word;
      next = out.writeUInt16LE((index - container.firstWord) * 32 + 31 - Math.clz32(lowest), next);
      word ^= lowest;
    }
  }
}

function writeBitmap(out: Buffer, at: number, words: Uint32Array, container: Container): void {
  out.fill(0, at, at + bitmapBytes);
  let next = at;
  for (let index = container.firstWord; index < container.lastWord; index++) {
    next = out.writeUInt32LE(words[index] as number, next);
  }
}

function writeRuns(out: Buffer, at: number, words: Uint32Array, container: Container): void {
  let next = out.writeUInt16LE(container.runs, at);
  let start = -1;
  let previous = -2;
  for (let index = container.firstWord; index < container.lastWord; index++) {
    let word = words[index] as number;
    while (word !== 0) {
      const lowest = word & -word;
      const value = (index - container.firstWord) * 32 + 31 - Math.clz32(lowest);
      if (value !== previous + 1) {
        if (start >= 0) next = out.writeUInt16LE(previous - start, out.writeUInt16LE(start, next));
        start = value;
      }
      previous = value;
      word ^= lowest;
    }
  }
  out.writeUInt16LE(previous - start, out.writeUInt16LE(start, next));
}

function writeHeader(out: Buffer, containers: readonly Container[], hasRuns: boolean): number {
  const count = containers.length;
  if (!hasRuns) return out.writeUInt32LE(count, out.writeUInt32LE(cookieWithoutRuns, 0));
  const at = out.writeUInt16LE(count - 1, out.writeUInt16LE(cookieWithRuns, 0));
  const flags = (count + 7) >>> 3;
  out.fill(0, at, at + flags);
  containers.forEach((container, i) => {
    if (container.shape === 'run') out[at + (i >>> 3)] = (out[at + (i >>> 3)] as number) | (1 << (i & 7));
  });
  return at + flags;
}

/** One 32-bit bitmap of the portable format. */
function encodeRoaring32(words: Uint32Array): Buffer | null {
  const containers = containersOf(words);
  if (containers.length === 0) return null;
  const hasRuns = containers.some((container) => container.shape === 'run');
  const count = containers.length;
  const headerBytes = hasRuns ? 4 + ((count + 7) >>> 3) : 8;
  const withOffsets = !hasRuns || count >= offsetThreshold;
  const bodyStart = headerBytes + 4 * count + (withOffsets ? 4 * count : 0);
  const bodyBytes = containers.reduce((sum, container) => sum + container.bytes, 0);
  const out = Buffer.allocUnsafe(bodyStart + bodyBytes);
  let at = writeHeader(out, containers, hasRuns);
  for (const container of containers) {
    at = out.writeUInt16LE(container.cardinality - 1, out.writeUInt16LE(container.key, at));
  }
  let body = bodyStart;
  for (const container of containers) {
    if (withOffsets) at = out.writeUInt32LE(body, at);
    if (container.shape === 'run') writeRuns(out, body, words, container);
    else if (container.shape === 'array') writeArray(out, body, words, container);
    else writeBitmap(out, body, words, container);
    body += container.bytes;
  }
  return out;
}

/** Positions below 2^32 as a 64-bit portable bitmap: number of keys, then key and bitmap each. */
export function encodeRoaring64(set: PositionSet): Buffer {
  const bitmap = encodeRoaring32(set.words);
  const head = Buffer.alloc(bitmap === null ? 8 : 12);
  if (bitmap === null) return head;
  head.writeBigUInt64LE(1n, 0);
  return Buffer.concat([head, bitmap]);
}

function malformed(reason: string): CdcError {
  return new CdcError('DESTINATION_SCHEMA_INCOMPATIBLE', 'a deletion vector of the table cannot be read', {
    details: { reason },
    hint: 'The table is damaged: roll it back to an earlier snapshot, or restore it and replay.',
  });
}

function readContainer(bytes: Buffer, at: number, base: number, shape: Shape, cardinality: number, into: PositionSet) {
  if (shape === 'bitmap') {
    for (let i = 0; i < wordsPerContainer; i++) {
      const word = bytes.readUInt32LE(at + 4 * i);
      if (word !== 0) into.addWord((base >>> 5) + i, word);
    }
    return at + bitmapBytes;
  }
  if (shape === 'array') {
    for (let i = 0; i < cardinality; i++) into.add(base + bytes.readUInt16LE(at + 2 * i));
    return at + 2 * cardinality;
  }
  const runs = bytes.readUInt16LE(at);
  for (let i = 0; i < runs; i++) {
    const start = bytes.readUInt16LE(at + 2 + 4 * i);
    into.addRange(base + start, base + start + bytes.readUInt16LE(at + 4 + 4 * i));
  }
  return at + 2 + 4 * runs;
}

function decodeRoaring32(bytes: Buffer, start: number, into: PositionSet): number {
  const cookie = bytes.readUInt32LE(start);
  const hasRuns = (cookie & 0xffff) === cookieWithRuns;
  if (!hasRuns && cookie !== cookieWithoutRuns) throw malformed('bad-cookie');
  const count = hasRuns ? (cookie >>> 16) + 1 : bytes.readUInt32LE(start + 4);
  const flags = start + 4;
  const keys = hasRuns ? flags + ((count + 7) >>> 3) : start + 8;
  const withOffsets = !hasRuns || count >= offsetThreshold;
  let at = keys + 4 * count + (withOffsets ? 4 * count : 0);
  for (let i = 0; i < count; i++) {
    const base = bytes.readUInt16LE(keys + 4 * i) * 65_536;
    const cardinality = bytes.readUInt16LE(keys + 4 * i + 2) + 1;
    const isRun = hasRuns && ((bytes[flags + (i >>> 3)] as number) & (1 << (i & 7))) !== 0;
    const shape = isRun ? 'run' : cardinality <= arrayLimit ? 'array' : 'bitmap';
    at = readContainer(bytes, at, base, shape, cardinality, into);
  }
  return at;
}

/** Reads what `encodeRoaring64` writes, and what other writers may write: empty bitmaps for absent low keys included. */
export function decodeRoaring64(bytes: Buffer, into: PositionSet): void {
  try {
    const keys = Number(bytes.readBigUInt64LE(0));
    let at = 8;
    for (let i = 0; i < keys; i++) {
      const key = bytes.readUInt32LE(at);
      const before = into.cardinality;
      at = decodeRoaring32(bytes, at + 4, into);
      if (key !== 0 && into.cardinality !== before) throw malformed('position-beyond-32-bits');
    }
    if (at !== bytes.length) throw malformed('trailing-bytes');
  } catch (error) {
    if (error instanceof RangeError) throw malformed('truncated');
    throw error;
  }
}
