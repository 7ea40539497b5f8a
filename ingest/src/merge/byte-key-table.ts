import { ByteWriter } from '@millrace/shared/bytes/byte-writer.ts';

const initialSlots = 1024;
// Not a constant: colliding keys cannot be prepared without knowing it.
const seed = Math.trunc(Math.random() * 0x7fffffff);

function hashOf(bytes: Buffer, start: number, end: number): number {
  let hash = seed;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2c1b3c6d);
  return hash ^ (hash >>> 13);
}

/** Numbers byte strings in the order in which they come: open addressing over one arena, no string per key. */
export class ByteKeyTable {
  /** Distinct keys so far; the next new key gets this number. */
  count = 0;
  #slots = new Int32Array(initialSlots);
  #hashes = new Int32Array(initialSlots);
  #ends = new Int32Array(initialSlots);
  readonly #arena = new ByteWriter(4096);
  readonly #hashOf: (bytes: Buffer, start: number, end: number) => number;

  constructor(hash = hashOf) {
    this.#hashOf = hash;
  }

  /** Number of the key; equal to the former `count` when it is new. */
  add(bytes: Buffer, start: number, end: number): number {
    const hash = this.#hashOf(bytes, start, end);
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (;;) {
      const entry = (this.#slots[slot] as number) - 1;
      if (entry < 0) break;
      if (this.#hashes[entry] === hash && this.#equals(entry, bytes, start, end)) return entry;
      slot = (slot + 1) & mask;
    }
    return this.#insert(slot, hash, bytes, start, end);
  }

  clear(): void {
    this.count = 0;
    this.#arena.clear();
    this.#slots.fill(0);
  }

  #equals(entry: number, bytes: Buffer, start: number, end: number): boolean {
    const from = entry === 0 ? 0 : (this.#ends[entry - 1] as number);
    const length = end - start;
    if ((this.#ends[entry] as number) - from !== length) return false;
    const arena = this.#arena.bytes;
    for (let i = 0; i < length; i++) if (arena[from + i] !== bytes[start + i]) return false;
    return true;
  }

  #insert(slot: number, hash: number, bytes: Buffer, start: number, end: number): number {
    const entry = this.count++;
    if (entry === this.#hashes.length) this.#growEntries();
    this.#arena.appendRange(bytes, start, end);
    this.#hashes[entry] = hash;
    this.#ends[entry] = this.#arena.length;
    this.#slots[slot] = entry + 1;
    if (this.count * 2 > this.#slots.length) this.#rehash();
    return entry;
  }

  #growEntries(): void {
    const hashes = new Int32Array(this.#hashes.length * 2);
    hashes.set(this.#hashes);
    this.#hashes = hashes;
    const ends = new Int32Array(this.#ends.length * 2);
    ends.set(this.#ends);
    this.#ends = ends;
  }

  #rehash(): void {
    const slots = new Int32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let entry = 0; entry < this.count; entry++) {
      let slot = (this.#hashes[entry] as number) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = entry + 1;
    }
    this.#slots = slots;
  }
}
