import { CdcError } from '@millrace/shared/errors/cdc-error.ts';

import type { LocalStorage } from '../storage/local-storage.ts';
import { decodeManifest, entryStatus, fileContent } from './manifest.ts';
import type { ManifestEntry } from './manifest.ts';
import { decodeManifestList, manifestContent } from './manifest-list.ts';
import type { ManifestFile } from './manifest-list.ts';
import { currentSnapshot } from './table-metadata.ts';
import type { TableMetadata } from './table-metadata.ts';

/** Where the deletion vector of a data file stands. */
export interface VectorReference {
  readonly puffinPath: string;
  readonly puffinSizeBytes: number;
  readonly offset: number;
  readonly length: number;
  readonly cardinality: number;
  readonly snapshotId: bigint;
  readonly sequenceNumber: bigint;
  readonly manifestPath: string;
}

export interface DataFile {
  /** As the metadata names it. */
  readonly path: string;
  readonly rows: number;
  readonly sizeBytes: number;
  readonly sequenceNumber: bigint;
  readonly manifestPath: string;
  readonly vector: VectorReference | null;
}

/** One version of a table: immutable, everything that a commit on top of it must know. */
export interface TableState {
  readonly version: number;
  readonly metadata: TableMetadata;
  readonly manifests: readonly ManifestFile[];
  /** Live data files by path. */
  readonly files: ReadonlyMap<string, DataFile>;
}

/** What a version is made of, for metrics. */
export function tableSize(state: TableState): { files: number; bytes: number; deletionVectors: number } {
  let bytes = 0;
  let deletionVectors = 0;
  for (const file of state.files.values()) {
    bytes += file.sizeBytes;
    if (file.vector !== null) deletionVectors += 1;
  }
  return { files: state.files.size, bytes, deletionVectors };
}

/** Local path of a location in the metadata: other writers put `file:/…` or no scheme. */
export function localPath(location: string): string {
  return location.replace(/^file:(\/\/)?(?=\/)/, '');
}

function unreadable(reason: string): CdcError {
  return new CdcError('DESTINATION_SCHEMA_INCOMPATIBLE', 'the Iceberg table cannot be written by this version', {
    details: { reason },
    hint: 'Rewrite the table without delete files of other kinds, or write to another table name.',
  });
}

function dataFileOf(entry: ManifestEntry, manifest: ManifestFile): DataFile {
  const file = entry.data_file;
  if (file.file_format.toUpperCase() !== 'PARQUET') throw unreadable(`data files in ${file.file_format}`);
  return {
    path: file.file_path,
    rows: Number(file.record_count),
    sizeBytes: Number(file.file_size_in_bytes),
    sequenceNumber: entry.sequence_number ?? manifest.sequence_number,
    manifestPath: manifest.manifest_path,
    vector: null,
  };
}

function vectorOf(entry: ManifestEntry, manifest: ManifestFile): VectorReference {
  const file = entry.data_file;
  const isVector = file.content === fileContent.positionDeletes && file.file_format.toUpperCase() === 'PUFFIN';
  if (!isVector)
    throw unreadable(file.content === fileContent.equalityDeletes ? 'equality-deletes' : 'position-deletes');
  return {
    puffinPath: file.file_path,
    puffinSizeBytes: Number(file.file_size_in_bytes),
    offset: Number(file.content_offset),
    length: Number(file.content_size_in_bytes),
    cardinality: Number(file.record_count),
    snapshotId: entry.snapshot_id ?? manifest.added_snapshot_id,
    sequenceNumber: entry.sequence_number ?? manifest.sequence_number,
    manifestPath: manifest.manifest_path,
  };
}

export async function readManifest(storage: LocalStorage, manifest: ManifestFile): Promise<readonly ManifestEntry[]> {
  const bytes = await storage.read(localPath(manifest.manifest_path));
  return decodeManifest(bytes, {
    sequenceNumber: manifest.sequence_number,
    snapshotId: manifest.added_snapshot_id,
    firstRowId: manifest.first_row_id,
  });
}

/** Manifests never change: what an earlier state knows of one need not be read again. */
class KnownManifests {
  readonly #paths: ReadonlySet<string>;
  readonly #files = new Map<string, DataFile[]>();
  readonly #vectors = new Map<string, (readonly [path: string, vector: VectorReference])[]>();

  constructor(state: TableState | null) {
    this.#paths = new Set(state?.manifests.map((manifest) => manifest.manifest_path));
    for (const file of state?.files.values() ?? []) {
      const files = this.#files.get(file.manifestPath) ?? [];
      this.#files.set(file.manifestPath, files);
      files.push({ ...file, vector: null });
      if (file.vector === null) continue;
      const vectors = this.#vectors.get(file.vector.manifestPath) ?? [];
      this.#vectors.set(file.vector.manifestPath, vectors);
      vectors.push([file.path, file.vector]);
    }
  }

  has(manifest: ManifestFile): boolean {
    return this.#paths.has(manifest.manifest_path);
  }

  filesOf(manifest: ManifestFile): readonly DataFile[] {
    return this.#files.get(manifest.manifest_path) ?? [];
  }

  vectorsOf(manifest: ManifestFile): readonly (readonly [path: string, vector: VectorReference])[] {
    return this.#vectors.get(manifest.manifest_path) ?? [];
  }
}

/**
 * Reads the current snapshot of `metadata`: every live data file and its deletion vector. Manifests that `previous`
 * has are taken from there.
 */
export async function loadState(
  storage: LocalStorage,
  version: number,
  metadata: TableMetadata,
  previous: TableState | null,
): Promise<TableState> {
  const snapshot = currentSnapshot(metadata);
  if (snapshot === null) return { version, metadata, manifests: [], files: new Map() };
  const manifests = decodeManifestList(await storage.read(localPath(snapshot['manifest-list'])));
  const known = new KnownManifests(previous);
  const files = new Map<string, DataFile>();
  const vectors = new Map<string, VectorReference>();
  for (const manifest of manifests) {
    if (known.has(manifest)) {
      for (const file of known.filesOf(manifest)) files.set(file.path, file);
      for (const [path, vector] of known.vectorsOf(manifest)) vectors.set(path, vector);
      continue;
    }
    for (const entry of await readManifest(storage, manifest)) {
      if (entry.status === entryStatus.deleted) continue;
      if (manifest.content === manifestContent.data) {
        files.set(entry.data_file.file_path, dataFileOf(entry, manifest));
      } else {
        vectors.set(entry.data_file.referenced_data_file ?? '', vectorOf(entry, manifest));
      }
    }
  }
  for (const [path, vector] of vectors) {
    const file = files.get(path);
    if (file !== undefined) files.set(path, { ...file, vector });
  }
  return { version, metadata, manifests, files };
}
