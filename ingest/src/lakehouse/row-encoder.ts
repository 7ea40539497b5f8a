import { ByteWriter } from '@millrace/shared/bytes/byte-writer.ts';
import { CdcError } from '@millrace/shared/errors/cdc-error.ts';
import { cellKind, RowCells } from '@millrace/shared/format/json-cells.ts';

import type { RowSpans } from '../destination.ts';
import { elementType } from './iceberg/schema.ts';
import type { SchemaPlan, WrittenField } from './iceberg/schema-evolution.ts';
import { buildColumn } from './parquet/build-column.ts';
import { misfit } from './parquet/column-builder.ts';
import type { ColumnBuilder } from './parquet/column-builder.ts';
import type { WrittenColumn } from './parquet/write-file.ts';
import { isExactKey } from './recovery.ts';
import type { KeyHash } from './row-index/key-hash.ts';

/** Keys of a batch as the row index takes them: three words each, the third unused where keys are exact. */
export interface KeyBatch {
  readonly count: number;
  readonly words: Uint32Array;
}

/** Rows of one data file to be: those of one Kafka partition. */
export interface RowGroup {
  readonly partitionIndex: number;
  readonly columns: readonly WrittenColumn[];
  /** Length of the JSON that the rows came from. */
  jsonBytes: number;
}

export interface EncodedUpserts {
  readonly keys: KeyBatch;
  readonly groups: readonly RowGroup[];
  /** Per row, the group and the position that it has there. */
  readonly groupOf: Int32Array;
  readonly positionOf: Int32Array;
}

interface Cell {
  readonly written: WrittenField;
  /** Index into the located cells, −1 where the rows have no such column. */
  readonly at: number;
}

/** Converts rows to columns and keys, by one version of a table. */
export class RowEncoder {
  readonly #table: string;
  readonly #cells: RowCells;
  readonly #layout: readonly Cell[];
  readonly #keyColumns: readonly number[];
  readonly #exact: boolean;
  readonly #hash: KeyHash;
  readonly #fileBytes: number;
  readonly #keyBytes = new ByteWriter(256);

  /** Files are cut where the JSON of their rows reaches `fileBytes`; as Parquet they are smaller. */
  constructor(table: string, plan: SchemaPlan, hash: KeyHash, fileBytes: number) {
    this.#table = table;
    this.#fileBytes = fileBytes;
    const columns = plan.written.flatMap((written) => written.column ?? []);
    this.#cells = new RowCells(columns);
    this.#layout = plan.written.map((written) => ({
      written,
      at: written.column === null ? -1 : columns.indexOf(written.column),
    }));
    this.#keyColumns = plan.keyFieldIds.map((id) => plan.written.findIndex(({ field }) => field.id === id));
    this.#exact = isExactKey(
      plan.keyFieldIds.flatMap((id) => plan.written.find(({ field }) => field.id === id)?.field ?? []),
    );
    this.#hash = hash;
  }

  /** `partitionOf` chooses the file; rows of partitions that `wanted` refuses are left out. */
  upserts(rows: RowSpans, partitionOf: Int32Array, wanted: (partitionIndex: number) => boolean): EncodedUpserts {
    const groups: RowGroup[] = [];
    const byPartition = new Map<number, number>();
    const words = new Uint32Array(rows.count * 3);
    const groupOf = new Int32Array(rows.count);
    const positionOf = new Int32Array(rows.count);
    let count = 0;
    for (let row = 0; row < rows.count; row++) {
      const partitionIndex = partitionOf[row] as number;
      if (!wanted(partitionIndex)) continue;
      let group = byPartition.get(partitionIndex);
      if (group === undefined || (groups[group] as RowGroup).jsonBytes >= this.#fileBytes) {
        group = groups.length;
        byPartition.set(partitionIndex, group);
        groups.push({ partitionIndex, columns: this.#newColumns(), jsonBytes: 0 });
      }
      const target = groups[group] as RowGroup;
      groupOf[count] = group;
      positionOf[count] = target.columns[0]?.builder.length ?? 0;
      this.#located(rows, row, 'upserts', (bytes) => {
        for (let column = 0; column < this.#layout.length; column++) {
          this.#append(bytes, column, (target.columns[column] as WrittenColumn).builder);
        }
      });
      target.jsonBytes += (rows.end[row] as number) - (rows.start[row] as number);
      this.#putKey(
        (column) => (target.columns[column] as WrittenColumn).builder,
        positionOf[count] as number,
        words,
        count,
      );
      count++;
    }
    return { keys: { count, words }, groups, groupOf, positionOf };
  }

  /** Keys of rows that need have no more than the key columns. */
  deletes(rows: RowSpans, partitionOf: Int32Array, wanted: (partitionIndex: number) => boolean): KeyBatch {
    const words = new Uint32Array(rows.count * 3);
    const builders = new Map(this.#keyColumns.map((column) => [column, this.#newBuilder(column)]));
    let count = 0;
    for (let row = 0; row < rows.count; row++) {
      if (!wanted(partitionOf[row] as number)) continue;
      this.#located(rows, row, 'deletes', (bytes) => {
        for (const [column, builder] of builders) {
          builder.clear();
          this.#append(bytes, column, builder);
        }
      });
      this.#putKey((column) => builders.get(column) as ColumnBuilder, 0, words, count);
      count++;
    }
    return { count, words };
  }

  #newBuilder(column: number): ColumnBuilder {
    return buildColumn(this.#table, (this.#layout[column] as Cell).written.field);
  }

  #newColumns(): readonly WrittenColumn[] {
    return this.#layout.map(({ written }, column) => ({ field: written.field, builder: this.#newBuilder(column) }));
  }

  /** A value that is refused and a row that is no JSON carry their place in the batch, for whoever sets them aside. */
  #located(rows: RowSpans, row: number, list: 'upserts' | 'deletes', run: (bytes: Buffer) => void): void {
    const bytes = rows.buffers[rows.bufferIndex[row] as number] as Buffer;
    try {
      this.#cells.read(bytes, rows.start[row] as number, rows.end[row] as number);
      run(bytes);
    } catch (error) {
      if (!(error instanceof CdcError)) throw error;
      const details = { table: this.#table, ...error.details, list, row };
      throw new CdcError(error.code, error.message, { details, hint: error.hint });
    }
  }

  #append(bytes: Buffer, column: number, builder: ColumnBuilder): void {
    const { at, written } = this.#layout[column] as Cell;
    const kind = at < 0 ? cellKind.absent : (this.#cells.kind[at] as number);
    if (kind > cellKind.null) {
      builder.append(bytes, kind, this.#cells.start[at] as number, this.#cells.end[at] as number);
      return;
    }
    if (written.field.required) {
      const { name, type } = written.field;
      throw misfit({ table: this.#table, column: name, type: elementType(type) }, 'null-in-required-column');
    }
    builder.appendNull();
  }

  #putKey(builderOf: (column: number) => ColumnBuilder, row: number, words: Uint32Array, at: number): void {
    if (this.#keyColumns.length === 0) return;
    const out = this.#keyBytes;
    out.clear();
    for (const column of this.#keyColumns) builderOf(column).writeKey(row, out);
    if (this.#exact) {
      words[at * 3] = out.bytes.readUInt32LE(0);
      words[at * 3 + 1] = out.bytes.readUInt32LE(4);
      return;
    }
    this.#hash.update(out.bytes, 0, out.length);
    words[at * 3] = this.#hash.word0;
    words[at * 3 + 1] = this.#hash.word1;
    words[at * 3 + 2] = this.#hash.word2;
  }
}
