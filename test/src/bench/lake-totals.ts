import { readLake } from '../harness/read-lake.ts';
import type { TableTotals } from './workload.ts';

/** The totals as DuckDB reads them; `from` is a table function over files. */
export async function lakeTotals(from: string, summed: string): Promise<TableTotals> {
  const { rows } = await readLake(`SELECT count(*) AS n, sum(id) AS ids, sum(${summed}) AS total FROM ${from}`);
  const [row] = rows;
  return { rows: String(row?.['n']), ids: String(row?.['ids']), sum: String(row?.['total']) };
}
