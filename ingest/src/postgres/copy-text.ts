import type { ByteWriter } from '@millrace/shared/bytes/byte-writer.ts';
import { CdcError } from '@millrace/shared/errors/cdc-error.ts';
import { cellKind, RowCells } from '@millrace/shared/format/json-cells.ts';

import type { RowSpans } from '../destination.ts';
import { rejectCell } from './cell.ts';
import type { CellWriter } from './cell.ts';

const backslash = 0x5c;
const tab = 0x09;
const newline = 0x0a;
const bytesPerCell = 64;

/** A column of the row: the field's name in the JSON object, and its writer. */
export interface CopyColumn {
  readonly field: string;
  readonly cell: CellWriter;
  /** A key column is never NULL. */
  readonly isKey: boolean;
  /**
   * Rows of another version of the table may lack the column; then it is NULL. Values that a record does not carry
   * although its version has the column never come this far.
   */
  readonly nullable: boolean;
}

/**
 * Turns JSON objects into rows of COPY text: fields by tab, rows by newline, NULL as `\N`. It accepts nothing that a
 * JSON parser would refuse and lets no value end its field.
 */
export class CopyText {
  readonly #cells: RowCells;
  readonly #columns: readonly CopyColumn[];
  readonly #writers: readonly CellWriter[];
  readonly #constantBytes: number;
  #column = 0;

  constructor(columns: readonly CopyColumn[]) {
    this.#columns = columns;
    this.#cells = new RowCells(columns.map((column) => column.field));
    this.#writers = columns.map((column) => column.cell);
    this.#constantBytes = columns.reduce((sum, column) => sum + bytesPerCell + column.cell.extraBytes, 0);
  }

  /**
   * Appends rows from `first` on until `out` holds `limitBytes` or the rows end, and returns the next row. A row that
   * is refused throws with its table column and index in the details; what `out` holds of it is to be dropped.
   */
  write(rows: RowSpans, first: number, out: ByteWriter, limitBytes: number): number {
    let row = first;
    try {
      while (row < rows.count && out.length < limitBytes) {
        this.#row(
          rows.buffers[rows.bufferIndex[row] as number] as Buffer,
          rows.start[row] as number,
          rows.end[row] as number,
          out,
        );
        row++;
      }
    } catch (error) {
      throw this.#located(error, row);
    }
    return row;
  }

  #row(source: Buffer, start: number, end: number, out: ByteWriter): void {
    const cells = this.#cells;
    const writers = this.#writers;
    const { kind, start: starts, end: ends } = cells;
    this.#column = -1;
    cells.read(source, start, end);
    const plainBytes = 2 * (end - start) + this.#constantBytes;
    let bytes = out.reserve(plainBytes);
    let at = out.length;
    for (let column = 0; column < writers.length; column++) {
      const kindOfCell = kind[column] as number;
      if (kindOfCell <= cellKind.null) {
        this.#column = column;
        this.#checkNull(column, kindOfCell);
        bytes[at++] = backslash;
        bytes[at++] = 0x4e;
      } else {
        const writer = writers[column] as CellWriter;
        const from = starts[column] as number;
        const to = ends[column] as number;
        this.#column = column;
        if (writer.bytesPerByte > 2) {
          out.length = at;
          bytes = out.reserve(plainBytes + writer.bytesPerByte * (to - from));
        }
        at = writer.write(source, kindOfCell, from, to, bytes, at);
      }
      bytes[at++] = tab;
    }
    bytes[at - 1] = newline;
    out.length = at;
  }

  #checkNull(column: number, kind: number): void {
    const { isKey, nullable } = this.#columns[column] as CopyColumn;
    if (kind === cellKind.absent && !nullable) throw rejectCell('absent');
    if (isKey) throw rejectCell('null-key');
  }

  #located(error: unknown, row: number): unknown {
    if (!(error instanceof CdcError)) return error;
    const column = this.#columns[this.#column];
    const details = { ...error.details, ...(column === undefined ? {} : { column: column.field }), row };
    return new CdcError(error.code, error.message, { details, cause: error });
  }
}
