import type { ByteWriter } from '@millrace/shared/bytes/byte-writer.ts';

import type { ColumnData } from './column-builder.ts';

const initialRows = 64;

type TypedArray = Int32Array | BigInt64Array | Float32Array | Float64Array;

/** Growing storage of fixed-width cells with a mark per null, shared by the builders of numbers and times. */
export class TypedColumn<A extends TypedArray> {
  values: A;
  length = 0;
  #nulls: Uint8Array | null = null;
  #nullCount = 0;
  readonly #make: (rows: number) => A;

  constructor(make: (rows: number) => A) {
    this.#make = make;
    this.values = make(initialRows);
  }

  append(value: number): void {
    // `next` may replace the array: it must be asked first.
    const row = this.next();
    this.values[row] = value;
  }

  /** Index of the next row, with room for it. */
  protected next(): number {
    if (this.length === this.values.length) this.#grow();
    return this.length++;
  }

  appendNull(): void {
    const row = this.next();
    this.#nulls ??= new Uint8Array(this.values.length);
    this.#nulls[row] = 1;
    this.#nullCount++;
  }

  isNull(row: number): boolean {
    return this.#nulls !== null && this.#nulls[row] === 1;
  }

  clear(): void {
    this.length = 0;
    this.#nullCount = 0;
    this.#nulls = null;
  }

  value(row: number): number | bigint | null {
    return this.isNull(row) ? null : (this.values[row] as number | bigint);
  }

  data(): ColumnData {
    if (this.#nullCount === 0) return this.values.subarray(0, this.length);
    const cells: unknown[] = Array.from({ length: this.length });
    for (let row = 0; row < this.length; row++) cells[row] = this.isNull(row) ? null : this.values[row];
    return cells;
  }

  #grow(): void {
    const grown = this.#make(this.values.length * 2);
    (grown as Float64Array).set(this.values as unknown as Float64Array);
    this.values = grown;
    if (this.#nulls === null) return;
    const nulls = new Uint8Array(grown.length);
    nulls.set(this.#nulls);
    this.#nulls = nulls;
  }
}

/** 64-bit integers written as two halves, so that no bigint is made for a value that a double holds. */
export class LongColumn extends TypedColumn<BigInt64Array> {
  #words = new Int32Array(this.values.buffer);

  constructor() {
    super((rows) => new BigInt64Array(rows));
  }

  appendNumber(value: number): void {
    const row = this.next();
    if (this.#words.buffer !== this.values.buffer) this.#words = new Int32Array(this.values.buffer);
    const high = Math.floor(value / 4_294_967_296);
    this.#words[row * 2] = value - high * 4_294_967_296;
    this.#words[row * 2 + 1] = high;
  }

  appendBigInt(value: bigint): void {
    const row = this.next();
    this.values[row] = value;
  }

  lowWord(row: number): number {
    if (this.#words.buffer !== this.values.buffer) this.#words = new Int32Array(this.values.buffer);
    return this.#words[row * 2] as number;
  }

  highWord(row: number): number {
    if (this.#words.buffer !== this.values.buffer) this.#words = new Int32Array(this.values.buffer);
    return this.#words[row * 2 + 1] as number;
  }
}

/** Integers of every width as eight bytes: an int column that became long keeps its keys. */
export function writeIntegerKey(value: bigint, out: ByteWriter): void {
  out.reserve(8).writeBigInt64LE(value, out.length);
  out.length += 8;
}

export function writeDoubleKey(value: number, out: ByteWriter): void {
  out.reserve(8).writeDoubleLE(value, out.length);
  out.length += 8;
}

/** Length first: otherwise ('a', 'bc') and ('ab', 'c') would be one key. */
export function writeBytesKey(value: Uint8Array, out: ByteWriter): void {
  out.reserve(4).writeUInt32LE(value.length, out.length);
  out.length += 4;
  out.append(value);
}

const decimalKeyBytes = 16;

/** Decimals are equal as unscaled integers of one scale, which a column never changes. */
export function writeDecimalKey(unscaled: bigint, out: ByteWriter): void {
  const bytes = out.reserve(decimalKeyBytes);
  bytes.writeBigInt64LE(BigInt.asIntN(64, unscaled), out.length);
  bytes.writeBigInt64LE(BigInt.asIntN(64, unscaled >> 64n), out.length + 8);
  out.length += decimalKeyBytes;
}
