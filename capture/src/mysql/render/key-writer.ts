import type { ByteWriter } from '@millrace/shared/bytes/byte-writer.ts';

import type { KeyStyle } from '../../source.ts';
import { csvField } from './csv-field.ts';
import type { FieldWriter } from './field-writer.ts';
import type { Spans } from './spans.ts';

const openBrace = 0x7b;
const closeBrace = 0x7d;
const comma = 0x2c;

/** A key column on its own, for style csv. */
export interface CsvColumn {
  readonly name: string;
  readonly writer: FieldWriter;
}

/** Appends record keys: the prefix, then the key columns of one row. */
export class KeyWriter {
  readonly #prefix: Uint8Array;
  readonly #fields: FieldWriter;
  readonly #single: readonly CsvColumn[];
  readonly #style: KeyStyle;
  readonly #columns: number;

  /** `single` has one writer per key column; only style csv uses it. */
  constructor(prefix: Uint8Array, style: KeyStyle, columns: number, fields: FieldWriter, single: readonly CsvColumn[]) {
    this.#prefix = prefix;
    this.#style = style;
    this.#columns = columns;
    this.#fields = fields;
    this.#single = single;
  }

  append(writer: ByteWriter, source: DataView, cells: Spans): void {
    writer.append(this.#prefix);
    if (this.#style === 'csv') this.#appendCsv(writer, source, cells);
    else this.#appendJson(writer, source, cells);
  }

  #appendJson(writer: ByteWriter, source: DataView, cells: Spans): void {
    // In `{` alone the brace takes the place of the first field's comma.
    const bare = this.#columns > 0 && this.#prefix[this.#prefix.length - 1] === openBrace;
    if (bare) writer.length--;
    const fieldsAt = writer.length;
    this.#fields.append(writer, source, cells);
    if (bare) writer.bytes[fieldsAt] = openBrace;
    writer.appendByte(closeBrace);
  }

  #appendCsv(writer: ByteWriter, source: DataView, cells: Spans): void {
    for (const [index, column] of this.#single.entries()) {
      const start = writer.length;
      column.writer.append(writer, source, cells);
      const field = writer.bytes.toString('utf8', start, writer.length);
      writer.length = start;
      if (index > 0 || this.#prefix.length > 0) writer.appendByte(comma);
      // The field is `,"name":value`.
      writer.appendUtf8(csvField(field.slice(JSON.stringify(column.name).length + 2)));
    }
  }
}
