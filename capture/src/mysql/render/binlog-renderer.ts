import type { ByteWriter } from '@millrace/shared/bytes/byte-writer.ts';
import { invariantBroken } from '@millrace/shared/errors/cdc-error.ts';

import type { RenderedRow, RowBatch, RowRenderer } from '../../source.ts';
import { wireType } from '../column.ts';
import type { MysqlColumn, MysqlTable } from '../column.ts';
import type { BinlogRows, MysqlRows } from '../rows.ts';
import type { Field, FieldWriter } from './field-writer.ts';
import { corruptRows, incompleteImage } from './refused-cell.ts';

import type { RowWriter } from './row-writer.ts';
import { absentCell, spans, walkCompleteImage, walkPartialImage } from './spans.ts';
import type { BinlogLayout, Spans } from './spans.ts';

/** Types that a NOBLOB image may lack. */
const omittable: ReadonlySet<number> = new Set([wireType.blob, wireType.json, wireType.geometry, wireType.vector]);

/** Renders the rows of WRITE, UPDATE and DELETE_ROWS events. */
export class BinlogRenderer implements RowRenderer {
  readonly #table: MysqlTable;
  readonly #layout: BinlogLayout;
  readonly #writer: RowWriter;
  readonly #imageWriter: FieldWriter;
  readonly #fields: readonly Field[];
  readonly #before: Spans;
  readonly #after: Spans;
  #batch: BinlogRows | null = null;
  #bytes: Buffer | null = null;
  #source: DataView = new DataView(new ArrayBuffer(0));
  #position = 0;

  constructor(
    table: MysqlTable,
    layout: BinlogLayout,
    writer: RowWriter,
    imageWriter: FieldWriter,
    fields: readonly Field[],
  ) {
    this.#table = table;
    this.#layout = layout;
    this.#writer = writer;
    this.#imageWriter = imageWriter;
    this.#fields = fields;
    this.#before = spans(table.columns.length);
    this.#after = spans(table.columns.length);
  }

  get row(): RenderedRow {
    return this.#writer.row;
  }

  get replacedTexts(): number {
    return this.#imageWriter.replacedTexts;
  }

  open(batch: RowBatch): void {
    const rows = batch as MysqlRows;
    if (rows.kind !== 'binlog') throw invariantBroken('rows of a snapshot given to a stream renderer');
    if (rows.bytes !== this.#bytes) {
      this.#bytes = rows.bytes;
      this.#source = new DataView(rows.bytes.buffer, rows.bytes.byteOffset, rows.bytes.byteLength);
    }
    this.#batch = rows;
    this.#position = rows.start;
  }

  next(out: ByteWriter): boolean {
    const batch = this.#batch;
    if (batch === null || this.#position >= batch.end) return false;
    switch (batch.op) {
      case 'create':
        this.#walk(batch, this.#after, batch.presentAfter);
        this.#checkComplete(batch, this.#after);
        this.#writer.writeCreate(out, this.#source, this.#after);
        break;
      case 'delete':
        this.#walk(batch, this.#before, batch.presentBefore);
        this.#checkComplete(batch, this.#before);
        this.#writer.writeDelete(out, this.#source, this.#before);
        break;
      case 'update':
        this.#walk(batch, this.#before, batch.presentBefore);
        this.#walk(batch, this.#after, batch.presentAfter);
        this.#checkComplete(batch, this.#before);
        if (!batch.complete) this.#takeFromBefore();
        this.#writer.writeUpdate(out, this.#source, this.#before, this.#after);
        break;
    }
    if (!batch.complete) this.row.unavailable = this.#unavailable(batch.op === 'delete' ? this.#before : this.#after);
    return true;
  }

  #walk(batch: BinlogRows, into: Spans, presentAt: number): void {
    const next = batch.complete
      ? walkCompleteImage(this.#source, this.#position, batch.end, this.#layout, into)
      : walkPartialImage(this.#source, this.#position, batch.end, this.#layout, into, presentAt);
    // An image takes at least its null bits, but for a table whose image carries no column at all.
    if (next <= this.#position) {
      throw corruptRows(this.#table.schema.id, next < 0 ? 'a row ends beyond its event' : 'a row image is empty');
    }
    this.#position = next;
  }

  /** Only the blobs of a NOBLOB image may be missing, and not from an insert (T41, T172). */
  #checkComplete(batch: BinlogRows, cells: Spans): void {
    if (batch.complete) return;
    for (const [index, column] of this.#table.columns.entries()) {
      if (cells.starts[index] !== absentCell) continue;
      if (batch.op === 'create' || !omittable.has(column.wireType)) {
        throw incompleteImage(this.#table.schema.id, column.name);
      }
    }
  }

  /** What the after image of an update lacks is unchanged, so the before image's cell serves. */
  #takeFromBefore(): void {
    const { starts, ends } = this.#after;
    for (let column = 0; column < starts.length; column++) {
      if (starts[column] !== absentCell) continue;
      starts[column] = this.#before.starts[column] as number;
      ends[column] = this.#before.ends[column] as number;
      if ((starts[column] as number) >= 0) this.#after.bytes += (ends[column] as number) - (starts[column] as number);
    }
  }

  #unavailable(cells: Spans): readonly string[] | null {
    const names = this.#fields.filter((field) => cells.starts[field.column] === absentCell).map((field) => field.name);
    return names.length === 0 ? null : names;
  }
}

/** The column whose type stops the walk over a row, whether it is captured or not. */
export function isUnmeasured(layout: BinlogLayout | MysqlColumn): layout is MysqlColumn {
  return 'wireType' in layout;
}
