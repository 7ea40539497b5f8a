import type { RangeSink } from '@millrace/shared/bytes/range-sink.ts';

/** Byte ranges of one value, used up by the append that follows. */
export interface ValueRanges extends RangeSink {
  clear(): void;
}

/** Ordered way into one topic-partition. */
export interface Lane<V extends ValueRanges> {
  /**
   * Copies one record into the lane's open batch. `sequence` numbers the transaction; records become sendable when it is
   * released. `value` null = tombstone.
   */
  append(
    timestampMs: number,
    key: Buffer,
    keyStart: number,
    keyEnd: number,
    value: V | null,
    headers: Buffer,
    headersStart: number,
    headersEnd: number,
    headerCount: number,
    sequence: number,
  ): void;
}
