import { expect, test } from 'vitest';

import { decodeContainer, encodeContainer } from './avro-container.ts';
import { manifestFileSchema } from './manifest-list.ts';
import type { ContentFile, ManifestEntry } from './manifest.ts';
import { decodeManifest, emptyFile, encodeManifest, entryStatus, manifestEntrySchema } from './manifest.ts';
import type { IcebergSchema } from './schema.ts';

const schema: IcebergSchema = {
  type: 'struct',
  'schema-id': 3,
  fields: [{ id: 1, name: 'id', required: true, type: 'long' }],
};

function dataFile(path: string, rows: bigint): ContentFile {
  return {
    ...emptyFile,
    file_path: path,
    file_format: 'PARQUET',
    record_count: rows,
    file_size_in_bytes: 10n,
    lower_bounds: [{ key: 1, value: Buffer.from('0100000000000000', 'hex') }],
    split_offsets: [4n],
  };
}

function entry(status: number, path: string, rows: bigint, explicit: bigint | null): ManifestEntry {
  return {
    status,
    snapshot_id: 9_223_372_036_854_775_807n,
    sequence_number: explicit,
    file_sequence_number: explicit,
    data_file: dataFile(path, rows),
  };
}

/** Every field of an Avro schema as `name:type:id`, in order. */
function fieldIds(node: unknown): string[] {
  if (Array.isArray(node)) return node.flatMap(fieldIds);
  if (typeof node !== 'object' || node === null) return [];
  const { fields, items, type } = node as {
    fields?: { name: string; type: unknown; 'field-id': number }[];
    items?: unknown;
    type?: unknown;
  };
  const own = (fields ?? []).flatMap((field) => [`${field.name}:${field['field-id']}`, ...fieldIds(field.type)]);
  return [...own, ...fieldIds(items), ...(typeof type === 'object' ? fieldIds(type) : [])];
}

test('manifest and list carry the field ids of the specification', () => {
  expect(fieldIds(manifestEntrySchema).join(' ')).toBe(
    'status:0 snapshot_id:1 sequence_number:3 file_sequence_number:4 data_file:2 content:134 file_path:100 ' +
      'file_format:101 partition:102 record_count:103 file_size_in_bytes:104 column_sizes:108 key:117 value:118 ' +
      'value_counts:109 key:119 value:120 null_value_counts:110 key:121 value:122 nan_value_counts:137 key:138 ' +
      'value:139 lower_bounds:125 key:126 value:127 upper_bounds:128 key:129 value:130 key_metadata:131 ' +
      'split_offsets:132 equality_ids:135 sort_order_id:140 first_row_id:142 referenced_data_file:143 ' +
      'content_offset:144 content_size_in_bytes:145',
  );
  expect(fieldIds(manifestFileSchema).join(' ')).toBe(
    'manifest_path:500 manifest_length:501 partition_spec_id:502 content:517 sequence_number:515 ' +
      'min_sequence_number:516 added_snapshot_id:503 added_files_count:504 existing_files_count:505 ' +
      'deleted_files_count:506 added_rows_count:512 existing_rows_count:513 deleted_rows_count:514 partitions:507 ' +
      'contains_null:509 contains_nan:518 lower_bound:510 upper_bound:511 key_metadata:519 first_row_id:520',
  );
});

test('the header holds the schema as written, element ids too', () => {
  const bytes = encodeManifest('data', schema, [entry(entryStatus.added, 'a', 1n, null)]);
  const { metadata } = decodeContainer(bytes);
  expect(JSON.parse(metadata.get('avro.schema') ?? '')).toEqual(manifestEntrySchema);
  expect(metadata.get('avro.schema')).toContain('"element-id":133');
  expect(metadata.get('format-version')).toBe('3');
  expect(metadata.get('partition-spec')).toBe('[]');
  expect(metadata.get('schema-id')).toBe('3');
  expect(metadata.get('content')).toBe('data');
});

test('entries come back with sequence numbers and row ids inherited where they have none', () => {
  const bytes = encodeManifest('data', schema, [
    entry(entryStatus.added, 'a', 10n, null),
    { ...entry(entryStatus.existing, 'b', 7n, 3n), data_file: { ...dataFile('b', 7n), first_row_id: 500n } },
    entry(entryStatus.deleted, 'c', 5n, 4n),
    entry(entryStatus.added, 'd', 1n, null),
  ]);
  const entries = decodeManifest(bytes, { sequenceNumber: 42n, snapshotId: 1n, firstRowId: 100n });
  expect(entries.map((member) => member.sequence_number)).toEqual([42n, 3n, 4n, 42n]);
  expect(entries.map((member) => member.data_file.first_row_id)).toEqual([100n, 500n, null, 110n]);
  expect(entries[0]?.snapshot_id).toBe(9_223_372_036_854_775_807n);
  expect(entries[0]?.data_file.lower_bounds).toEqual([{ key: 1, value: Buffer.from('0100000000000000', 'hex') }]);
});

test('a container of no records is a header only, and damage is noticed', () => {
  const empty = encodeContainer(new Map(), '{"type":"int"}', []);
  expect(decodeContainer(empty).blocks).toEqual([]);
  const full = encodeContainer(new Map(), '"int"', [Buffer.from([2])]);
  expect(decodeContainer(full).blocks.map((block) => [block.count, block.bytes.toString('hex')])).toEqual([[1, '02']]);
  const cut = full.subarray(0, full.length - 3);
  expect(() => decodeContainer(cut)).toThrow('cannot be read');
  const swapped = Buffer.from(full);
  swapped[full.length - 1] = (swapped[full.length - 1] as number) ^ 1;
  expect(() => decodeContainer(swapped)).toThrow('cannot be read');
});
