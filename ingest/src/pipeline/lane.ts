import { delay } from '@millrace/shared/async/delay.ts';
import { Gate } from '@millrace/shared/async/gate.ts';
import { CdcError } from '@millrace/shared/errors/cdc-error.ts';
import type { FetchedBatch } from '@millrace/shared/kafka/fetched-batch.ts';

import type { Lookup, PartitionDecoder } from '../decode/partition-decoder.ts';
import type { DestinationLane, LaneBatch } from '../destination.ts';
import { LaneFold } from '../merge/lane-fold.ts';
import { dueInMs, isFull } from './flush-policy.ts';
import type { FlushPolicy } from './flush-policy.ts';
import type { MemoryGate } from './memory-gate.ts';

/** One durable commit, for metrics. */
export interface CommitReport {
  readonly batch: LaneBatch;
  /** Changes that went in, folded or not. */
  readonly changes: number;
  /** Keys that were written. */
  readonly rows: number;
  readonly seconds: number;
}

export interface LaneOptions {
  readonly destination: DestinationLane;
  readonly policy: FlushPolicy;
  readonly memory: MemoryGate;
  readonly resolve: (lookup: Lookup, signal: AbortSignal) => Promise<void>;
  readonly onCommit: (report: CommitReport) => void;
  readonly now?: () => number;
}

/**
 * One committer with the batch that is being filled for it: partitions are decoded into the open batch while the one
 * before is being made durable.
 */
export class Lane {
  readonly destination: DestinationLane;
  readonly #options: LaneOptions;
  readonly #now: () => number;
  #fold = new LaneFold();
  #openedAtMs = 0;
  /** Batches are numbered; these are the open one and the last durable one. */
  #openNumber = 1;
  #durableNumber = 0;
  #waiting = 0;
  readonly #changed = new Gate();
  readonly #room = new Gate();
  readonly #committed = new Gate();

  constructor(options: LaneOptions) {
    this.destination = options.destination;
    this.#options = options;
    this.#now = options.now ?? performance.now.bind(performance);
  }

  /** Everything that was taken in is durable. */
  get isDrained(): boolean {
    return this.#fold.isEmpty && this.#durableNumber === this.#openNumber - 1;
  }

  /**
   * Takes a batch in; waits where the open batch is full. When it rejects, everything before the record in question is
   * in the open batch.
   */
  async take(decoder: PartitionDecoder, batch: FetchedBatch, signal: AbortSignal): Promise<void> {
    const { policy, resolve } = this.#options;
    decoder.open(batch);
    for (;;) {
      while (isFull(policy, this.#fold.rows, this.#fold.bytes)) await this.#room.wait(signal);
      const outcome = this.#decode(decoder);
      if (outcome === 'done') return;
      if (outcome !== 'full') await resolve(outcome, signal);
      signal.throwIfAborted();
    }
  }

  /** Records up to the feed's position held nothing to take. */
  skipTo(decoder: PartitionDecoder, position: number): void {
    if (position <= decoder.position) return;
    decoder.skipTo(this.#fold, position);
    this.#afterDecode();
  }

  /** Resolves when everything that was taken in before the call is durable. */
  async flush(signal: AbortSignal): Promise<void> {
    const last = this.#fold.isEmpty ? this.#openNumber - 1 : this.#openNumber;
    this.#waiting++;
    this.#changed.open();
    try {
      while (this.#durableNumber < last) await this.#committed.wait(signal);
    } finally {
      this.#waiting--;
    }
  }

  /** Commits until `signal` aborts; throws what a commit throws. */
  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#untilDue(signal);
      const fold = this.#fold;
      this.#fold = new LaneFold();
      const number = this.#openNumber++;
      this.#room.open();
      await this.#commit(fold, signal);
      this.#durableNumber = number;
      this.#committed.open();
    }
  }

  #decode(decoder: PartitionDecoder): ReturnType<PartitionDecoder['run']> {
    const fold = this.#fold;
    const heldBefore = fold.bytes;
    try {
      return decoder.run(fold, this.#options.policy.maxRows);
    } finally {
      this.#options.memory.hold(fold.bytes - heldBefore);
      this.#afterDecode();
    }
  }

  #afterDecode(): void {
    if (this.#fold.isEmpty) return;
    if (this.#openedAtMs === 0) this.#openedAtMs = this.#now();
    this.#changed.open();
  }

  async #untilDue(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      if (this.#fold.isEmpty) {
        this.#openedAtMs = 0;
        await this.#changed.wait(signal);
        continue;
      }
      const { policy, memory } = this.#options;
      const waitMs = dueInMs(policy, {
        rows: this.#fold.rows,
        bytes: this.#fold.bytes,
        ageMs: this.#now() - this.#openedAtMs,
        urgent: this.#waiting > 0 || memory.isFull,
      });
      if (waitMs === 0) break;
      await this.#changedWithin(waitMs, signal);
    }
    this.#openedAtMs = 0;
  }

  async #changedWithin(ms: number, signal: AbortSignal): Promise<void> {
    const timer = new AbortController();
    const either = AbortSignal.any([signal, timer.signal]);
    try {
      await Promise.race([delay(ms, either), this.#changed.wait(either)]);
    } finally {
      timer.abort();
    }
  }

  async #commit(fold: LaneFold, signal: AbortSignal): Promise<void> {
    const { destination, memory, onCommit } = this.#options;
    const startedMs = performance.now();
    const batch = fold.close();
    try {
      await destination.commit(batch, signal);
    } catch (error) {
      throw withRecord(error, batch, fold);
    }
    memory.release(fold.bytes);
    const seconds = (performance.now() - startedMs) / 1000;
    onCommit({ batch, changes: fold.rows, rows: fold.survivors(), seconds });
  }
}

/** Adds the record that a destination's complaint about a row of a table is about. */
function withRecord(error: unknown, batch: LaneBatch, fold: LaneFold): unknown {
  if (!(error instanceof CdcError)) return error;
  const { table, list, row } = error.details;
  if (typeof table !== 'string' || typeof row !== 'number') return error;
  const found = batch.tables.filter(({ target }) => table.endsWith(target.schema.id.table));
  const [only] = found;
  if (only === undefined || found.length > 1) return error;
  const place = fold.originOf(list === 'deletes' ? only.deletes : only.upserts, row);
  if (place === null) return error;
  const details = { ...error.details, topic: place.topic, partition: place.partition, offset: place.offset };
  return new CdcError(error.code, error.message, { details, hint: error.hint, cause: error });
}
