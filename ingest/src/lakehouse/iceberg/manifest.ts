import { encodeContainer } from './avro-container.ts';
import { decodeRecords, field, intMap, list, optional, record, RecordCodec } from './avro-records.ts';
import { printExactJson } from './exact-json.ts';
import type { Json } from './exact-json.ts';
import type { IcebergSchema } from './schema.ts';

/** Manifests of a format-version 3 table without partitions. Member names are the specification's. */

export const entryStatus = { existing: 0, added: 1, deleted: 2 } as const;
export const fileContent = { data: 0, positionDeletes: 1, equalityDeletes: 2 } as const;

export interface IntEntry<V> {
  readonly key: number;
  readonly value: V;
}

export interface ContentFile {
  readonly content: number;
  readonly file_path: string;
  readonly file_format: string;
  readonly partition: Readonly<Record<string, never>>;
  readonly record_count: bigint;
  readonly file_size_in_bytes: bigint;
  readonly column_sizes: readonly IntEntry<bigint>[] | null;
  readonly value_counts: readonly IntEntry<bigint>[] | null;
  readonly null_value_counts: readonly IntEntry<bigint>[] | null;
  readonly nan_value_counts: readonly IntEntry<bigint>[] | null;
  readonly lower_bounds: readonly IntEntry<Buffer>[] | null;
  readonly upper_bounds: readonly IntEntry<Buffer>[] | null;
  readonly key_metadata: Buffer | null;
  readonly split_offsets: readonly bigint[] | null;
  readonly equality_ids: readonly number[] | null;
  readonly sort_order_id: number | null;
  readonly first_row_id: bigint | null;
  readonly referenced_data_file: string | null;
  readonly content_offset: bigint | null;
  readonly content_size_in_bytes: bigint | null;
}

export interface ManifestEntry {
  readonly status: number;
  readonly snapshot_id: bigint | null;
  readonly sequence_number: bigint | null;
  readonly file_sequence_number: bigint | null;
  readonly data_file: ContentFile;
}

const dataFileSchema = record('r2', [
  field('content', 'int', 134),
  field('file_path', 'string', 100),
  field('file_format', 'string', 101),
  field('partition', record('r102', []), 102),
  field('record_count', 'long', 103),
  field('file_size_in_bytes', 'long', 104),
  optional('column_sizes', intMap(117, 118, 'long'), 108),
  optional('value_counts', intMap(119, 120, 'long'), 109),
  optional('null_value_counts', intMap(121, 122, 'long'), 110),
  optional('nan_value_counts', intMap(138, 139, 'long'), 137),
  optional('lower_bounds', intMap(126, 127, 'bytes'), 125),
  optional('upper_bounds', intMap(129, 130, 'bytes'), 128),
  optional('key_metadata', 'bytes', 131),
  optional('split_offsets', list('long', 133), 132),
  optional('equality_ids', list('int', 136), 135),
  optional('sort_order_id', 'int', 140),
  optional('first_row_id', 'long', 142),
  optional('referenced_data_file', 'string', 143),
  optional('content_offset', 'long', 144),
  optional('content_size_in_bytes', 'long', 145),
]);

export const manifestEntrySchema = record('manifest_entry', [
  field('status', 'int', 0),
  optional('snapshot_id', 'long', 1),
  optional('sequence_number', 'long', 3),
  optional('file_sequence_number', 'long', 4),
  field('data_file', dataFileSchema, 2),
]);

const codec = new RecordCodec<ManifestEntry>(manifestEntrySchema);
const schemaText = JSON.stringify(manifestEntrySchema);

export function encodeManifest(
  content: 'data' | 'deletes',
  tableSchema: IcebergSchema,
  entries: readonly ManifestEntry[],
): Buffer {
  const metadata = new Map([
    ['schema', printExactJson(tableSchema as unknown as Json)],
    ['schema-id', String(tableSchema['schema-id'])],
    ['partition-spec', '[]'],
    ['partition-spec-id', '0'],
    ['format-version', '3'],
    ['content', content],
  ]);
  return encodeContainer(
    metadata,
    schemaText,
    entries.map((entry) => codec.encode(entry)),
  );
}

/** What the manifest list says about a manifest and its entries inherit. */
export interface Inherited {
  readonly sequenceNumber: bigint;
  readonly snapshotId: bigint;
  readonly firstRowId: bigint | null;
}

/** Entries of a manifest of any writer with what they inherit filled in; deleted ones included. */
export function decodeManifest(bytes: Buffer, inherited: Inherited): readonly ManifestEntry[] {
  let nextRowId = inherited.firstRowId;
  return decodeRecords<ManifestEntry>(bytes, manifestEntrySchema).rows.map((entry) => {
    const file = entry.data_file;
    const added = entry.status === entryStatus.added;
    let firstRowId = file.first_row_id ?? null;
    if (firstRowId === null && nextRowId !== null && entry.status !== entryStatus.deleted) {
      firstRowId = nextRowId;
      nextRowId += file.record_count;
    }
    return {
      status: entry.status,
      snapshot_id: entry.snapshot_id ?? inherited.snapshotId,
      sequence_number: entry.sequence_number ?? (added ? inherited.sequenceNumber : null),
      file_sequence_number: entry.file_sequence_number ?? (added ? inherited.sequenceNumber : null),
      data_file: {
        ...emptyFile,
        ...file,
        partition: {},
        first_row_id: firstRowId,
      },
    };
  });
}

/** A content file with every optional member absent. */
export const emptyFile = {
  content: fileContent.data,
  partition: {},
  column_sizes: null,
  value_counts: null,
  null_value_counts: null,
  nan_value_counts: null,
  lower_bounds: null,
  upper_bounds: null,
  key_metadata: null,
  split_offsets: null,
  equality_ids: null,
  sort_order_id: null,
  first_row_id: null,
  referenced_data_file: null,
  content_offset: null,
  content_size_in_bytes: null,
} as const;
