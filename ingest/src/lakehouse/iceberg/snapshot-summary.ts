import type { DataFile, TableState } from './table-state.ts';

/** What a commit did, in the counts that the specification names. */
export interface CommitCounts {
  readonly operation: 'append' | 'overwrite' | 'delete';
  readonly added: readonly DataFile[];
  readonly removed: readonly DataFile[];
  readonly addedVectors: readonly DataFile[];
  readonly removedVectors: readonly DataFile[];
}

function sum(files: Iterable<DataFile>, value: (file: DataFile) => number): number {
  let total = 0;
  for (const file of files) total += value(file);
  return total;
}

const vectorBytes = (file: DataFile): number => file.vector?.length ?? 0;
const vectorRows = (file: DataFile): number => file.vector?.cardinality ?? 0;
const rowsOf = (file: DataFile): number => file.rows;
const sizeOf = (file: DataFile): number => file.sizeBytes;

/** Totals count the state after the commit; added and removed counts of zero are left out, as Java does. */
export function snapshotSummary(counts: CommitCounts, after: Pick<TableState, 'files'>): Record<string, string> {
  const { added, removed, addedVectors, removedVectors } = counts;
  const all = [...after.files.values()];
  const changes: Record<string, number> = {
    'added-data-files': added.length,
    'deleted-data-files': removed.length,
    'added-delete-files': addedVectors.length,
    'removed-delete-files': removedVectors.length,
    'added-dvs': addedVectors.length,
    'removed-dvs': removedVectors.length,
    'added-records': sum(added, rowsOf),
    'deleted-records': sum(removed, rowsOf),
    'added-files-size': sum(added, sizeOf) + sum(addedVectors, vectorBytes),
    'removed-files-size': sum(removed, sizeOf) + sum(removedVectors, vectorBytes),
    'added-position-deletes': sum(addedVectors, vectorRows),
    'removed-position-deletes': sum(removedVectors, vectorRows),
  };
  const summary: Record<string, string> = { operation: counts.operation };
  for (const [name, value] of Object.entries(changes)) if (value > 0) summary[name] = String(value);
  return {
    ...summary,
    'changed-partition-count': '1',
    'total-data-files': String(all.length),
    'total-delete-files': String(all.filter((file) => file.vector !== null).length),
    'total-records': String(sum(all, rowsOf)),
    'total-files-size': String(sum(all, sizeOf) + sum(all, vectorBytes)),
    'total-position-deletes': String(sum(all, vectorRows)),
    'total-equality-deletes': '0',
  };
}
