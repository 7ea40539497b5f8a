import { CdcError } from '@millrace/shared/errors/cdc-error.ts';

import type { ClaimedPartition, ConsumedRange, TopicPartition } from '../destination.ts';
import { quoteIdentifier } from './identifier.ts';
import type { Statement } from './pipeline.ts';
import type { PostgresSession } from './session.ts';

/** Tables that remember, beside the rows and in the same transactions, what was applied. */
export interface MetadataNames {
  readonly schema: string;
  readonly offsets: string;
  readonly marks: string;
  readonly tables: string;
}

export function metadataNames(schema: string): MetadataNames {
  const prefix = quoteIdentifier(schema);
  return { schema: prefix, offsets: `${prefix}.offsets`, marks: `${prefix}.marks`, tables: `${prefix}.tables` };
}

/** Serialises creation: concurrent CREATE … IF NOT EXISTS may still fail on catalogue indexes. */
export function advisoryLockSql(): string {
  return "SELECT pg_advisory_xact_lock(hashtextextended('millrace:' || $1, 0))";
}

function creationSql(names: MetadataNames): readonly string[] {
  return [
    `CREATE TABLE IF NOT EXISTS ${names.offsets} (pipeline text, topic text, partition int, topic_id text,
      next_offset bigint NOT NULL, epoch bigint NOT NULL, source_position text, source_time timestamptz, owner text,
      backend_pid int, updated_at timestamptz NOT NULL, PRIMARY KEY (pipeline, topic, partition)) WITH (fillfactor=50)`,
    `CREATE TABLE IF NOT EXISTS ${names.marks} (pipeline text, topic text, partition int, topic_id text, source text,
      table_name text, token text COLLATE "C" NOT NULL,
      PRIMARY KEY (pipeline, topic, partition, source, table_name)) WITH (fillfactor=50)`,
    `CREATE TABLE IF NOT EXISTS ${names.tables} (pipeline text, schema_name text, table_name text,
      source_table text NOT NULL, column_names jsonb NOT NULL, created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      PRIMARY KEY (pipeline, schema_name, table_name))`,
    `COMMENT ON TABLE ${names.offsets} IS 'Next Kafka offset per pipeline and partition, written with the rows. The epoch fences older owners.'`,
    `COMMENT ON TABLE ${names.marks} IS 'Last source position applied per partition, source and table.'`,
    `COMMENT ON TABLE ${names.tables} IS 'Which stream feeds which table, and names that were shortened.'`,
  ];
}

/** Creates schema and tables where they are missing; a role without CREATE passes when all are there. */
export async function createMetadata(session: PostgresSession, schema: string): Promise<void> {
  const names = metadataNames(schema);
  if (await metadataComplete(session, schema)) return;
  await session.run('BEGIN');
  try {
    await session.query(advisoryLockSql(), [schema]);
    const existing = await session.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [schema]);
    if (existing.length === 0) await session.run(`CREATE SCHEMA ${names.schema}`);
    for (const sql of creationSql(names)) await session.run(sql);
    await session.run('COMMIT');
  } catch (error) {
    await session.rollback().catch(() => undefined);
    throw error;
  }
}

async function metadataComplete(session: PostgresSession, schema: string): Promise<boolean> {
  const rows = await session.query(
    `SELECT count(*)::int AS tables FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND c.relname IN ('offsets', 'marks', 'tables')`,
    [schema],
  );
  return rows[0]?.['tables'] === 3;
}

export function arrayLiteral(values: readonly (string | number | bigint | null)[]): string {
  const parts = values.map((value) => {
    if (value === null) return 'NULL';
    return typeof value === 'string' ? `"${value.replaceAll(/["\\]/g, (special) => `\\${special}`)}"` : String(value);
  });
  return `{${parts.join(',')}}`;
}

export function partitionKey(partition: TopicPartition): string {
  return `${partition.partition}:${partition.topic}`;
}

export interface StoredOffset extends TopicPartition {
  readonly nextOffset: bigint;
  readonly epoch: bigint;
}

function storedOffset(row: Readonly<Record<string, unknown>>): StoredOffset {
  return {
    topic: String(row['topic']),
    partition: Number(row['partition']),
    nextOffset: BigInt(String(row['next_offset'])),
    epoch: BigInt(String(row['epoch'])),
  };
}

export interface ClaimRequest {
  readonly schema: string;
  readonly commitUser: string;
  readonly owner: string;
  readonly partitions: readonly (TopicPartition & { readonly firstOffset: bigint })[];
}

/**
 * Raises the epochs and commits at once. Waits for an open transaction of the older owner, and then sees its offsets;
 * one that begins later updates no row. Rows are taken in key order, so that two takeovers cannot deadlock.
 */
export async function raiseEpochs(session: PostgresSession, request: ClaimRequest): Promise<readonly StoredOffset[]> {
  const { partitions } = request;
  const rows = await session.query(
    `INSERT INTO ${metadataNames(request.schema).offsets} AS o
       (pipeline, topic, partition, next_offset, epoch, owner, backend_pid, updated_at)
     SELECT $1, v.topic, v.part, v.first, 1, $2, pg_backend_pid(), clock_timestamp()
       FROM unnest($3::text[], $4::int[], $5::bigint[]) v(topic, part, first) ORDER BY v.topic, v.part
     ON CONFLICT (pipeline, topic, partition) DO UPDATE SET epoch = o.epoch + 1, owner = EXCLUDED.owner,
       backend_pid = EXCLUDED.backend_pid, updated_at = EXCLUDED.updated_at
     RETURNING topic, partition, next_offset::text, epoch::text`,
    [
      request.commitUser,
      request.owner,
      partitions.map((p) => p.topic),
      partitions.map((p) => p.partition),
      partitions.map((p) => String(p.firstOffset)),
    ],
  );
  return rows.map(storedOffset);
}

/** Marks of the partitions by `partitionKey`; the key inside is `source␀table` as in `ConsumedRange`. */
export async function readMarks(
  session: PostgresSession,
  schema: string,
  commitUser: string,
  partitions: readonly TopicPartition[],
): Promise<ReadonlyMap<string, ReadonlyMap<string, string>>> {
  const rows = await session.query(
    `SELECT m.topic, m.partition, m.source, m.table_name, m.token FROM ${metadataNames(schema).marks} m
       JOIN unnest($2::text[], $3::int[]) v(topic, part) ON m.topic = v.topic AND m.partition = v.part
      WHERE m.pipeline = $1`,
    [commitUser, partitions.map((p) => p.topic), partitions.map((p) => p.partition)],
  );
  const found = new Map<string, Map<string, string>>();
  for (const row of rows) {
    const key = `${String(row['partition'])}:${String(row['topic'])}`;
    let marks = found.get(key);
    if (marks === undefined) found.set(key, (marks = new Map()));
    marks.set(`${String(row['source'])}\0${String(row['table_name'])}`, String(row['token']));
  }
  return found;
}

export async function readOffsets(
  session: PostgresSession,
  schema: string,
  commitUser: string,
  partitions: readonly TopicPartition[],
): Promise<readonly StoredOffset[]> {
  const rows = await session.query(
    `SELECT o.topic, o.partition, o.next_offset::text, o.epoch::text FROM ${metadataNames(schema).offsets} o
       JOIN unnest($2::text[], $3::int[]) v(topic, part) ON o.topic = v.topic AND o.partition = v.part
      WHERE o.pipeline = $1`,
    [commitUser, partitions.map((p) => p.topic), partitions.map((p) => p.partition)],
  );
  return rows.map(storedOffset);
}

/** Epoch 1 was made by this very claim: the destination had never seen the partition. */
export function claimedPartition(
  stored: StoredOffset,
  marks: ReadonlyMap<string, string> | undefined,
): ClaimedPartition {
  return {
    topic: stored.topic,
    partition: stored.partition,
    epoch: stored.epoch,
    nextOffset: stored.epoch === 1n ? null : stored.nextOffset,
    marks: marks ?? new Map(),
    tableOffsets: new Map(),
  };
}

/**
 * Moves the offsets of all partitions, provided that each still has our epoch and the offset that we continue from;
 * else the division fails (22012), and with it everything after it in the transaction. Parameters: `fenceParameters`.
 */
export function fenceStatement(schema: string): Statement {
  return {
    name: 'mr_fence',
    sql: `WITH fenced AS (UPDATE ${metadataNames(schema).offsets} o SET next_offset = v.next,
        source_position = COALESCE(v.pos, o.source_position),
        source_time = CASE WHEN $8::bigint = 0 THEN o.source_time
          ELSE timestamptz 'epoch' + $8::bigint * interval '1 microsecond' END,
        backend_pid = pg_backend_pid(), updated_at = clock_timestamp()
      FROM unnest($2::text[], $3::int[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[])
        v(topic, part, epoch, prev, next, pos)
      WHERE o.pipeline = $1 AND o.topic = v.topic AND o.partition = v.part AND o.epoch = v.epoch
        AND o.next_offset = v.prev RETURNING 1)
      SELECT 1 / (CASE WHEN count(*) = cardinality($2::text[]) THEN 1 ELSE 0 END) FROM fenced`,
  };
}

/** SQLSTATE of the fence that did not hold. */
export const fenceSqlState = '22012';

function largestToken(range: ConsumedRange): string | null {
  let largest: string | null = null;
  for (const token of range.marks.values()) if (largest === null || token > largest) largest = token;
  return largest;
}

/** `epochOf` throws for a partition that is not held. */
export function fenceParameters(
  commitUser: string,
  ranges: readonly ConsumedRange[],
  epochOf: (range: ConsumedRange) => bigint,
  sourceTimeMicros: number,
): readonly string[] {
  return [
    commitUser,
    arrayLiteral(ranges.map((r) => r.topic)),
    arrayLiteral(ranges.map((r) => r.partition)),
    arrayLiteral(ranges.map(epochOf)),
    arrayLiteral(ranges.map((r) => r.from)),
    arrayLiteral(ranges.map((r) => r.to)),
    arrayLiteral(ranges.map(largestToken)),
    String(Math.trunc(sourceTimeMicros)),
  ];
}

export function marksStatement(schema: string): Statement {
  return {
    name: 'mr_marks',
    sql: `INSERT INTO ${metadataNames(schema).marks} (pipeline, topic, partition, source, table_name, token)
      SELECT $1, v.* FROM unnest($2::text[], $3::int[], $4::text[], $5::text[], $6::text[])
        v(topic, part, source, name, token) ORDER BY 2, 3, 4, 5
      ON CONFLICT (pipeline, topic, partition, source, table_name) DO UPDATE SET token = EXCLUDED.token`,
  };
}

/** Null when no mark moved. */
export function marksParameters(commitUser: string, ranges: readonly ConsumedRange[]): readonly string[] | null {
  const topics: string[] = [];
  const partitions: number[] = [];
  const sources: string[] = [];
  const tables: string[] = [];
  const tokens: string[] = [];
  for (const range of ranges) {
    for (const [key, token] of range.marks) {
      const cut = key.indexOf('\0');
      if (cut < 0) throw new CdcError('INVARIANT_BROKEN', 'a mark names no table');
      topics.push(range.topic);
      partitions.push(range.partition);
      sources.push(key.slice(0, cut));
      tables.push(key.slice(cut + 1));
      tokens.push(token);
    }
  }
  if (topics.length === 0) return null;
  return [commitUser, ...[topics, partitions, sources, tables, tokens].map(arrayLiteral)];
}
