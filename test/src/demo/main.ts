import { mkdirSync, rmSync } from 'node:fs';
import { delay } from '@millrace/shared/async/delay.ts';
import { createConnection } from 'mysql2/promise';
import type { Connection } from 'mysql2/promise';
import pg from 'pg';

import { compareTable } from '../compare/compare-tables.ts';
import { checkoutPath, stackEnvironment } from '../harness/environment.ts';
import { pipelineVariables } from '../harness/pipelines.ts';
import { shopDefinitions, shopRows, shopTables } from '../shop/shop-tables.ts';
import type { ShopSize } from '../shop/shop-tables.ts';
import { countShop } from '../shop/shop-workload.ts';
import { lookAroundLines } from './look-around.ts';
import { DemoProgram } from './program.ts';
import { ProgressView, viewLines } from './progress-view.ts';
import { WorkloadRunner } from './workload-runner.ts';

const database = 'shop';
const size: ShopSize = { customers: 20_000, products: 5000, orders: 50_000 };
const changeSeconds = 15;
const settleLimitMs = 120_000;
const folder = `${checkoutPath}/.millrace/demo`;
const lake = `${folder}/lake`;
const variables = pipelineVariables(stackEnvironment().postgresUrl, lake);
const once = process.argv.includes('--once');
const stop = new AbortController();

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function loadShop(connection: Connection): Promise<void> {
  await connection.query(`DROP DATABASE IF EXISTS ${database}`);
  await connection.query(`CREATE DATABASE ${database}`);
  await connection.query(`USE ${database}`);
  for (const statement of [...shopDefinitions, ...shopRows(size)]) await connection.query(statement);
  const counts = await countShop(connection, shopTables);
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  say(
    `  ${total} rows in ${counts.size} tables: ${[...counts].map(([table, count]) => `${table} ${count}`).join(', ')}`,
  );
}

async function watch(
  programs: readonly DemoProgram[],
  until: () => Promise<boolean>,
  limitMs: number,
): Promise<boolean> {
  const view = new ProgressView();
  const deadline = performance.now() + limitMs;
  let reached = false;
  while (!reached && performance.now() < deadline) {
    reached = await until();
    view.draw(await viewLines(programs));
    await delay(500, stop.signal);
  }
  view.end();
  return reached;
}

async function snapshotIsDone(capture: DemoProgram): Promise<boolean> {
  const status = await capture.status();
  return (
    status !== null && status.tables.length >= shopTables.length && status.tables.every(({ state }) => state === 'live')
  );
}

/** Repeats the comparison until both destinations hold MySQL's rows; the source is at rest. */
async function prove(connection: Connection, programs: readonly DemoProgram[]): Promise<boolean> {
  const client = new pg.Client({ connectionString: stackEnvironment().postgresUrl });
  await client.connect();
  const deadline = performance.now() + settleLimitMs;
  try {
    for (const table of shopTables) {
      for (;;) {
        const target = { client, schema: database, table };
        const outcome = await compareTable({
          mysql: connection,
          database,
          table,
          postgres: target,
          lake: `${lake}/${database}/${table}`,
        }).catch((error: unknown) => ({ rows: 0, differences: [{ destination: 'both', what: String(error) }] }));
        if (outcome.differences.length === 0) {
          say(
            `  ${table.padEnd(12)} ${String(outcome.rows).padStart(7)} rows equal in MySQL, PostgreSQL and the lake (read by DuckDB)`,
          );
          break;
        }
        if (performance.now() > deadline) {
          say(
            `  ${table.padEnd(12)} ${outcome.differences.length} DIFFERENCES, for example ${JSON.stringify(outcome.differences[0])}`,
          );
          return false;
        }
        for (const program of programs) program.assertRunning();
        await delay(1000, stop.signal);
      }
    }
  } finally {
    await client.end();
  }
  return true;
}

async function demo(): Promise<boolean> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(lake, { recursive: true });
  const connection = await createConnection({ ...stackEnvironment().mysql, multipleStatements: true });
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => connection.end());
  say('1. A shop in MySQL');
  await loadShop(connection);
  say('2. Capture and two independent ingest deployments; the shop keeps changing');
  const pipelines = `${checkoutPath}/compose/pipelines`;
  const start = (label: string, kind: 'capture' | 'ingest', file: string): Promise<DemoProgram> =>
    DemoProgram.start(label, kind, `${pipelines}/${file}.yaml`, `${folder}/${file}.log`, variables);
  const capture = cleanup.use(await start('capture', 'capture', 'capture'));
  const warehouse = cleanup.use(await start('ingest warehouse', 'ingest', 'ingest-postgres'));
  const lakehouse = cleanup.use(await start('ingest lake', 'ingest', 'ingest-lake'));
  const programs = [capture, warehouse, lakehouse];
  const workload = cleanup.use(new WorkloadRunner(database, size, 50));
  if (!(await watch(programs, () => snapshotIsDone(capture), settleLimitMs))) {
    say('  the snapshot did not end in time');
    return false;
  }
  say(`3. Live changes for ${changeSeconds} s`);
  const until = performance.now() + changeSeconds * 1000;
  await watch(programs, async () => performance.now() > until, changeSeconds * 2000);
  await workload.stop();
  say(`4. Proof after ${workload.transactions} transactions: every row, every value`);
  const proven = await prove(connection, programs);
  say(proven ? '  proven' : '  NOT proven');
  for (const line of lookAroundLines(programs, folder, database)) say(line);
  if (once || !proven) return proven;
  say('Everything keeps running; the shop changes again. Ctrl-C ends it.');
  await using more = new WorkloadRunner(database, size, 20);
  await watch(programs, async () => more.transactions < 0, Number.POSITIVE_INFINITY);
  return true;
}

process.once('SIGINT', () => {
  stop.abort(new Error('stopped'));
});
process.once('SIGTERM', () => {
  stop.abort(new Error('stopped'));
});
try {
  process.exitCode = (await demo()) ? 0 : 1;
} catch (error) {
  if (!stop.signal.aborted) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
