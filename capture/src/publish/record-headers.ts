import { ByteWriter } from '@millrace/shared/bytes/byte-writer.ts';

const hexDigits = Buffer.from('0123456789abcdef');
const rowDigits = 8;

function writeVarint(out: ByteWriter, value: number): void {
  // Kafka header lengths are zigzag varints; lengths are never negative.
  let rest = value * 2;
  while (rest > 127) {
    out.appendByte((rest & 127) | 128);
    rest >>>= 7;
  }
  out.appendByte(rest);
}

function encodedName(name: string): Buffer {
  const out = new ByteWriter(64);
  const bytes = Buffer.from(name);
  writeVarint(out, bytes.length);
  out.append(bytes);
  return out.copy();
}

const names = {
  source: encodedName('mr.src'),
  position: encodedName('mr.pos'),
  time: encodedName('mr.ts'),
  gtid: encodedName('mr.gtid'),
  schema: encodedName('mr.schema'),
  snapshot: encodedName('mr.snap'),
  unavailable: encodedName('mr.unavailable'),
  newKey: encodedName('__debezium.newkey'),
  oldKey: encodedName('__debezium.oldkey'),
};

/** Headers that are equal for all rows of one table version, encoded. */
export interface TableHeaders {
  /** `namespace`, `schemaName`, `tableName`, custom headers and `mr.src`, in this order. */
  readonly prefix: Buffer;
  readonly prefixCount: number;
  /** `mr.schema`; empty when the row's schema is not in the schema log or position headers are off. */
  readonly schema: Buffer;
  /** `mr.*` headers are written at all. */
  readonly positions: boolean;
}

export interface TableHeaderOptions {
  readonly tableHeaders: readonly (readonly [string, string])[];
  readonly customHeaders: readonly (readonly [string, string])[];
  readonly sourceName: string;
  readonly fingerprint: string | null;
  readonly positions: boolean;
}

export function tableHeaders(options: TableHeaderOptions): TableHeaders {
  const out = new ByteWriter(256);
  const list = [...options.tableHeaders, ...options.customHeaders];
  if (options.positions) list.push(['mr.src', options.sourceName]);
  for (const [name, value] of list) {
    out.append(encodedName(name));
    const bytes = Buffer.from(value);
    writeVarint(out, bytes.length);
    out.append(bytes);
  }
  const schema = new ByteWriter(64);
  if (options.positions && options.fingerprint !== null) {
    schema.append(names.schema);
    writeVarint(schema, options.fingerprint.length);
    schema.appendAscii(options.fingerprint);
  }
  return { prefix: out.copy(), prefixCount: list.length, schema: schema.copy(), positions: options.positions };
}

/**
 * The header block of the record that is being written: built once per event, the row index patched per row.
 * `bytes[0, length)` holds `count` encoded headers in the order of kafka-records §1.
 */
export class RecordHeaders {
  readonly #out = new ByteWriter(512);
  #rowAt = -1;
  count = 0;

  get bytes(): Buffer {
    return this.#out.bytes;
  }

  get length(): number {
    return this.#out.length;
  }

  /** Rows of the stream. `position` ends in the eight digits of the row index. */
  beginEvent(table: TableHeaders, position: Buffer, commitTimeMicros: number, gtid: string): void {
    this.#beginTable(table);
    if (!table.positions) return;
    this.#position(position, '');
    this.#ascii(names.time, String(commitTimeMicros));
    if (gtid !== '') this.#ascii(names.gtid, gtid);
    this.#schema(table);
  }

  /** Rows of a snapshot piece. `position` ends in the eight digits of the row number inside its chunk. */
  beginSnapshot(table: TableHeaders, position: Buffer, kind: 'initial' | 'resync'): void {
    this.#beginTable(table);
    if (!table.positions) return;
    this.#position(position, '');
    this.#schema(table);
    this.#ascii(names.snapshot, kind);
  }

  /** One record of a key change, or with columns the log did not carry; everything is written anew. */
  beginSpecial(
    table: TableHeaders,
    event: { readonly position: Buffer; readonly commitTimeMicros: number; readonly gtid: string },
    special: {
      readonly afterDelete: boolean;
      readonly unavailable: readonly string[] | null;
      readonly link: { readonly name: 'newKey' | 'oldKey'; readonly key: Buffer } | null;
    },
  ): void {
    this.#beginTable(table);
    if (table.positions) {
      this.#position(event.position, special.afterDelete ? '.1' : '');
      this.#ascii(names.time, String(event.commitTimeMicros));
      if (event.gtid !== '') this.#ascii(names.gtid, event.gtid);
      this.#schema(table);
      if (special.unavailable !== null)
        this.#value(names.unavailable, Buffer.from(JSON.stringify(special.unavailable)));
    }
    if (special.link !== null) this.#value(names[special.link.name], special.link.key);
  }

  /** Writes the row index into the position header. */
  row(index: number): void {
    if (this.#rowAt < 0) return;
    const bytes = this.#out.bytes;
    let rest = index;
    for (let at = this.#rowAt + rowDigits - 1; at >= this.#rowAt; at--) {
      bytes[at] = hexDigits[rest & 15] as number;
      rest >>>= 4;
    }
  }

  #beginTable(table: TableHeaders): void {
    this.#out.clear();
    this.#out.append(table.prefix);
    this.count = table.prefixCount;
    this.#rowAt = -1;
  }

  #position(position: Buffer, suffix: string): void {
    this.#out.append(names.position);
    writeVarint(this.#out, position.length + suffix.length);
    this.#out.append(position);
    this.#rowAt = this.#out.length - rowDigits;
    this.#out.appendAscii(suffix);
    this.count += 1;
  }

  #schema(table: TableHeaders): void {
    if (table.schema.length === 0) return;
    this.#out.append(table.schema);
    this.count += 1;
  }

  #ascii(name: Buffer, value: string): void {
    this.#out.append(name);
    writeVarint(this.#out, value.length);
    this.#out.appendAscii(value);
    this.count += 1;
  }

  #value(name: Buffer, value: Buffer): void {
    this.#out.append(name);
    writeVarint(this.#out, value.length);
    this.#out.append(value);
    this.count += 1;
  }
}
