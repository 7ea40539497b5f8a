import type { FetchedBatch } from '@millrace/shared/kafka/fetched-batch.ts';

import type { TopicPartition } from '../destination.ts';

/** Reads one partition from an offset on. */
export interface PartitionFeed extends AsyncDisposable {
  /** Offset of the next record that `next` may deliver. */
  readonly position: number;
  /** End of what may be read, as of the last answer; −1 before the first. */
  readonly end: number;
  /** The next batches in offset order; empty when none came within the wait. Calls must not overlap. */
  next(signal: AbortSignal): Promise<readonly FetchedBatch[]>;
}

/** Called one at a time. A rejection ends the membership. */
export interface OwnershipListener {
  assigned(partitions: readonly TopicPartition[], signal: AbortSignal): Promise<void>;
  /** Resolves when nothing of these partitions will be read or written any more; others may own them right after. */
  revoked(partitions: readonly TopicPartition[], signal: AbortSignal): Promise<void>;
}

/** The topics of a pipeline and the group that shares their partitions. */
export interface RecordSource extends AsyncDisposable {
  /**
   * Takes part in the group until `signal` aborts, and then leaves it after a last `revoked`. New topics and partitions
   * are found while it runs. Throws what cannot be mended.
   */
  own(listener: OwnershipListener, signal: AbortSignal): Promise<void>;
  /** Where to begin where the destination knows nothing, in the order of `partitions`. */
  firstOffsets(partitions: readonly TopicPartition[], signal: AbortSignal): Promise<readonly bigint[]>;
  open(partition: TopicPartition, offset: bigint, signal: AbortSignal): Promise<PartitionFeed>;
  /** Stores offsets for others to measure lag by; they decide nothing here. Never throws. */
  publishOffsets(
    offsets: readonly (TopicPartition & { readonly offset: bigint })[],
    signal: AbortSignal,
  ): Promise<void>;
}
