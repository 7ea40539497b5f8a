import { CdcError } from '../errors/cdc-error.ts';
import type { FetchedBatch } from './fetched-batch.ts';

/**
 * Walks the records of a fetched batch without an object per record: after `next` returned true the fields describe
 * the current record as ranges of `bytes`. Throws `BROKER_BATCH_CORRUPT` where lengths do not add up.
 */
export class RecordCursor {
  bytes: Buffer = Buffer.alloc(0);
  offset = 0;
  timestampMs = 0;
  /** −1/−1 for a null key. */
  keyStart = 0;
  keyEnd = 0;
  /** −1/−1 for a null value (tombstone). */
  valueStart = 0;
  valueEnd = 0;
  headersStart = 0;
  headerCount = 0;
  /** Set by `header`; −1/−1 for a null value. */
  headerValueStart = 0;
  headerValueEnd = 0;

  #batch: FetchedBatch | null = null;
  #at = 0;
  #left = 0;

  open(batch: FetchedBatch): void {
    this.#batch = batch;
    this.bytes = batch.bytes;
    this.#at = 0;
    this.#left = batch.count;
  }

  /** Moves to the next wanted record; false after the last one. */
  next(): boolean {
    const batch = this.#batch;
    if (batch === null) return false;
    while (this.#left > 0) {
      this.#left--;
      this.#readRecord(batch);
      if (this.offset >= batch.startOffset) return true;
    }
    return false;
  }

  /** Finds the last header of that name and puts its value's range into `headerValueStart` and `headerValueEnd`. */
  header(name: Buffer): boolean {
    const recordEnd = this.#at;
    const bytes = this.bytes;
    let found = false;
    this.#at = this.headersStart;
    for (let index = 0; index < this.headerCount; index++) {
      const nameLength = this.#varint();
      const nameStart = this.#at;
      this.#at += nameLength;
      const valueLength = this.#varint();
      const valueStart = this.#at;
      this.#at += valueLength < 0 ? 0 : valueLength;
      if (nameLength !== name.length || !sameBytes(bytes, nameStart, name)) continue;
      found = true;
      this.headerValueStart = valueLength < 0 ? -1 : valueStart;
      this.headerValueEnd = valueLength < 0 ? -1 : this.#at;
    }
    this.#at = recordEnd;
    return found;
  }

  #readRecord(batch: FetchedBatch): void {
    const length = this.#varint();
    const end = this.#at + length;
    if (length < 0 || end > this.bytes.length) throw this.#corrupt();
    this.#at++;
    const timestampDelta = this.#varint();
    this.timestampMs = batch.appendTimeMs ?? batch.baseTimestampMs + timestampDelta;
    this.offset = batch.baseOffset + this.#varint();
    const keyLength = this.#varint();
    this.keyStart = keyLength < 0 ? -1 : this.#at;
    if (keyLength > 0) this.#at += keyLength;
    this.keyEnd = keyLength < 0 ? -1 : this.#at;
    const valueLength = this.#varint();
    this.valueStart = valueLength < 0 ? -1 : this.#at;
    if (valueLength > 0) this.#at += valueLength;
    this.valueEnd = valueLength < 0 ? -1 : this.#at;
    this.headerCount = this.#varint();
    this.headersStart = this.#at;
    if (this.#at > end) throw this.#corrupt();
    this.#at = end;
  }

  #varint(): number {
    const bytes = this.bytes;
    const first = bytes[this.#at];
    if (first === undefined) throw this.#corrupt();
    if (first < 0x80) {
      this.#at++;
      return (first >>> 1) ^ -(first & 1);
    }
    return this.#longVarint();
  }

  #longVarint(): number {
    const bytes = this.bytes;
    let low = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = bytes[this.#at++];
      if (byte === undefined) throw this.#corrupt();
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (low >>> 1) ^ -(low & 1);
    }
    let value = low;
    for (let scale = 0x10000000; scale <= 2 ** 56; scale *= 0x80) {
      const byte = bytes[this.#at++];
      if (byte === undefined) throw this.#corrupt();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
    throw this.#corrupt();
  }

  #corrupt(): CdcError {
    const batch = this.#batch;
    return new CdcError('BROKER_BATCH_CORRUPT', 'the records of a batch do not parse', {
      details: {
        topic: batch?.topic ?? '',
        partition: batch?.partition ?? -1,
        batch: batch?.baseOffset ?? -1,
        at: this.#at,
      },
    });
  }
}

function sameBytes(bytes: Buffer, start: number, expected: Buffer): boolean {
  for (let index = 0; index < expected.length; index++) {
    if (bytes[start + index] !== expected[index]) return false;
  }
  return true;
}
