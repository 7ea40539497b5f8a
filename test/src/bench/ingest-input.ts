import type { TableName } from './workload-tables.ts';
import type { TableTotals } from './workload.ts';

export interface PostgresInput {
  readonly pipeline: string;
  readonly topic: string;
  /** MySQL database, which is the schema's name at the destination. */
  readonly schema: string;
  readonly table: TableName;
  readonly connections: number;
  /** Names of databases that are made for one run start so. */
  readonly prefix: string;
  /** Holds what was there before the measured changes, offsets included. Null = load into `database` instead. */
  readonly template: string | null;
  readonly database: string | null;
  /** Changes to be read. */
  readonly changes: number;
  readonly expected: TableTotals;
}

export interface CopyOnlyInput {
  /** Rows in COPY text. */
  readonly rowsFile: string;
  /** A database that has the table with its keys. */
  readonly template: string;
  readonly schema: string;
  readonly table: TableName;
  readonly connections: number;
  readonly rowsPerTransaction: number;
  readonly prefix: string;
  readonly rows: number;
  readonly expected: TableTotals;
}

export interface LakeInput {
  readonly topic: string;
  readonly schema: string;
  readonly table: TableName;
  /** Warehouses that are made for one run stand in it. */
  readonly folder: string;
  /** A warehouse that stays; null = one for this run. */
  readonly kept: string | null;
  readonly changes: number;
  readonly expected: TableTotals;
}

export interface DuckdbInput {
  /** An Iceberg table with the rows. */
  readonly lakeTable: string;
  readonly file: string;
  readonly summed: string;
  readonly rows: number;
  readonly expected: TableTotals;
}

/** Throws unless both sides of the copy add up to the same. */
export function assertTotals(found: TableTotals, expected: TableTotals): void {
  const same = found.rows === expected.rows && found.ids === expected.ids && Number(found.sum) === Number(expected.sum);
  if (!same) throw new Error(`the copy adds up to ${JSON.stringify(found)}, the source to ${JSON.stringify(expected)}`);
}
