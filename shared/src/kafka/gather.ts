import type { RangeSink } from '../bytes/range-sink.ts';

/**
 * A reusable list of byte ranges that together form one value. The ranges are copied when the record is appended,
 * so the buffers may be reused afterwards. No object is made per range.
 */
export class Gather implements RangeSink {
  readonly #buffers: Buffer[] = [];
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  #count = 0;
  totalBytes = 0;

  add(bytes: Buffer, start: number, end: number): void {
    const index = this.#count++;
    this.#buffers[index] = bytes;
    this.#starts[index] = start;
    this.#ends[index] = end;
    this.totalBytes += end - start;
  }

  clear(): void {
    this.#count = 0;
    this.totalBytes = 0;
  }

  /** Copies all ranges one after another and returns the position after them. */
  copyTo(target: Buffer, at: number): number {
    for (let index = 0; index < this.#count; index++) {
      const start = this.#starts[index] as number;
      const end = this.#ends[index] as number;
      at = copyRange(this.#buffers[index] as Buffer, start, end, target, at);
    }
    return at;
  }
}

/** Copies `source[start, end)`; short ranges byte by byte, which beats the call into the runtime. */
export function copyRange(source: Buffer, start: number, end: number, target: Buffer, at: number): number {
  if (end - start > 24) return at + source.copy(target, at, start, end);
  for (let from = start; from < end; from++) target[at++] = source[from] as number;
  return at;
}
