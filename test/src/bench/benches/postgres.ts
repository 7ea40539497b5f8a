import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';

import { MysqlDatabase } from '../../harness/mysql-database.ts';
import { scratchFolder } from '../../harness/scratch-folder.ts';
import { deleteBenchTopics } from '../bench-topic.ts';
import { captureInto } from '../captured-topic.ts';
import type { CopyOnlyInput, PostgresInput } from '../ingest-input.ts';
import type { SideResult } from '../measure.ts';
import { copyOut } from '../postgres-copy.ts';
import { benchDatabase, withPostgres } from '../postgres-databases.ts';
import type { BenchRequest, PreparedBench } from '../prepared-bench.ts';
import { childProcess } from '../side-process.ts';
import { createTable, insertRows, recordStretch, tableTotals, upserts } from '../workload.ts';
import { tableNames, workloadTables } from '../workload-tables.ts';
import type { TableName } from '../workload-tables.ts';

const defaultRows: Readonly<Record<string, number>> = { orders: 600_000, narrow: 1_500_000 };
/** Of both sides: the pipeline's default batch. */
const rowsPerTransaction = 5000;

function tableNamed(workload: string): TableName {
  const table = tableNames.find((name) => name === workload);
  if (table === undefined) throw new Error(`no such workload: ${workload}`);
  return table;
}

async function dumpTable(database: string, schema: string, table: TableName, file: string): Promise<void> {
  const out = createWriteStream(file);
  await withPostgres(database, (client) =>
    copyOut(client, `COPY "${schema}".${table} TO STDOUT`, (row) => void out.write(Buffer.from(row))),
  );
  out.end();
  await finished(out);
}

/**
 * Kafka to PostgreSQL: half of the rows are there before; the measured changes update each of these and insert as many
 * new ones, so that the final table is exactly the changed rows, which the yardstick copies.
 */
export async function preparePostgres(request: BenchRequest): Promise<PreparedBench> {
  const { connections, say } = request;
  const table = tableNamed(request.workload);
  const loaded = Math.ceil((request.rows ?? defaultRows[table] ?? 0) / 2);
  await using cleanup = new AsyncDisposableStack();
  const source = cleanup.use(await MysqlDatabase.create('bench'));
  const folder = cleanup.use(await scratchFolder());
  const prefix = source.name;
  cleanup.defer(() => deleteBenchTopics(prefix));
  const { connection } = source;
  const target = { topic: `${prefix}_changes`, pipeline: prefix };
  const base = `${prefix}_base`;
  const record = { database: source.name, table };
  const common = { pipeline: prefix, topic: target.topic, schema: source.name, table, connections, prefix };

  say(`loading ${loaded} rows of ${table} through Kafka`);
  await createTable(connection, table);
  const load = await recordStretch(connection, record, () => insertRows(connection, table, 1, loaded));
  await captureInto(load, target);
  cleanup.use(await benchDatabase(base, null));
  const before = await tableTotals(connection, table);
  const untimed = { ...common, template: null, database: base, changes: load.changes, expected: before };
  await childProcess<SideResult>('load', 'ingest-postgres', untimed satisfies PostgresInput);
  await withPostgres(base, (client) => client.query('VACUUM ANALYZE'));

  say('writing the changes, applying them once');
  const workload = await recordStretch(connection, record, () => upserts(connection, table, loaded));
  await captureInto(workload, target);
  const { changes } = workload;
  const expected = await tableTotals(connection, table);
  const reference = `${prefix}_reference`;
  const rowsFile = `${folder.path}/rows.copy`;
  {
    await using _reference = await benchDatabase(reference, base);
    const once = { ...common, template: null, database: reference, changes, expected };
    await childProcess<SideResult>('ours', 'ingest-postgres', once satisfies PostgresInput);
    await dumpTable(reference, source.name, table, rowsFile);
  }

  const ours: PostgresInput = { ...common, template: base, database: null, changes, expected };
  const yardstick: CopyOnlyInput = {
    rowsFile,
    template: base,
    schema: source.name,
    table,
    connections,
    rowsPerTransaction,
    prefix,
    rows: changes,
    expected,
  };
  const kept = cleanup.move();
  return {
    ours: { label: `ours, ${connections} connection(s)`, module: 'ingest-postgres', input: ours },
    yardstick: { label: 'copy-only', module: 'copy-only', input: yardstick },
    inputBytes: null,
    checked: `rows and sums of id and ${workloadTables[table].summed} after every run, against MySQL`,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
