import { encodeContainer } from './avro-container.ts';
import { decodeRecords, field, list, optional, record, RecordCodec } from './avro-records.ts';

export const manifestContent = { data: 0, deletes: 1 } as const;

export interface FieldSummary {
  readonly contains_null: boolean;
  readonly contains_nan: boolean | null;
  readonly lower_bound: Buffer | null;
  readonly upper_bound: Buffer | null;
}

/** One line of a snapshot's manifest list. Member names are the specification's. */
export interface ManifestFile {
  readonly manifest_path: string;
  readonly manifest_length: bigint;
  readonly partition_spec_id: number;
  readonly content: number;
  readonly sequence_number: bigint;
  readonly min_sequence_number: bigint;
  readonly added_snapshot_id: bigint;
  readonly added_files_count: number;
  readonly existing_files_count: number;
  readonly deleted_files_count: number;
  readonly added_rows_count: bigint;
  readonly existing_rows_count: bigint;
  readonly deleted_rows_count: bigint;
  readonly partitions: readonly FieldSummary[] | null;
  readonly key_metadata: Buffer | null;
  readonly first_row_id: bigint | null;
}

const summarySchema = record('r508', [
  field('contains_null', 'boolean', 509),
  optional('contains_nan', 'boolean', 518),
  optional('lower_bound', 'bytes', 510),
  optional('upper_bound', 'bytes', 511),
]);

export const manifestFileSchema = record('manifest_file', [
  field('manifest_path', 'string', 500),
  field('manifest_length', 'long', 501),
  field('partition_spec_id', 'int', 502),
  field('content', 'int', 517),
  field('sequence_number', 'long', 515),
  field('min_sequence_number', 'long', 516),
  field('added_snapshot_id', 'long', 503),
  field('added_files_count', 'int', 504),
  field('existing_files_count', 'int', 505),
  field('deleted_files_count', 'int', 506),
  field('added_rows_count', 'long', 512),
  field('existing_rows_count', 'long', 513),
  field('deleted_rows_count', 'long', 514),
  optional('partitions', list(summarySchema, 508), 507),
  optional('key_metadata', 'bytes', 519),
  optional('first_row_id', 'long', 520),
]);

const codec = new RecordCodec<ManifestFile>(manifestFileSchema);
const schemaText = JSON.stringify(manifestFileSchema);

export interface SnapshotIdentity {
  readonly snapshotId: bigint;
  readonly parentId: bigint | null;
  readonly sequenceNumber: number;
  readonly firstRowId: number;
}

export function encodeManifestList(snapshot: SnapshotIdentity, manifests: readonly ManifestFile[]): Buffer {
  const metadata = new Map([
    ['snapshot-id', String(snapshot.snapshotId)],
    ['parent-snapshot-id', snapshot.parentId === null ? 'null' : String(snapshot.parentId)],
    ['sequence-number', String(snapshot.sequenceNumber)],
    ['first-row-id', String(snapshot.firstRowId)],
    ['format-version', '3'],
  ]);
  return encodeContainer(
    metadata,
    schemaText,
    manifests.map((manifest) => codec.encode(manifest)),
  );
}

export function decodeManifestList(bytes: Buffer): readonly ManifestFile[] {
  return decodeRecords<ManifestFile>(bytes, manifestFileSchema).rows.map((manifest) => ({
    ...manifest,
    partitions: manifest.partitions ?? null,
    key_metadata: manifest.key_metadata ?? null,
    first_row_id: manifest.first_row_id ?? null,
  }));
}

/** Live entries; a manifest without any is dropped from the next snapshot. */
export function liveFiles(manifest: ManifestFile): number {
  return manifest.added_files_count + manifest.existing_files_count;
}
