import { readFile } from 'node:fs/promises';
import { zstdDecompressSync } from 'node:zlib';

import { parquetMetadata, parquetReadObjects } from 'hyparquet';

import { decodeVector } from '../deletion-vector/vector-blob.ts';
import { decodeManifestList, manifestContent } from '../iceberg/manifest-list.ts';
import { entryStatus } from '../iceberg/manifest.ts';
import { currentSchema, currentSnapshot } from '../iceberg/table-metadata.ts';
import type { TableMetadata } from '../iceberg/table-metadata.ts';
import { TableStore } from '../iceberg/table-store.ts';
import { localPath, readManifest } from '../iceberg/table-state.ts';
import { LocalStorage } from '../storage/local-storage.ts';
import { silentLog } from './batches.ts';

/** A reader of its own for tests, which also audits what other readers trust without looking. */

const storage = new LocalStorage();

export interface ReadTable {
  readonly version: number;
  readonly metadata: TableMetadata;
  /** Rows by the current schema's names; integers, unscaled decimals, days and microseconds as stored. */
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  /** What is wrong with the metadata; empty for a sound table. */
  readonly faults: readonly string[];
}

interface Live {
  readonly rows: number;
  readonly firstRowId: bigint | null;
  readonly sequence: bigint | null;
}

class Audit {
  readonly faults: string[] = [];
  readonly files = new Map<string, Live>();
  readonly vectors = new Map<string, { path: string; offset: number; length: number; cardinality: number }>();

  expect(condition: boolean, fault: string): void {
    if (!condition) this.faults.push(fault);
  }

  async manifest(manifest: ReturnType<typeof decodeManifestList>[number]): Promise<void> {
    const path = localPath(manifest.manifest_path);
    const bytes = await readFile(path);
    this.expect(BigInt(bytes.length) === manifest.manifest_length, `length of ${path}`);
    const files = [0, 0, 0];
    const rows = [0n, 0n, 0n];
    for (const { status, sequence_number: sequence, data_file: file } of await readManifest(storage, manifest)) {
      files[status] = (files[status] ?? 0) + 1;
      rows[status] = (rows[status] ?? 0n) + file.record_count;
      if (status === entryStatus.deleted) continue;
      this.expect(sequence !== null && sequence >= manifest.min_sequence_number, `sequence in ${path}`);
      const size = (await readFile(localPath(file.file_path))).length;
      this.expect(BigInt(size) === file.file_size_in_bytes, `size of ${file.file_path}`);
      if (manifest.content === manifestContent.data) {
        this.expect(!this.files.has(file.file_path), `${file.file_path} twice`);
        this.expect(file.first_row_id !== null, `row id of ${file.file_path}`);
        this.files.set(file.file_path, { rows: Number(file.record_count), firstRowId: file.first_row_id, sequence });
      } else {
        const referenced = file.referenced_data_file ?? '';
        this.expect(!this.vectors.has(referenced), `two vectors for ${referenced}`);
        const bound = file.lower_bounds?.[0]?.value.toString('utf8');
        this.expect(bound === referenced, `bounds of the vector for ${referenced}`);
        this.vectors.set(referenced, {
          path: localPath(file.file_path),
          offset: Number(file.content_offset),
          length: Number(file.content_size_in_bytes),
          cardinality: Number(file.record_count),
        });
      }
    }
    const counts = [manifest.existing_files_count, manifest.added_files_count, manifest.deleted_files_count];
    const rowCounts = [manifest.existing_rows_count, manifest.added_rows_count, manifest.deleted_rows_count];
    this.expect(counts.join() === files.join(), `file counts of ${path}`);
    this.expect(rowCounts.join() === rows.join(), `row counts of ${path}`);
  }

  rowIds(metadata: TableMetadata): void {
    const spans = [...this.files.values()].map((file) => [file.firstRowId ?? 0n, BigInt(file.rows)] as const);
    spans.sort((a, b) => Number(a[0] - b[0]));
    spans.forEach(([first], i) => {
      const before = spans[i - 1];
      this.expect(before === undefined || before[0] + before[1] <= first, `row ids overlap at ${first}`);
    });
    const last = spans.at(-1);
    this.expect(last === undefined || last[0] + last[1] <= BigInt(metadata['next-row-id']), 'next-row-id');
  }

  summary(metadata: TableMetadata): void {
    const summary = currentSnapshot(metadata)?.summary ?? {};
    const total = [...this.files.values()].reduce((sum, file) => sum + file.rows, 0);
    const deleted = [...this.vectors.values()].reduce((sum, vector) => sum + vector.cardinality, 0);
    this.expect(summary['total-records'] === String(total), 'total-records');
    this.expect(summary['total-position-deletes'] === String(deleted), 'total-position-deletes');
    this.expect(summary['total-data-files'] === String(this.files.size), 'total-data-files');
    this.expect(summary['total-delete-files'] === String(this.vectors.size), 'total-delete-files');
  }
}

async function readRows(path: string, metadata: TableMetadata): Promise<Record<string, unknown>[]> {
  const bytes = await readFile(path);
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  const footer = parquetMetadata(file);
  const names = new Map(footer.schema.map((element) => [element.field_id, element.name]));
  const rows = await parquetReadObjects({
    file,
    metadata: {
      ...footer,
      schema: footer.schema.map((element) => {
        if (element.num_children !== undefined || element.converted_type === 'UTF8') return element;
        const { converted_type: _converted, logical_type: _logical, ...rest } = element;
        return rest;
      }),
    },
    utf8: false,
    compressors: { ZSTD: (input) => zstdDecompressSync(input) },
  });
  const { fields } = currentSchema(metadata);
  return rows.map((row) =>
    Object.fromEntries(fields.map((field) => [field.name, row[names.get(field.id) ?? ''] ?? null])),
  );
}

/** Reads the newest version, or the snapshot with that sequence number. */
export async function readTable(directory: string, sequence?: number): Promise<ReadTable> {
  const hooks = { log: silentLog, nowMs: Date.now, onStep: (): void => undefined };
  const newest = await new TableStore(storage, directory, hooks).newest();
  if (newest === null) throw new Error(`no table in ${directory}`);
  const { version, metadata } = newest;
  const audit = new Audit();
  const snapshot =
    sequence === undefined
      ? currentSnapshot(metadata)
      : (metadata.snapshots.find((candidate) => candidate['sequence-number'] === sequence) ?? null);
  if (snapshot === null) return { version, metadata, rows: [], faults: [] };
  for (const manifest of decodeManifestList(await readFile(localPath(snapshot['manifest-list'])))) {
    await audit.manifest(manifest);
  }
  const rows: Record<string, unknown>[] = [];
  for (const [path, live] of audit.files) {
    const vector = audit.vectors.get(path);
    const deleted =
      vector === undefined ? null : decodeVector(await storage.readRange(vector.path, vector.offset, vector.length));
    audit.expect((deleted?.cardinality ?? 0) === (vector?.cardinality ?? 0), `cardinality for ${path}`);
    const all = await readRows(localPath(path), metadata);
    audit.expect(all.length === live.rows, `rows of ${path}`);
    audit.expect((deleted?.cardinality ?? 0) < Math.max(live.rows, 1), `${path} has no row left`);
    rows.push(...all.filter((_, position) => deleted?.has(position) !== true));
  }
  for (const path of audit.vectors.keys()) audit.expect(audit.files.has(path), `vector without file ${path}`);
  audit.rowIds(metadata);
  if (sequence === undefined) audit.summary(metadata);
  return { version, metadata, rows, faults: audit.faults };
}
