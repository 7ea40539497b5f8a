import type { ByteWriter } from '@millrace/shared/bytes/byte-writer.ts';
import { CdcError } from '@millrace/shared/errors/cdc-error.ts';
import { cellKind } from '@millrace/shared/format/json-cells.ts';

/** Where a value goes, for the error that refuses it. */
export interface ColumnPlace {
  readonly table: string;
  readonly column: string;
  readonly type: string;
}

export type MisfitReason = 'type-mismatch' | 'value-out-of-range' | 'bad-value' | 'null-in-required-column';

export function misfit(place: ColumnPlace, reason: MisfitReason): CdcError {
  return new CdcError('DESTINATION_WRITE_REJECTED', 'a value does not fit its column', {
    details: { table: place.table, column: place.column, type: place.type, reason },
    hint: 'Correct the value at the source, or give the column another type.',
  });
}

/** What the Parquet writer takes. Typed arrays hold no nulls. */
export type ColumnData = Int32Array | BigInt64Array | Float32Array | Float64Array | unknown[];

/** Collects the cells of one column of one file, converted from JSON to the physical type. */
export interface ColumnBuilder {
  readonly length: number;
  /** The next row's cell. Nulls and absent cells go to `appendNull`. Throws `DESTINATION_WRITE_REJECTED`. */
  append(bytes: Buffer, kind: number, start: number, end: number): void;
  appendNull(): void;
  /** Forgets all rows. */
  clear(): void;
  /** The physical value of a row, null where there is none. */
  value(row: number): unknown;
  data(): ColumnData;
  /** Appends the row's value as bytes that are equal for equal values, whatever width the column has or had. */
  writeKey(row: number, out: ByteWriter): void;
}

/** Text of a string cell without its escapes, as a span that parsers can read. */
export class PlainSpan {
  bytes: Buffer = Buffer.alloc(0);
  start = 0;
  end = 0;

  load(bytes: Buffer, kind: number, start: number, end: number): this {
    if (kind === cellKind.escapedString) {
      this.bytes = Buffer.from(unescaped(bytes, start, end), 'utf8');
      this.start = 0;
      this.end = this.bytes.length;
    } else {
      this.bytes = bytes;
      this.start = start;
      this.end = end;
    }
    return this;
  }
}

/** The quotes stand around the span. */
export function unescaped(bytes: Buffer, start: number, end: number): string {
  return JSON.parse(bytes.toString('utf8', start - 1, end + 1)) as string;
}

export function isText(kind: number): boolean {
  return kind === cellKind.string || kind === cellKind.escapedString;
}
