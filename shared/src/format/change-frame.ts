import type { RangeSink } from '../bytes/range-sink.ts';

/** What happened to a row, as a frame prints it; `read` is a row of a snapshot. */
export type FrameOp = 'create' | 'update' | 'delete' | 'read';

/** Images of one row inside `bytes`; −1 where there is none. */
export interface RowImages {
  readonly beforeStart: number;
  readonly beforeEnd: number;
  readonly afterStart: number;
  readonly afterEnd: number;
}

/**
 * Constant text of a format for one table. A value is `head`, the first image, for updates `middle` and the second
 * image, then `tail` with the commit time in ms between its parts.
 */
export interface FrameText {
  readonly head: Readonly<Record<FrameOp, string>>;
  readonly middle: string;
  readonly tail: Readonly<Record<FrameOp, readonly string[]>>;
  /** A whole TRUNCATE record, with the commit time between its parts. */
  readonly truncate: readonly string[];
}

/** Tail bytes of one op; rewritten only when the time changes. */
class Tail {
  readonly #parts: readonly Buffer[];
  bytes: Buffer;
  length = 0;
  #timeMs = -1;

  constructor(parts: readonly string[]) {
    this.#parts = parts.map((part) => Buffer.from(part));
    const constant = this.#parts.reduce((sum, part) => sum + part.length, 0);
    this.bytes = Buffer.alloc(constant + 20 * this.#parts.length);
  }

  at(timeMs: number): this {
    if (timeMs === this.#timeMs) return this;
    this.#timeMs = timeMs;
    const digits = String(timeMs);
    let length = 0;
    let first = true;
    for (const part of this.#parts) {
      if (!first) length += this.bytes.write(digits, length, 'latin1');
      first = false;
      length += part.copy(this.bytes, length);
    }
    this.length = length;
    return this;
  }
}

/** Puts the constant bytes of a format around row images. One per table version; not re-entrant. */
export class ChangeFrame {
  readonly #head: Readonly<Record<FrameOp, Buffer>>;
  readonly #middle: Buffer;
  readonly #tail: Readonly<Record<FrameOp, Tail>>;
  readonly #truncate: Tail;

  constructor(text: FrameText) {
    this.#head = {
      create: Buffer.from(text.head.create),
      update: Buffer.from(text.head.update),
      delete: Buffer.from(text.head.delete),
      read: Buffer.from(text.head.read),
    };
    this.#middle = Buffer.from(text.middle);
    this.#tail = {
      create: new Tail(text.tail.create),
      update: new Tail(text.tail.update),
      delete: new Tail(text.tail.delete),
      read: new Tail(text.tail.read),
    };
    this.#truncate = new Tail(text.truncate);
  }

  /**
   * Adds the ranges of one value. `create` and `read` print the after image, `delete` the before image. The tail's
   * bytes change at the next call with another time: use the ranges up before.
   */
  gather(sink: RangeSink, op: FrameOp, timeMs: number, bytes: Buffer, row: RowImages): void {
    const head = this.#head[op];
    sink.add(head, 0, head.length);
    if (op === 'delete' || op === 'update') sink.add(bytes, row.beforeStart, row.beforeEnd);
    if (op === 'update') sink.add(this.#middle, 0, this.#middle.length);
    if (op !== 'delete') sink.add(bytes, row.afterStart, row.afterEnd);
    const tail = this.#tail[op].at(timeMs);
    sink.add(tail.bytes, 0, tail.length);
  }
  /** Adds the ranges of a TRUNCATE record. */
  gatherTruncate(sink: RangeSink, timeMs: number): void {
    const tail = this.#truncate.at(timeMs);
    sink.add(tail.bytes, 0, tail.length);
  }
}
