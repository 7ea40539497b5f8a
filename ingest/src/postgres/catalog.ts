import type { TargetName } from './identifier.ts';
import { parsePgType } from './pg-type.ts';
import type { PgType } from './pg-type.ts';
import type { PostgresSession } from './session.ts';

export interface CatalogColumn {
  readonly name: string;
  /** As `format_type` prints it, with its arguments. */
  readonly typeText: string;
  /** The same without arguments, safe to cast to: never a limited length, qualified where needed. */
  readonly castText: string;
  readonly type: PgType;
  readonly notNull: boolean;
  readonly generated: boolean;
  readonly identityAlways: boolean;
  readonly hasDefault: boolean;
  readonly isEnum: boolean;
  readonly comment: string | null;
}

export interface CatalogIndex {
  readonly name: string;
  /** Plain columns in index order; null when the index holds expressions. */
  readonly columns: readonly string[] | null;
  readonly primary: boolean;
  readonly partial: boolean;
  /** Not deferrable: can be the target of ON CONFLICT. */
  readonly immediate: boolean;
  /** Deferrable and checked only at commit unless asked otherwise. */
  readonly initiallyDeferred: boolean;
}

/** A table as the catalogue has it now. */
export interface CatalogTable {
  readonly columns: readonly CatalogColumn[];
  /** Unique and exclusion indexes only. */
  readonly uniqueIndexes: readonly CatalogIndex[];
  /** Rows hang on deletes: triggers, or foreign keys that cascade. */
  readonly deletesHaveEffects: boolean;
  readonly sizeBytes: number;
  readonly comment: string | null;
  /** `r` or `p`; views and foreign tables cannot be written like tables. */
  readonly relationKind: string;
}

const tableSql = `SELECT c.oid::text AS oid, c.relkind::text AS kind, obj_description(c.oid, 'pg_class') AS comment,
    pg_table_size(c.oid)::text AS size,
    EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgtype & 8 <> 0)
      OR EXISTS (SELECT FROM pg_constraint k WHERE k.confrelid = c.oid AND k.contype = 'f') AS effects
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')`;

const columnSql = `SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
    format_type(a.atttypid, -1) AS cast_type, a.attnotnull AS not_null, a.attgenerated <> '' AS generated,
    a.attidentity = 'a' AS identity_always, a.atthasdef OR a.attidentity <> '' AS has_default,
    t.typtype = 'e' AS is_enum, format_type(NULLIF(t.typbasetype, 0), t.typtypmod) AS base_type,
    col_description(a.attrelid, a.attnum) AS comment
  FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
  WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`;

const indexSql = `SELECT i.indisprimary AS primary, i.indpred IS NOT NULL AS partial, i.indimmediate AS immediate,
    COALESCE(k.condeferred, false) AS deferred, c.relname AS name, i.indexprs IS NOT NULL AS expressions,
    ARRAY(SELECT a.attname::text FROM unnest(i.indkey[0:i.indnkeyatts - 1]) WITH ORDINALITY n(attnum, place)
      JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = n.attnum ORDER BY n.place) AS columns
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u', 'x')
  WHERE i.indrelid = $1::oid AND (i.indisunique OR i.indisexclusion) AND i.indisvalid ORDER BY c.relname`;

type Row = Readonly<Record<string, unknown>>;

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function readColumn(row: Row): CatalogColumn {
  const typeText = String(row['type']);
  return {
    name: String(row['name']),
    typeText,
    castText: String(row['cast_type']),
    // A domain is written like the type under it.
    type: parsePgType(text(row['base_type']) ?? typeText),
    notNull: row['not_null'] === true,
    generated: row['generated'] === true,
    identityAlways: row['identity_always'] === true,
    hasDefault: row['has_default'] === true,
    isEnum: row['is_enum'] === true,
    comment: text(row['comment']),
  };
}

function readIndex(row: Row): CatalogIndex {
  return {
    name: String(row['name']),
    columns: row['expressions'] === true ? null : (row['columns'] as readonly string[]),
    primary: row['primary'] === true,
    partial: row['partial'] === true,
    immediate: row['immediate'] === true,
    initiallyDeferred: row['deferred'] === true,
  };
}

/** Null when there is no such relation. */
export async function readCatalogTable(session: PostgresSession, name: TargetName): Promise<CatalogTable | null> {
  const [table] = await session.query(tableSql, [name.schema, name.table]);
  if (table === undefined) return null;
  const columns = await session.query(columnSql, [table['oid']]);
  const indexes = await session.query(indexSql, [table['oid']]);
  return {
    columns: columns.map(readColumn),
    uniqueIndexes: indexes.map(readIndex),
    deletesHaveEffects: table['effects'] === true,
    sizeBytes: Number(table['size']),
    comment: text(table['comment']),
    relationKind: String(table['kind']),
  };
}

export async function schemaExists(session: PostgresSession, schema: string): Promise<boolean> {
  return (await session.query('SELECT FROM pg_namespace WHERE nspname = $1', [schema])).length > 0;
}
