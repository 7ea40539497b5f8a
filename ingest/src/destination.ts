import type { TableSchema } from '@millrace/shared/event/schema.ts';

/**
 * What a destination must offer to the ingest pipeline. Rows arrive as JSON objects still in the bytes of Kafka's
 * record batches, folded to the last change per key; a destination converts only what survives.
 */

/** JSON objects inside retained buffers, struct of arrays: row `i` is `buffers[bufferIndex[i]][start[i], end[i])`. */
export interface RowSpans {
  readonly count: number;
  readonly buffers: readonly Buffer[];
  readonly bufferIndex: Int32Array;
  readonly start: Int32Array;
  readonly end: Int32Array;
}

/**
 * The folded changes of one target table. `upserts` hold whole rows; `deletes` hold objects with at least the key
 * columns. The two lists never share a key and no key stands twice in one list.
 */
export interface TableBatch {
  readonly target: TargetTable;
  readonly upserts: RowSpans;
  readonly deletes: RowSpans;
  /** Per row of `upserts` / `deletes`, the index into `LaneBatch.partitions` that it came from. */
  readonly upsertPartition: Int32Array;
  readonly deletePartition: Int32Array;
  /** The table is emptied before the rows are applied. */
  readonly truncateFirst: boolean;
}

/** A routed table with the schema its rows shall have at the destination, as the projection decided. */
export interface TargetTable {
  /** `schema` = database or schema part, `table` = name. Same object as long as nothing changed. */
  readonly schema: TableSchema;
}

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** Consumed range of one partition: records in `[from, to)` are in the batch or were skipped on purpose. */
export interface ConsumedRange extends TopicPartition {
  readonly from: bigint;
  readonly to: bigint;
  /** Last position token of streamed records per `source␀table` (kafka-records §1), only those that moved. */
  readonly marks: ReadonlyMap<string, string>;
}

/** Everything that one commit makes durable at once. */
export interface LaneBatch {
  readonly partitions: readonly ConsumedRange[];
  readonly tables: readonly TableBatch[];
  /** Newest commit time at the source among the rows, µs; 0 when unknown. */
  readonly sourceTimeMicros: number;
}

/** Where a claimed partition continues. */
export interface ClaimedPartition extends TopicPartition {
  readonly epoch: bigint;
  /** Next offset to read; null when the destination has never seen this partition. */
  readonly nextOffset: bigint | null;
  /** Marks as in `ConsumedRange`, complete. */
  readonly marks: ReadonlyMap<string, string>;
  /** Where commits are per table (lake): table id text → next offset of that table; records below were applied to it. */
  readonly tableOffsets: ReadonlyMap<string, bigint>;
}

/**
 * One independent committer of a destination; it owns whole partitions. PostgreSQL: a connection. Lake: the member.
 * Calls of one lane never overlap.
 */
export interface DestinationLane extends AsyncDisposable {
  /**
   * Takes the partitions over: raises their epochs durably, so that any commit of an older owner fails from now on,
   * and tells where to continue. `firstOffsets` are used where the destination knows nothing.
   */
  claim(
    partitions: readonly (TopicPartition & { readonly firstOffset: bigint })[],
    signal: AbortSignal,
  ): Promise<readonly ClaimedPartition[]>;
  /** The partitions are no longer ours; nothing is written. */
  release(partitions: readonly TopicPartition[]): void;
  /**
   * Makes rows and offsets durable, creating or evolving tables as needed. PostgreSQL: one transaction. Lake: one atomic
   * commit per table, each with the offsets. Resolves when durable. Throws `DESTINATION_FENCED` without effect when a
   * newer owner exists; resolves an unknown outcome itself.
   */
  commit(batch: LaneBatch, signal: AbortSignal): Promise<void>;
}

/** What the newest version of a lake table is made of. */
export interface LakeTableSize {
  readonly files: number;
  readonly bytes: number;
  readonly deletionVectors: number;
}

/** Told of incidents and states inside a destination, for metrics: per commit, never per row. Must not throw. */
export interface DestinationObserver {
  /** Another writer committed first; the commit is tried again on top of it. */
  commitConflict(): void;
  /** A transaction is tried again. */
  statementRetry(reason: 'deadlock' | 'serialization' | 'lock' | 'connection' | 'other'): void;
  lakeTable(table: string, size: LakeTableSize): void;
}

export interface Destination extends AsyncDisposable {
  /** Reachability, grants, settings: everything missing in one error. Returns warnings. */
  check(signal: AbortSignal): Promise<readonly string[]>;
  /** How many lanes may work side by side. */
  readonly laneCount: number;
  openLane(index: number, signal: AbortSignal): Promise<DestinationLane>;
  /** The schema a table has at the destination now, for tables whose stream carries none; null when it does not exist. */
  describe(schemaName: string, tableName: string, signal: AbortSignal): Promise<TableSchema | null>;
}
