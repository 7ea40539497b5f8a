import type { ByteWriter } from '@millrace/shared/bytes/byte-writer.ts';

import { csvField } from './csv-field.ts';
import type { FieldWriter } from './field-writer.ts';
import type { Spans } from './spans.ts';

/** Appends something about a row: an image or a record key. */
export interface CellsWriter {
  append(writer: ByteWriter, source: DataView, cells: Spans): void;
}

/** A key column on its own: its writer makes `{"name":value}`. */
export interface CsvColumn {
  readonly name: string;
  readonly writer: FieldWriter;
}

const comma = 0x2c;

/** Record keys of style csv: the prefix and the key columns, separated by commas. Through strings: rarely asked for. */
export class CsvKeyWriter implements CellsWriter {
  readonly #prefix: Uint8Array;
  readonly #columns: readonly CsvColumn[];

  constructor(prefix: Uint8Array, columns: readonly CsvColumn[]) {
    this.#prefix = prefix;
    this.#columns = columns;
  }

  append(writer: ByteWriter, source: DataView, cells: Spans): void {
    writer.append(this.#prefix);
    for (const [index, column] of this.#columns.entries()) {
      const start = writer.length;
      column.writer.append(writer, source, cells);
      const object = writer.bytes.toString('utf8', start, writer.length);
      writer.length = start;
      if (index > 0 || this.#prefix.length > 0) writer.appendByte(comma);
      writer.appendUtf8(csvField(object.slice(JSON.stringify(column.name).length + 2, -1)));
    }
  }
}
