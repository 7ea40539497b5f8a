import { setTimeout as sleep } from 'node:timers/promises';

import { CdcError } from '@millrace/shared/errors/cdc-error.ts';
import type { FetchedBatch } from '@millrace/shared/kafka/fetched-batch.ts';

import type { OwnershipListener, PartitionFeed, RecordSource } from '../consume/record-source.ts';
import type { TopicPartition } from '../destination.ts';
import { fetchedRecords } from './fetched-records.ts';
import type { TestRecord } from './fetched-records.ts';

const pauseMs = 2;

function keyOf(partition: TopicPartition): string {
  return `${partition.topic}/${partition.partition}`;
}

/** Topics in memory, shared by any number of members. */
export class MemoryLog {
  readonly partitions: readonly TopicPartition[];
  readonly #records = new Map<string, TestRecord[]>();

  constructor(partitions: readonly TopicPartition[]) {
    this.partitions = partitions;
    for (const partition of partitions) this.#records.set(keyOf(partition), []);
  }

  append(partition: TopicPartition, records: readonly TestRecord[]): void {
    this.#records.get(keyOf(partition))?.push(...records);
  }

  end(partition: TopicPartition): number {
    return this.#records.get(keyOf(partition))?.length ?? 0;
  }

  read({ topic, partition }: TopicPartition, from: number, count: number): readonly FetchedBatch[] {
    const records = this.#records.get(keyOf({ topic, partition }))?.slice(from, from + count) ?? [];
    return records.length === 0 ? [] : [fetchedRecords(topic, partition, from, records)];
  }
}

class MemoryFeed implements PartitionFeed {
  position: number;
  end = -1;
  readonly #log: MemoryLog;
  readonly #partition: TopicPartition;
  readonly #perFetch: number;

  constructor(log: MemoryLog, partition: TopicPartition, position: number, perFetch: number) {
    this.#log = log;
    this.#partition = partition;
    this.position = position;
    this.#perFetch = perFetch;
  }

  async next(signal: AbortSignal): Promise<readonly FetchedBatch[]> {
    this.end = this.#log.end(this.#partition);
    const batches = this.#log.read(this.#partition, this.position, this.#perFetch);
    if (batches.length === 0) await sleep(pauseMs, undefined, { signal });
    this.position = batches.at(-1)?.nextOffset ?? this.position;
    return batches;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}

/** One member. Partitions are given and taken by the test, as a group coordinator would. */
export class MemoryRecordSource implements RecordSource {
  readonly published = new Map<string, bigint>();
  readonly #log: MemoryLog;
  readonly #perFetch: number;
  #owned: readonly TopicPartition[];
  #rebalance: (owned: readonly TopicPartition[]) => Promise<void> = () => Promise.resolve();

  constructor(log: MemoryLog, perFetch: number, owned: readonly TopicPartition[] = log.partitions) {
    this.#log = log;
    this.#perFetch = perFetch;
    this.#owned = owned;
  }

  async own(listener: OwnershipListener, signal: AbortSignal): Promise<void> {
    await listener.assigned(this.#owned, signal);
    this.#rebalance = async (owned) => {
      await listener.revoked(this.#owned, new AbortController().signal);
      this.#owned = owned;
      await listener.assigned(owned, signal);
    };
    await new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
      if (signal.aborted) resolve();
    });
    await listener.revoked(this.#owned, new AbortController().signal);
  }

  /** Resolves when the member has given up what it had and taken over `owned`. */
  rebalance(owned: readonly TopicPartition[]): Promise<void> {
    return this.#rebalance(owned);
  }

  firstOffsets(partitions: readonly TopicPartition[]): Promise<readonly bigint[]> {
    return Promise.resolve(partitions.map(() => 0n));
  }

  open(partition: TopicPartition, offset: bigint): Promise<PartitionFeed> {
    if (Number(offset) > this.#log.end(partition)) {
      throw new CdcError('BROKER_TOPIC_INVALID', 'the offset is not in the topic any more');
    }
    return Promise.resolve(new MemoryFeed(this.#log, partition, Number(offset), this.#perFetch));
  }

  publishOffsets(offsets: readonly (TopicPartition & { readonly offset: bigint })[]): Promise<void> {
    for (const { offset, ...partition } of offsets) this.published.set(keyOf(partition), offset);
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}
