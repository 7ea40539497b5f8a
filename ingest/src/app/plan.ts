import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

import type { IngestPipeline } from '@millrace/shared/config/pipeline.ts';
import { printLogicalType } from '@millrace/shared/event/logical-type.ts';
import type { ColumnSchema, TableSchema } from '@millrace/shared/event/schema.ts';
import { toCdcError } from '@millrace/shared/errors/cdc-error.ts';
import { KafkaClient } from '@millrace/shared/kafka/kafka-client.ts';
import { kafkaOptions } from '@millrace/shared/kafka/options-from-document.ts';
import { silentLogger } from '@millrace/shared/observe/logger.ts';
import { SchemaLogReader } from '@millrace/shared/schema-log/schema-log-reader.ts';

import { existingTopics } from '../consume/kafka-record-source.ts';
import type { Destination } from '../destination.ts';
import { icebergTypeFor } from '../lakehouse/iceberg/schema-mapping.ts';
import { nameTarget } from '../postgres/identifier.ts';
import { postgresSettings } from '../postgres/options.ts';
import { creationStatements } from '../postgres/table-plan.ts';
import { projectionRules } from '../project/rules-from-document.ts';
import { SourceTables } from '../project/source-tables.ts';
import type { Target } from '../project/target.ts';
import { openDestination, postgresOptions } from './open-destination.ts';
import { schemaLogTopic } from './schema-sources.ts';

export interface PlannedTopic {
  readonly topic: string;
  readonly partitions: number;
  readonly records: number;
}

export interface PlannedTable {
  readonly source: string;
  readonly target: string;
  readonly state: 'exists' | 'to be created' | 'cannot be applied';
  readonly primaryKey: readonly string[];
  /** `name: type of the stream → type at the destination`. */
  readonly columns: readonly string[];
  readonly statements: readonly string[];
  readonly problem: string | null;
}

/** What a run would do, as far as topics and the schema log tell. */
export interface IngestPlan {
  readonly topics: readonly PlannedTopic[];
  readonly tables: readonly PlannedTable[];
  /** What the destination's check found; grants to be given stand here as statements. */
  readonly checks: readonly string[];
}

/** Reads only: topics, the schema log, the destination's catalogue. */
export async function planIngest(pipeline: IngestPipeline, version: string, signal: AbortSignal): Promise<IngestPlan> {
  await using client = await KafkaClient.connect(kafkaOptions(pipeline.source.client), signal);
  await using destination = await existingDestination(pipeline, version);
  const checks = await checked(pipeline, destination, signal);
  const topics = await plannedTopics(client, pipeline, signal);
  const versions = await new SchemaLogReader(client, schemaLogTopic).newest(signal);
  const sources = new SourceTables(projectionRules(pipeline));
  const tables: PlannedTable[] = [];
  for (const [text, { schema }] of versions) {
    const source = sources.byIdText(text);
    if (!source.rules.included || !topics.some(({ topic }) => mayHold(topic, text))) continue;
    const primaryKey = source.rules.primaryKeys ?? schema.primaryKey;
    const kept = source.rules.columns;
    const columns = kept === null ? schema.columns : schema.columns.filter(({ name }) => kept.includes(name));
    for (const target of source.targets) {
      const problem = evolve(target, { columns, primaryKey, comment: schema.comment });
      const there =
        problem === null && destination !== null
          ? await destination.describe(target.id.schema, target.id.table, signal)
          : null;
      tables.push(plannedTable(pipeline, text, target, there, problem));
    }
  }
  return { topics, tables, checks };
}

/** Null where even opening it would make something: a warehouse that is not there yet. */
async function existingDestination(pipeline: IngestPipeline, version: string): Promise<Destination | null> {
  const { sink } = pipeline;
  if (sink.kind === 'lakehouse' && !existsSync(resolve(sink.warehouse))) return null;
  return await openDestination(pipeline, version, silentLogger);
}

/** The lake's check tries writes, so a plan leaves it out. */
async function checked(
  { sink }: IngestPipeline,
  destination: Destination | null,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (sink.kind === 'lakehouse' || destination === null) return [];
  try {
    return await destination.check(signal);
  } catch (error) {
    const failure = toCdcError(error);
    return [`${failure.code}  ${failure.message}: ${failure.hint}`];
  }
}

/** Topics are named after tables unless a mapping says otherwise, which only the records tell. */
function mayHold(topic: string, table: string): boolean {
  return topic === table || topic.endsWith(`.${table}`) || !topic.includes('.');
}

async function plannedTopics(
  client: KafkaClient,
  { source }: IngestPipeline,
  signal: AbortSignal,
): Promise<readonly PlannedTopic[]> {
  const names = await existingTopics(client, source.topics, signal);
  const found = await client.topics(names, signal);
  const planned: PlannedTopic[] = [];
  for (const [topic, { partitions }] of found) {
    const at = (end: 'earliest' | 'latest'): Promise<readonly number[]> =>
      client.listOffsets(
        partitions.map(({ index }) => ({ topic, partition: index, at: end })),
        signal,
      );
    const [first, last] = await Promise.all([at('earliest'), at('latest')]);
    const records = last.reduce((sum, offset, index) => sum + offset - (first[index] ?? 0), 0);
    planned.push({ topic, partitions: partitions.length, records });
  }
  return planned;
}

function evolve(target: Target, source: Parameters<Target['evolve']>[0]): string | null {
  try {
    target.evolve(source);
    return null;
  } catch (error) {
    const failure = toCdcError(error);
    return `${failure.code}  ${failure.message}: ${failure.hint}`;
  }
}

function plannedTable(
  pipeline: IngestPipeline,
  source: string,
  target: Target,
  there: TableSchema | null,
  problem: string | null,
): PlannedTable {
  if (problem !== null) {
    const state = 'cannot be applied';
    return { source, target: target.text, state, primaryKey: [], columns: [], statements: [], problem };
  }
  const { schema } = target.table;
  return {
    source,
    target: target.text,
    state: there === null ? 'to be created' : 'exists',
    primaryKey: schema.primaryKey,
    columns: schema.columns.map((column) => `${column.name}: ${mapped(pipeline, column)}`),
    statements: there === null ? creation(pipeline, schema) : [],
    problem: null,
  };
}

function mapped({ sink }: IngestPipeline, column: ColumnSchema): string {
  const type = printLogicalType(column.type);
  if (sink.kind === 'postgres') return type;
  const stored = icebergTypeFor(column);
  return `${type} → ${typeof stored === 'string' ? stored : JSON.stringify(stored)}`;
}

function creation({ name, sink }: IngestPipeline, schema: TableSchema): readonly string[] {
  if (sink.kind !== 'postgres') return [];
  const settings = postgresSettings(postgresOptions(name, sink));
  return creationStatements(schema, nameTarget(schema.id, settings), settings);
}

/** The text a person reads. */
export function renderPlan(plan: IngestPlan): string[] {
  const lines: string[] = ['topics'];
  if (plan.topics.length === 0) lines.push('  none yet: start capture first');
  for (const { topic, partitions, records } of plan.topics) {
    lines.push(`  ${topic}  ${partitions} partition(s), ${records} record(s)`);
  }
  lines.push('tables');
  if (plan.tables.length === 0) lines.push('  none in the schema log: types and keys will be taken from the records');
  for (const table of plan.tables) {
    const key = table.primaryKey.length === 0 ? '' : `, key ${table.primaryKey.join(', ')}`;
    lines.push(`  ${table.source} → ${table.target}  ${table.state}${key}`);
    if (table.problem !== null) lines.push(`    ${table.problem}`);
    for (const column of table.columns) lines.push(`    ${column}`);
    for (const statement of table.statements) lines.push(`    ${statement.replaceAll('\n', '\n    ')};`);
  }
  if (plan.checks.length > 0) lines.push('checks', ...plan.checks.map((check) => `  ${check}`));
  return lines;
}
