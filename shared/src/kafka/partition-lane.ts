import { CdcError } from '../errors/cdc-error.ts';
import { nextBaseSequence } from './batch-seal.ts';
import type { TopicMetadata } from './cluster.ts';
import type { Gather } from './gather.ts';
import { kafkaError } from './kafka-errors.ts';
import type { LaneQueue, PendingBatch } from './lane-queue.ts';
import { batchHeaderBytes } from './record-batch.ts';

/** A batch that was handed to a broker at least once. Its bytes and sequence never change between tries. */
export interface SentBatch extends PendingBatch {
  readonly baseSequence: number;
  /** The bytes on the wire; null until sealed. */
  sealed: Buffer | null;
  /** Counts the lane's batches. */
  readonly number: number;
  /** Nothing else of the lane was under way when it was sent last. */
  sentAlone: boolean;
}

/** Told by how many bytes a lane holds more or, negative, less. */
export type LaneObserver = (lane: PartitionLane, bytes: number) => void;

/** What an error answer to a batch means for its lane. */
export type Verdict = 'held' | 'again' | 'split' | 'fail';

/**
 * A broker that does not know a producer, or has forgotten it after long silence, takes a batch of any sequence as its
 * first. If the first of several under way were lost, the second would be written before it: so one goes alone until the
 * broker has lately acknowledged one.
 */
const trustMs = 10 * 60_000;

/**
 * Ordered way into one topic-partition: what waits, what is under way and what must be sent again. All decisions about
 * the order are here; the producer does the sending. One batch is under way at a time, or up to five where the broker
 * checks their sequence; after a failure always one, until everything that failed is held.
 */
export class PartitionLane {
  readonly topic: string;
  readonly partition: number;
  /** Null until metadata confirmed topic and partition. */
  topicId: string | null = null;
  /** Waits for a retry or for metadata: nothing is sent. */
  isWaiting = false;
  /** Since when nothing was acknowledged although something should be; null while all goes well. */
  troubleSinceMs: number | null = null;
  /** When the oldest unsent record came, for lingering; 0 when none waits. */
  openedAtMs = 0;
  /** Set by the producer: last handing over of a request with a batch of this lane. */
  dispatched: Promise<void> = Promise.resolve();

  readonly #observe: LaneObserver;
  readonly #queue: LaneQueue;
  readonly #maxInFlight: number;
  #inFlight: SentBatch[] = [];
  /** Failed batches in their order. */
  #again: SentBatch[] = [];
  #baseSequence = 0;
  /** Taken so far. */
  #batches = 0;
  #heldBytes = 0;
  #heldAtMs = Number.NEGATIVE_INFINITY;

  constructor(topic: string, partition: number, queue: LaneQueue, maxInFlight: number, observe: LaneObserver) {
    this.topic = topic;
    this.partition = partition;
    this.#queue = queue;
    this.#maxInFlight = maxInFlight;
    this.#observe = observe;
  }

  /**
   * Copies one record into the open batch. A negative `keyStart` or `keyEnd` is a null key, `value` null a tombstone;
   * `sequence` is the number of the record's transaction and never falls. Throws `BROKER_RECORD_TOO_LARGE` without effect.
   */
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
    const queue = this.#queue;
    const before = queue.bytes;
    queue.append(timestampMs, key, keyStart, keyEnd, value, headers, headersStart, headersEnd, headerCount, sequence);
    this.#change(queue.bytes - before);
  }

  get isIdle(): boolean {
    return this.#queue.isEmpty && this.#inFlight.length === 0 && this.#again.length === 0;
  }

  get hasFullBatch(): boolean {
    return this.#again.length > 0 || this.#queue.hasFullBatch;
  }

  get hasUnsent(): boolean {
    return !this.#queue.isEmpty;
  }

  /** Lowest sequence not acknowledged. */
  get firstSequence(): number {
    const first = Math.min(this.#queue.firstSequence, this.#inFlight[0]?.firstSequence ?? Number.POSITIVE_INFINITY);
    return Math.min(first, this.#again[0]?.firstSequence ?? Number.POSITIVE_INFINITY);
  }

  canSend(released: number, nowMs: number): boolean {
    if (this.isWaiting) return false;
    if (this.#again.length > 0) return this.#inFlight.length === 0;
    const most = nowMs - this.#heldAtMs < trustMs ? this.#maxInFlight : 1;
    return this.#spanInFlight < most && this.#queue.sendable(released);
  }

  /**
   * Checks the lane against metadata. The first look fixes the topic id, which all later ones must show: a topic that was
   * deleted and created again is not written to.
   */
  confirm(metadata: TopicMetadata): void {
    const { topic, partition } = this;
    if (partition < 0 || partition >= metadata.partitions.length) {
      throw new CdcError('BROKER_TOPIC_INVALID', 'the partition does not exist', {
        details: { topic, partition, partitions: metadata.partitions.length },
      });
    }
    if (this.topicId !== null && this.topicId !== metadata.topicId) {
      throw new CdcError('BROKER_TOPIC_INVALID', 'the topic was recreated', {
        details: { topic, partition, before: this.topicId, now: metadata.topicId },
      });
    }
    this.topicId = metadata.topicId;
  }

  /** The batch to send next; the caller has asked `canSend`. */
  take(released: number): SentBatch | null {
    const batch = this.#again.shift() ?? this.#takeNew(released);
    if (batch !== null) {
      batch.sentAlone = this.#inFlight.length === 0;
      this.#inFlight.push(batch);
    }
    this.#recount();
    return batch;
  }

  /** The brokers hold the batch. */
  held(batch: SentBatch, nowMs: number): void {
    this.#remove(batch);
    this.#heldAtMs = nowMs;
    this.troubleSinceMs = null;
    this.#recount();
  }

  /** The batch must be sent again, before everything newer of this lane. */
  sendAgain(batch: SentBatch, nowMs: number): void {
    this.#remove(batch);
    this.#again.push(batch);
    this.#again.sort((a, b) => orderOf(this.#baseSequence, a) - orderOf(this.#baseSequence, b));
    this.isWaiting = true;
    this.troubleSinceMs ??= nowMs;
  }

  /** Like `sendAgain` with the batch in two halves, and smaller batches from now on. */
  sendInHalves(batch: SentBatch, tail: PendingBatch['builder'], nowMs: number): void {
    const { builder } = batch;
    this.#queue.maxBatchBytes = Math.min(this.#queue.maxBatchBytes, Math.ceil(builder.length / 2));
    const half = Math.ceil(builder.count / 2);
    builder.moveTail(builder.markAfter(half), tail);
    this.#remove(batch);
    const second = nextBaseSequence(batch.baseSequence, half);
    this.#again.unshift(
      { ...batch, sealed: null, sentAlone: false },
      { ...batch, builder: tail, baseSequence: second, sealed: null, sentAlone: false },
    );
    this.isWaiting = true;
    this.troubleSinceMs ??= nowMs;
    this.#recount();
  }

  /** Judges an error answer. `transient`: the kind of error that passes. */
  judge(batch: SentBatch, errorCode: number, transient: boolean): Verdict {
    if (errorCode === kafkaError.duplicateSequence) return 'held';
    if (errorCode === kafkaError.messageTooLarge || errorCode === kafkaError.recordListTooLarge) {
      return batch.builder.count > 1 ? 'split' : 'fail';
    }
    // Out of order behind others is the broker keeping the order, also when what was ahead is held by now: the batch goes
    // again, alone. Out of order alone is lost state.
    if (errorCode === kafkaError.outOfOrderSequence) return batch.sentAlone ? 'fail' : 'again';
    return transient ? 'again' : 'fail';
  }

  discard(sequence: number): void {
    this.#queue.discard(sequence);
    this.#recount();
  }

  #change(bytes: number): void {
    this.#heldBytes += bytes;
    this.#observe(this, bytes);
  }

  /** Splitting a batch changes its size a little, so the whole is counted anew. */
  #recount(): void {
    let bytes = this.#queue.bytes;
    for (const { builder } of this.#inFlight) bytes += builder.length - batchHeaderBytes;
    for (const { builder } of this.#again) bytes += builder.length - batchHeaderBytes;
    if (bytes !== this.#heldBytes) this.#change(bytes - this.#heldBytes);
  }

  /**
   * Batches from the oldest under way to the newest sent. A broker recognises only the last five of a producer: what is
   * further back could not be sent again, whatever was answered in between.
   */
  get #spanInFlight(): number {
    let oldest = this.#batches;
    for (const { number } of this.#inFlight) oldest = Math.min(oldest, number);
    return this.#batches - oldest;
  }

  #takeNew(released: number): SentBatch | null {
    const batch = this.#queue.take(released);
    if (batch === null) return null;
    const baseSequence = this.#baseSequence;
    this.#baseSequence = nextBaseSequence(baseSequence, batch.builder.count);
    return { ...batch, baseSequence, sealed: null, number: this.#batches++, sentAlone: false };
  }

  #remove(batch: SentBatch): void {
    this.#inFlight = this.#inFlight.filter((other) => other !== batch);
  }
}

/** Order of unacknowledged batches, also across the wrap of sequences: distance back from the next sequence, negative. */
function orderOf(nextSequence: number, batch: SentBatch): number {
  const distance = (nextSequence - batch.baseSequence + 0x80000000) % 0x80000000;
  return -distance;
}
