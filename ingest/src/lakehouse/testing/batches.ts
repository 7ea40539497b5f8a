import { parseLogicalType } from '@millrace/shared/event/logical-type.ts';
import { tableSchema } from '@millrace/shared/event/schema.ts';
import type { ColumnSchema, TableSchema } from '@millrace/shared/event/schema.ts';

import type { LaneBatch, RowSpans, TableBatch } from '../../destination.ts';
import type { LakehouseLog, LakehouseOptions } from '../options.ts';

/** Batches and schemas for tests, as the pipeline would build them. */

export function column(name: string, type: string, options: Partial<ColumnSchema> = {}): ColumnSchema {
  return {
    name,
    type: parseLogicalType(type),
    nullable: true,
    sourceType: null,
    comment: null,
    defaultValue: null,
    generated: false,
    ...options,
  };
}

export function schemaOf(table: string, primaryKey: readonly string[], columns: readonly ColumnSchema[]): TableSchema {
  const required = columns.map((member) =>
    primaryKey.includes(member.name) ? { ...member, nullable: false } : member,
  );
  return tableSchema({ id: { namespace: '', schema: 'shop', table }, columns: required, primaryKey, comment: null });
}

/** Rows given as JSON texts. */
export function rowSpans(texts: readonly string[]): RowSpans {
  const pieces = texts.map((text) => Buffer.from(text, 'utf8'));
  const start = new Int32Array(texts.length);
  const end = new Int32Array(texts.length);
  let at = 0;
  pieces.forEach((piece, i) => {
    start[i] = at;
    at += piece.length;
    end[i] = at;
  });
  return {
    count: texts.length,
    buffers: [Buffer.concat(pieces)],
    bufferIndex: new Int32Array(texts.length),
    start,
    end,
  };
}

/** One row with the index of the partition that it came from. */
export interface PlacedRow {
  readonly text: string;
  readonly partition: number;
}

export function tableBatch(
  schema: TableSchema,
  upserts: readonly PlacedRow[],
  deletes: readonly PlacedRow[] = [],
  truncateFirst = false,
): TableBatch {
  return {
    target: { schema },
    upserts: rowSpans(upserts.map((row) => row.text)),
    deletes: rowSpans(deletes.map((row) => row.text)),
    upsertPartition: Int32Array.from(upserts, (row) => row.partition),
    deletePartition: Int32Array.from(deletes, (row) => row.partition),
    truncateFirst,
  };
}

/** A batch over partitions 0 … `partitions − 1` of topic `t`, all with the same range. */
export function laneBatch(
  tables: readonly TableBatch[],
  from: bigint,
  to: bigint,
  partitions = 1,
  marks: ReadonlyMap<string, string> = new Map(),
): LaneBatch {
  return {
    partitions: Array.from({ length: partitions }, (_, partition) => ({ topic: 't', partition, from, to, marks })),
    tables,
    sourceTimeMicros: 0,
  };
}

export function testOptions(warehouse: string): LakehouseOptions {
  return {
    warehouse,
    commitUser: 'test',
    targetFileSizeBytes: 128 * 1024 * 1024,
    compression: 'zstd',
    snapshotTimeRetainedMs: 3_600_000,
    snapshotsRetainedMin: 20,
    offsetCommitIntervalMs: 300_000,
    typeChange: 'new-column',
    createdBy: 'millrace test',
  };
}

export const silentLog: LakehouseLog = { info: () => undefined, warn: () => undefined };
