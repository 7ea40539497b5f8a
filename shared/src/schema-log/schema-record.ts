import { CdcError } from '../errors/cdc-error.ts';
import { parseLogicalType, printLogicalType } from '../event/logical-type.ts';
import type { ColumnSchema, TableSchema } from '../event/schema.ts';
import { tableIdText } from '../event/table-id.ts';
import type { TableId } from '../event/table-id.ts';
import { z } from 'zod';

export type SchemaChangeType = 'SNAPSHOT' | 'CREATE' | 'ALTER' | 'RENAME' | 'TRUNCATE' | 'DROP';

export interface SchemaChange {
  readonly type: SchemaChangeType;
  /** Statement text of a DDL; null when the version was met without one. */
  readonly ddl: string | null;
  /** Former table id text of a RENAME. */
  readonly from?: string;
}

/** One record of the schema log (kafka-records §6). */
export interface SchemaRecord {
  readonly schema: TableSchema;
  readonly source: string;
  readonly position: string;
  readonly change: SchemaChange;
}

export function schemaRecordKey(id: TableId, fingerprint: string): string {
  return JSON.stringify({ TableId: tableIdText(id), fingerprint });
}

export function encodeSchemaRecord(record: SchemaRecord): string {
  const { schema } = record;
  return JSON.stringify({
    TableId: tableIdText(schema.id),
    fingerprint: schema.fingerprint,
    source: record.source,
    position: record.position,
    primaryKeys: schema.primaryKey,
    columns: schema.columns.map((column) => ({
      name: column.name,
      type: printLogicalType(column.type) + (column.nullable ? '' : ' NOT NULL'),
      sourceType: column.sourceType,
      comment: column.comment,
      default: column.defaultValue,
      generated: column.generated,
    })),
    comment: schema.comment,
    change: record.change,
  });
}

const recordShape = z.object({
  TableId: z.string(),
  fingerprint: z.string(),
  source: z.string(),
  position: z.string(),
  primaryKeys: z.array(z.string()),
  columns: z.array(
    z.object({
      name: z.string(),
      type: z.string(),
      sourceType: z.string().nullable(),
      comment: z.string().nullable(),
      default: z.string().nullable(),
      generated: z.boolean(),
    }),
  ),
  comment: z.string().nullable(),
  change: z.object({
    type: z.enum(['SNAPSHOT', 'CREATE', 'ALTER', 'RENAME', 'TRUNCATE', 'DROP']),
    ddl: z.string().nullable(),
    from: z.string().optional(),
  }),
});

const notNull = / NOT NULL$/;

function tableIdFromText(text: string): TableId {
  const parts = text.split('.');
  if (parts.length >= 3) return { namespace: parts[0] ?? '', schema: parts[1] ?? '', table: parts.slice(2).join('.') };
  if (parts.length === 2) return { namespace: '', schema: parts[0] ?? '', table: parts[1] ?? '' };
  return { namespace: '', schema: '', table: text };
}

function column(entry: z.infer<typeof recordShape>['columns'][number]): ColumnSchema {
  return {
    name: entry.name,
    type: parseLogicalType(entry.type.replace(notNull, '')),
    nullable: !notNull.test(entry.type),
    sourceType: entry.sourceType,
    comment: entry.comment,
    defaultValue: entry.default,
    generated: entry.generated,
  };
}

/**
 * Reads a record's value. The id is split at the first dots of its text, which is ambiguous for names with dots: readers
 * match rows to schemas by fingerprint, never by this id.
 */
export function decodeSchemaRecord(text: string): SchemaRecord {
  let parsed: z.infer<typeof recordShape>;
  try {
    parsed = recordShape.parse(JSON.parse(text));
  } catch (error) {
    throw new CdcError('RECORD_UNDECODABLE', 'a record of the schema log does not parse', { cause: error });
  }
  const { change } = parsed;
  return {
    schema: {
      id: tableIdFromText(parsed.TableId),
      columns: parsed.columns.map((entry) => column(entry)),
      primaryKey: parsed.primaryKeys,
      comment: parsed.comment,
      fingerprint: parsed.fingerprint,
    },
    source: parsed.source,
    position: parsed.position,
    change: {
      type: change.type,
      ddl: change.ddl,
      ...(change.from === undefined ? {} : { from: change.from }),
    },
  };
}
