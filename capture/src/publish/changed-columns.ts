import type { ByteWriter } from '@millrace/shared/bytes/byte-writer.ts';
import { JsonScanner } from '@millrace/shared/format/json-scanner.ts';
import { jsonText } from '@millrace/shared/format/json-text.ts';

import type { RenderedRow } from '../source.ts';

const closeBrace = 0x7d;
const none = -1;

/** Where the value of the column being looked at stands in one image; `end` is −1 when the image lacks the column. */
interface Cursor {
  at: number;
  end: number;
}

/**
 * The old values of the changed columns alone, for `canal-json.old: changed`: compares the images of an update as they
 * were rendered, column by column.
 */
export class ChangedColumns {
  readonly #columns: readonly { readonly name: string; readonly field: Buffer }[];
  /** An absent column is null, unless the log did not carry it. */
  readonly #nullsLeftOut: boolean;
  readonly #scanner = new JsonScanner();
  readonly #before: Cursor = { at: 0, end: none };
  readonly #after: Cursor = { at: 0, end: none };

  constructor(columns: readonly string[], nullsLeftOut: boolean) {
    this.#columns = columns.map((name) => ({ name, field: Buffer.from(`${jsonText(name)}:`) }));
    this.#nullsLeftOut = nullsLeftOut;
  }

  /** Appends the object to the writer that holds the images. */
  append(out: ByteWriter, row: RenderedRow): void {
    const { beforeStart, beforeEnd, afterStart, afterEnd, unavailable } = row;
    const before = this.#before;
    const after = this.#after;
    before.at = beforeStart + 1;
    after.at = afterStart + 1;
    let separator = '{';
    for (const { name, field } of this.#columns) {
      const hadBefore = this.#enter(out.bytes, before, beforeEnd, field);
      const hasAfter = this.#enter(out.bytes, after, afterEnd, field);
      if (unavailable?.includes(name) !== true && this.#differs(out.bytes, hadBefore, hasAfter)) {
        out.appendAscii(separator);
        separator = ',';
        out.append(field);
        if (hadBefore) out.appendRange(out.bytes, before.at, before.end);
        else out.appendAscii('null');
      }
      leave(before);
      leave(after);
    }
    if (separator === '{') out.appendAscii('{');
    out.appendByte(closeBrace);
  }

  /** Puts the cursor onto the column's value when the image has it. */
  #enter(bytes: Buffer, cursor: Cursor, imageEnd: number, field: Buffer): boolean {
    cursor.end = none;
    const value = cursor.at + field.length;
    if (value >= imageEnd || bytes.compare(field, 0, field.length, cursor.at, value) !== 0) return false;
    this.#scanner.load(bytes, cursor.at, imageEnd);
    cursor.at = value;
    cursor.end = this.#scanner.value(value, 1);
    return true;
  }

  #differs(bytes: Buffer, hadBefore: boolean, hasAfter: boolean): boolean {
    if (hadBefore !== hasAfter) return this.#nullsLeftOut;
    if (!hadBefore) return false;
    const { at, end } = this.#before;
    return bytes.compare(bytes, at, end, this.#after.at, this.#after.end) !== 0;
  }
}

/** Steps over the value and the comma behind it. */
function leave(cursor: Cursor): void {
  if (cursor.end !== none) cursor.at = cursor.end + 1;
}
