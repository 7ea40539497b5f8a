import type { ByteWriter } from '@millrace/shared/bytes/byte-writer.ts';
import { ConstantBytes } from '@millrace/shared/format/constant-bytes.ts';

import { integerEnd, keyTag, putKeyPart } from './key-part.ts';

const quote = 0x22;
const backslash = 0x5c;

/** Where a value stands in a key object: the content of a text, or a number. */
export interface KeyValue {
  readonly start: number;
  readonly end: number;
  readonly isText: boolean;
}

/**
 * The bytes around the values of a record key as one writer spells it for every row of a table. A key with the same
 * bytes around its values holds the same fields, so only the values are looked at.
 */
export class KeyLayout {
  readonly #around: readonly ConstantBytes[];
  readonly #isText: readonly boolean[];

  /** `values` in the order in which they stand in the object `bytes[start, end)`, which was read in full. */
  constructor(bytes: Buffer, start: number, end: number, values: readonly KeyValue[]) {
    const starts = [start, ...values.map((value) => value.end)];
    const ends = [...values.map((value) => value.start), end];
    this.#around = starts.map((from, index) => new ConstantBytes(bytes.subarray(from, ends[index])));
    this.#isText = values.map((value) => value.isText);
  }

  /**
   * Puts the identity of the key into `out`, the same that `RowKey` makes of the object. False, with anything in `out`,
   * where the key has another layout or a value other than an integer or plain ASCII text.
   */
  read(bytes: Buffer, view: DataView, start: number, end: number, out: ByteWriter): boolean {
    const around = this.#around;
    const isText = this.#isText;
    out.clear();
    let at = start;
    for (let index = 0; index < isText.length; index++) {
      const constant = around[index] as ConstantBytes;
      if (at + constant.length >= end || !constant.standsAt(view, at)) return false;
      at += constant.length;
      const valueEnd = isText[index] === true ? textEnd(bytes, at, end) : integerEnd(bytes, at, end);
      if (valueEnd < 0) return false;
      const isInteger = isText[index] !== true || (valueEnd > at && integerEnd(bytes, at, valueEnd) === valueEnd);
      putKeyPart(isInteger ? keyTag.number : keyTag.text, bytes, at, valueEnd, out);
      at = valueEnd;
    }
    const last = around[isText.length] as ConstantBytes;
    return at + last.length === end && last.standsAt(view, at);
  }
}

/** Place of the quote after plain ASCII text, −1 where the text is another. */
function textEnd(bytes: Buffer, start: number, end: number): number {
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte === quote) return at;
    if (byte < 0x20 || byte >= 0x80 || byte === backslash) return -1;
  }
  return -1;
}
