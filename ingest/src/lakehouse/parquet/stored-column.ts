import type { ByteWriter } from '@millrace/shared/bytes/byte-writer.ts';

import type { ColumnBuilder, ColumnData } from './column-builder.ts';

/** A builder over a store of its physical type: what a cell converts to and how a key is written remain its own. */
export abstract class StoredColumn<C extends Omit<ColumnBuilder, 'append' | 'writeKey'>> implements ColumnBuilder {
  protected readonly column: C;

  constructor(column: C) {
    this.column = column;
  }

  get length(): number {
    return this.column.length;
  }

  abstract append(bytes: Buffer, kind: number, start: number, end: number): void;

  appendNull(): void {
    this.column.appendNull();
  }

  clear(): void {
    this.column.clear();
  }

  value(row: number): unknown {
    return this.column.value(row);
  }

  data(): ColumnData {
    return this.column.data();
  }

  abstract writeKey(row: number, out: ByteWriter): void;
}
