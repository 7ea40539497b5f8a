import type { TableId } from '@millrace/shared/event/table-id.ts';

import { quoteIdentifier } from './select-expression.ts';
import type { SqlRow } from './connection.ts';
import { quoteText } from './sql-text.ts';

/** One row of information_schema.COLUMNS. */
export interface CatalogueColumn {
  readonly name: string;
  readonly dataType: string;
  readonly columnType: string;
  readonly nullable: boolean;
  readonly defaultValue: string | null;
  readonly generated: boolean;
  readonly comment: string;
  readonly octetLength: number;
  readonly precision: number;
  readonly scale: number;
  readonly fraction: number;
  readonly collation: number | null;
}

export interface CatalogueTable {
  readonly id: TableId;
  readonly engine: string;
  readonly comment: string;
  /** Seconds since 1970 by the server's clock; 0 when unknown. A table that is rebuilt counts as new. */
  readonly createdSeconds: number;
  readonly columns: readonly CatalogueColumn[];
  readonly primaryKey: readonly string[];
}

export type Query = (sql: string, signal: AbortSignal, doing?: string) => Promise<readonly SqlRow[]>;

const systemSchemas = ['mysql', 'sys', 'information_schema', 'performance_schema'];
const tablesPerQuery = 200;

function text(row: SqlRow, name: string): string {
  return row[name] ?? '';
}

function count(row: SqlRow, name: string): number {
  return Number(row[name] ?? 0);
}

/**
 * The server's data dictionary through information_schema. Names are compared by equality, never with LIKE, where `_`
 * would match any character (T179).
 */
export class Catalogue {
  readonly #query: Query;
  #collations: ReadonlyMap<string, number> | null = null;

  constructor(query: Query) {
    this.#query = query;
  }

  async collations(signal: AbortSignal): Promise<ReadonlyMap<string, number>> {
    if (this.#collations === null) {
      const rows = await this.#query(
        'SELECT COLLATION_NAME AS name, ID AS id FROM information_schema.COLLATIONS WHERE ID IS NOT NULL',
        signal,
      );
      this.#collations = new Map(rows.map((row) => [text(row, 'name'), count(row, 'id')]));
    }
    return this.#collations;
  }

  /** Every base table outside the system schemas. */
  async names(signal: AbortSignal): Promise<readonly TableId[]> {
    const rows = await this.#query(
      'SELECT TABLE_SCHEMA AS s, TABLE_NAME AS t FROM information_schema.TABLES ' +
        `WHERE TABLE_TYPE = 'BASE TABLE' AND TABLE_SCHEMA NOT IN (${systemSchemas.map(quoteText).join(', ')})`,
      signal,
      'listing tables',
    );
    const ids = rows.map((row) => ({ namespace: '', schema: text(row, 's'), table: text(row, 't') }));
    const order = (id: TableId): string => `${id.schema}\0${id.table}`;
    return ids.sort((a, b) => (order(a) < order(b) ? -1 : 1));
  }

  /** Definitions of the tables that exist, in no order. */
  async load(ids: readonly TableId[], signal: AbortSignal): Promise<readonly CatalogueTable[]> {
    const tables: CatalogueTable[] = [];
    for (const [schema, group] of Map.groupBy(ids, (id) => id.schema)) {
      for (let at = 0; at < group.length; at += tablesPerQuery) {
        const names = group.slice(at, at + tablesPerQuery).map((id) => id.table);
        tables.push(...(await this.#loadOf(schema, names, signal)));
      }
    }
    return tables;
  }

  async #loadOf(schema: string, names: readonly string[], signal: AbortSignal): Promise<readonly CatalogueTable[]> {
    const collations = await this.collations(signal);
    const where = `WHERE TABLE_SCHEMA = ${quoteText(schema)} AND TABLE_NAME IN (${names.map(quoteText).join(', ')})`;
    const tables = await this.#query(
      `SELECT TABLE_NAME AS t, ENGINE AS engine, TABLE_COMMENT AS comment, UNIX_TIMESTAMP(CREATE_TIME) AS created ` +
        `FROM information_schema.TABLES ${where} AND TABLE_TYPE = 'BASE TABLE'`,
      signal,
      'reading table definitions',
    );
    const columns = Map.groupBy(await this.#columns(where, signal), (row) => text(row, 't'));
    const keys = Map.groupBy(await this.#uniqueKeys(where, signal), (row) => text(row, 't'));
    const loaded: CatalogueTable[] = [];
    for (const row of tables) {
      const name = text(row, 't');
      loaded.push({
        id: { namespace: '', schema, table: name },
        engine: text(row, 'engine'),
        comment: text(row, 'comment'),
        createdSeconds: count(row, 'created'),
        columns: (columns.get(name) ?? []).map((column) => catalogueColumn(column, collations)),
        primaryKey: await this.#primaryKey(schema, name, keys.get(name) ?? [], signal),
      });
    }
    return loaded;
  }

  #columns(where: string, signal: AbortSignal): Promise<readonly SqlRow[]> {
    return this.#query(
      'SELECT TABLE_NAME AS t, COLUMN_NAME AS name, DATA_TYPE AS dataType, COLUMN_TYPE AS columnType, ' +
        'IS_NULLABLE AS nullable, COLUMN_DEFAULT AS defaultValue, GENERATION_EXPRESSION AS expression, ' +
        'COLUMN_COMMENT AS comment, CHARACTER_OCTET_LENGTH AS octets, NUMERIC_PRECISION AS numericPrecision, ' +
        'NUMERIC_SCALE AS numericScale, DATETIME_PRECISION AS fraction, COLLATION_NAME AS collation ' +
        `FROM information_schema.COLUMNS ${where} ORDER BY TABLE_NAME, ORDINAL_POSITION`,
      signal,
      'reading column definitions',
    );
  }

  #uniqueKeys(where: string, signal: AbortSignal): Promise<readonly SqlRow[]> {
    return this.#query(
      'SELECT TABLE_NAME AS t, INDEX_NAME AS k, SEQ_IN_INDEX AS seq, COLUMN_NAME AS name, SUB_PART AS prefix, ' +
        `NULLABLE AS nullable FROM information_schema.STATISTICS ${where} AND NON_UNIQUE = 0 ` +
        'ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX',
      signal,
      'reading key definitions',
    );
  }

  /** PRIMARY KEY, else the first unique key without nullable or prefixed columns in the server's order, else none. */
  async #primaryKey(schema: string, table: string, rows: readonly SqlRow[], signal: AbortSignal): Promise<string[]> {
    const keys = Map.groupBy(rows, (row) => text(row, 'k'));
    const primary = keys.get('PRIMARY');
    if (primary !== undefined) return primary.map((part) => text(part, 'name'));
    const usable = [...keys].filter(([, parts]) =>
      parts.every((part) => part['name'] !== null && part['prefix'] === null && text(part, 'nullable') !== 'YES'),
    );
    if (usable.length > 1) {
      const shown = await this.#query(`SHOW INDEX FROM ${quoteIdentifier(schema)}.${quoteIdentifier(table)}`, signal);
      const order = shown.map((row) => text(row, 'Key_name'));
      usable.sort((a, b) => order.indexOf(a[0]) - order.indexOf(b[0]));
    }
    return (usable[0]?.[1] ?? []).map((part) => text(part, 'name'));
  }
}

function catalogueColumn(row: SqlRow, collations: ReadonlyMap<string, number>): CatalogueColumn {
  const collation = row['collation'] ?? null;
  return {
    name: text(row, 'name'),
    dataType: text(row, 'dataType').toLowerCase(),
    columnType: text(row, 'columnType'),
    nullable: text(row, 'nullable') === 'YES',
    defaultValue: row['defaultValue'] ?? null,
    generated: text(row, 'expression') !== '',
    comment: text(row, 'comment'),
    octetLength: count(row, 'octets'),
    precision: count(row, 'numericPrecision'),
    scale: count(row, 'numericScale'),
    fraction: count(row, 'fraction'),
    collation: collation === null ? null : (collations.get(collation) ?? null),
  };
}
