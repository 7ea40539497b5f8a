import { CdcError } from '@millrace/shared/errors/cdc-error.ts';

import { parseExactJson, printExactJson } from './exact-json.ts';
import type { Json, JsonObject } from './exact-json.ts';
import type { IcebergSchema } from './schema.ts';

/** Table metadata, format-version 3. Members of other writers that we do not know are carried along. */

export type SnapshotId = number | bigint;

export interface Snapshot {
  readonly 'snapshot-id': SnapshotId;
  readonly 'parent-snapshot-id'?: SnapshotId;
  readonly 'sequence-number': number;
  readonly 'timestamp-ms': number;
  readonly 'manifest-list': string;
  readonly 'schema-id'?: number;
  readonly 'first-row-id': number;
  readonly 'added-rows': number;
  readonly summary: Readonly<Record<string, string>>;
}

export interface SnapshotLogEntry {
  readonly 'timestamp-ms': number;
  readonly 'snapshot-id': SnapshotId;
}

export interface MetadataLogEntry {
  readonly 'timestamp-ms': number;
  readonly 'metadata-file': string;
}

export interface SnapshotReference {
  readonly 'snapshot-id': SnapshotId;
  readonly type: string;
}

export interface TableMetadata {
  readonly 'format-version': 3;
  readonly 'table-uuid': string;
  readonly location: string;
  readonly 'last-sequence-number': number;
  readonly 'last-updated-ms': number;
  readonly 'last-column-id': number;
  readonly 'current-schema-id': number;
  readonly schemas: readonly IcebergSchema[];
  readonly 'default-spec-id': number;
  readonly 'partition-specs': readonly { readonly 'spec-id': number; readonly fields: readonly JsonObject[] }[];
  readonly 'last-partition-id': number;
  readonly 'default-sort-order-id': number;
  readonly 'sort-orders': readonly JsonObject[];
  readonly properties: Readonly<Record<string, string>>;
  readonly 'next-row-id': number;
  readonly 'current-snapshot-id'?: SnapshotId;
  readonly refs: Readonly<Record<string, SnapshotReference>>;
  readonly snapshots: readonly Snapshot[];
  readonly 'snapshot-log': readonly SnapshotLogEntry[];
  readonly 'metadata-log': readonly MetadataLogEntry[];
}

/** Entries of the metadata log that are kept: as many versions as stay on disk whatever their age. */
export const keptVersions = 100;

const unpartitionedLastId = 999;

export interface NewTable {
  readonly uuid: string;
  readonly location: string;
  readonly schema: IcebergSchema;
  readonly lastColumnId: number;
  readonly properties: Readonly<Record<string, string>>;
  readonly nowMs: number;
}

export function createTable(table: NewTable): TableMetadata {
  return {
    'format-version': 3,
    'table-uuid': table.uuid,
    location: table.location,
    'last-sequence-number': 0,
    'last-updated-ms': table.nowMs,
    'last-column-id': table.lastColumnId,
    'current-schema-id': 0,
    schemas: [{ ...table.schema, 'schema-id': 0 }],
    'default-spec-id': 0,
    'partition-specs': [{ 'spec-id': 0, fields: [] }],
    'last-partition-id': unpartitionedLastId,
    'default-sort-order-id': 0,
    'sort-orders': [{ 'order-id': 0, fields: [] }],
    properties: table.properties,
    'next-row-id': 0,
    refs: {},
    snapshots: [],
    'snapshot-log': [],
    'metadata-log': [],
  };
}

export function currentSchema(metadata: TableMetadata): IcebergSchema {
  const schema = metadata.schemas.find((candidate) => candidate['schema-id'] === metadata['current-schema-id']);
  if (schema === undefined) throw unusable('current-schema-missing');
  return schema;
}

export function currentSnapshot(metadata: TableMetadata): Snapshot | null {
  const id = metadata['current-snapshot-id'];
  if (id === undefined || id === -1) return null;
  const found = metadata.snapshots.find((snapshot) => sameId(snapshot['snapshot-id'], id));
  if (found === undefined) throw unusable('current-snapshot-missing');
  return found;
}

export function sameId(a: SnapshotId, b: SnapshotId): boolean {
  return BigInt(a) === BigInt(b);
}

export interface Revision {
  readonly nowMs: number;
  /** File of the version that this one follows. */
  readonly previousFile: string;
  readonly properties: Readonly<Record<string, string>>;
  /** A schema that is new with this version; its id is assigned here. */
  readonly schema: IcebergSchema | null;
  readonly lastColumnId: number;
}

/** The next version's metadata: properties and schema. Clocks may jump back, times of a table never do. */
export function revise(metadata: TableMetadata, revision: Revision): TableMetadata {
  const log: MetadataLogEntry = {
    'timestamp-ms': metadata['last-updated-ms'],
    'metadata-file': revision.previousFile,
  };
  return {
    ...withSchema(metadata, revision.schema),
    properties: revision.properties,
    'last-column-id': Math.max(metadata['last-column-id'], revision.lastColumnId),
    'last-updated-ms': Math.max(revision.nowMs, metadata['last-updated-ms']),
    'metadata-log': [...metadata['metadata-log'], log].slice(-keptVersions),
  };
}

function withSchema(metadata: TableMetadata, schema: IcebergSchema | null): TableMetadata {
  if (schema === null) return metadata;
  const id = Math.max(...metadata.schemas.map((known) => known['schema-id'])) + 1;
  return {
    ...metadata,
    schemas: [...metadata.schemas, { ...schema, 'schema-id': id }],
    'current-schema-id': id,
  };
}

/** Makes `snapshot` the current one of branch main. */
export function addSnapshot(metadata: TableMetadata, snapshot: Snapshot): TableMetadata {
  const id = snapshot['snapshot-id'];
  return {
    ...metadata,
    'last-sequence-number': snapshot['sequence-number'],
    'next-row-id': snapshot['first-row-id'] + snapshot['added-rows'],
    'current-snapshot-id': id,
    refs: { ...metadata.refs, main: { ...metadata.refs['main'], 'snapshot-id': id, type: 'branch' } },
    snapshots: [...metadata.snapshots, snapshot],
    'snapshot-log': [...metadata['snapshot-log'], { 'timestamp-ms': snapshot['timestamp-ms'], 'snapshot-id': id }],
  };
}

function unusable(reason: string): CdcError {
  return new CdcError('DESTINATION_SCHEMA_INCOMPATIBLE', 'the Iceberg table cannot be written by this version', {
    details: { reason },
    hint: 'Use an unpartitioned table of format-version 3 without equality or position deletes, or another table name.',
  });
}

/** Reads a version of any writer. Refuses what this writer would damage: other format versions, partitions. */
export function parseMetadata(bytes: Buffer): TableMetadata {
  const json = parseExactJson(bytes.toString('utf8')) as unknown as Partial<TableMetadata>;
  if (json['format-version'] !== 3) throw unusable(`format-version ${String(json['format-version'])}`);
  const metadata = {
    refs: {},
    snapshots: [],
    'snapshot-log': [],
    'metadata-log': [],
    properties: {},
    'next-row-id': 0,
    ...json,
  } as TableMetadata;
  const spec = metadata['partition-specs'].find((candidate) => candidate['spec-id'] === metadata['default-spec-id']);
  if (spec === undefined || spec.fields.length > 0 || metadata['partition-specs'].length > 1)
    throw unusable('partitioned');
  return metadata;
}

/** Text of list members, kept because a version repeats nearly all of what the one before it said. */
const printed = new WeakMap<object, string>();

function printMember(member: object): string {
  let text = printed.get(member);
  if (text === undefined) {
    text = printExactJson(member as unknown as Json);
    printed.set(member, text);
  }
  return text;
}

export function printMetadata(metadata: TableMetadata): Buffer {
  const members: string[] = [];
  for (const [name, value] of Object.entries(metadata as unknown as Record<string, Json>)) {
    const text =
      Array.isArray(value) && value.every((member) => typeof member === 'object' && member !== null)
        ? `[${value.map((member) => printMember(member as object)).join(',')}]`
        : printExactJson(value);
    members.push(`${JSON.stringify(name)}:${text}`);
  }
  return Buffer.from(`{${members.join(',')}}`, 'utf8');
}
