import { CdcError, invariantBroken } from '@millrace/shared/errors/cdc-error.ts';

import type {
  ClaimedPartition,
  ConsumedRange,
  DestinationLane,
  LaneBatch,
  TableBatch,
  TopicPartition,
} from '../destination.ts';
import type { Ledger } from './ledger.ts';
import { partitionKey } from './progress.ts';
import type { PartitionProgress } from './progress.ts';
import type { Sweeper } from './sweeper.ts';
import type { TableCatalog } from './table-catalog.ts';
import type { TableContext, TableHead } from './table-head.ts';
import type { BatchPartition, TableWriter } from './writer.ts';

type FirstOffset = TopicPartition & { readonly firstOffset: bigint };

interface TableWork {
  readonly batch: TableBatch;
  readonly writer: TableWriter;
  /** Indexes into the batch's partitions of those that feed the table. */
  readonly feeding: ReadonlySet<number>;
}

function feedingPartitions(batch: TableBatch, partitionCount: number): ReadonlySet<number> {
  const feeding = new Set<number>([...batch.upsertPartition, ...batch.deletePartition]);
  // A truncation alone came from some partition: all of them vouch for it.
  if (feeding.size === 0) for (let i = 0; i < partitionCount; i++) feeding.add(i);
  return feeding;
}

/**
 * The member's one committer. Each table has its own atomic commit with the offsets of the partitions that ever fed it;
 * a partition goes on from the lowest of them. So a table must know a partition before any other table moves beyond
 * the first row it has for it: that is what `#register` sees to.
 */
export class LakehouseLane implements DestinationLane {
  readonly #context: TableContext;
  readonly #claimed: Map<string, { readonly epoch: bigint }>;
  readonly #catalog: TableCatalog;
  readonly #ledger: Ledger;
  readonly #sweeper: Sweeper;
  /** What has been applied of each claimed partition, in every table. */
  readonly #progress = new Map<string, PartitionProgress>();
  #ledgerStale = false;
  #ledgerMs = 0;

  constructor(
    context: TableContext,
    claimed: Map<string, { readonly epoch: bigint }>,
    catalog: TableCatalog,
    ledger: Ledger,
    sweeper: Sweeper,
  ) {
    this.#context = context;
    this.#claimed = claimed;
    this.#catalog = catalog;
    this.#ledger = ledger;
    this.#sweeper = sweeper;
  }

  async claim(partitions: readonly FirstOffset[], signal: AbortSignal): Promise<readonly ClaimedPartition[]> {
    await this.#catalog.discover(signal);
    for (const head of this.#catalog.heads()) await head.refresh();
    const known = new Set<string>();
    const raised = await this.#ledger.update((stored) => this.#raise(stored, partitions, known));
    for (const partition of partitions) {
      const key = partitionKey(partition);
      const entry = raised.get(key);
      if (entry === undefined)
        throw invariantBroken('a claimed partition is missing from the ledger', { partition: key });
      this.#claimed.set(key, { epoch: entry.epoch });
    }
    this.#ledgerMs = this.#context.hooks.nowMs();
    for (const head of this.#catalog.heads()) {
      signal.throwIfAborted();
      const tracked = partitions.map(partitionKey).filter((key) => head.progress.has(key));
      if (tracked.length > 0) await head.raiseEpochs(tracked);
    }
    return partitions.map((partition) => this.#resume(partition, raised, known));
  }

  release(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) {
      this.#claimed.delete(partitionKey(partition));
      this.#progress.delete(partitionKey(partition));
    }
  }

  async commit(batch: LaneBatch, signal: AbortSignal): Promise<void> {
    const partitions = batch.partitions.map((range) => this.#next(range));
    const work: TableWork[] = [];
    for (const table of batch.tables) {
      work.push({
        batch: table,
        writer: this.#catalog.writer(table.target.schema.id),
        feeding: feedingPartitions(table, partitions.length),
      });
    }
    for (const item of work) await this.#register(item, partitions, work.length > 1);
    for (const item of work) {
      signal.throwIfAborted();
      await this.#apply(item, batch, partitions);
    }
    for (const partition of partitions) this.#progress.set(partition.key, partition.next);
    this.#ledgerStale = true;
    await this.#commitIdle(this.#context.options.offsetCommitIntervalMs);
    this.#sweeper.wake();
  }

  /** Makes the offsets of idle tables durable, so that a restart reads nothing twice. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sweeper[Symbol.asyncDispose]();
    try {
      if (this.#claimed.size > 0) await this.#commitIdle(0);
    } catch (error) {
      // The newer owner has its own offsets; whoever closes has been told, or will be at the next claim.
      if (!(error instanceof CdcError) || error.code !== 'DESTINATION_FENCED') throw error;
    }
    this.#claimed.clear();
    this.#progress.clear();
  }

  #next(range: ConsumedRange): BatchPartition {
    const key = partitionKey(range);
    const progress = this.#progress.get(key);
    if (progress === undefined) throw invariantBroken('rows of a partition that was not claimed', { partition: key });
    const marks = new Map([...progress.marks, ...range.marks]);
    return {
      key,
      topic: range.topic,
      partition: range.partition,
      next: { ...progress, nextOffset: range.to, marks },
    };
  }

  /** Creates missing tables, and lets every table know its partitions before any table moves on. */
  async #register(item: TableWork, partitions: readonly BatchPartition[], severalTables: boolean): Promise<void> {
    const { head } = item.writer;
    const missing = new Map<string, PartitionProgress>();
    for (const index of item.feeding) {
      const key = partitions[index]?.key ?? '';
      const before = this.#progress.get(key);
      if (before === undefined) throw invariantBroken('a row names a partition that the batch lacks');
      if (!head.progress.has(key)) missing.set(key, before);
    }
    const creating = !head.exists;
    if (creating) await head.create(item.batch.target.schema, missing);
    // A table that another member or engine made in the meantime may know nothing of our partitions yet, or know them
    // from an owner that was replaced before it made the table.
    const unknown = new Map([...missing].filter(([key]) => !head.progress.has(key)));
    const older = this.#ownedByOthers(head);
    if (older.length > 0) await head.raiseEpochs(older);
    if (unknown.size > 0 && (severalTables || creating)) await head.commitProgress(unknown);
  }

  #ownedByOthers(head: TableHead): readonly string[] {
    return [...head.progress].flatMap(([key, entry]) => {
      const claim = this.#claimed.get(key);
      return claim !== undefined && entry.epoch < claim.epoch ? [key] : [];
    });
  }

  async #apply(item: TableWork, batch: LaneBatch, partitions: readonly BatchPartition[]): Promise<void> {
    const { writer } = item;
    const feeding = partitions.filter(
      (partition, index) => item.feeding.has(index) || writer.head.progress.has(partition.key),
    );
    const indexOf = new Map(feeding.map((partition, index) => [partition.key, index]));
    const renumbered = partitions.map((partition) => indexOf.get(partition.key) ?? -1);
    const renumber = (list: Int32Array): Int32Array => list.map((index) => renumbered[index] ?? -1);
    const table: TableBatch = {
      ...item.batch,
      upsertPartition: renumber(item.batch.upsertPartition),
      deletePartition: renumber(item.batch.deletePartition),
    };
    await writer.apply(table, feeding, batch.sourceTimeMicros);
  }

  /** Progress of claimed partitions that a table has not been told of for `intervalMs`. */
  async #commitIdle(intervalMs: number): Promise<void> {
    const nowMs = this.#context.hooks.nowMs();
    for (const head of this.#catalog.heads()) {
      if (nowMs - head.lastCommitMs < intervalMs) continue;
      const behind = new Map<string, PartitionProgress>();
      for (const [key, stored] of head.progress) {
        const current = this.#progress.get(key);
        if (current !== undefined && stored.nextOffset < current.nextOffset) behind.set(key, current);
      }
      if (behind.size > 0) await head.commitProgress(behind);
    }
    if (!this.#ledgerStale || nowMs - this.#ledgerMs < intervalMs) return;
    const progress = await this.#ledger.update((stored) => this.#advanced(stored));
    if (progress.size > 0) this.#ledgerMs = nowMs;
    this.#ledgerStale = false;
  }

  #advanced(stored: ReadonlyMap<string, PartitionProgress>): ReadonlyMap<string, PartitionProgress> {
    const next = new Map(stored);
    for (const [key, current] of this.#progress) {
      const known = stored.get(key);
      if (known !== undefined && known.epoch > current.epoch) {
        throw new CdcError('DESTINATION_FENCED', 'a newer owner has claimed the partition', {
          details: { partition: key, epoch: current.epoch, newEpoch: known.epoch },
        });
      }
      next.set(key, current);
    }
    return next;
  }

  /** `known` collects the partitions that the ledger had before. */
  #raise(
    stored: ReadonlyMap<string, PartitionProgress>,
    partitions: readonly FirstOffset[],
    known: Set<string>,
  ): ReadonlyMap<string, PartitionProgress> {
    const next = new Map(stored);
    known.clear();
    for (const { topic, partition, firstOffset } of partitions) {
      const key = partitionKey({ topic, partition });
      const before = stored.get(key);
      if (before !== undefined) known.add(key);
      let epoch = before?.epoch ?? 0n;
      for (const head of this.#catalog.heads()) {
        const entry = head.progress.get(key);
        if (entry !== undefined && entry.epoch > epoch) epoch = entry.epoch;
      }
      next.set(key, {
        topic,
        partition,
        epoch: epoch + 1n,
        nextOffset: before?.nextOffset ?? firstOffset,
        marks: before?.marks ?? new Map(),
      });
    }
    return next;
  }

  /** A partition goes on from the table that is furthest behind; its marks are those of that very moment. */
  #resume(
    partition: FirstOffset,
    ledger: ReadonlyMap<string, PartitionProgress>,
    known: ReadonlySet<string>,
  ): ClaimedPartition {
    const key = partitionKey(partition);
    const entry = ledger.get(key);
    if (entry === undefined)
      throw invariantBroken('a claimed partition is missing from the ledger', { partition: key });
    const tableOffsets = new Map<string, bigint>();
    let lowest: PartitionProgress | null = null;
    for (const head of this.#catalog.heads()) {
      const stored = head.progress.get(key);
      if (stored === undefined) continue;
      tableOffsets.set(head.place.text, stored.nextOffset);
      if (lowest === null || stored.nextOffset < lowest.nextOffset) lowest = stored;
    }
    const resumed = { ...(lowest ?? entry), epoch: entry.epoch };
    this.#progress.set(key, resumed);
    return {
      topic: partition.topic,
      partition: partition.partition,
      epoch: entry.epoch,
      nextOffset: lowest === null && !known.has(key) ? null : resumed.nextOffset,
      marks: resumed.marks,
      tableOffsets,
    };
  }
}
