import { ByteWriter } from '@millrace/shared/bytes/byte-writer.ts';

import type { RowSpans } from '../destination.ts';
import type { CopyText } from './copy-text.ts';

const backslash = 0x5c;
const quote = 0x22;
const tab = 0x09;
const newline = 0x0a;
const comma = 0x2c;
const openBrace = 0x7b;
const closeBrace = 0x7d;

const escapeValue = new Map([
  [0x62, 0x08],
  [0x66, 0x0c],
  [0x6e, newline],
  [0x72, 0x0d],
  [0x74, tab],
]);

/** One field of COPY text as a quoted element of an array literal; returns where the next field starts. */
function putElement(copyText: Buffer, from: number, out: ByteWriter): number {
  let at = from;
  while (copyText[at] !== tab && copyText[at] !== newline) at++;
  const bytes = out.reserve(2 * (at - from) + 3);
  let to = out.length;
  bytes[to] = to === 0 ? openBrace : comma;
  to++;
  bytes[to++] = quote;
  for (let read = from; read < at; read++) {
    let byte = copyText[read] as number;
    if (byte === backslash) {
      const escaped = copyText[++read] as number;
      byte = escapeValue.get(escaped) ?? escaped;
    }
    if (byte === quote || byte === backslash) bytes[to++] = backslash;
    bytes[to++] = byte;
  }
  bytes[to++] = quote;
  out.length = to;
  return at + 1;
}

/**
 * Keys of rows as array literals, one per key column, for `= ANY` and `unnest`. The same transcoder that writes rows
 * writes them, so a key is spelled as its row was.
 */
export class KeyArrays {
  readonly #copyText: CopyText;
  readonly #rows = new ByteWriter();
  readonly #arrays: readonly ByteWriter[];

  constructor(keyCopyText: CopyText, keyColumns: number) {
    this.#copyText = keyCopyText;
    this.#arrays = Array.from({ length: keyColumns }, () => new ByteWriter(4096));
  }

  /** At least one row. */
  literals(rows: RowSpans): readonly string[] {
    const text = this.#rows;
    text.clear();
    for (const array of this.#arrays) array.clear();
    this.#copyText.write(rows, 0, text, Number.POSITIVE_INFINITY);
    let at = 0;
    while (at < text.length) for (const array of this.#arrays) at = putElement(text.bytes, at, array);
    return this.#arrays.map((array) => {
      array.appendByte(closeBrace);
      return array.bytes.toString('utf8', 0, array.length);
    });
  }
}
