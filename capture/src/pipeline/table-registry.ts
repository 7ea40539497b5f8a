import type { Position } from '@millrace/shared/event/position.ts';
import { sameTable, tableIdText } from '@millrace/shared/event/table-id.ts';
import type { TableId } from '@millrace/shared/event/table-id.ts';
import { ChangeFrame } from '@millrace/shared/format/change-frame.ts';
import type { FrameText } from '@millrace/shared/format/change-frame.ts';
import { jsonText } from '@millrace/shared/format/json-text.ts';
import { tableSchema } from '@millrace/shared/event/schema.ts';
import type { TableSchema } from '@millrace/shared/event/schema.ts';
import { CdcError } from '@millrace/shared/errors/cdc-error.ts';

import { ChangedColumns } from '../publish/changed-columns.ts';
import type { Lane, ValueRanges } from '../publish/lane.ts';
import { partitioner } from '../publish/partitioner.ts';
import type { PartitionStrategy } from '../publish/partitioner.ts';
import { tableHeaders } from '../publish/record-headers.ts';
import { TablePublisher } from '../publish/table-publisher.ts';
import { topicOf } from '../route/topic-route.ts';
import type { TopicRouteOptions } from '../route/topic-route.ts';
import type { RenderSpec, RowRenderer, Source, SourceTable, ValueRendering } from '../source.ts';

/** What a table becomes on its way out, as the document says; pure. */
export interface TablePlan {
  /** Id after `route`: in payload and key. */
  readonly routed: TableId;
  readonly topic: string;
  readonly columns: readonly string[];
  readonly keyColumns: readonly string[];
}

export interface TableRegistryOptions {
  readonly sourceName: string;
  readonly route: TopicRouteOptions;
  readonly routed: (id: TableId) => TableId;
  /** Projection and declared key of the rule that matches the table, if any. */
  readonly rule: (
    id: TableId,
  ) => { readonly columns: readonly string[] | null; readonly primaryKeys: readonly string[] | null } | null;
  readonly strategy: (id: TableId) => PartitionStrategy;
  readonly keyFormat: 'json' | 'csv';
  readonly frame: (id: TableId, primaryKey: readonly string[]) => FrameText;
  readonly values: ValueRendering;
  readonly tableIdHeaders: boolean;
  readonly customHeaders: readonly (readonly [string, string])[];
  readonly positionHeaders: boolean;
  readonly tombstones: boolean;
  /** The old row of an update holds the changed columns only. */
  readonly changedOldOnly: boolean;
}

export interface TopicAccess<V extends ValueRanges> {
  /** Creates the topic where allowed; its partition count. */
  partitionCount(topic: string, signal: AbortSignal): Promise<number>;
  lane(topic: string, partition: number): Lane<V>;
  value(): V;
}

/** Puts a table version into the schema log; resolves when acknowledged. */
export type AnnounceSchema = (schema: TableSchema, position: Position, signal: AbortSignal) => Promise<void>;

const longestUnquotedCsv = 24;

/** Flink's csv encoder: quoted when longer than 24 characters or with a character below `-`. */
function csvText(text: string): string {
  const quoted = text.length > longestUnquotedCsv || /[\u0000-,]/.test(text);
  return quoted ? `"${text.replaceAll('"', '""')}"` : text;
}

function checkColumns(schema: TableSchema, names: readonly string[], what: string): void {
  const known = new Set(schema.columns.map((column) => column.name));
  const missing = names.filter((name) => !known.has(name));
  if (missing.length > 0) {
    throw new CdcError('SOURCE_SCHEMA_UNSUPPORTED', 'a transform names columns that the table lacks', {
      details: { table: tableIdText(schema.id), option: what, columns: missing },
    });
  }
}

/** Without its key in the row a table could not be applied: two rows would look like one. */
function checkKey(schema: TableSchema, columns: readonly string[], keyColumns: readonly string[]): void {
  const dropped = keyColumns.filter((name) => !columns.includes(name));
  if (dropped.length === 0) return;
  throw new CdcError('SOURCE_SCHEMA_UNSUPPORTED', 'a projection drops a column of the key', {
    details: { table: tableIdText(schema.id), option: 'projection', columns: dropped },
    hint: 'Add the column to transform.projection, or name another key in transform.primary-keys.',
  });
}

export function planTable(schema: TableSchema, options: TableRegistryOptions): TablePlan {
  const rule = options.rule(schema.id);
  const columns = rule?.columns ?? schema.columns.map((column) => column.name);
  const keyColumns = rule?.primaryKeys ?? schema.primaryKey;
  checkColumns(schema, columns, 'projection');
  checkColumns(schema, keyColumns, 'primary-keys');
  checkKey(schema, columns, keyColumns);
  const routed = options.routed(schema.id);
  return { routed, topic: topicOf(routed, options.route), columns, keyColumns };
}

/** The schema that readers of the topic see: projected columns, routed id, declared key. */
export function publishedSchema(schema: TableSchema, plan: TablePlan): TableSchema {
  const byName = new Map(schema.columns.map((column) => [column.name, column]));
  const columns = plan.columns.flatMap((name) => byName.get(name) ?? []);
  const keyed = new Set(plan.keyColumns);
  const sameColumns =
    columns.length === schema.columns.length && plan.columns.every((name, at) => name === schema.columns[at]?.name);
  const sameKey = plan.keyColumns.join('\0') === schema.primaryKey.join('\0');
  if (sameColumns && sameKey && sameTable(plan.routed, schema.id)) return schema;
  return tableSchema({
    id: plan.routed,
    columns: columns.map((column) => (keyed.has(column.name) ? { ...column, nullable: false } : column)),
    primaryKey: plan.keyColumns,
    comment: schema.comment,
  });
}

export interface TableRegistryParts<V extends ValueRanges> {
  readonly source: Source;
  readonly topics: TopicAccess<V>;
  readonly options: TableRegistryOptions;
  /** Null when there is no schema log. */
  readonly announce: AnnounceSchema | null;
  readonly nowMs: () => number;
}

export interface Prepared<V extends ValueRanges> {
  /** Table id text at the source. */
  readonly text: string;
  readonly plan: TablePlan;
  readonly stream: TablePublisher<V>;
  readonly snapshot: TablePublisher<V>;
}

/**
 * Compiles what the rows of a table version need, once per version: plan, topic, renderer, frame, headers, lanes.
 * A version is announced in the schema log before its first row can be published.
 */
export class TableRegistry<V extends ValueRanges> {
  readonly #prepared = new Map<SourceTable, Prepared<V>>();
  readonly #announced = new Set<string>();
  readonly #latest = new Map<string, SourceTable>();

  readonly #parts: TableRegistryParts<V>;

  constructor(parts: TableRegistryParts<V>) {
    this.#parts = parts;
  }

  /** The version's publishers if it was prepared before. */
  ready(table: SourceTable): Prepared<V> | undefined {
    return this.#prepared.get(table);
  }

  /** The version met last under a table id text. */
  latest(table: string): SourceTable | undefined {
    return this.#latest.get(table);
  }

  snapshotRenderer(table: SourceTable): RowRenderer {
    return this.#parts.source.compile(table, this.#spec(planTable(table.schema, this.#parts.options)), 'snapshot');
  }

  async prepare(table: SourceTable, position: Position, signal: AbortSignal): Promise<Prepared<V>> {
    const known = this.#prepared.get(table);
    if (known !== undefined) return known;
    const plan = planTable(table.schema, this.#parts.options);
    const schema = publishedSchema(table.schema, plan);
    const count = await this.#parts.topics.partitionCount(plan.topic, signal);
    await this.#announceOnce(schema, position, signal);
    const spec = this.#spec(plan);
    const headers = tableHeaders({
      tableHeaders: this.#parts.options.tableIdHeaders
        ? [
            ['namespace', plan.routed.namespace],
            ['schemaName', plan.routed.schema],
            ['tableName', plan.routed.table],
          ]
        : [],
      customHeaders: this.#parts.options.customHeaders,
      sourceName: this.#parts.options.sourceName,
      fingerprint: this.#parts.announce === null ? null : schema.fingerprint,
      positions: this.#parts.options.positionHeaders,
    });
    const publisher = (from: 'stream' | 'snapshot'): TablePublisher<V> =>
      new TablePublisher<V>({
        renderer: this.#parts.source.compile(table, spec, from),
        frame: new ChangeFrame(this.#parts.options.frame(plan.routed, plan.keyColumns)),
        headers,
        partition: partitioner(this.#parts.options.strategy(plan.routed), plan.routed, count),
        partitionCount: count,
        tableKey: Buffer.from(spec.keyStyle === 'json' ? `${spec.keyPrefix.toString()}}` : spec.keyPrefix),
        lane: (partition) => this.#parts.topics.lane(plan.topic, partition),
        value: this.#parts.topics.value(),
        tombstones: this.#parts.options.tombstones,
        changed: this.#parts.options.changedOldOnly
          ? new ChangedColumns(plan.columns, spec.values.ignoreNullFields)
          : null,
        nowMs: this.#parts.nowMs,
      });
    const prepared = {
      text: tableIdText(table.schema.id),
      plan,
      stream: publisher('stream'),
      snapshot: publisher('snapshot'),
    };
    this.#prepared.set(table, prepared);
    this.#latest.set(tableIdText(table.schema.id), table);
    return prepared;
  }

  async #announceOnce(schema: TableSchema, position: Position, signal: AbortSignal): Promise<void> {
    if (this.#parts.announce === null) return;
    const key = `${tableIdText(schema.id)}\0${schema.fingerprint}`;
    if (this.#announced.has(key)) return;
    await this.#parts.announce(schema, position, signal);
    this.#announced.add(key);
  }

  #spec(plan: TablePlan): RenderSpec & { readonly keyPrefix: Buffer } {
    const id = tableIdText(plan.routed);
    const keyPrefix = this.#parts.options.keyFormat === 'csv' ? csvText(id) : `{"TableId":${jsonText(id)}`;
    return {
      columns: plan.columns,
      keyColumns: plan.keyColumns,
      keyStyle: this.#parts.options.keyFormat,
      keyPrefix: Buffer.from(keyPrefix),
      values: this.#parts.options.values,
    };
  }
}
