import type { CapturePipeline as Document } from '@millrace/shared/config/pipeline.ts';
import { toCdcError } from '@millrace/shared/errors/cdc-error.ts';
import { printLogicalType } from '@millrace/shared/event/logical-type.ts';
import type { TableSchema } from '@millrace/shared/event/schema.ts';
import { tableIdText } from '@millrace/shared/event/table-id.ts';
import { KafkaClient } from '@millrace/shared/kafka/kafka-client.ts';
import { kafkaOptions } from '@millrace/shared/kafka/options-from-document.ts';
import type { PlanReport, RunContext } from '@millrace/shared/program/program.ts';

import { decodeCheckpoint } from '../pipeline/checkpoint-state.ts';
import { planTable, publishedSchema } from '../pipeline/table-registry.ts';
import type { TablePlan, TableRegistryOptions } from '../pipeline/table-registry.ts';
import type { SourceTable } from '../source.ts';
import { CapturedTables } from './captured-tables.ts';
import { openSource } from './mysql.ts';
import { openCheckpoints } from './open-kafka.ts';
import { tableOptions } from './table-options.ts';

interface PlannedTable {
  readonly table: string;
  readonly rowsEstimated: number;
  readonly topic: string;
  readonly topicExists: boolean;
  readonly partitions: number | null;
  readonly key: readonly string[];
  readonly columns: readonly { readonly name: string; readonly type: string; readonly sourceType: string | null }[];
  readonly problem: string | null;
}

/** What a run would begin with: tables, rows, types, topics, what is missing. Reads only. */
export async function planCapture(document: Document, context: RunContext, signal: AbortSignal): Promise<PlanReport> {
  await using opened = new AsyncDisposableStack();
  const client = opened.use(await KafkaClient.connect(kafkaOptions(document.sink.client), signal));
  const captured = new CapturedTables(document.source.tables, document.source.newTables);
  const source = opened.use(await openSource(document, captured, 1, context.logger, signal));
  const warnings = [...(await source.check(signal))];
  const topics = await client.allTopics(signal);
  const options = tableOptions(document, captured.caseSensitive);
  const describe = async (table: SourceTable): Promise<PlannedTable> => {
    const { plan, problem: unplanned } = planned(table.schema, options);
    const schema = publishedSchema(table.schema, plan);
    const existing = topics.get(plan.topic);
    let problem = unplanned;
    try {
      source.compile(
        table,
        { ...plan, keyStyle: 'json', keyPrefix: Buffer.from('{'), values: options.values },
        'stream',
      );
    } catch (error) {
      problem ??= toCdcError(error).message;
    }
    return {
      table: tableIdText(table.schema.id),
      rowsEstimated: await source.estimateRows(table, signal),
      topic: plan.topic,
      topicExists: existing !== undefined,
      partitions: existing?.partitions.length ?? document.sink.topicCreation.partitions,
      key: plan.keyColumns,
      columns: schema.columns.map((column) => ({
        name: column.name,
        type: printLogicalType(column.type) + (column.nullable ? '' : ' NOT NULL'),
        sourceType: column.sourceType,
      })),
      problem,
    };
  };
  const tables: PlannedTable[] = [];
  for (const table of await source.tables(signal)) tables.push(await describe(table));
  const checkpoint = await storedCheckpoint(document, client, signal);
  return {
    lines: [...warnings.map((text) => `warning  ${text}`), ...render(tables, checkpoint)],
    data: { tables, warnings, checkpoint },
  };
}

/** What becomes of a table; one that cannot be captured is shown as the source has it. */
function planned(schema: TableSchema, options: TableRegistryOptions): { plan: TablePlan; problem: string | null } {
  try {
    return { plan: planTable(schema, options), problem: null };
  } catch (error) {
    const { message, hint } = toCdcError(error);
    return { plan: planTable(schema, { ...options, rule: () => null }), problem: `${message}: ${hint}` };
  }
}

/** The checkpoint's position, without creating its topic. */
async function storedCheckpoint(document: Document, client: KafkaClient, signal: AbortSignal): Promise<string | null> {
  const { checkpoint } = document.runtime;
  if (checkpoint.store === 'kafka' && !(await client.topics([checkpoint.topic], signal)).has(checkpoint.topic))
    return null;
  await using store = await openCheckpoints(document, client, signal);
  const text = await store.load(signal);
  return text === null ? null : decodeCheckpoint(text).resume;
}

function render(tables: readonly PlannedTable[], checkpoint: string | null): string[] {
  const lines = [
    checkpoint === null ? 'starts anew: there is no checkpoint' : `goes on from its checkpoint: ${checkpoint}`,
  ];
  for (const table of tables) {
    const topic = table.topicExists
      ? `${table.topic} (${table.partitions ?? 0} partitions)`
      : `${table.topic} (to be created, ${table.partitions ?? 'default'} partitions)`;
    const key = table.key.length === 0 ? 'no key' : `key ${table.key.join(', ')}`;
    lines.push('', `${table.table}  about ${table.rowsEstimated} rows  ${key}  to topic ${topic}`);
    if (table.problem !== null) lines.push(`  cannot be captured: ${table.problem}`);
    for (const column of table.columns) {
      lines.push(`  ${column.name.padEnd(24)} ${(column.sourceType ?? '').padEnd(28)} ${column.type}`);
    }
  }
  return lines;
}
