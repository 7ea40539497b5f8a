import { MysqlDatabase } from '../../harness/mysql-database.ts';
import { scratchFolder } from '../../harness/scratch-folder.ts';
import { deleteBenchTopics } from '../bench-topic.ts';
import type { CaptureInput, ProducerPerfInput, TableReadInput } from '../capture-input.ts';
import type { SideResult } from '../measure.ts';
import type { Side } from '../pairs.ts';
import type { BenchRequest, PreparedBench } from '../prepared-bench.ts';
import { childProcess } from '../side-process.ts';
import { checkedPayload } from '../topic-contents.ts';
import { createTable, insertRows, mixedChanges, recordStretch, singleRowChanges, tableTotals } from '../workload.ts';
import { workloadTables } from '../workload-tables.ts';
import type { TableName } from '../workload-tables.ts';

interface CaptureWorkload {
  readonly table: TableName;
  readonly kind: 'mixed' | 'single' | 'snapshot';
  readonly rows: number;
}

const workloads: Readonly<Record<string, CaptureWorkload>> = {
  narrow: { table: 'narrow', kind: 'mixed', rows: 2_500_000 },
  orders: { table: 'orders', kind: 'mixed', rows: 1_000_000 },
  wide: { table: 'wide', kind: 'mixed', rows: 300_000 },
  'orders-single': { table: 'orders', kind: 'single', rows: 500_000 },
  snapshot: { table: 'orders', kind: 'snapshot', rows: 1_500_000 },
};

const payloadLimit = 20_000;
/** The yardstick knows no transactions: it would be done too soon with as many records. */
const singleFactor = 4;

/** MySQL to records in Kafka. */
export async function prepareCapture({ workload: name, rows, say }: BenchRequest): Promise<PreparedBench> {
  const chosen = workloads[name];
  if (chosen === undefined) throw new Error(`no such workload: ${name}`);
  const { table, kind } = chosen;
  const wanted = rows ?? chosen.rows;
  await using cleanup = new AsyncDisposableStack();
  const database = cleanup.use(await MysqlDatabase.create('bench'));
  const folder = cleanup.use(await scratchFolder());
  const prefix = database.name;
  cleanup.defer(() => deleteBenchTopics(prefix));
  const { connection } = database;
  say(`writing ${wanted} ${kind === 'snapshot' ? 'rows' : 'changes'} of ${table}`);
  await createTable(connection, table);
  const workload = await recordStretch(connection, { database: database.name, table }, () => {
    if (kind === 'snapshot') return insertRows(connection, table, 1, wanted);
    return kind === 'single' ? singleRowChanges(connection, table, wanted) : mixedChanges(connection, table, wanted);
  });

  say('capturing once, comparing the topic with the table');
  const input: CaptureInput = { workload, start: kind === 'snapshot' ? 'snapshot' : 'stretch', prefix, target: null };
  const first = { topic: `${prefix}_checked`, pipeline: `${prefix}_checked` };
  await childProcess<SideResult>('ours', 'capture', { ...input, target: first } satisfies CaptureInput);
  const payloadFile = `${folder.path}/payload.jsonl`;
  const totals = await tableTotals(connection, table);
  const { summed } = workloadTables[table];
  await checkedPayload(first.topic, summed, totals, { file: payloadFile, limit: payloadLimit });

  const read: TableReadInput = { database: database.name, table, rows: wanted };
  const produce: ProducerPerfInput = {
    payloadFile,
    records: workload.changes * (kind === 'single' ? singleFactor : 1),
    prefix,
  };
  const yardstick: Side =
    kind === 'snapshot'
      ? { label: 'mysql2 stream, arrays', module: 'mysql2-rows', input: read }
      : { label: 'producer-perf', module: 'producer-perf', input: produce };
  const kept = cleanup.move();
  return {
    ours: { label: 'ours', module: 'capture', input },
    yardstick,
    inputBytes: kind === 'snapshot' ? null : workload.logBytes,
    checked: `records of every run; once, all of the topic: rows and sums of id and ${summed} against the table`,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
