import type { Connection, RowDataPacket } from 'mysql2/promise';
import type pg from 'pg';

import { readLake } from '../harness/read-lake.ts';
import type { TextRow } from '../harness/mysql-database.ts';
import { canonicalColumn } from './canonical-column.ts';
import type { CanonicalColumn } from './canonical-column.ts';

/** One table in three systems. `postgres` and `lake` are null where a destination is not asked. */
export interface ComparedTable {
  readonly mysql: Connection;
  readonly database: string;
  readonly table: string;
  readonly postgres: { readonly client: pg.Client | pg.Pool; readonly schema: string; readonly table: string } | null;
  /** Directory of the Iceberg table. */
  readonly lake: string | null;
}

export interface TableDifference {
  readonly destination: 'postgres' | 'lake';
  /** Key text of the row, or the reason that concerns the whole table. */
  readonly what: string;
}

export interface TableComparison {
  readonly rows: number;
  readonly differences: readonly TableDifference[];
}

interface CatalogueRow extends RowDataPacket {
  readonly name: string;
  readonly dataType: string;
  readonly columnType: string;
  readonly keyPart: number | null;
}

const asText = { getTypeParser: () => (value: string) => value };

async function catalogue(mysql: Connection, database: string, table: string): Promise<readonly CatalogueRow[]> {
  const [rows] = await mysql.query<CatalogueRow[]>(
    `SELECT c.COLUMN_NAME name, LOWER(c.DATA_TYPE) dataType, LOWER(c.COLUMN_TYPE) columnType, s.SEQ_IN_INDEX keyPart
       FROM information_schema.COLUMNS c LEFT JOIN information_schema.STATISTICS s
         ON s.TABLE_SCHEMA = c.TABLE_SCHEMA AND s.TABLE_NAME = c.TABLE_NAME AND s.COLUMN_NAME = c.COLUMN_NAME AND s.INDEX_NAME = 'PRIMARY'
      WHERE c.TABLE_SCHEMA = ? AND c.TABLE_NAME = ? ORDER BY c.ORDINAL_POSITION`,
    [database, table],
  );
  return rows;
}

function selectList(columns: readonly CanonicalColumn[], side: 'mysql' | 'postgres' | 'duckdb', quote: string): string {
  return columns.map((column, index) => `${column[side]} AS ${quote}c${index}${quote}`).join(', ');
}

/** Canonical text of each row under the canonical text of its key. */
function canonicalRows(
  rows: readonly TextRow[],
  columns: readonly CanonicalColumn[],
  key: readonly number[],
): Map<string, string> {
  const result = new Map<string, string>();
  for (const row of rows) {
    const cells = columns.map((column, index) => {
      const value = row[`c${index}`];
      return value === null || value === undefined ? null : column.normalise(value);
    });
    const keyText = JSON.stringify(key.map((index) => cells[index]));
    if (result.has(keyText)) result.set(keyText, 'the key stands twice');
    else result.set(keyText, JSON.stringify(cells));
  }
  return result;
}

function differences(
  destination: TableDifference['destination'],
  source: ReadonlyMap<string, string>,
  copy: ReadonlyMap<string, string>,
): TableDifference[] {
  const found: TableDifference[] = [];
  for (const [key, row] of source) {
    const other = copy.get(key);
    if (other === undefined) found.push({ destination, what: `missing ${key}: ${row}` });
    else if (other !== row) found.push({ destination, what: `different ${key}: ${row} is ${other}` });
  }
  for (const key of copy.keys()) if (!source.has(key)) found.push({ destination, what: `surplus ${key}` });
  return found;
}

async function postgresRows(
  target: NonNullable<ComparedTable['postgres']>,
  columns: readonly CanonicalColumn[],
): Promise<readonly TextRow[]> {
  const name = `"${target.schema.replaceAll('"', '""')}"."${target.table.replaceAll('"', '""')}"`;
  const text = `SELECT ${selectList(columns, 'postgres', '"')} FROM ${name}`;
  await target.client.query(`SET TimeZone = 'UTC'; SET extra_float_digits = 1`);
  const result = await target.client.query<TextRow>({ text, types: asText });
  return result.rows;
}

/** Compares a table's rows, value by value in the canonical texts. The source must be at rest. */
export async function compareTable(compared: ComparedTable): Promise<TableComparison> {
  const described = await catalogue(compared.mysql, compared.database, compared.table);
  const columns = described.map((row) => canonicalColumn(row));
  const key = described.flatMap((row, index) => (row.keyPart === null ? [] : [index]));
  const mysqlName = `\`${compared.database}\`.\`${compared.table}\``;
  await compared.mysql.query(`SET time_zone = '+00:00'`);
  const [rows] = await compared.mysql.query<(RowDataPacket & TextRow)[]>({
    sql: `SELECT ${selectList(columns, 'mysql', '`')} FROM ${mysqlName}`,
    typeCast: (field) => field.string(),
  });
  const source = canonicalRows(rows, columns, key);
  const found: TableDifference[] = [];
  if (compared.postgres !== null) {
    const copy = canonicalRows(await postgresRows(compared.postgres, columns), columns, key);
    found.push(...differences('postgres', source, copy));
  }
  if (compared.lake !== null) {
    const sql = `SELECT ${selectList(columns, 'duckdb', '"')} FROM iceberg_scan('${compared.lake}')`;
    const { rows: lakeRows } = await readLake(sql);
    found.push(...differences('lake', source, canonicalRows(lakeRows, columns, key)));
  }
  return { rows: source.size, differences: found };
}
