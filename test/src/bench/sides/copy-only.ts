import { readFileSync } from 'node:fs';

import pg from 'pg';

import { uniqueName } from '../../harness/unique-name.ts';
import { assertTotals } from '../ingest-input.ts';
import type { CopyOnlyInput } from '../ingest-input.ts';
import { startClock } from '../measure.ts';
import { copyIn } from '../postgres-copy.ts';
import { benchDatabase, databaseUrl, postgresTotals, withPostgres } from '../postgres-databases.ts';
import { answer, sideInput } from '../side-process.ts';

const lineFeed = 0x0a;

/** Pieces of `rows` lines each; COPY text has no line feed inside a row. */
function pieces(text: Buffer, rows: number): readonly Buffer[] {
  const found: Buffer[] = [];
  let start = 0;
  let lines = 0;
  for (let at = text.indexOf(lineFeed); at >= 0; at = text.indexOf(lineFeed, at + 1)) {
    lines += 1;
    if (lines % rows !== 0 && at + 1 < text.length) continue;
    found.push(text.subarray(start, at + 1));
    start = at + 1;
  }
  return found;
}

async function copyAll(client: pg.Client, statement: string, share: readonly Buffer[]): Promise<void> {
  for (const piece of share) {
    await client.query('BEGIN');
    await copyIn(client, statement, piece);
    await client.query('COMMIT');
  }
}

/** The yardstick: COPY of the same rows into an empty logged table with the same primary key, on the same server. */
const input = await sideInput<CopyOnlyInput>();
const { schema, table, connections, rows } = input;
const name = uniqueName(input.prefix);
await using cleanup = new AsyncDisposableStack();
cleanup.use(await benchDatabase(name, input.template));
await withPostgres(name, (client) => client.query(`TRUNCATE "${schema}".${table}`));
const batches = pieces(readFileSync(input.rowsFile), input.rowsPerTransaction);
const clients: pg.Client[] = [];
for (let index = 0; index < connections; index++) {
  const client = new pg.Client({ connectionString: databaseUrl(name) });
  await client.connect();
  clients.push(client);
}
const statement = `COPY "${schema}".${table} FROM STDIN`;
const stop = startClock();
await Promise.all(
  clients.map((client, lane) =>
    copyAll(
      client,
      statement,
      batches.filter((_, index) => index % connections === lane),
    ),
  ),
);
const measured = stop();
for (const client of clients) await client.end();
assertTotals(await postgresTotals(name, schema, table), input.expected);
await cleanup.disposeAsync();
answer({ ...measured, rows });
