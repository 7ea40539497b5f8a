import { CdcError, invariantBroken } from '../errors/cdc-error.ts';
import type { BuilderPool } from './builder-pool.ts';
import type { Gather } from './gather.ts';
import { batchHeaderBytes, recordOverheadBytes } from './record-batch.ts';
import type { BatchMark, RecordBatchBuilder } from './record-batch.ts';

/** A batch of one partition from its first record until the brokers hold it. */
export interface PendingBatch {
  readonly builder: RecordBatchBuilder;
  /** Transactions of its records: lowest and highest sequence. */
  firstSequence: number;
  lastSequence: number;
}

/**
 * Records of one partition that were not sent yet, as batches in order; the last one takes new records. Records come
 * in the order of their transactions. Only the newest transaction can be discarded, and what is not released stays.
 */
export class LaneQueue {
  maxBatchBytes: number;
  readonly #maxRecordBytes: number;
  readonly #pool: BuilderPool;
  readonly #batches: PendingBatch[] = [];
  #newest = Number.NEGATIVE_INFINITY;
  #beforeNewest = Number.NEGATIVE_INFINITY;
  /** Where the newest transaction begins; null once that batch left the queue. */
  #markBatch: PendingBatch | null = null;
  readonly #mark: BatchMark = { length: 0, count: 0, maxTimestampMs: 0 };
  #lastBatchBytes = 0;
  /** Bytes of all batches. */
  bytes = 0;

  constructor(maxBatchBytes: number, maxRecordBytes: number, pool: BuilderPool) {
    this.maxBatchBytes = maxBatchBytes;
    this.#maxRecordBytes = maxRecordBytes;
    this.#pool = pool;
  }

  get isEmpty(): boolean {
    return this.#batches.length === 0;
  }

  /** More than one batch waits: the first will not grow any more. */
  get hasFullBatch(): boolean {
    return this.#batches.length > 1;
  }

  /** Lowest sequence of a waiting record; Infinity when none waits. */
  get firstSequence(): number {
    return this.#batches[0]?.firstSequence ?? Number.POSITIVE_INFINITY;
  }

  append(
    timestampMs: number,
    key: Buffer,
    keyStart: number,
    keyEnd: number,
    value: Gather | null,
    headers: Buffer,
    headersStart: number,
    headersEnd: number,
    headerCount: number,
    sequence: number,
  ): void {
    if (sequence < this.#newest) throw invariantBroken('records came out of the order of their transactions');
    const size =
      recordOverheadBytes +
      Math.max(0, keyEnd - keyStart) +
      (value === null ? 0 : value.totalBytes) +
      headersEnd -
      headersStart;
    if (size > this.#maxRecordBytes) {
      throw new CdcError('BROKER_RECORD_TOO_LARGE', 'a record is larger than the request limit', {
        details: { bytes: size, limitBytes: this.#maxRecordBytes },
      });
    }
    const batch = this.#batchFor(size, sequence);
    const { builder } = batch;
    if (sequence !== this.#newest) this.#beginTransaction(batch, sequence);
    const before = builder.length;
    builder.append(timestampMs, key, keyStart, keyEnd, value, headers, headersStart, headersEnd, headerCount);
    batch.lastSequence = sequence;
    this.bytes += builder.length - before;
  }

  /** Takes out the next batch of which every record is released, split off where the newest transaction is not. */
  take(released: number): PendingBatch | null {
    const first = this.#batches[0];
    if (first === undefined || !this.sendable(released)) return null;
    if (first.lastSequence > released) this.#splitOffNewest(first);
    this.#batches.shift();
    if (this.#markBatch === first) this.#markBatch = null;
    this.#lastBatchBytes = first.builder.length;
    this.bytes -= first.builder.length - batchHeaderBytes;
    return first;
  }

  sendable(released: number): boolean {
    const first = this.#batches[0];
    if (first === undefined) return false;
    if (first.lastSequence <= released) return true;
    // The batch also holds the beginning of the newest transaction: what stands before that may go.
    return first === this.#markBatch && this.#mark.count > 0 && this.#beforeNewest <= released;
  }

  /** Drops every record of the newest transaction, if that is `sequence` or later. */
  discard(sequence: number): void {
    if (this.#newest < sequence) return;
    const marked = this.#markBatch;
    if (marked === null || this.#beforeNewest >= sequence) {
      throw invariantBroken('only the newest transaction can be discarded', { sequence });
    }
    while (this.#batches.at(-1) !== marked) this.#drop(this.#batches.pop());
    this.bytes -= marked.builder.length - this.#mark.length;
    marked.builder.truncate(this.#mark);
    marked.lastSequence = this.#beforeNewest;
    if (marked.builder.count === 0) {
      this.#batches.pop();
      this.#pool.give(marked.builder);
    }
    this.#markBatch = null;
    this.#newest = this.#beforeNewest;
  }

  /** The last batch if it has room, else a new one. */
  #batchFor(size: number, sequence: number): PendingBatch {
    const last = this.#batches.at(-1);
    if (last !== undefined && last.builder.length + size <= this.maxBatchBytes) return last;
    if (last !== undefined) this.#lastBatchBytes = last.builder.length;
    const builder = this.#pool.take(this.#lastBatchBytes);
    const batch: PendingBatch = { builder, firstSequence: sequence, lastSequence: sequence };
    this.#batches.push(batch);
    return batch;
  }

  #beginTransaction(batch: PendingBatch, sequence: number): void {
    this.#beforeNewest = this.#newest;
    this.#newest = sequence;
    this.#markBatch = batch;
    batch.builder.saveMark(this.#mark);
  }

  #splitOffNewest(first: PendingBatch): void {
    const builder = this.#pool.take(first.builder.length - this.#mark.length);
    first.builder.moveTail(this.#mark, builder);
    first.lastSequence = this.#beforeNewest;
    const rest: PendingBatch = { builder, firstSequence: this.#newest, lastSequence: this.#newest };
    // Lengths change with the deltas, by a few bytes per record.
    this.#batches.splice(1, 0, rest);
    this.bytes = this.#batches.reduce((sum, batch) => sum + batch.builder.length - batchHeaderBytes, 0);
    this.#markBatch = rest;
    this.#mark.length = batchHeaderBytes;
    this.#mark.count = 0;
  }

  #drop(batch: PendingBatch | undefined): void {
    if (batch === undefined) return;
    this.bytes -= batch.builder.length - batchHeaderBytes;
    this.#pool.give(batch.builder);
  }
}
