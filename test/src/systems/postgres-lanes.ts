import type { Destination, LaneBatch, RowSpans, TableBatch } from '@millrace/ingest/destination.ts';
import { openPostgresDestination } from '@millrace/ingest/postgres/destination.ts';
import type { PostgresDestinationOptions } from '@millrace/ingest/postgres/options.ts';
import { parseLogicalType } from '@millrace/shared/event/logical-type.ts';
import { tableSchema } from '@millrace/shared/event/schema.ts';
import type { TableSchema } from '@millrace/shared/event/schema.ts';

import type { PostgresDatabase } from '../harness/postgres-database.ts';

/** Builders of what the pipeline would hand to a destination. */

export const never: AbortSignal = new AbortController().signal;

export interface ColumnText {
  readonly name: string;
  /** Logical type in the notation of the schema log. */
  readonly type: string;
  /** The source's own type text. */
  readonly source?: string;
  readonly nullable?: boolean;
  readonly comment?: string;
}

/** `id bigint` is the key unless another is named. */
export function schemaOf(
  table: string,
  columns: readonly ColumnText[],
  primaryKey: readonly string[] = ['id'],
  schema = 'shop',
): TableSchema {
  return tableSchema({
    id: { namespace: '', schema, table },
    columns: columns.map((column) => ({
      name: column.name,
      type: parseLogicalType(column.type),
      nullable: column.nullable ?? !primaryKey.includes(column.name),
      sourceType: column.source ?? null,
      comment: column.comment ?? null,
      defaultValue: null,
      generated: false,
    })),
    primaryKey,
    comment: null,
  });
}

/** JSON objects, as values or already as text, in one buffer. */
export function spans(rows: readonly unknown[]): RowSpans {
  const texts = rows.map((row) => Buffer.from(typeof row === 'string' ? row : JSON.stringify(row)));
  const start = new Int32Array(texts.length);
  const end = new Int32Array(texts.length);
  let at = 0;
  for (const [index, text] of texts.entries()) {
    start[index] = at;
    at += text.length;
    end[index] = at;
  }
  return {
    count: texts.length,
    buffers: [Buffer.concat(texts)],
    bufferIndex: new Int32Array(texts.length),
    start,
    end,
  };
}

export interface Changes {
  readonly upserts?: readonly unknown[];
  readonly deletes?: readonly unknown[];
  readonly truncateFirst?: boolean;
}

export function tableBatch(schema: TableSchema, changes: Changes): TableBatch {
  const upserts = spans(changes.upserts ?? []);
  const deletes = spans(changes.deletes ?? []);
  return {
    target: { schema },
    upserts,
    deletes,
    upsertPartition: new Int32Array(upserts.count),
    deletePartition: new Int32Array(deletes.count),
    truncateFirst: changes.truncateFirst ?? false,
  };
}

/** Offsets `[from, to)` of partition 0 of topic `t`. */
export function laneBatch(
  from: number,
  to: number,
  tables: readonly TableBatch[],
  marks: ReadonlyMap<string, string> = new Map(),
): LaneBatch {
  return {
    partitions: [{ topic: 't', partition: 0, from: BigInt(from), to: BigInt(to), marks }],
    tables,
    sourceTimeMicros: 1_767_323_045_000_006,
  };
}

export const partition0 = { topic: 't', partition: 0, firstOffset: 0n };

/** Options for the database of a test, as its superuser unless said otherwise. */
export function destinationOptions(
  database: PostgresDatabase,
  changes: Partial<PostgresDestinationOptions> = {},
): PostgresDestinationOptions {
  const url = new URL(database.url);
  return {
    hostname: url.hostname,
    port: Number(url.port),
    database: database.name,
    username: url.username,
    password: () => url.password,
    pipelineName: 'p',
    commitUser: 'p',
    ...changes,
  };
}

export interface LogLine {
  readonly message: string;
  readonly details: unknown;
}

export function openDestination(
  database: PostgresDatabase,
  changes: Partial<PostgresDestinationOptions> = {},
  lines: LogLine[] = [],
): Promise<Destination> {
  const note = (message: string, details: unknown): void => {
    lines.push({ message, details });
  };
  return openPostgresDestination(destinationOptions(database, changes), { info: note, warn: note });
}
