import { randomBytes, randomUUID } from 'node:crypto';

import { encodePuffin } from '../deletion-vector/puffin.ts';
import type { PositionSet } from '../deletion-vector/position-set.ts';
import { encodeVector } from '../deletion-vector/vector-blob.ts';
import type { FileMetrics } from '../parquet/file-metrics.ts';
import type { LocalStorage } from '../storage/local-storage.ts';
import { emptyFile, encodeManifest, entryStatus, fileContent } from './manifest.ts';
import type { ManifestEntry } from './manifest.ts';
import { encodeManifestList, liveFiles, manifestContent } from './manifest-list.ts';
import type { ManifestFile } from './manifest-list.ts';
import { manifestsToMerge } from './manifest-merge.ts';
import type { IcebergSchema } from './schema.ts';
import { snapshotSummary } from './snapshot-summary.ts';
import { addSnapshot, currentSchema, currentSnapshot } from './table-metadata.ts';
import type { Snapshot, TableMetadata } from './table-metadata.ts';
import { localPath, readManifest } from './table-state.ts';
import type { DataFile, TableState, VectorReference } from './table-state.ts';

/** A data file that is on the disk and not yet part of the table. */
export interface NewDataFile {
  readonly path: string;
  readonly rows: number;
  readonly sizeBytes: number;
  readonly metrics: FileMetrics;
}

/** What a commit changes, free of the table format's bookkeeping. */
export interface FileChanges {
  readonly added: readonly NewDataFile[];
  /** The whole deleted set of each touched file; contains the set it had. */
  readonly vectors: ReadonlyMap<string, PositionSet>;
  /** Paths of data files that leave with their vectors. */
  readonly removed: ReadonlySet<string>;
  /** Our own members of the snapshot summary. */
  readonly summary: Readonly<Record<string, string>>;
}

export interface StagedCommit {
  readonly metadata: TableMetadata;
  readonly manifests: readonly ManifestFile[];
  readonly files: ReadonlyMap<string, DataFile>;
}

const vectorsPerManifest = 500;
const filePathFieldId = 2_147_483_546;
const snapshotIdBits = 6;

/** Own ids stay below 2^48, so that no reader loses digits. */
function newSnapshotId(metadata: TableMetadata): bigint {
  for (;;) {
    const id = BigInt(randomBytes(snapshotIdBits).readUIntBE(0, snapshotIdBits)) + 1n;
    if (!metadata.snapshots.some((snapshot) => BigInt(snapshot['snapshot-id']) === id)) return id;
  }
}

function dataEntry(file: NewDataFile, snapshotId: bigint): ManifestEntry {
  return {
    status: entryStatus.added,
    snapshot_id: snapshotId,
    sequence_number: null,
    file_sequence_number: null,
    data_file: {
      ...emptyFile,
      ...file.metrics,
      file_path: file.path,
      file_format: 'PARQUET',
      record_count: BigInt(file.rows),
      file_size_in_bytes: BigInt(file.sizeBytes),
      sort_order_id: 0,
    },
  };
}

function vectorEntry(status: number, file: DataFile, vector: VectorReference, snapshotId: bigint): ManifestEntry {
  const bound = [{ key: filePathFieldId, value: Buffer.from(file.path, 'utf8') }];
  const added = status === entryStatus.added;
  return {
    status,
    snapshot_id: status === entryStatus.existing ? vector.snapshotId : snapshotId,
    sequence_number: added ? null : vector.sequenceNumber,
    file_sequence_number: added ? null : vector.sequenceNumber,
    data_file: {
      ...emptyFile,
      content: fileContent.positionDeletes,
      file_path: vector.puffinPath,
      file_format: 'PUFFIN',
      record_count: BigInt(vector.cardinality),
      file_size_in_bytes: BigInt(vector.puffinSizeBytes),
      lower_bounds: bound,
      upper_bounds: bound,
      referenced_data_file: file.path,
      content_offset: BigInt(vector.offset),
      content_size_in_bytes: BigInt(vector.length),
    },
  };
}

/** Builds one commit on top of one state. Writes files nobody refers to yet; a stage that is dropped leaves orphans. */
class Stage {
  readonly #storage: LocalStorage;
  readonly #base: TableState;
  readonly #changes: FileChanges;
  readonly #metadata: TableMetadata;
  readonly #schema: IcebergSchema;
  readonly #snapshotId: bigint;
  readonly #sequenceNumber: number;
  readonly #directory: string;
  readonly #files: Map<string, DataFile>;
  readonly #writes: Promise<void>[] = [];
  readonly #manifests: ManifestFile[] = [];
  #nextRowId: number;

  constructor(storage: LocalStorage, base: TableState, metadata: TableMetadata, changes: FileChanges) {
    this.#storage = storage;
    this.#base = base;
    this.#changes = changes;
    this.#metadata = metadata;
    this.#schema = currentSchema(metadata);
    this.#snapshotId = newSnapshotId(metadata);
    this.#sequenceNumber = metadata['last-sequence-number'] + 1;
    this.#directory = metadata.location;
    this.#files = new Map(base.files);
    this.#nextRowId = metadata['next-row-id'];
  }

  async run(createdBy: string, nowMs: number, onPuffin: () => void): Promise<StagedCommit> {
    const vectors = this.#writePuffin(createdBy);
    await Promise.all(this.#writes);
    onPuffin();
    await this.#dataManifests();
    this.#deleteManifests(vectors);
    const counts = this.#applyFiles(vectors);
    const manifestList = `${this.#directory}/metadata/snap-${this.#snapshotId}-1-${randomUUID()}.avro`;
    const parent = currentSnapshot(this.#metadata);
    const list = encodeManifestList(
      {
        snapshotId: this.#snapshotId,
        parentId: parent === null ? null : BigInt(parent['snapshot-id']),
        sequenceNumber: this.#sequenceNumber,
        firstRowId: this.#metadata['next-row-id'],
      },
      this.#manifests,
    );
    this.#write(manifestList, list);
    await Promise.all(this.#writes);
    const snapshot: Snapshot = {
      'snapshot-id': Number(this.#snapshotId),
      ...(parent === null ? {} : { 'parent-snapshot-id': parent['snapshot-id'] }),
      'sequence-number': this.#sequenceNumber,
      'timestamp-ms': Math.max(nowMs, this.#metadata['last-updated-ms']),
      'manifest-list': manifestList,
      'schema-id': this.#schema['schema-id'],
      'first-row-id': this.#metadata['next-row-id'],
      'added-rows': this.#nextRowId - this.#metadata['next-row-id'],
      summary: { ...snapshotSummary(counts, { files: this.#files }), ...this.#changes.summary },
    };
    return {
      metadata: addSnapshot(this.#metadata, snapshot),
      manifests: this.#manifests,
      files: this.#files,
    };
  }

  #write(location: string, bytes: Uint8Array): void {
    this.#writes.push(this.#storage.writeNew(localPath(location), bytes));
  }

  /** New vectors by data file path; the manifest is filled in when it is known. */
  #writePuffin(createdBy: string): Map<string, VectorReference> {
    const vectors = new Map<string, VectorReference>();
    if (this.#changes.vectors.size === 0) return vectors;
    const blobs = [...this.#changes.vectors].map(([path, set]) => ({
      referencedDataFile: path,
      cardinality: set.cardinality,
      blob: encodeVector(set),
    }));
    const puffin = encodePuffin(blobs, createdBy);
    const puffinPath = `${this.#directory}/data/${this.#sequenceNumber}-${randomUUID()}-dv.puffin`;
    this.#write(puffinPath, puffin.bytes);
    blobs.forEach((blob, i) => {
      vectors.set(blob.referencedDataFile, {
        puffinPath,
        puffinSizeBytes: puffin.bytes.length,
        offset: puffin.offsets[i] ?? 0,
        length: blob.blob.length,
        cardinality: blob.cardinality,
        snapshotId: this.#snapshotId,
        sequenceNumber: BigInt(this.#sequenceNumber),
        manifestPath: '',
      });
    });
    return vectors;
  }

  async #dataManifests(): Promise<void> {
    const { removed, added } = this.#changes;
    const touched = new Set([...removed].map((path) => this.#base.files.get(path)?.manifestPath ?? ''));
    const inherited = this.#base.manifests.filter(
      (manifest) => manifest.content === manifestContent.data && liveFiles(manifest) > 0,
    );
    const merging = new Set(manifestsToMerge(inherited.filter((manifest) => !touched.has(manifest.manifest_path))));
    const merged: ManifestEntry[] = [];
    for (const manifest of inherited) {
      const rewrite = touched.has(manifest.manifest_path);
      if (!rewrite && !merging.has(manifest)) {
        this.#manifests.push(manifest);
        continue;
      }
      const kept = this.#carried(await readManifest(this.#storage, manifest), removed);
      if (rewrite) this.#addDataManifest(kept);
      else merged.push(...kept);
    }
    if (merged.length > 0) this.#addDataManifest(merged);
    if (added.length > 0) this.#addDataManifest(added.map((file) => dataEntry(file, this.#snapshotId)));
  }

  /** Live entries of an older manifest with everything they inherited made explicit. */
  #carried(entries: readonly ManifestEntry[], removed: ReadonlySet<string>): ManifestEntry[] {
    return entries
      .filter((entry) => entry.status !== entryStatus.deleted)
      .map((entry) =>
        removed.has(entry.data_file.file_path)
          ? { ...entry, status: entryStatus.deleted, snapshot_id: this.#snapshotId }
          : { ...entry, status: entryStatus.existing },
      );
  }

  #addDataManifest(entries: readonly ManifestEntry[]): void {
    const manifest = this.#manifestOf('data', entries, this.#nextRowId);
    this.#nextRowId += Number(manifest.added_rows_count + manifest.existing_rows_count);
    this.#manifests.push(manifest);
    for (const { status, data_file: data } of entries) {
      const file = this.#files.get(data.file_path);
      if (status === entryStatus.deleted || file === undefined) continue;
      this.#files.set(data.file_path, { ...file, manifestPath: manifest.manifest_path });
    }
    if (entries[0]?.status !== entryStatus.added) return;
    for (const { data_file: data } of entries) {
      this.#files.set(data.file_path, {
        path: data.file_path,
        rows: Number(data.record_count),
        sizeBytes: Number(data.file_size_in_bytes),
        sequenceNumber: BigInt(this.#sequenceNumber),
        manifestPath: manifest.manifest_path,
        vector: null,
      });
    }
  }

  /** Rewrites only the delete manifests with a vector that changed; each holds some hundred. */
  #deleteManifests(vectors: Map<string, VectorReference>): void {
    const shards = new Map<string, ManifestEntry[]>();
    const touched = new Set<string>();
    const changed = new Set([...vectors.keys(), ...this.#changes.removed]);
    for (const path of changed) {
      const old = this.#base.files.get(path)?.vector;
      if (old !== undefined && old !== null) touched.add(old.manifestPath);
    }
    for (const shard of touched) shards.set(shard, []);
    const homeless: ManifestEntry[] = [];
    for (const file of this.#base.files.values()) {
      const fresh = vectors.get(file.path);
      const shard = file.vector === null ? undefined : shards.get(file.vector.manifestPath);
      if (file.vector !== null && shard !== undefined) {
        const status = changed.has(file.path) ? entryStatus.deleted : entryStatus.existing;
        shard.push(vectorEntry(status, file, file.vector, this.#snapshotId));
      }
      if (fresh !== undefined) (shard ?? homeless).push(vectorEntry(entryStatus.added, file, fresh, this.#snapshotId));
    }
    this.#keepDeleteManifests(touched);
    this.#writeShards([...shards.values()], homeless, vectors);
  }

  #keepDeleteManifests(touched: ReadonlySet<string>): void {
    for (const manifest of this.#base.manifests) {
      const stays = manifest.content === manifestContent.deletes && liveFiles(manifest) > 0;
      if (stays && !touched.has(manifest.manifest_path)) this.#manifests.push(manifest);
    }
  }

  #writeShards(
    shards: ManifestEntry[][],
    homeless: readonly ManifestEntry[],
    vectors: Map<string, VectorReference>,
  ): void {
    let open = shards.find((shard) => shard.length < vectorsPerManifest);
    for (const entry of homeless) {
      if (open === undefined || open.length >= vectorsPerManifest) {
        open = [];
        shards.push(open);
      }
      open.push(entry);
    }
    for (const entries of shards) {
      const manifest = this.#manifestOf('deletes', entries, null);
      this.#manifests.push(manifest);
      for (const { status, data_file: file } of entries) {
        const path = file.referenced_data_file ?? '';
        const fresh = vectors.get(path);
        const known = this.#files.get(path);
        if (status === entryStatus.added && fresh !== undefined) {
          vectors.set(path, { ...fresh, manifestPath: manifest.manifest_path });
        } else if (status === entryStatus.existing && known !== undefined && known.vector !== null) {
          this.#files.set(path, { ...known, vector: { ...known.vector, manifestPath: manifest.manifest_path } });
        }
      }
    }
  }

  #manifestOf(content: 'data' | 'deletes', entries: readonly ManifestEntry[], firstRowId: number | null): ManifestFile {
    const path = `${this.#directory}/metadata/${randomUUID()}-m0.avro`;
    const bytes = encodeManifest(content, this.#schema, entries);
    this.#write(path, bytes);
    const files = { 0: 0, 1: 0, 2: 0 } as Record<number, number>;
    const rows = { 0: 0n, 1: 0n, 2: 0n } as Record<number, bigint>;
    let minimum = BigInt(this.#sequenceNumber);
    for (const { status, sequence_number: sequence, data_file: file } of entries) {
      files[status] = (files[status] ?? 0) + 1;
      rows[status] = (rows[status] ?? 0n) + file.record_count;
      if (status !== entryStatus.deleted && sequence !== null && sequence < minimum) minimum = sequence;
    }
    return {
      manifest_path: path,
      manifest_length: BigInt(bytes.length),
      partition_spec_id: 0,
      content: manifestContent[content],
      sequence_number: BigInt(this.#sequenceNumber),
      min_sequence_number: minimum,
      added_snapshot_id: this.#snapshotId,
      added_files_count: files[entryStatus.added] ?? 0,
      existing_files_count: files[entryStatus.existing] ?? 0,
      deleted_files_count: files[entryStatus.deleted] ?? 0,
      added_rows_count: rows[entryStatus.added] ?? 0n,
      existing_rows_count: rows[entryStatus.existing] ?? 0n,
      deleted_rows_count: rows[entryStatus.deleted] ?? 0n,
      partitions: [],
      key_metadata: null,
      first_row_id: firstRowId === null ? null : BigInt(firstRowId),
    };
  }

  #applyFiles(vectors: ReadonlyMap<string, VectorReference>) {
    const known = (path: string): DataFile[] => [this.#base.files.get(path)].filter((file) => file !== undefined);
    const removed = [...this.#changes.removed].flatMap(known);
    const replaced = [...vectors.keys()].flatMap(known);
    for (const file of removed) this.#files.delete(file.path);
    for (const [path, vector] of vectors) {
      const file = this.#files.get(path);
      if (file !== undefined) this.#files.set(path, { ...file, vector });
    }
    const added = this.#changes.added.flatMap((file) => this.#files.get(file.path) ?? []);
    const addedVectors = [...vectors.keys()].flatMap((path) => this.#files.get(path) ?? []);
    const onlyAdds = removed.length === 0 && vectors.size === 0;
    const operation = onlyAdds ? 'append' : added.length === 0 ? 'delete' : 'overwrite';
    const removedVectors = [...removed, ...replaced].filter((file) => file.vector !== null);
    return { operation, added, removed, addedVectors, removedVectors } as const;
  }
}

/**
 * Writes the Puffin file, manifests and manifest list of a commit on top of `base` and returns what the table will be.
 * `metadata` is `base`'s revised one (properties, schema). Pure but for files that nobody refers to yet.
 */
export function stageCommit(
  storage: LocalStorage,
  base: TableState,
  metadata: TableMetadata,
  changes: FileChanges,
  createdBy: string,
  nowMs: number,
  onPuffin: () => void,
): Promise<StagedCommit> {
  return new Stage(storage, base, metadata, changes).run(createdBy, nowMs, onPuffin);
}
