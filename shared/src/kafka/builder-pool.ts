import { RecordBatchBuilder } from './record-batch.ts';

const smallBytes = 65_536;

/**
 * Batch buffers for reuse. Small and large ones are kept apart, so that a lane with little traffic does not hold a
 * buffer that grew for a busy one.
 */
export class BuilderPool {
  readonly #small: RecordBatchBuilder[] = [];
  readonly #large: RecordBatchBuilder[] = [];
  readonly #maxIdleBytes: number;
  #idleBytes = 0;

  constructor(maxIdleBytes: number) {
    this.#maxIdleBytes = maxIdleBytes;
  }

  /** `expectedBytes`: size of the batch that the asking lane filled last. */
  take(expectedBytes: number): RecordBatchBuilder {
    const builder = (expectedBytes > smallBytes / 2 ? this.#large.pop() : undefined) ?? this.#small.pop();
    if (builder === undefined) return new RecordBatchBuilder();
    this.#idleBytes -= builder.bytes.length;
    return builder;
  }

  give(builder: RecordBatchBuilder): void {
    const size = builder.bytes.length;
    if (this.#idleBytes + size > this.#maxIdleBytes) return;
    builder.reset();
    this.#idleBytes += size;
    if (size <= smallBytes) this.#small.push(builder);
    else this.#large.push(builder);
  }
}
