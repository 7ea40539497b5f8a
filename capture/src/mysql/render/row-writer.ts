import type { ByteWriter } from '@millrace/shared/bytes/byte-writer.ts';

import type { RenderedRow } from '../../source.ts';
import type { CellsWriter } from './key-writer.ts';
import { sameCell } from './spans.ts';
import type { Spans } from './spans.ts';

export function emptyRow(): RenderedRow {
  return {
    beforeStart: -1,
    beforeEnd: -1,
    afterStart: -1,
    afterEnd: -1,
    beforeKeyStart: -1,
    beforeKeyEnd: -1,
    afterKeyStart: -1,
    afterKeyEnd: -1,
    keyChanged: false,
    unavailable: null,
  };
}

/** Writes images and keys of a row whose cells are known, and notes their spans. */
export class RowWriter {
  readonly row = emptyRow();
  readonly #image: CellsWriter;
  readonly #key: CellsWriter;
  readonly #keyColumns: readonly number[];

  constructor(image: CellsWriter, key: CellsWriter, keyColumns: readonly number[]) {
    this.#image = image;
    this.#key = key;
    this.#keyColumns = keyColumns;
  }

  writeCreate(out: ByteWriter, source: DataView, after: Spans): void {
    this.#clear();
    this.#writeAfter(out, source, after);
    this.#writeAfterKey(out, source, after);
  }

  writeDelete(out: ByteWriter, source: DataView, before: Spans): void {
    this.#clear();
    this.#writeBefore(out, source, before);
    this.#writeBeforeKey(out, source, before);
  }

  writeUpdate(out: ByteWriter, source: DataView, before: Spans, after: Spans): void {
    this.#clear();
    this.#writeBefore(out, source, before);
    this.#writeAfter(out, source, after);
    this.#writeAfterKey(out, source, after);
    const { row } = this;
    if (this.#sameKeyCells(source, before, after)) {
      row.beforeKeyStart = row.afterKeyStart;
      row.beforeKeyEnd = row.afterKeyEnd;
      return;
    }
    this.#writeBeforeKey(out, source, before);
    row.keyChanged =
      out.bytes.compare(out.bytes, row.afterKeyStart, row.afterKeyEnd, row.beforeKeyStart, row.beforeKeyEnd) !== 0;
  }

  #clear(): void {
    const { row } = this;
    row.beforeStart = -1;
    row.beforeEnd = -1;
    row.afterStart = -1;
    row.afterEnd = -1;
    row.beforeKeyStart = -1;
    row.beforeKeyEnd = -1;
    row.afterKeyStart = -1;
    row.afterKeyEnd = -1;
    row.keyChanged = false;
    row.unavailable = null;
  }

  #writeBefore(out: ByteWriter, source: DataView, cells: Spans): void {
    this.row.beforeStart = out.length;
    this.#image.append(out, source, cells);
    this.row.beforeEnd = out.length;
  }

  #writeAfter(out: ByteWriter, source: DataView, cells: Spans): void {
    this.row.afterStart = out.length;
    this.#image.append(out, source, cells);
    this.row.afterEnd = out.length;
  }

  #writeBeforeKey(out: ByteWriter, source: DataView, cells: Spans): void {
    this.row.beforeKeyStart = out.length;
    this.#key.append(out, source, cells);
    this.row.beforeKeyEnd = out.length;
  }

  #writeAfterKey(out: ByteWriter, source: DataView, cells: Spans): void {
    this.row.afterKeyStart = out.length;
    this.#key.append(out, source, cells);
    this.row.afterKeyEnd = out.length;
  }

  #sameKeyCells(source: DataView, before: Spans, after: Spans): boolean {
    for (const column of this.#keyColumns) if (!sameCell(source, before, after, column)) return false;
    return true;
  }
}
