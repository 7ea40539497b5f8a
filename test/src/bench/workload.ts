import type { Connection, ResultSetHeader, RowDataPacket } from 'mysql2/promise';

import type { TableName } from './workload-tables.ts';
import { workloadTables } from './workload-tables.ts';

/** A stretch of the binary log with changes of one table. */
export interface Workload {
  readonly database: string;
  readonly table: TableName;
  /** Row changes in the stretch. */
  readonly changes: number;
  readonly logBytes: number;
  readonly file: string;
  readonly start: number;
}

/** Count and sums of a table as the server's own text, for comparison with what arrived elsewhere. */
export interface TableTotals {
  readonly rows: string;
  readonly ids: string;
  readonly sum: string;
}

interface LogPosition {
  readonly file: string;
  readonly position: number;
}

const rowsPerTransaction = 600;

async function logEnd(connection: Connection): Promise<LogPosition> {
  type Row = RowDataPacket & { File: string; Position: number | string };
  const [[row]] = await connection.query<Row[]>('SHOW BINARY LOG STATUS');
  if (row === undefined) throw new Error('the binary log is off');
  return { file: row.File, position: Number(row.Position) };
}

async function bytesBetween(connection: Connection, from: LogPosition, to: LogPosition): Promise<number> {
  type Row = RowDataPacket & { Log_name: string; File_size: number | string };
  const [files] = await connection.query<Row[]>('SHOW BINARY LOGS');
  const whole = files
    .filter(({ Log_name: name }) => name >= from.file && name < to.file)
    .reduce((sum, { File_size: size }) => sum + Number(size), 0);
  return whole + to.position - from.position;
}

async function affected(connection: Connection, sql: string, values: readonly number[]): Promise<number> {
  const [result] = await connection.query<ResultSetHeader>(sql, [...values]);
  return result.affectedRows;
}

/** Creates the table in the connection's database; the connection must be an administrator's. */
export async function createTable(connection: Connection, table: TableName): Promise<void> {
  await connection.query(`SET SESSION cte_max_recursion_depth = 1000000, time_zone = '+00:00'`);
  await connection.query(workloadTables[table].create);
}

/** Runs `write`, which returns how many rows it changed, into a fresh log file. Others' changes may stand between. */
export async function recordStretch(
  connection: Connection,
  target: { readonly database: string; readonly table: TableName },
  write: () => Promise<number>,
): Promise<Workload> {
  await connection.query('FLUSH BINARY LOGS');
  const start = await logEnd(connection);
  const changes = await write();
  const logBytes = await bytesBetween(connection, start, await logEnd(connection));
  return { ...target, changes, logBytes, file: start.file, start: start.position };
}

/** Inserts rows with ids `from` to `to` in transactions of 600. */
export async function insertRows(connection: Connection, table: TableName, from: number, to: number): Promise<number> {
  const { insert } = workloadTables[table];
  let done = 0;
  for (let first = from; first <= to; first += rowsPerTransaction) {
    done += await affected(connection, insert, [first, Math.min(to, first + rowsPerTransaction - 1)]);
  }
  return done;
}

/** Of ten transactions six insert, three update, one deletes, about 600 rows each; on an empty table. */
export async function mixedChanges(connection: Connection, table: TableName, changes: number): Promise<number> {
  const { insert, update } = workloadTables[table];
  let done = 0;
  let inserted = 0;
  for (let round = 0; done < changes; round++) {
    const kind = round % 10;
    const size = Math.min(rowsPerTransaction, changes - done);
    const somewhere = (step: number): readonly number[] => {
      const from = 1 + ((round * step) % Math.max(1, inserted - size));
      return [from, from + size - 1];
    };
    if (kind < 6) {
      done += await affected(connection, insert, [inserted + 1, inserted + size]);
      inserted += size;
    } else if (kind < 9) {
      done += await affected(connection, update, somewhere(7919));
    } else {
      done += await affected(connection, `DELETE FROM ${table} WHERE id BETWEEN ? AND ?`, somewhere(104_729));
    }
  }
  return done;
}

/** Inserts of one row per transaction, on an empty table; many statements per round trip. */
export async function singleRowChanges(connection: Connection, table: TableName, changes: number): Promise<number> {
  const perTrip = 100;
  const { insert } = workloadTables[table];
  let done = 0;
  while (done < changes) {
    const ids = Array.from({ length: Math.min(perTrip, changes - done) }, (_, index) => done + index + 1);
    await connection.query(
      ids.map(() => insert).join(';'),
      ids.flatMap((id) => [id, id]),
    );
    done += ids.length;
  }
  return done;
}

/**
 * On a table with ids 1 to `loaded`: updates each of them once and inserts as many new ones, in turns. No key changes
 * twice, so nothing can be folded away.
 */
export async function upserts(connection: Connection, table: TableName, loaded: number): Promise<number> {
  const { insert, update } = workloadTables[table];
  let done = 0;
  for (let first = 1; first <= loaded; first += rowsPerTransaction) {
    const last = Math.min(loaded, first + rowsPerTransaction - 1);
    done += await affected(connection, update, [first, last]);
    done += await affected(connection, insert, [loaded + first, loaded + last]);
  }
  return done;
}

export async function tableTotals(connection: Connection, table: TableName): Promise<TableTotals> {
  const [[row]] = await connection.query<RowDataPacket[]>({
    sql: `SELECT COUNT(*) rows_, SUM(id) ids, SUM(${workloadTables[table].summed}) sum_ FROM ${table}`,
    typeCast: (field) => field.string(),
  });
  return { rows: String(row?.['rows_']), ids: String(row?.['ids']), sum: String(row?.['sum_']) };
}
