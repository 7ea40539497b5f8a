import { MysqlDatabase } from '../../harness/mysql-database.ts';
import { scratchFolder } from '../../harness/scratch-folder.ts';
import { deleteBenchTopics } from '../bench-topic.ts';
import { captureInto } from '../captured-topic.ts';
import type { DuckdbInput, LakeInput } from '../ingest-input.ts';
import type { SideResult } from '../measure.ts';
import type { BenchRequest, PreparedBench } from '../prepared-bench.ts';
import { childProcess } from '../side-process.ts';
import { createTable, insertRows, recordStretch, tableTotals } from '../workload.ts';
import { tableNames, workloadTables } from '../workload-tables.ts';

const defaultRows = 1_000_000;

/** Kafka to an Iceberg directory: new rows alone, which the yardstick writes to one Parquet file. */
export async function prepareLake(request: BenchRequest): Promise<PreparedBench> {
  const { say } = request;
  const rows = request.rows ?? defaultRows;
  const table = tableNames.find((name) => name === request.workload);
  if (table === undefined) throw new Error(`no such workload: ${request.workload}`);
  await using cleanup = new AsyncDisposableStack();
  const source = cleanup.use(await MysqlDatabase.create('bench'));
  const folder = cleanup.use(await scratchFolder());
  const prefix = source.name;
  cleanup.defer(() => deleteBenchTopics(prefix));
  const { connection } = source;
  const topic = `${prefix}_changes`;

  say(`writing ${rows} rows of ${table} into a topic`);
  await createTable(connection, table);
  const record = { database: source.name, table };
  const workload = await recordStretch(connection, record, () => insertRows(connection, table, 1, rows));
  await captureInto(workload, { topic, pipeline: prefix });
  const expected = await tableTotals(connection, table);

  say('writing the lake once');
  const { changes } = workload;
  const kept = `${folder.path}/kept`;
  const common = { topic, schema: source.name, table, folder: folder.path, changes, expected };
  await childProcess<SideResult>('ours', 'ingest-lake', { ...common, kept } satisfies LakeInput);
  const ours: LakeInput = { ...common, kept: null };
  const { summed } = workloadTables[table];
  const yardstick: DuckdbInput = {
    lakeTable: `${kept}/${source.name}/${table}`,
    file: `${folder.path}/rows.parquet`,
    summed,
    rows: changes,
    expected,
  };
  const all = cleanup.move();
  return {
    ours: { label: 'ours', module: 'ingest-lake', input: ours },
    yardstick: { label: 'duckdb-write, 1 thread', module: 'duckdb-write', input: yardstick },
    inputBytes: null,
    checked: `rows and sums of id and ${summed} after every run as DuckDB reads them, against MySQL`,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}
