import { logCorrupt } from '../log-corrupt.ts';

/** Bounded reading of one event's body, for all events that are not on the row path. */
export class ByteCursor {
  readonly bytes: Buffer;
  readonly end: number;
  at: number;
  readonly #what: string;

  constructor(bytes: Buffer, start: number, end: number, what: string) {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
    this.#what = what;
  }

  get left(): number {
    return this.end - this.at;
  }

  /** Moves over `count` bytes and returns where they began. */
  skip(count: number): number {
    const from = this.at;
    if (count < 0 || count > this.end - from) throw logCorrupt(`${this.#what} ends too early`);
    this.at = from + count;
    return from;
  }

  u8(): number {
    return this.bytes[this.skip(1)] as number;
  }

  u16(): number {
    return this.bytes.readUInt16LE(this.skip(2));
  }

  u32(): number {
    return this.bytes.readUInt32LE(this.skip(4));
  }

  i32(): number {
    return this.bytes.readInt32LE(this.skip(4));
  }

  u48(): number {
    return this.bytes.readUIntLE(this.skip(6), 6);
  }

  /** A 64-bit number that must fit a double. */
  u64(): number {
    const from = this.skip(8);
    const high = this.bytes.readUInt32LE(from + 4);
    if (high > 0x1fffff) throw logCorrupt(`${this.#what} holds a number beyond 2^53`);
    return high * 0x1_0000_0000 + this.bytes.readUInt32LE(from);
  }

  /** Length-encoded integer of the client protocol. */
  lenenc(): number {
    const first = this.u8();
    if (first < 0xfb) return first;
    if (first === 0xfc) return this.u16();
    if (first === 0xfd) return this.bytes.readUIntLE(this.skip(3), 3);
    if (first === 0xfe) return this.u64();
    throw logCorrupt(`${this.#what} holds no length where one must stand`);
  }

  utf8(length: number): string {
    const from = this.skip(length);
    return this.bytes.toString('utf8', from, from + length);
  }

  /** Text up to a NUL, which is consumed. */
  utf8z(): string {
    const stop = this.bytes.indexOf(0, this.at);
    if (stop < 0 || stop >= this.end) throw logCorrupt(`${this.#what} holds an open text`);
    const text = this.utf8(stop - this.at);
    this.at += 1;
    return text;
  }
}
