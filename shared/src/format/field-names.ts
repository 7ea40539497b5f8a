/** A name that was seen in an object, as its JSON token `"name":` and with the name that followed it last time. */
export class FieldName {
  readonly column: number;
  /** Length of `"name":`. */
  readonly tokenBytes: number;
  /** The name after this one in the object read before: the next one is tried first. */
  next: FieldName | null = null;
  /** Number of the object that last held this name; tells repeated names. */
  seenIn = 0;
  readonly #words: Int32Array;
  readonly #lastWord: number;

  constructor(name: string, column: number) {
    const token = Buffer.from(`${JSON.stringify(name)}:`);
    this.column = column;
    // A token of an empty name is shorter than a word: it is left to the map.
    this.tokenBytes = token.length < 4 ? 0 : token.length;
    this.#words = new Int32Array(this.tokenBytes >> 2);
    for (let i = 0; i < this.#words.length; i++) this.#words[i] = token.readInt32LE(i * 4);
    this.#lastWord = this.tokenBytes === 0 ? 0 : token.readInt32LE(token.length - 4);
  }

  /** Whether exactly this token stands at `at`, without blanks and spelt as a plain writer would. */
  standsAt(view: DataView, at: number, limit: number): boolean {
    const last = at + this.tokenBytes - 4;
    if (last < at || last + 4 > limit || view.getInt32(last, true) !== this.#lastWord) return false;
    const words = this.#words;
    for (let i = 0; i < words.length; i++) {
      if (view.getInt32(at + i * 4, true) !== words[i]) return false;
    }
    return true;
  }
}

const maxUnknownNames = 4096;

/** The columns that a reader looks for, and the other names it met on the way. */
export class FieldNames {
  /** Stands before the first field. */
  readonly head = new FieldName('', -1);
  readonly #columns: readonly string[];
  #byName = new Map<string, FieldName>();

  constructor(columns: readonly string[]) {
    this.#columns = columns;
    this.#reset();
  }

  /** Entry of `name`; unknown names get column −1. */
  find(name: string): FieldName {
    let entry = this.#byName.get(name);
    if (entry === undefined) {
      entry = new FieldName(name, -1);
      this.#byName.set(name, entry);
    }
    return entry;
  }

  /** Call between objects only: forgets unknown names when a stream of ever new ones has filled the map. */
  trim(): void {
    if (this.#byName.size > this.#columns.length + maxUnknownNames) this.#reset();
  }

  #reset(): void {
    this.#byName = new Map();
    let previous = this.head;
    for (const [column, name] of this.#columns.entries()) {
      const entry = new FieldName(name, column);
      this.#byName.set(name, entry);
      previous.next = entry;
      previous = entry;
    }
  }
}
