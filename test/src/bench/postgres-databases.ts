import pg from 'pg';

import { stackEnvironment } from '../harness/environment.ts';
import { workloadTables } from './workload-tables.ts';
import type { TableName } from './workload-tables.ts';
import type { TableTotals } from './workload.ts';

export function databaseUrl(name: string): string {
  const url = new URL(stackEnvironment().postgresUrl);
  url.pathname = `/${name}`;
  return url.href;
}

/** Runs `use` with a connection to a database, the server's own where none is named. */
export async function withPostgres<T>(database: string | null, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const connectionString = database === null ? stackEnvironment().postgresUrl : databaseUrl(database);
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

/** A database that goes away with its scope: empty, or a copy of `template`. The server has nothing left to write. */
export async function benchDatabase(name: string, template: string | null): Promise<AsyncDisposable> {
  await withPostgres(null, async (client) => {
    await client.query(`CREATE DATABASE ${name}${template === null ? '' : ` TEMPLATE ${template}`}`);
    await client.query('CHECKPOINT');
  });
  return {
    async [Symbol.asyncDispose]() {
      await withPostgres(null, (client) => client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
    },
  };
}

/** The same totals as the source gives; the schema has the source database's name. */
export function postgresTotals(database: string, schema: string, table: TableName): Promise<TableTotals> {
  const sql = `SELECT count(*)::text AS rows, sum(id)::text AS ids, sum(${workloadTables[table].summed})::text AS sum FROM "${schema}".${table}`;
  return withPostgres(database, async (client) => {
    const { rows } = await client.query<TableTotals>(sql);
    if (rows[0] === undefined) throw new Error('no totals');
    return rows[0];
  });
}
