import { delay } from '@millrace/shared/async/delay.ts';

import type { RecordSource } from '../consume/record-source.ts';
import type { ConsumedRange, TopicPartition } from '../destination.ts';

const publishIntervalMs = 1000;

interface Committed extends TopicPartition {
  offset: bigint;
  published: bigint;
}

/** Tells the group what the destination holds, for others to measure lag by: only upwards, and only what is owned. */
export class CommittedOffsets {
  readonly #source: RecordSource;
  readonly #partitions = new Map<string, Committed>();

  constructor(source: RecordSource) {
    this.#source = source;
  }

  note(ranges: readonly ConsumedRange[]): void {
    for (const { topic, partition, to } of ranges) {
      const key = `${topic} ${partition}`;
      const known = this.#partitions.get(key);
      if (known === undefined) this.#partitions.set(key, { topic, partition, offset: to, published: -1n });
      else if (to > known.offset) known.offset = to;
    }
  }

  forget(partitions: readonly TopicPartition[]): void {
    for (const { topic, partition } of partitions) this.#partitions.delete(`${topic} ${partition}`);
  }

  async publish(signal: AbortSignal): Promise<void> {
    const moved = [...this.#partitions.values()].filter((entry) => entry.offset > entry.published);
    if (moved.length === 0) return;
    const offsets = moved.map(({ topic, partition, offset }) => ({ topic, partition, offset }));
    for (const entry of moved) entry.published = entry.offset;
    await this.#source.publishOffsets(offsets, signal);
  }

  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      await delay(publishIntervalMs, signal);
      await this.publish(signal);
    }
  }
}
