/** Bytes that are looked for at given places, compared by words. */
export class ConstantBytes {
  readonly length: number;
  readonly #bytes: Uint8Array;
  readonly #words: Int32Array;
  readonly #lastWord: number;

  constructor(bytes: Uint8Array) {
    const own = Buffer.from(bytes);
    this.length = own.length;
    this.#bytes = own;
    this.#words = new Int32Array(own.length >> 2);
    for (let i = 0; i < this.#words.length; i++) this.#words[i] = own.readInt32LE(i * 4);
    this.#lastWord = own.length < 4 ? 0 : own.readInt32LE(own.length - 4);
  }

  /** Whether they stand at `at`; all of the range must lie inside of `view`. */
  standsAt(view: DataView, at: number): boolean {
    const length = this.length;
    if (length < 4) return this.#shortStandsAt(view, at);
    // From the end: what is compared in turn with the same place mostly begins alike.
    if (view.getInt32(at + length - 4, true) !== this.#lastWord) return false;
    const words = this.#words;
    for (let i = words.length - 1; i >= 0; i--) if (view.getInt32(at + i * 4, true) !== words[i]) return false;
    return true;
  }

  #shortStandsAt(view: DataView, at: number): boolean {
    for (let i = 0; i < this.length; i++) if (view.getUint8(at + i) !== this.#bytes[i]) return false;
    return true;
  }
}
