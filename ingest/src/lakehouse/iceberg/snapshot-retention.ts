import type { Snapshot, SnapshotLogEntry, TableMetadata } from './table-metadata.ts';

export interface SnapshotRetention {
  readonly timeRetainedMs: number;
  readonly retainedMin: number;
}

/** Snapshots younger than this are all kept, so that nobody's running query loses the one it reads. */
const denseMs = 15 * 60_000;
const sparseMs = 60_000;

/**
 * Which snapshots stay: all of the last 15 minutes, then the newest of each minute until `timeRetainedMs`, at least
 * `retainedMin` of them, and always those that a branch or tag names.
 */
export function retainedSnapshots(
  metadata: TableMetadata,
  retention: SnapshotRetention,
  nowMs: number,
): readonly Snapshot[] {
  const referenced = new Set(Object.values(metadata.refs).map((ref) => BigInt(ref['snapshot-id'])));
  const newestFirst = [...metadata.snapshots].sort((a, b) => b['sequence-number'] - a['sequence-number']);
  const kept = new Set<Snapshot>();
  let lastMinute = -1;
  newestFirst.forEach((snapshot, rank) => {
    const ageMs = nowMs - snapshot['timestamp-ms'];
    const minute = Math.floor(snapshot['timestamp-ms'] / sparseMs);
    const dense = ageMs < Math.min(denseMs, retention.timeRetainedMs);
    const sparse = ageMs < retention.timeRetainedMs && minute !== lastMinute;
    const named = referenced.has(BigInt(snapshot['snapshot-id']));
    if (!dense && !sparse && !named && rank >= retention.retainedMin) return;
    kept.add(snapshot);
    lastMinute = minute;
  });
  return metadata.snapshots.filter((snapshot) => kept.has(snapshot));
}

/** Drops the others. The log keeps only what follows the last gap; a parent that is gone is no longer named. */
export function thinSnapshots(metadata: TableMetadata, retention: SnapshotRetention, nowMs: number): TableMetadata {
  const kept = retainedSnapshots(metadata, retention, nowMs);
  if (kept.length === metadata.snapshots.length) return metadata;
  const ids = new Set(kept.map((snapshot) => BigInt(snapshot['snapshot-id'])));
  return {
    ...metadata,
    snapshots: kept.map((snapshot) => withoutLostParent(snapshot, ids)),
    'snapshot-log': afterLastGap(metadata['snapshot-log'], ids),
  };
}

function withoutLostParent(snapshot: Snapshot, ids: ReadonlySet<bigint>): Snapshot {
  const parent = snapshot['parent-snapshot-id'];
  if (parent === undefined || ids.has(BigInt(parent))) return snapshot;
  const { 'parent-snapshot-id': _lost, ...rest } = snapshot;
  return rest;
}

function afterLastGap(log: readonly SnapshotLogEntry[], ids: ReadonlySet<bigint>): readonly SnapshotLogEntry[] {
  const lastGap = log.findLastIndex((entry) => !ids.has(BigInt(entry['snapshot-id'])));
  return log.slice(lastGap + 1);
}
