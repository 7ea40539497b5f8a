import { abortable } from '@millrace/shared/async/delay.ts';
import { Gate } from '@millrace/shared/async/gate.ts';
import { CdcError, invariantBroken } from '@millrace/shared/errors/cdc-error.ts';
import type { ValueDecoderOptions } from '@millrace/shared/format/value-decoder.ts';

import type { OwnershipListener, RecordSource } from '../consume/record-source.ts';
import { PartitionDecoder } from '../decode/partition-decoder.ts';
import type { Lookup } from '../decode/partition-decoder.ts';
import type { ClaimedPartition, Destination, DestinationLane, TopicPartition } from '../destination.ts';
import type { SchemaSources, SourceTable } from '../project/source-table.ts';
import type { SourceTables } from '../project/source-tables.ts';
import { CommittedOffsets } from './committed-offsets.ts';
import type { FlushPolicy } from './flush-policy.ts';
import { laneOf } from './lane-spread.ts';
import { Lane } from './lane.ts';
import type { CommitReport } from './lane.ts';
import { MemoryGate } from './memory-gate.ts';
import { PartitionPump } from './partition-pump.ts';
import type { FetchReport } from './partition-pump.ts';

/** Told per fetch, commit and rebalance, never per record. Must not throw. */
export interface PipelineObserver {
  onFetch(report: FetchReport): void;
  onCommit(report: CommitReport): void;
  /** Backlog in records of each owned partition, as far as known; called after fetches and commits. */
  onBacklog(partitions: readonly (TopicPartition & { readonly backlog: number })[], bufferedBytes: number): void;
  onAssigned(partitions: readonly TopicPartition[]): void;
  onRevoked(partitions: readonly TopicPartition[]): void;
  onTable(table: SourceTable, partition: TopicPartition): void;
}

export interface IngestPipelineOptions {
  readonly source: RecordSource;
  readonly destination: Destination;
  readonly tables: SourceTables;
  readonly schemas: SchemaSources;
  readonly value: ValueDecoderOptions;
  readonly applyTruncate: boolean;
  readonly flush: FlushPolicy;
  readonly memoryLimitBytes: number;
  /** End when everything that was there is durable. */
  readonly untilIdle: boolean;
  readonly observer: PipelineObserver;
  /** How long a clean stop and a rebalance may take to bring the open batches to their end. */
  readonly drainMs?: number;
}

const usualDrainMs = 25_000;

function partitionKey(partition: TopicPartition): string {
  return `${partition.topic} ${partition.partition}`;
}

/**
 * One attempt of the pipeline: owns partitions, moves their records into lanes, commits. A clean stop drains and
 * commits; every failure ends the attempt without effect beyond the last commit.
 */
class IngestAttempt implements OwnershipListener {
  readonly #options: IngestPipelineOptions;
  readonly #memory: MemoryGate;
  readonly #pumps = new Map<string, PartitionPump>();
  readonly #offsets: CommittedOffsets;
  /** Aborts everything with the first failure as its reason. */
  readonly #failure = new AbortController();
  /** Leaves the group and ends the attempt. */
  readonly #ending = new AbortController();
  readonly #progress = new Gate();
  readonly #tasks = new Set<Promise<void>>();
  #lanes: readonly Lane[] = [];
  /** Partitions are assigned, and no change of them is under way. */
  #settled = false;

  constructor(options: IngestPipelineOptions) {
    this.#options = options;
    this.#memory = new MemoryGate(options.memoryLimitBytes);
    this.#offsets = new CommittedOffsets(options.source);
  }

  async run(stop: AbortSignal): Promise<void> {
    await using lanes = await this.#openLanes(stop);
    this.#lanes = lanes.all.map((lane) => this.#lane(lane));
    for (const lane of this.#lanes) this.#spawn(lane.run(this.#failure.signal));
    this.#spawn(this.#offsets.run(this.#failure.signal));
    if (this.#options.untilIdle) this.#spawn(this.#endWhenIdle());
    const end = (): void => this.#ending.abort();
    stop.addEventListener('abort', end, { once: true });
    if (stop.aborted) end();
    await this.#own();
    stop.removeEventListener('abort', end);
    const failed = this.#failure.signal.aborted;
    if (!failed) this.#failure.abort(new CdcError('INVARIANT_BROKEN', 'the attempt is over'));
    await Promise.all([...this.#pumps.values()].map((pump) => pump.stop()));
    await Promise.all(this.#tasks);
    if (failed) throw this.#failure.signal.reason;
  }

  async #own(): Promise<void> {
    try {
      await this.#options.source.own(this, AbortSignal.any([this.#ending.signal, this.#failure.signal]));
      // The source may end before it has answered a revocation.
      if (!this.#failure.signal.aborted) await this.revoked(this.#owned(), this.#failure.signal);
    } catch (error) {
      this.#fail(error);
    }
  }

  async assigned(partitions: readonly TopicPartition[], signal: AbortSignal): Promise<void> {
    const either = AbortSignal.any([signal, this.#failure.signal]);
    const byLane = Map.groupBy(partitions, (partition) => laneOf(partition, this.#lanes.length));
    await Promise.all([...byLane].map(([index, owned]) => this.#claim(index, owned, either)));
    this.#settled = true;
    this.#options.observer.onAssigned(partitions);
    this.#progress.open();
  }

  async revoked(partitions: readonly TopicPartition[], signal: AbortSignal): Promise<void> {
    this.#settled = false;
    if (partitions.length === 0) return;
    const pumps = partitions.flatMap((partition) => this.#pumps.get(partitionKey(partition)) ?? []);
    const drainMs = this.#options.drainMs ?? usualDrainMs;
    const bound = AbortSignal.any([signal, this.#failure.signal, AbortSignal.timeout(drainMs)]);
    await Promise.all(pumps.map((pump) => pump.stop()));
    try {
      await Promise.all([...new Set(pumps.map((pump) => pump.lane))].map((lane) => lane.flush(bound)));
      await this.#offsets.publish(bound);
    } catch (error) {
      // Rows of kept and lost partitions are folded together: without the commit the attempt must begin anew.
      this.#fail(this.#failure.signal.aborted ? this.#failure.signal.reason : error);
      throw error;
    } finally {
      for (const partition of partitions) {
        this.#pumps.delete(partitionKey(partition));
        this.#lanes[laneOf(partition, this.#lanes.length)]?.destination.release([partition]);
      }
      this.#offsets.forget(partitions);
    }
    this.#options.observer.onRevoked(partitions);
  }

  async #openLanes(signal: AbortSignal): Promise<OpenLanes> {
    const { destination } = this.#options;
    const all: DestinationLane[] = [];
    try {
      for (let index = 0; index < destination.laneCount; index++) all.push(await destination.openLane(index, signal));
      return new OpenLanes(all);
    } catch (error) {
      await new OpenLanes(all)[Symbol.asyncDispose]();
      throw error;
    }
  }

  #lane(destination: DestinationLane): Lane {
    const { flush, observer } = this.#options;
    return new Lane({
      destination,
      policy: flush,
      memory: this.#memory,
      resolve: (lookup, signal) => this.#resolve(lookup, signal),
      onCommit: (report) => {
        this.#offsets.note(report.batch.partitions);
        observer.onCommit(report);
        this.#reportBacklog();
      },
    });
  }

  #resolve(lookup: Lookup, signal: AbortSignal): Promise<void> {
    // Several partitions may wait for one look-up, which must not end with the partition that began it.
    const { table, fingerprint, hints } = lookup;
    return abortable(table.resolve(fingerprint, hints, this.#options.schemas, this.#failure.signal), signal);
  }

  async #claim(index: number, partitions: readonly TopicPartition[], signal: AbortSignal): Promise<void> {
    const lane = this.#lanes[index];
    if (lane === undefined) throw invariantBroken('a partition without a lane', { lane: index });
    const first = await this.#options.source.firstOffsets(partitions, signal);
    const asked = partitions.map((partition, at) => ({ ...partition, firstOffset: first[at] ?? 0n }));
    const claimed = await lane.destination.claim(asked, signal);
    for (const { topic, partition, firstOffset } of asked) {
      const found = claimed.find((claim) => claim.topic === topic && claim.partition === partition);
      if (found === undefined) throw invariantBroken('a claimed partition is missing', { topic, partition });
      await this.#startPump(lane, found, firstOffset, signal);
    }
  }

  async #startPump(lane: Lane, claim: ClaimedPartition, firstOffset: bigint, signal: AbortSignal): Promise<void> {
    const { source, tables, value, applyTruncate, observer } = this.#options;
    const partition = { topic: claim.topic, partition: claim.partition };
    const nextOffset = claim.nextOffset ?? firstOffset;
    const feed = await source.open(partition, nextOffset, signal);
    const decoder = new PartitionDecoder(tables, {
      ...partition,
      nextOffset: Number(nextOffset),
      marks: claim.marks,
      tableOffsets: claim.tableOffsets,
      value,
      applyTruncate,
      onTable: (table) => observer.onTable(table, partition),
    });
    const onFetch = (report: FetchReport): void => {
      observer.onFetch(report);
      this.#reportBacklog();
      this.#progress.open();
    };
    const pump = new PartitionPump({ partition, feed, decoder, lane, memory: this.#memory, onFetch });
    this.#pumps.set(partitionKey(partition), pump);
    this.#spawn(pump.start(this.#failure.signal));
  }

  async #endWhenIdle(): Promise<void> {
    const signal = this.#failure.signal;
    for (;;) {
      const pumps = [...this.#pumps.values()];
      if (this.#settled && pumps.every((pump) => pump.isAtEnd)) {
        await Promise.all(this.#lanes.map((lane) => lane.flush(signal)));
        if (this.#settled && pumps.every((pump) => pump.isAtEnd) && this.#lanes.every((lane) => lane.isDrained)) break;
      } else {
        await this.#progress.wait(signal);
      }
    }
    this.#ending.abort();
  }

  #owned(): readonly TopicPartition[] {
    return [...this.#pumps.values()].map((pump) => pump.partition);
  }

  #reportBacklog(): void {
    const partitions = [...this.#pumps.values()].map((pump) => ({ ...pump.partition, backlog: pump.backlog }));
    this.#options.observer.onBacklog(partitions, this.#memory.heldBytes);
  }

  #spawn(task: Promise<void>): void {
    const watched = task
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#tasks.delete(watched);
      });
    this.#tasks.add(watched);
  }

  #fail(error: unknown): void {
    if (!this.#failure.signal.aborted) this.#failure.abort(error);
  }
}

class OpenLanes implements AsyncDisposable {
  readonly all: readonly DestinationLane[];

  constructor(all: readonly DestinationLane[]) {
    this.all = all;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.all.map((lane) => lane[Symbol.asyncDispose]()));
  }
}

/**
 * Runs until `stop` aborts (then drains, commits and resolves), until idle if asked to, or until something fails that
 * the attempt cannot mend. May be called again after a failure: the destination tells where to continue.
 */
export async function runIngest(options: IngestPipelineOptions, stop: AbortSignal): Promise<void> {
  try {
    await new IngestAttempt(options).run(stop);
  } catch (error) {
    if (!stop.aborted || error !== stop.reason) throw error;
  }
}
