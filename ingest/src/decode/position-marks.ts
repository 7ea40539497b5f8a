/** `source␀table`, as marks are named in the destination. */
export function markName(source: string, table: string): string {
  return `${source}\u0000${table}`;
}

class Mark {
  readonly name: string;
  readonly source: Buffer;
  moved = false;
  /** The token is `bytes[start, end)`. */
  #bytes: Buffer;
  #start = 0;
  #end: number;

  constructor(name: string, source: Buffer, token: string) {
    this.name = name;
    this.source = source;
    this.#bytes = Buffer.from(token, 'latin1');
    this.#end = this.#bytes.length;
  }

  /** Bytewise order; a prefix sorts before what it begins. */
  covers(bytes: Buffer, start: number, end: number): boolean {
    const own = this.#bytes;
    const shift = this.#start - start;
    const common = Math.min(end, this.#end - shift);
    for (let at = start; at < common; at++) {
      const difference = (bytes[at] as number) - (own[at + shift] as number);
      if (difference !== 0) return difference < 0;
    }
    return common === end;
  }

  /** Holds on to `bytes` until `settle`. */
  move(bytes: Buffer, start: number, end: number): void {
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
    this.moved = true;
  }

  /** Copies the token out of the batch that it was read from and returns it. */
  settle(): string {
    const token = this.#bytes.toString('latin1', this.#start, this.#end);
    this.#bytes = Buffer.from(token, 'latin1');
    this.#start = 0;
    this.#end = this.#bytes.length;
    this.moved = false;
    return token;
  }
}

/**
 * The last position token of streamed records per source and table of one partition. A restarted capture repeats
 * records with identical tokens; what is at or below the mark was taken before.
 */
export class PositionMarks {
  readonly #initial: ReadonlyMap<string, string>;
  /** By table ordinal; mostly one source each. */
  readonly #byTable: (Mark[] | undefined)[] = [];
  #moved: Mark[] = [];
  #pending: Mark | null = null;
  #pendingBytes: Buffer = Buffer.alloc(0);
  #pendingStart = 0;
  #pendingEnd = 0;

  constructor(stored: ReadonlyMap<string, string>) {
    this.#initial = stored;
  }

  /** Whether a record was not taken before. Its token becomes the mark at `confirm`. */
  isNew(
    table: { readonly ordinal: number; readonly text: string },
    bytes: Buffer,
    sourceStart: number,
    sourceEnd: number,
    tokenStart: number,
    tokenEnd: number,
  ): boolean {
    const mark = this.#mark(table, bytes, sourceStart, sourceEnd);
    if (mark.covers(bytes, tokenStart, tokenEnd)) return false;
    this.#pending = mark;
    this.#pendingBytes = bytes;
    this.#pendingStart = tokenStart;
    this.#pendingEnd = tokenEnd;
    return true;
  }

  /** The record that `isNew` was asked about is taken in. Does nothing when no record is pending. */
  confirm(): void {
    const mark = this.#pending;
    if (mark === null) return;
    this.#pending = null;
    if (!mark.moved) this.#moved.push(mark);
    mark.move(this.#pendingBytes, this.#pendingStart, this.#pendingEnd);
  }

  /** The marks that moved since the last call. */
  takeMoved(): ReadonlyMap<string, string> {
    const moved = new Map<string, string>();
    for (const mark of this.#moved) moved.set(mark.name, mark.settle());
    this.#moved = [];
    return moved;
  }

  #mark(
    table: { readonly ordinal: number; readonly text: string },
    bytes: Buffer,
    sourceStart: number,
    sourceEnd: number,
  ): Mark {
    let marks = this.#byTable[table.ordinal];
    if (marks === undefined) {
      marks = [];
      this.#byTable[table.ordinal] = marks;
    }
    for (const mark of marks) if (sameRange(mark.source, bytes, sourceStart, sourceEnd)) return mark;
    const source = sourceStart < 0 ? Buffer.alloc(0) : Buffer.from(bytes.subarray(sourceStart, sourceEnd));
    const name = markName(source.toString('utf8'), table.text);
    const mark = new Mark(name, source, this.#initial.get(name) ?? '');
    marks.push(mark);
    return mark;
  }
}

function sameRange(expected: Buffer, bytes: Buffer, start: number, end: number): boolean {
  const length = start < 0 ? 0 : end - start;
  if (expected.length !== length) return false;
  for (let i = 0; i < length; i++) if (expected[i] !== bytes[start + i]) return false;
  return true;
}
