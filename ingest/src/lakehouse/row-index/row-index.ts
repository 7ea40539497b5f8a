/**
 * Key → row address in memory: open addressing with linear probing over typed arrays, split into 256 sub-tables by the
 * top bits of the key's hash, each grown alone, so that growth never doubles the whole. A key is two or three 32-bit
 * words; an address is 32 bits and never 0. It is a cache of the table: losing it costs a scan.
 */

const subTables = 256;
const initialSlots = 8;
const maximumLoad = 0.72;

/** Murmur3's finaliser. */
function mix(value: number): number {
  let h = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** Both halves are mixed apart before they meet: keys that are themselves multiples of a constant stay spread. */
function hashWords(word0: number, word1: number): number {
  return mix(word0 ^ Math.imul(mix(word1 ^ 0x5bd1e995), 0x9e3779b1));
}

export type KeyWords = 2 | 3;

interface SubTable {
  slots: Uint32Array;
  mask: number;
  count: number;
}

export class RowIndex {
  readonly words: KeyWords;
  readonly #stride: number;
  #tables: SubTable[];
  #size = 0;

  constructor(words: KeyWords) {
    this.words = words;
    this.#stride = words + 1;
    this.#tables = this.#empty();
  }

  get size(): number {
    return this.#size;
  }

  get bytes(): number {
    return this.#tables.reduce((sum, table) => sum + table.slots.byteLength, 0);
  }

  /** Makes room for that many keys at once, when their number is known before they come. */
  reserve(keys: number): void {
    const slots = 2 ** Math.ceil(Math.log2(Math.max(keys / subTables / maximumLoad, initialSlots)));
    for (const table of this.#tables) if (table.mask + 1 < slots) this.#grow(table, slots);
  }

  /** The address of the key, 0 when absent. `word2` is ignored for two-word keys. */
  get(word0: number, word1: number, word2: number): number {
    const hash = hashWords(word0, word1);
    const table = this.#tables[hash >>> 24] as SubTable;
    const at = this.#find(table, hash, word0, word1, word2);
    return table.slots[at + this.words] as number;
  }

  /** Returns the address that the key had, 0 when it is new. */
  set(word0: number, word1: number, word2: number, address: number): number {
    const hash = hashWords(word0, word1);
    const table = this.#tables[hash >>> 24] as SubTable;
    let at = this.#find(table, hash, word0, word1, word2);
    const valueAt = at + this.words;
    const previous = table.slots[valueAt] as number;
    if (previous !== 0) {
      table.slots[valueAt] = address;
      return previous;
    }
    if (table.count + 1 > (table.mask + 1) * maximumLoad) {
      this.#grow(table, (table.mask + 1) * 2);
      at = this.#find(table, hash, word0, word1, word2);
    }
    this.#put(table, at, word0, word1, word2, address);
    table.count++;
    this.#size++;
    return 0;
  }

  /** Returns the address that the key had, 0 when it was absent. */
  delete(word0: number, word1: number, word2: number): number {
    const hash = hashWords(word0, word1);
    const table = this.#tables[hash >>> 24] as SubTable;
    const at = this.#find(table, hash, word0, word1, word2);
    const previous = table.slots[at + this.words] as number;
    if (previous === 0) return 0;
    this.#closeGap(table, at / this.#stride);
    table.count--;
    this.#size--;
    return previous;
  }

  /** Replaces each address by what `next` says; 0 drops the key. */
  remap(next: (address: number) => number): void {
    const stride = this.#stride;
    const old = this.#tables;
    this.#tables = this.#empty();
    this.#size = 0;
    for (let i = 0; i < subTables; i++) {
      const { slots } = old[i] as SubTable;
      for (let at = 0; at < slots.length; at += stride) {
        const address = slots[at + this.words] as number;
        if (address === 0) continue;
        const mapped = next(address);
        if (mapped !== 0) this.set(slots[at] as number, slots[at + 1] as number, slots[at + 2] as number, mapped);
      }
      old[i] = { slots: new Uint32Array(0), mask: 0, count: 0 };
    }
  }

  #empty(): SubTable[] {
    return Array.from({ length: subTables }, () => ({
      slots: new Uint32Array(initialSlots * this.#stride),
      mask: initialSlots - 1,
      count: 0,
    }));
  }

  /** Where the key stands, or the empty slot where it would. */
  #find(table: SubTable, hash: number, word0: number, word1: number, word2: number): number {
    const { slots, mask } = table;
    const { words } = this;
    const stride = words + 1;
    const key0 = word0 >>> 0;
    const key1 = word1 >>> 0;
    const key2 = word2 >>> 0;
    let slot = hash & mask;
    for (;;) {
      const at = slot * stride;
      if (slots[at + words] === 0) return at;
      if (slots[at] === key0 && slots[at + 1] === key1 && (words === 2 || slots[at + 2] === key2)) return at;
      slot = (slot + 1) & mask;
    }
  }

  #put(table: SubTable, at: number, word0: number, word1: number, word2: number, address: number): void {
    const { slots } = table;
    slots[at] = word0;
    slots[at + 1] = word1;
    if (this.words === 3) slots[at + 2] = word2;
    slots[at + this.words] = address;
  }

  #grow(table: SubTable, slots: number): void {
    const stride = this.#stride;
    const old = table.slots;
    table.slots = new Uint32Array(slots * stride);
    table.mask = slots - 1;
    for (let at = 0; at < old.length; at += stride) {
      const address = old[at + this.words] as number;
      if (address === 0) continue;
      const word0 = old[at] as number;
      const word1 = old[at + 1] as number;
      const word2 = old[at + 2] as number;
      this.#put(table, this.#find(table, hashWords(word0, word1), word0, word1, word2), word0, word1, word2, address);
    }
  }

  /** Moves later members of the probe chain back, so that no marker for deleted slots is needed. */
  #closeGap(table: SubTable, gap: number): void {
    const { slots, mask } = table;
    const stride = this.#stride;
    let hole = gap;
    for (let slot = (gap + 1) & mask; ; slot = (slot + 1) & mask) {
      const at = slot * stride;
      if (slots[at + this.words] === 0) break;
      const home = hashWords(slots[at] as number, slots[at + 1] as number) & mask;
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
      slots.copyWithin(hole * stride, at, at + stride);
      hole = slot;
    }
    slots.fill(0, hole * stride, (hole + 1) * stride);
  }
}
