import { decodeManifestList } from './iceberg/manifest-list.ts';
import type { ManifestFile } from './iceberg/manifest-list.ts';
import { entryStatus } from './iceberg/manifest.ts';
import type { TableStore } from './iceberg/table-store.ts';
import { localPath, readManifest } from './iceberg/table-state.ts';
import type { LocalStorage } from './storage/local-storage.ts';
import { isOwnFile } from './table-directory.ts';

/** Files found without a reference, by local path, with the time of the first finding. */
export type SweepMemory = Map<string, number>;

export interface SweepOptions {
  readonly memory: SweepMemory;
  /** How long a file must have been without a reference, and how old it must be. */
  readonly graceMs: number;
  readonly nowMs: number;
  readonly signal: AbortSignal;
}

/** Every file that any retained snapshot of the newest version refers to. */
async function referencedFiles(
  storage: LocalStorage,
  store: TableStore,
  signal: AbortSignal,
): Promise<Set<string> | null> {
  const newest = await store.newest();
  if (newest === null) return null;
  const referenced = new Set<string>();
  const manifests = new Map<string, ManifestFile>();
  for (const snapshot of newest.metadata.snapshots) {
    signal.throwIfAborted();
    const list = localPath(snapshot['manifest-list']);
    referenced.add(list);
    for (const manifest of decodeManifestList(await storage.read(list)))
      manifests.set(manifest.manifest_path, manifest);
  }
  for (const manifest of manifests.values()) {
    signal.throwIfAborted();
    referenced.add(localPath(manifest.manifest_path));
    for (const entry of await readManifest(storage, manifest)) {
      if (entry.status !== entryStatus.deleted) referenced.add(localPath(entry.data_file.file_path));
    }
  }
  return referenced;
}

/**
 * Removes files of our own naming that no retained snapshot has needed for `graceMs`: left behind by crashes and lost
 * races, or by snapshots that were thinned out. A file is removed only when two looks, at least that far apart, found
 * it without a reference; so what another member is about to commit, and what a reader of a dropped snapshot still
 * holds, stay. Returns how many were removed.
 */
export async function sweepTable(storage: LocalStorage, store: TableStore, options: SweepOptions): Promise<number> {
  const { memory, graceMs, nowMs, signal } = options;
  const files = await storage.listFiles(store.directory);
  const referenced = await referencedFiles(storage, store, signal);
  if (referenced === null) return 0;
  let removed = 0;
  for (const file of files) {
    signal.throwIfAborted();
    const path = `${store.directory}/${file.name}`;
    if (!isOwnFile(file.name) || referenced.has(path)) {
      memory.delete(path);
      continue;
    }
    const foundMs = memory.get(path);
    if (foundMs === undefined) memory.set(path, nowMs);
    else if (nowMs - foundMs >= graceMs && nowMs - file.modifiedMs >= graceMs) {
      await storage.remove(path);
      memory.delete(path);
      removed++;
    }
  }
  await store.removeOldVersions(nowMs);
  return removed;
}
