/** What a record does to its rows. `ignored`: a record that carries no rows, such as a heartbeat. */
export const frameOp = { ignored: 0, create: 1, update: 2, delete: 3, read: 4, truncate: 5 } as const;

/** A range of the record's bytes; of texts the content between the quotes. −1 where absent. */
export class Span {
  start = -1;
  end = -1;
  /** The text holds JSON escapes. */
  escaped = false;

  clear(): void {
    this.start = -1;
    this.end = -1;
    this.escaped = false;
  }

  set(start: number, end: number, escaped = false): void {
    this.start = start;
    this.end = end;
    this.escaped = escaped;
  }

  get present(): boolean {
    return this.start >= 0;
  }
}

/** The text of a span that holds the content of a JSON string. */
export function spanText(bytes: Buffer, span: Span): string {
  const text = bytes.toString('utf8', span.start, span.end);
  return span.escaped ? (JSON.parse(`"${text}"`) as string) : text;
}

/**
 * What one record's value says, as places in its bytes. One object is filled again and again; nothing in it outlives
 * the next `decode`.
 */
export class RecordFrame {
  op: number = frameOp.ignored;
  /** Rows of the record; before and after images of row `i`, −1 where there is none. */
  rows = 0;
  beforeStart: Int32Array = new Int32Array(1);
  beforeEnd: Int32Array = new Int32Array(1);
  afterStart: Int32Array = new Int32Array(1);
  afterEnd: Int32Array = new Int32Array(1);
  /** Parts of the table's name; `namespace` and `schema` may be absent. */
  readonly namespace = new Span();
  readonly schema = new Span();
  readonly table = new Span();
  /** The JSON array of key columns that the producer names, if it does. */
  readonly keyNames = new Span();
  /** Commit time at the source, ms; 0 when unknown. */
  timeMs = 0;
  /** The number that `timeMs` was read from; absent where the record was recognised by a known one. */
  readonly time = new Span();
  /** Cells may hold placeholders for values that the source's log did not carry. */
  mayHoldPlaceholders = false;
  /** Why the record is ignored; empty when it is not. */
  ignored = '';

  clear(): void {
    this.op = frameOp.ignored;
    this.rows = 0;
    this.namespace.clear();
    this.schema.clear();
    this.table.clear();
    this.keyNames.clear();
    this.timeMs = 0;
    this.time.clear();
    this.mayHoldPlaceholders = false;
    this.ignored = '';
  }

  /** Appends a row without images and returns its index. */
  addRow(): number {
    const row = this.rows++;
    if (row === this.beforeStart.length) this.#grow();
    this.beforeStart[row] = -1;
    this.beforeEnd[row] = -1;
    this.afterStart[row] = -1;
    this.afterEnd[row] = -1;
    return row;
  }

  setBefore(row: number, start: number, end: number): void {
    this.beforeStart[row] = start;
    this.beforeEnd[row] = end;
  }

  setAfter(row: number, start: number, end: number): void {
    this.afterStart[row] = start;
    this.afterEnd[row] = end;
  }

  #grow(): void {
    const grown = (old: Int32Array): Int32Array => {
      const longer = new Int32Array(old.length * 2);
      longer.set(old);
      return longer;
    };
    this.beforeStart = grown(this.beforeStart);
    this.beforeEnd = grown(this.beforeEnd);
    this.afterStart = grown(this.afterStart);
    this.afterEnd = grown(this.afterEnd);
  }
}
