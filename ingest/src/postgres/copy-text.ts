import { isUtf8 } from 'node:buffer';

import type { ByteWriter } from '@millrace/shared/bytes/byte-writer.ts';
import { CdcError } from '@millrace/shared/errors/cdc-error.ts';
import { cellKind, RowCells } from '@millrace/shared/format/json-cells.ts';

import type { RowSpans } from '../destination.ts';
import { rejectCell, writeCell } from './cell.ts';
import type { CellWriter, WriteCell } from './cell.ts';
import type { CopyColumn } from './copy-column.ts';
import { PlainRows } from './plain-rows.ts';

const backslash = 0x5c;
const tab = 0x09;
const newline = 0x0a;
const bytesPerCell = 64;
const usualBytesPerByte = 3;

const isWide = 1;
const readsEscapes = 2;

/** A writer that needs more room than every row reserves anyway, and one that takes escapes. */
function traitsOf(cell: CellWriter): number {
  return (cell.bytesPerByte > usualBytesPerByte ? isWide : 0) | (cell.readsEscapes ? readsEscapes : 0);
}

/**
 * Turns JSON objects into rows of COPY text: fields by tab, rows by newline, NULL as `\N`. It accepts nothing that a
 * JSON parser would refuse and lets no value end its field.
 */
export class CopyText {
  readonly #cells: RowCells;
  readonly #columns: readonly CopyColumn[];
  /** Writers apart from their properties: the row loop calls them without looking at objects of many shapes. */
  readonly #writes: readonly WriteCell[];
  readonly #traits: Uint8Array;
  readonly #constantBytes: number;
  readonly #plain: PlainRows;
  #column = 0;

  constructor(columns: readonly CopyColumn[]) {
    this.#columns = columns;
    this.#plain = new PlainRows(columns);
    this.#cells = new RowCells(columns.map((column) => column.field));
    this.#writes = columns.map((column) => column.cell.write);
    this.#traits = Uint8Array.from(columns, ({ cell }) => traitsOf(cell));
    this.#constantBytes = columns.reduce((sum, column) => sum + bytesPerCell + column.cell.extraBytes, 0);
  }

  /**
   * Appends rows from `first` on until `out` holds `limitBytes` or the rows end, and returns the next row. A row that
   * is refused throws with its table column and index in the details; what `out` holds of it is to be dropped.
   */
  write(rows: RowSpans, first: number, out: ByteWriter, limitBytes: number): number {
    const plain = this.#plain;
    const from = out.length;
    plain.expectAscii();
    const next = this.#rows(rows, first, out, limitBytes, plain);
    if (!plain.sawNonAscii || isUtf8(out.bytes.subarray(from, out.length))) return next;
    // One of the plain rows is not UTF-8: reading them cell by cell tells which.
    out.length = from;
    return this.#rows(rows, first, out, limitBytes, null);
  }

  #rows(rows: RowSpans, first: number, out: ByteWriter, limitBytes: number, plain: PlainRows | null): number {
    let row = first;
    try {
      while (row < rows.count && out.length < limitBytes) {
        const source = rows.buffers[rows.bufferIndex[row] as number] as Buffer;
        const start = rows.start[row] as number;
        const end = rows.end[row] as number;
        if (plain === null || !plain.append(source, start, end, out)) this.#row(source, start, end, out);
        row++;
      }
    } catch (error) {
      throw this.#located(error, row);
    }
    return row;
  }

  #row(source: Buffer, start: number, end: number, out: ByteWriter): void {
    const cells = this.#cells;
    const writes = this.#writes;
    const traits = this.#traits;
    const { kind, start: starts, end: ends } = cells;
    this.#column = -1;
    cells.read(source, start, end);
    const plainBytes = usualBytesPerByte * (end - start) + this.#constantBytes;
    let bytes = out.reserve(plainBytes);
    let at = out.length;
    for (let column = 0; column < writes.length; column++) {
      const kindOfCell = kind[column] as number;
      this.#column = column;
      if (kindOfCell <= cellKind.null) {
        this.#checkNull(column, kindOfCell);
        bytes[at++] = backslash;
        bytes[at++] = 0x4e;
      } else {
        const trait = traits[column] as number;
        const from = starts[column] as number;
        const to = ends[column] as number;
        if ((trait & isWide) !== 0) {
          out.length = at;
          bytes = out.reserve(plainBytes + this.#wideBytes(column, to - from));
        }
        if (kindOfCell === cellKind.escapedString && (trait & readsEscapes) === 0) {
          at = this.#unescaped(column, source, from, to, bytes, at);
        } else {
          at = (writes[column] as WriteCell)(source, kindOfCell, from, to, bytes, at);
        }
      }
      bytes[at++] = tab;
    }
    bytes[at - 1] = newline;
    out.length = at;
  }

  #wideBytes(column: number, length: number): number {
    return (this.#columns[column] as CopyColumn).cell.bytesPerByte * length;
  }

  #unescaped(column: number, source: Buffer, from: number, to: number, bytes: Buffer, at: number): number {
    const { cell } = this.#columns[column] as CopyColumn;
    return writeCell(cell, source, cellKind.escapedString, from, to, bytes, at);
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
