/** Number of set bits. */
function popCount(word: number): number {
  let x = word - ((word >>> 1) & 0x55555555);
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
  return Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/**
 * The deleted positions of one data file as a plain bitset; positions stay below 2^32. Grows on demand, so that a
 * vector of another writer needs no row count to be read.
 */
export class PositionSet {
  words: Uint32Array;
  cardinality = 0;

  constructor(positions = 0) {
    this.words = new Uint32Array((positions + 31) >>> 5);
  }

  /** A copy to stage changes in; the original stays what readers of the published state see. */
  clone(): PositionSet {
    const copy = new PositionSet();
    copy.words = this.words.slice();
    copy.cardinality = this.cardinality;
    return copy;
  }

  has(position: number): boolean {
    return ((this.words[position >>> 5] ?? 0) & (1 << (position & 31))) !== 0;
  }

  /** Returns false when the position was in the set already. */
  add(position: number): boolean {
    const index = position >>> 5;
    if (index >= this.words.length) this.#grow(index + 1);
    const bit = 1 << (position & 31);
    const word = this.words[index] as number;
    if ((word & bit) !== 0) return false;
    this.words[index] = word | bit;
    this.cardinality++;
    return true;
  }

  /** Adds `[first, last]`. */
  addRange(first: number, last: number): void {
    for (let position = first; position <= last; position++) this.add(position);
  }

  /** Puts a whole word in, for decoders of bitmaps. */
  addWord(index: number, word: number): void {
    if (index >= this.words.length) this.#grow(index + 1);
    const old = this.words[index] as number;
    const merged = old | word;
    this.cardinality += popCount(merged) - popCount(old);
    this.words[index] = merged;
  }

  /** Positions in order. For tests and small sets. */
  *[Symbol.iterator](): Iterator<number> {
    for (let index = 0; index < this.words.length; index++) {
      let word = this.words[index] as number;
      while (word !== 0) {
        const lowest = word & -word;
        yield index * 32 + 31 - Math.clz32(lowest);
        word ^= lowest;
      }
    }
  }

  #grow(words: number): void {
    const grown = new Uint32Array(Math.max(words, this.words.length * 2));
    grown.set(this.words);
    this.words = grown;
  }
}

/** Members of `words[from, to)` and the number of runs of adjacent members inside. */
export function countRange(words: Uint32Array, from: number, to: number): { cardinality: number; runs: number } {
  let cardinality = 0;
  let runs = 0;
  let carry = 0;
  for (let index = from; index < to; index++) {
    const word = words[index] as number;
    if (word === 0) {
      carry = 0;
      continue;
    }
    cardinality += popCount(word);
    runs += popCount(word & ~((word << 1) | carry));
    carry = word >>> 31;
  }
  return { cardinality, runs };
}
