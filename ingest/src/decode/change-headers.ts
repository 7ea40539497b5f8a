import { digitsAt } from '@millrace/shared/bytes/digits.ts';
import type { RecordCursor } from '@millrace/shared/kafka/record-cursor.ts';

const prefix = Buffer.from('mr.');

/** Millrace's own headers of one record as ranges of its batch; −1 where absent. One object is filled again and again. */
export class ChangeHeaders {
  sourceStart = -1;
  sourceEnd = -1;
  positionStart = -1;
  positionEnd = -1;
  schemaStart = -1;
  schemaEnd = -1;
  /** Commit time, µs; 0 when absent. */
  timeMicros = 0;
  isSnapshot = false;
  hasUnavailable = false;
  #at = 0;

  /** One pass over the headers of the cursor's record. */
  read(cursor: RecordCursor): void {
    const { bytes } = cursor;
    this.sourceStart = -1;
    this.positionStart = -1;
    this.schemaStart = -1;
    this.timeMicros = 0;
    this.isSnapshot = false;
    this.hasUnavailable = false;
    this.#at = cursor.headersStart;
    for (let left = cursor.headerCount; left > 0; left--) {
      const nameLength = this.#varint(bytes);
      const name = this.#at;
      this.#at += nameLength;
      const valueLength = this.#varint(bytes);
      const start = this.#at;
      if (valueLength > 0) this.#at += valueLength;
      if (nameLength > 3 && valueLength >= 0 && startsWithPrefix(bytes, name)) {
        this.#take(bytes, name + 3, nameLength - 3, start, this.#at);
      }
    }
  }

  #take(bytes: Buffer, name: number, length: number, start: number, end: number): void {
    switch (bytes[name]) {
      case 0x70: // pos
        if (length !== 3) return;
        this.positionStart = start;
        this.positionEnd = end;
        return;
      case 0x73: // src, schema, snap
        this.#takeOfS(bytes, name, length, start, end);
        return;
      case 0x74: // ts; tx and txi are others
        if (length === 2 && bytes[name + 1] === 0x73) this.timeMicros = digitsAt(bytes, start, end);
        return;
      case 0x75: // unavailable
        if (length === 11) this.hasUnavailable = true;
        return;
      default:
    }
  }

  #takeOfS(bytes: Buffer, name: number, length: number, start: number, end: number): void {
    if (length === 3 && bytes[name + 1] === 0x72) {
      this.sourceStart = start;
      this.sourceEnd = end;
    } else if (length === 6 && bytes[name + 1] === 0x63) {
      this.schemaStart = start;
      this.schemaEnd = end;
    } else if (length === 4 && bytes[name + 1] === 0x6e) {
      this.isSnapshot = true;
    }
  }

  #varint(bytes: Buffer): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = bytes[this.#at++] as number;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    return (value >>> 1) ^ -(value & 1);
  }
}

function startsWithPrefix(bytes: Buffer, at: number): boolean {
  return bytes[at] === prefix[0] && bytes[at + 1] === prefix[1] && bytes[at + 2] === prefix[2];
}
