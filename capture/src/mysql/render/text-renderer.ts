import type { ByteWriter } from '@millrace/shared/bytes/byte-writer.ts';
import { invariantBroken } from '@millrace/shared/errors/cdc-error.ts';

import type { RenderedRow, RowBatch, RowRenderer } from '../../source.ts';
import type { MysqlTable } from '../column.ts';
import type { MysqlRows, TextRows } from '../rows.ts';
import type { FieldWriter } from './field-writer.ts';
import { corruptRows } from './refused-cell.ts';

import type { RowWriter } from './row-writer.ts';
import { spans, walkTextRow } from './spans.ts';
import type { Spans } from './spans.ts';

/** Renders rows of text protocol result sets: each has an after image only. */
export class TextRenderer implements RowRenderer {
  readonly #table: MysqlTable;
  readonly #writer: RowWriter;
  readonly #imageWriter: FieldWriter;
  readonly #cells: Spans;
  #batch: TextRows | null = null;
  #bytes: Buffer | null = null;
  #source: DataView = new DataView(new ArrayBuffer(0));
  #index = 0;

  constructor(table: MysqlTable, writer: RowWriter, imageWriter: FieldWriter) {
    this.#table = table;
    this.#writer = writer;
    this.#imageWriter = imageWriter;
    this.#cells = spans(table.columns.length);
  }

  get row(): RenderedRow {
    return this.#writer.row;
  }

  get replacedTexts(): number {
    return this.#imageWriter.replacedTexts;
  }

  open(batch: RowBatch): void {
    const rows = batch as MysqlRows;
    if (rows.kind !== 'text') throw invariantBroken('rows of the stream given to a snapshot renderer');
    if (rows.bytes !== this.#bytes) {
      this.#bytes = rows.bytes;
      this.#source = new DataView(rows.bytes.buffer, rows.bytes.byteOffset, rows.bytes.byteLength);
    }
    this.#batch = rows;
    this.#index = 0;
  }

  next(out: ByteWriter): boolean {
    const batch = this.#batch;
    if (batch === null || this.#index >= batch.count) return false;
    const start = batch.rowStart[this.#index] as number;
    const end = batch.rowEnd[this.#index] as number;
    this.#index++;
    if (!walkTextRow(this.#source, start, end, this.#cells)) {
      throw corruptRows(this.#table.schema.id, 'a result row does not hold the columns of the table');
    }
    this.#writer.writeCreate(out, this.#source, this.#cells);
    return true;
  }
}
