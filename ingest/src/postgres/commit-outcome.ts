import { CdcError, invariantBroken } from '@millrace/shared/errors/cdc-error.ts';

import type { ConsumedRange } from '../destination.ts';
import { partitionKey } from './metadata.ts';
import type { StoredOffset } from './metadata.ts';

/**
 * What became of a commit, by the offsets that the database holds now. Throws `DESTINATION_FENCED` when a newer owner
 * has raised an epoch; what it found committed is then its business. A batch that moved no offset counts as not
 * committed: repeating it is harmless.
 */
export function resolveOutcome(
  ranges: readonly ConsumedRange[],
  stored: readonly StoredOffset[],
  epochOf: (range: ConsumedRange) => bigint,
): 'committed' | 'not-committed' {
  const byKey = new Map(stored.map((offset) => [partitionKey(offset), offset]));
  let before = true;
  let after = ranges.some((range) => range.from !== range.to);
  for (const range of ranges) {
    const offset = byKey.get(partitionKey(range));
    if (offset === undefined || offset.epoch !== epochOf(range)) throw fenced(range, offset, epochOf(range));
    before &&= offset.nextOffset === range.from;
    after &&= offset.nextOffset === range.to;
  }
  if (after) return 'committed';
  if (before) return 'not-committed';
  throw invariantBroken('the stored offsets are neither before nor after the batch', {
    stored: stored.map((offset) => `${offset.topic}-${offset.partition} ${offset.nextOffset}`),
    batch: ranges.map((range) => `${range.topic}-${range.partition} ${range.from}..${range.to}`),
  });
}

function fenced(range: ConsumedRange, offset: StoredOffset | undefined, epoch: bigint): CdcError {
  return new CdcError('DESTINATION_FENCED', 'a newer owner has taken the partition over', {
    details: {
      topic: range.topic,
      partition: range.partition,
      ourEpoch: epoch,
      storedEpoch: offset?.epoch ?? null,
    },
  });
}
