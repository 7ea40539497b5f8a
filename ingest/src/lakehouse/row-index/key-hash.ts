/**
 * 96 bits over the canonical bytes of a key, for keys that do not fit 64 bits as they are: three lanes of 32 bits with
 * multipliers and seeds of their own. Seeds are chosen per process, so that nobody can send colliding keys on purpose.
 */
export class KeyHash {
  word0 = 0;
  word1 = 0;
  word2 = 0;
  readonly #seed0: number;
  readonly #seed1: number;
  readonly #seed2: number;

  constructor(seeds: readonly [number, number, number]) {
    [this.#seed0, this.#seed1, this.#seed2] = seeds;
  }

  /** Leaves the hash of `bytes[start, end)` in the three words. */
  update(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    let h0 = this.#seed0 ^ length;
    let h1 = this.#seed1 ^ length;
    let h2 = this.#seed2 ^ length;
    let at = start;
    for (; at < end; at += 4) {
      let k = bytes[at] as number;
      if (at + 1 < end) k |= (bytes[at + 1] as number) << 8;
      if (at + 2 < end) k |= (bytes[at + 2] as number) << 16;
      if (at + 3 < end) k |= (bytes[at + 3] as number) << 24;
      const k0 = Math.imul(k, 0xcc9e2d51);
      const k1 = Math.imul(k ^ 0x7feb352d, 0x1b873593);
      const k2 = Math.imul(k + 0x165667b1, 0x846ca68b);
      h0 ^= (k0 << 15) | (k0 >>> 17);
      h0 = (Math.imul((h0 << 13) | (h0 >>> 19), 5) + 0xe6546b64) | 0;
      h1 = Math.imul(h1 ^ ((k1 << 11) | (k1 >>> 21)), 0x9e3779b1);
      h1 = (h1 << 17) | (h1 >>> 15);
      h2 = (Math.imul((h2 << 7) | (h2 >>> 25), 0x2c1b3c6d) + ((k2 << 19) | (k2 >>> 13))) | 0;
    }
    h0 = finalise(h0 ^ Math.imul(h1, 0x85ebca77));
    h1 = finalise(h1 ^ Math.imul(h2, 0xc2b2ae3d));
    h2 = finalise(h2 ^ Math.imul(h0, 0x27d4eb2f));
    this.word0 = h0 >>> 0;
    this.word1 = h1 >>> 0;
    this.word2 = h2 >>> 0;
  }
}

function finalise(value: number): number {
  let h = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
