import type { ByteWriter } from '@millrace/shared/bytes/byte-writer.ts';
import { ConstantBytes } from '@millrace/shared/format/constant-bytes.ts';
import { byteOf, JsonScanner, valueKind } from '@millrace/shared/format/json-scanner.ts';
import { jsonText } from '@millrace/shared/format/json-text.ts';

import type { CopyColumn } from './copy-column.ts';
import { JsonCopy } from './json-copy.ts';

const wordNull = 0x6c6c756e;
const backslashAndN = 0x4e5c;
const tab = 0x09;
const newline = 0x0a;
const bytesPerCell = 64;
/** Rows longer than this go the other way where a cell may need many times its own length. */
const roomyRowBytes = 16_384;
/** How far behind the row a reader may look. */
const aheadBytes = 8;

/** After that many rows in a row that were not plain, that many are not tried. */
const patience = 16;
const pauseRows = 1000;

/**
 * Copies rows that hold exactly the columns, in their order, without blanks and with values in their usual form: one
 * pass, in which each value is checked and written. That is how capture writes rows of a table's newest version.
 */
export class PlainRows {
  readonly #columns: readonly CopyColumn[];
  readonly #names: readonly ConstantBytes[];
  readonly #bytesPerByte: number;
  readonly #constantBytes: number;
  readonly #copy = new JsonCopy();
  readonly #scanner = new JsonScanner();
  #misses = 0;
  #paused = 0;

  constructor(columns: readonly CopyColumn[]) {
    this.#columns = columns;
    this.#names = columns.map(
      ({ field }, index) => new ConstantBytes(Buffer.from(`${index === 0 ? '{' : ','}${jsonText(field)}:`)),
    );
    this.#bytesPerByte = columns.reduce((most, { cell }) => Math.max(most, cell.bytesPerByte), 3);
    this.#constantBytes = columns.reduce((sum, { cell }) => sum + bytesPerCell + cell.extraBytes, 0);
  }

  /** Whether a copied row since `expectAscii` may hold bytes other than ASCII, whose UTF-8 was not checked. */
  get sawNonAscii(): boolean {
    return (this.#copy.seen & 0x80808080) !== 0;
  }

  expectAscii(): void {
    this.#copy.seen = 0;
  }

  /** Appends the row; false, with nothing appended, when it is not plain: then it is to be read cell by cell. */
  append(source: Buffer, start: number, end: number, out: ByteWriter): boolean {
    if (this.#paused > 0) {
      this.#paused--;
      return false;
    }
    if (end + aheadBytes > source.length || (this.#bytesPerByte > 3 && end - start > roomyRowBytes)) return false;
    const bytes = out.reserve(this.#bytesPerByte * (end - start) + this.#constantBytes);
    const copy = this.#copy;
    copy.open(source, start, end, out, bytes);
    if (this.#fields(copy)) {
      out.length = copy.to;
      this.#misses = 0;
      return true;
    }
    if (++this.#misses === patience) {
      this.#misses = 0;
      this.#paused = pauseRows;
    }
    return false;
  }

  #fields(copy: JsonCopy): boolean {
    const columns = this.#columns;
    const names = this.#names;
    const { view, outView, limit } = copy;
    for (let index = 0; index < columns.length; index++) {
      const name = names[index] as ConstantBytes;
      const at = copy.at;
      if (at + name.length >= limit || !name.standsAt(view, at)) return false;
      copy.at = at + name.length;
      if (!this.#cell(columns[index] as CopyColumn, copy)) return false;
      outView.setUint8(copy.to++, tab);
    }
    if (copy.at !== limit - 1 || view.getUint8(copy.at) !== byteOf.closeBrace) return false;
    outView.setUint8(copy.to - 1, newline);
    return true;
  }

  #cell(column: CopyColumn, copy: JsonCopy): boolean {
    const { view } = copy;
    if (view.getInt32(copy.at, true) === wordNull) {
      if (column.isKey) return false;
      copy.outView.setInt16(copy.to, backslashAndN, true);
      copy.at += 4;
      copy.to += 2;
      return true;
    }
    const { copy: copyCell } = column.cell;
    return copyCell === null ? this.#located(column, copy) : copyCell(copy);
  }

  /** A value whose writer wants to know where it ends. */
  #located(column: CopyColumn, copy: JsonCopy): boolean {
    const scanner = this.#scanner;
    const { at } = copy;
    try {
      scanner.load(copy.source, at, copy.limit);
      const next = scanner.value(at, 1);
      const { kind } = scanner;
      if (kind >= valueKind.escapedString || scanner.sawNonAscii) return false;
      const quotes = kind === valueKind.string ? 1 : 0;
      copy.to = column.cell.write(copy.source, kind, at + quotes, next - quotes, copy.out, copy.to);
      copy.at = next;
      return true;
    } catch {
      // The other way finds the same fault, and names it together with the row's other faults in their order.
      return false;
    }
  }
}
