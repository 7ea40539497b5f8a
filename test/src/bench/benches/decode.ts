import { MysqlDatabase } from '../../harness/mysql-database.ts';
import { idsOf } from '../decode-input.ts';
import type { DecodeDigest, DecodeInput } from '../decode-input.ts';
import type { BenchRequest, PreparedBench } from '../prepared-bench.ts';
import { changeDifferences } from '../same-change.ts';
import { childProcess } from '../side-process.ts';
import { createTable, mixedChanges, recordStretch, singleRowChanges } from '../workload.ts';
import type { TableName } from '../workload-tables.ts';

interface DecodeWorkload {
  readonly table: TableName;
  readonly single: boolean;
  /** A longer run reads the stretch several times, so that the server need not write more. */
  readonly stretchRows: number;
  readonly rows: number;
}

const workloads: Readonly<Record<string, DecodeWorkload>> = {
  narrow: { table: 'narrow', single: false, stretchRows: 1_000_000, rows: 5_000_000 },
  orders: { table: 'orders', single: false, stretchRows: 500_000, rows: 1_500_000 },
  wide: { table: 'wide', single: false, stretchRows: 100_000, rows: 400_000 },
  'narrow-single': { table: 'narrow', single: true, stretchRows: 100_000, rows: 2_000_000 },
  'orders-single': { table: 'orders', single: true, stretchRows: 100_000, rows: 1_000_000 },
};

/** Reads the stretch once by both readers and compares all ids and a sample of whole rows. */
async function check(input: DecodeInput): Promise<string> {
  const ours = await childProcess<DecodeDigest>('our check', 'decode-check', input);
  const theirs = await childProcess<DecodeDigest>('zongji check', 'zongji-check', input);
  if (ours.rows !== theirs.rows || ours.idsHash !== theirs.idsHash) {
    throw new Error(`the readers disagree: ${ours.rows} and ${theirs.rows} rows, or their ids`);
  }
  for (const [index, change] of ours.samples.entries()) {
    const other = theirs.samples[index];
    const differences = other === undefined ? ['a sample is missing'] : changeDifferences(change, other);
    if (differences.length > 0) {
      throw new Error(`the readers disagree about ${differences.join(', ')} of ${idsOf(change)}`);
    }
  }
  return `op and ids of all ${ours.rows} rows, every value of ${ours.samples.length} rows, against zongji`;
}

/** Binary log to JSON. */
export async function prepareDecode({ workload: name, rows, say }: BenchRequest): Promise<PreparedBench> {
  const chosen = workloads[name];
  if (chosen === undefined) throw new Error(`no such workload: ${name}`);
  const { table, single, stretchRows } = chosen;
  const wanted = rows ?? chosen.rows;
  const passes = Math.max(1, Math.round(wanted / stretchRows));
  const changes = Math.ceil(wanted / passes);
  await using cleanup = new AsyncDisposableStack();
  const database = cleanup.use(await MysqlDatabase.create('bench'));
  const { connection } = database;
  say(`writing ${changes} changes of ${table}`);
  await createTable(connection, table);
  const workload = await recordStretch(connection, { database: database.name, table }, () =>
    single ? singleRowChanges(connection, table, changes) : mixedChanges(connection, table, changes),
  );
  const input: DecodeInput = { workload, passes };
  say('comparing the readers');
  const checked = await check(input);
  const kept = cleanup.move();
  return {
    ours: { label: 'ours', module: 'decode', input },
    yardstick: { label: 'zongji + JSON.stringify', module: 'zongji-stringify', input },
    inputBytes: workload.logBytes * passes,
    checked,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
