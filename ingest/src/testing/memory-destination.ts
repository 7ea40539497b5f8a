import { setTimeout as sleep } from 'node:timers/promises';

import { CdcError } from '@millrace/shared/errors/cdc-error.ts';
import type { TableSchema } from '@millrace/shared/event/schema.ts';
import { RowCells } from '@millrace/shared/format/json-cells.ts';

import type { ClaimedPartition, Destination, DestinationLane, LaneBatch, TopicPartition } from '../destination.ts';
import { CopiedTables, rowsOf } from './copied-table.ts';

interface Stored {
  epoch: bigint;
  next: bigint;
  readonly marks: Map<string, string>;
}

/** What the store does to a commit: nothing, fail before it, or lose its answer after it. */
export type Fault = 'none' | 'before' | 'after';

function keyOf(partition: TopicPartition): string {
  return `${partition.topic}/${partition.partition}`;
}

/** Tables, offsets and epochs in memory: one atomic step per commit, by the rules of the destination interface. */
export class MemoryStore {
  readonly copied = new CopiedTables();
  readonly offsets = new Map<string, Stored>();
  commits = 0;
  /** Asked once per commit. */
  fault: () => Fault = () => 'none';
  latencyMs = 0;
  /** Rows with this name are refused, as a destination would a value. */
  refuseRow: { readonly table: string; readonly list: 'upserts' | 'deletes'; readonly name: string } | null = null;

  claim(partition: TopicPartition, firstOffset: bigint): ClaimedPartition {
    const known = this.offsets.get(keyOf(partition));
    const stored = known ?? { epoch: 0n, next: firstOffset, marks: new Map<string, string>() };
    this.offsets.set(keyOf(partition), stored);
    stored.epoch++;
    return {
      ...partition,
      epoch: stored.epoch,
      nextOffset: known === undefined ? null : stored.next,
      marks: new Map(stored.marks),
      tableOffsets: new Map(),
    };
  }

  commit(batch: LaneBatch, epochs: ReadonlyMap<string, bigint>): void {
    for (const range of batch.partitions) {
      const stored = this.offsets.get(keyOf(range));
      if (stored === undefined || stored.epoch !== epochs.get(keyOf(range))) {
        throw new CdcError('DESTINATION_FENCED', 'a newer owner holds the partition');
      }
      if (stored.next !== range.from) throw new CdcError('INVARIANT_BROKEN', 'a gap or an overlap of offsets');
    }
    this.#checkRows(batch);
    this.#judgeRows(batch);
    this.copied.apply(batch);
    for (const range of batch.partitions) {
      const stored = this.offsets.get(keyOf(range));
      if (stored === undefined) continue;
      stored.next = range.to;
      for (const [name, token] of range.marks) stored.marks.set(name, token);
    }
    this.commits++;
  }

  /** As every destination must: rows are checked by their readers. */
  #checkRows(batch: LaneBatch): void {
    const cells = new RowCells([]);
    for (const { target, upserts } of batch.tables) {
      for (let row = 0; row < upserts.count; row++) {
        const bytes = upserts.buffers[upserts.bufferIndex[row] ?? -1] ?? Buffer.alloc(0);
        try {
          cells.read(bytes, upserts.start[row] ?? 0, upserts.end[row] ?? 0);
        } catch (error) {
          if (!(error instanceof CdcError)) throw error;
          const { schema, table } = target.schema.id;
          const details = { ...error.details, table: `${schema}.${table}`, list: 'upserts', row };
          throw new CdcError(error.code, error.message, { details });
        }
      }
    }
  }

  #judgeRows(batch: LaneBatch): void {
    const refused = this.refuseRow;
    if (refused === null) return;
    for (const table of batch.tables) {
      const row = rowsOf(table[refused.list]).findIndex(({ name }) => name === refused.name);
      if (row < 0) continue;
      throw new CdcError('DESTINATION_WRITE_REJECTED', 'a value does not fit its column', {
        details: { reason: 'bad-value', table: refused.table, list: refused.list, row },
      });
    }
  }
}

class MemoryLane implements DestinationLane {
  readonly #store: MemoryStore;
  readonly #epochs = new Map<string, bigint>();
  #committing = false;

  constructor(store: MemoryStore) {
    this.#store = store;
  }

  claim(
    partitions: readonly (TopicPartition & { readonly firstOffset: bigint })[],
  ): Promise<readonly ClaimedPartition[]> {
    const claimed = partitions.map(({ topic, partition, firstOffset }) =>
      this.#store.claim({ topic, partition }, firstOffset),
    );
    for (const claim of claimed) this.#epochs.set(keyOf(claim), claim.epoch);
    return Promise.resolve(claimed);
  }

  release(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#epochs.delete(keyOf(partition));
  }

  async commit(batch: LaneBatch, signal: AbortSignal): Promise<void> {
    if (this.#committing) throw new CdcError('INVARIANT_BROKEN', 'two commits of one lane overlap');
    this.#committing = true;
    try {
      await sleep(this.#store.latencyMs, undefined, { signal });
      const fault = this.#store.fault();
      if (fault === 'before') throw new CdcError('DESTINATION_UNAVAILABLE', 'the store is away');
      this.#store.commit(batch, this.#epochs);
      if (fault === 'after') throw new CdcError('DESTINATION_UNAVAILABLE', 'the store went away');
    } finally {
      this.#committing = false;
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}

export class MemoryDestination implements Destination {
  readonly laneCount: number;
  readonly #store: MemoryStore;

  constructor(store: MemoryStore, laneCount: number) {
    this.#store = store;
    this.laneCount = laneCount;
  }

  check(): Promise<readonly string[]> {
    return Promise.resolve([]);
  }

  openLane(): Promise<DestinationLane> {
    return Promise.resolve(new MemoryLane(this.#store));
  }

  describe(): Promise<TableSchema | null> {
    return Promise.resolve(null);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}
