import { CdcError } from '@millrace/shared/errors/cdc-error.ts';

import type { PartitionFeed } from '../consume/record-source.ts';
import type { DecodeCounts } from '../decode/decode-counts.ts';
import type { PartitionDecoder } from '../decode/partition-decoder.ts';
import type { TopicPartition } from '../destination.ts';
import type { Lane } from './lane.ts';
import type { MemoryGate } from './memory-gate.ts';

/** What one fetch brought, for metrics. */
export interface FetchReport {
  readonly topic: string;
  readonly partition: number;
  readonly counts: DecodeCounts;
  readonly bytes: number;
}

export interface PumpOptions {
  readonly partition: TopicPartition;
  readonly feed: PartitionFeed;
  readonly decoder: PartitionDecoder;
  readonly lane: Lane;
  readonly memory: MemoryGate;
  readonly onFetch: (report: FetchReport) => void;
}

/** Moves the records of one owned partition from its feed into its lane until it is stopped. */
export class PartitionPump {
  readonly partition: TopicPartition;
  readonly lane: Lane;
  readonly #options: PumpOptions;
  readonly #stopped = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #busy = false;

  constructor(options: PumpOptions) {
    this.#options = options;
    this.partition = options.partition;
    this.lane = options.lane;
  }

  /** Next offset to take in. */
  get position(): number {
    return this.#options.decoder.position;
  }

  /** Records that the brokers hold beyond `position`, as of the last answer; −1 before the first. */
  get backlog(): number {
    const { feed } = this.#options;
    return feed.end < 0 ? -1 : Math.max(0, feed.end - this.position);
  }

  /** Everything that was there at the last answer is taken in. */
  get isAtEnd(): boolean {
    return !this.#busy && this.backlog === 0;
  }

  /** Settles when the pump is stopped, or rejects with what stopped it; what stands before a bad record is durable then. */
  start(signal: AbortSignal): Promise<void> {
    this.#running = this.#run(AbortSignal.any([signal, this.#stopped.signal]), signal);
    return this.#running;
  }

  /** Resolves when nothing will be taken in any more; the feed is closed. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running.catch(() => undefined);
    await this.#options.feed[Symbol.asyncDispose]();
  }

  async #run(signal: AbortSignal, lifetime: AbortSignal): Promise<void> {
    try {
      for (;;) await this.#fetchOnce(signal);
    } catch (error) {
      if (this.#stopped.signal.aborted) return;
      // Records before a bad one are not held back by it.
      if (isAboutRecord(error)) await this.lane.flush(lifetime);
      throw error;
    }
  }

  async #fetchOnce(signal: AbortSignal): Promise<void> {
    const { feed, decoder, lane, memory, onFetch, partition } = this.#options;
    await memory.room(signal);
    const batches = await feed.next(signal);
    this.#busy = true;
    const bytes = batches.reduce((sum, batch) => sum + batch.bytes.length, 0);
    let held = bytes;
    memory.hold(bytes);
    try {
      for (const batch of batches) {
        await lane.take(decoder, batch, signal);
        memory.release(batch.bytes.length);
        held -= batch.bytes.length;
      }
      lane.skipTo(decoder, feed.position);
    } finally {
      memory.release(held);
      this.#busy = false;
      onFetch({ ...partition, counts: decoder.takeCounts(), bytes });
    }
  }
}

function isAboutRecord(error: unknown): boolean {
  return error instanceof CdcError && ['RECORD_UNDECODABLE', 'DESTINATION_SCHEMA_INCOMPATIBLE'].includes(error.code);
}
