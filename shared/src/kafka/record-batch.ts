import { invariantBroken } from '../errors/cdc-error.ts';
import { copyRange } from './gather.ts';
import type { Gather } from './gather.ts';
import { unsignedVarintBytes, unzigzag, varintBytes, writeUnsignedVarint, writeVarint, zigzag } from './varint.ts';

/** Bytes before the first record of a batch (record format v2). */
export const batchHeaderBytes = 61;

/** Upper bound of what a record adds to a batch beyond the bytes of its key, value and headers. */
export const recordOverheadBytes = 40;

/** A place between two records of a batch under construction. */
export interface BatchMark {
  length: number;
  count: number;
  maxTimestampMs: number;
}

/**
 * A record batch under construction in one buffer that is reused for the next batch. The first 61 bytes are left for
 * the header, which is written when the batch is sealed. Records are never held as objects.
 *
 * Record => length attributes timestampDelta offsetDelta keyLength key valueLength value headerCount headers
 */
export class RecordBatchBuilder {
  bytes: Buffer;
  length = batchHeaderBytes;
  count = 0;
  baseTimestampMs = 0;
  maxTimestampMs = 0;

  constructor(capacity = 16_384) {
    this.bytes = Buffer.allocUnsafeSlow(Math.max(capacity, batchHeaderBytes));
  }

  /** A negative `keyStart` or `keyEnd` is a null key, `value` null a tombstone; `headers[headersStart, headersEnd)` is an encoded block. */
  append(
    timestampMs: number,
    key: Buffer,
    keyStart: number,
    keyEnd: number,
    value: Gather | null,
    headers: Buffer,
    headersStart: number,
    headersEnd: number,
    headerCount: number,
  ): void {
    const keyBytes = keyStart < 0 || keyEnd < 0 ? -1 : keyEnd - keyStart;
    const valueBytes = value === null ? -1 : value.totalBytes;
    const restBytes =
      varintBytes(keyBytes) +
      (keyBytes < 0 ? 0 : keyBytes) +
      varintBytes(valueBytes) +
      (valueBytes < 0 ? 0 : valueBytes) +
      varintBytes(headerCount) +
      headersEnd -
      headersStart;
    let at = this.#beginRecord(timestampMs, restBytes);
    const out = this.bytes;
    at = writeVarint(out, at, keyBytes);
    if (keyBytes > 0) at = copyRange(key, keyStart, keyEnd, out, at);
    at = writeVarint(out, at, valueBytes);
    if (value !== null) at = value.copyTo(out, at);
    at = writeVarint(out, at, headerCount);
    this.length = copyRange(headers, headersStart, headersEnd, out, at);
  }

  /** Notes the present end in `mark`, an object that the caller keeps and reuses. */
  saveMark(mark: BatchMark): void {
    mark.length = this.length;
    mark.count = this.count;
    mark.maxTimestampMs = this.maxTimestampMs;
  }

  /** Drops every record after the mark. */
  truncate(mark: BatchMark): void {
    this.length = mark.length;
    this.count = mark.count;
    this.maxTimestampMs = mark.maxTimestampMs;
  }

  /**
   * Moves every record after the mark to the end of `target`. Their deltas are written anew, because a batch must
   * count its offsets from zero.
   */
  moveTail(mark: BatchMark, target: RecordBatchBuilder): void {
    let at = mark.length;
    while (at < this.length) {
      const framed = readRecordFrame(this.bytes, at);
      const rest = framed.end - framed.restStart;
      const to = target.#beginRecord(this.baseTimestampMs + framed.timestampDelta, rest);
      this.bytes.copy(target.bytes, to, framed.restStart, framed.end);
      target.length = to + rest;
      at = framed.end;
    }
    this.truncate(mark);
  }

  /** The mark after the first `count` records. */
  markAfter(count: number): BatchMark {
    let at = batchHeaderBytes;
    let maxTimestampMs = this.baseTimestampMs;
    for (let index = 0; index < count; index++) {
      const framed = readRecordFrame(this.bytes, at);
      maxTimestampMs = Math.max(maxTimestampMs, this.baseTimestampMs + framed.timestampDelta);
      at = framed.end;
    }
    return { length: at, count, maxTimestampMs };
  }

  reset(): void {
    this.length = batchHeaderBytes;
    this.count = 0;
  }

  /** Writes length, attributes and deltas of the next record with room for its rest; returns where the rest begins. */
  #beginRecord(timestampMs: number, restBytes: number): number {
    if (this.count === 0) {
      this.baseTimestampMs = timestampMs;
      this.maxTimestampMs = timestampMs;
    } else if (timestampMs > this.maxTimestampMs) {
      this.maxTimestampMs = timestampMs;
    }
    const timestampDelta = zigzag(timestampMs - this.baseTimestampMs);
    const offsetDelta = this.count * 2;
    const bodyBytes = 1 + unsignedVarintBytes(timestampDelta) + unsignedVarintBytes(offsetDelta) + restBytes;
    this.#reserve(bodyBytes + 5);
    const out = this.bytes;
    let at = writeUnsignedVarint(out, this.length, bodyBytes * 2);
    out[at++] = 0;
    at = writeUnsignedVarint(out, at, timestampDelta);
    at = writeUnsignedVarint(out, at, offsetDelta);
    this.count++;
    return at;
  }

  #reserve(more: number): void {
    const needed = this.length + more;
    if (needed <= this.bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }
}

interface RecordFrame {
  readonly timestampDelta: number;
  readonly restStart: number;
  readonly end: number;
}

function readRecordFrame(bytes: Buffer, start: number): RecordFrame {
  const length = readUnsigned(bytes, start);
  const bodyStart = start + unsignedVarintBytes(length);
  const timestampDelta = readUnsigned(bytes, bodyStart + 1);
  const offsetAt = bodyStart + 1 + unsignedVarintBytes(timestampDelta);
  const offsetDelta = readUnsigned(bytes, offsetAt);
  return {
    timestampDelta: unzigzag(timestampDelta),
    restStart: offsetAt + unsignedVarintBytes(offsetDelta),
    end: bodyStart + unzigzag(length),
  };
}

function readUnsigned(bytes: Buffer, start: number): number {
  let value = 0;
  let scale = 1;
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value;
    scale *= 0x80;
  }
  throw invariantBroken('an own record batch does not parse');
}
