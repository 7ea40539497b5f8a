import type { Connection, ResultSetHeader, RowDataPacket } from 'mysql2/promise';

export const workloadNames = ['narrow', 'orders', 'wide'] as const;
export type WorkloadName = (typeof workloadNames)[number];

/** A table with a prepared stretch of the binary log that holds nothing but its changes. */
export interface Workload {
  readonly name: WorkloadName;
  readonly database: string;
  readonly table: string;
  /** Row changes in the stretch. */
  readonly changes: number;
  readonly logBytes: number;
  readonly file: string;
  readonly start: number;
  readonly end: number;
  /** GTID set before the stretch. */
  readonly gtidSet: string;
}

const rowsPerTransaction = 600;

const narrow = `CREATE TABLE narrow (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, k INT NOT NULL, c CHAR(120) NOT NULL, pad CHAR(60) NOT NULL)`;

const orders = `CREATE TABLE orders (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, customer_id BIGINT UNSIGNED NOT NULL, reference VARCHAR(32) NOT NULL,
  total DECIMAL(18,4) NOT NULL, discount DECIMAL(18,4) NULL, items INT NOT NULL, warehouse INT NOT NULL, score DOUBLE NOT NULL,
  status ENUM('new','paid','shipped','returned') NOT NULL, paid TINYINT(1) NOT NULL, placed_at DATETIME(6) NOT NULL,
  paid_at TIMESTAMP(3) NOT NULL, ship_on DATE NULL, name VARCHAR(100) NOT NULL, street VARCHAR(120) NOT NULL,
  url VARCHAR(255) NOT NULL, note TEXT NULL, detail JSON NOT NULL, token VARBINARY(32) NOT NULL, channel SMALLINT UNSIGNED NOT NULL)`;

const wideColumns = Array.from({ length: 227 }, (_, index) => {
  const type =
    index % 40 === 7 ? 'VARCHAR(64)' : index % 40 === 17 ? 'TINYINT(1)' : index % 40 === 27 ? 'DATETIME(3)' : 'INT';
  return { name: `c${index}`, type };
});
const wide = `CREATE TABLE wide (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, ${wideColumns.map(({ name, type }) => `${name} ${type} NULL`).join(', ')})`;

const numbers = `(WITH RECURSIVE n(i) AS (SELECT ? UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT i FROM n) numbers`;

const insert: Readonly<Record<WorkloadName, string>> = {
  narrow: `INSERT INTO narrow SELECT NULL, i % 1000, REPEAT(CHAR(97 + i % 26), 119), LEFT(SHA2(i, 256), 59) FROM ${numbers}`,
  orders: `INSERT INTO orders SELECT NULL, i * 1000003, CONCAT('R', LPAD(i, 12, '0')), i % 100000 / 16, IF(i % 10 = 0, NULL, i % 997 / 64), i % 90, i, i / 1024,
      1 + i % 4, i % 2, TIMESTAMPADD(MICROSECOND, i * 997003, '2020-01-01 00:00:00'), TIMESTAMPADD(SECOND, i % 90000000, '2021-06-01'),
      IF(i % 5 = 0, NULL, DATE_ADD('2021-01-01', INTERVAL i % 900 DAY)), ELT(1 + i % 3, CONCAT('Zoë "', i, '"'), CONCAT('李小龙 ', i), CONCAT('Anna Müller ', i)),
      CONCAT('Straße ', i % 5000, ', "Köln"'), CONCAT('https://shop.example/orders/', i, '?source=mail&campaign=', i % 77),
      IF(i % 2 = 0, NULL, CONCAT('first line\\nsecond line ', i, ' of a note')), JSON_OBJECT('k', i, 'list', JSON_ARRAY(1, 2.5, 'x'), 's', CONCAT('v', i), 'ok', TRUE, 'n', NULL),
      UNHEX(LEFT(SHA2(i, 256), 32)), i % 65536 FROM ${numbers}`,
  wide: `INSERT INTO wide SELECT NULL, ${wideColumns.map(({ type }, at) => (type === 'INT' ? `i + ${at}` : type === 'TINYINT(1)' ? 'i % 2' : type === 'DATETIME(3)' ? `TIMESTAMPADD(SECOND, i + ${at}, '2020-01-01 00:00:00.250')` : `CONCAT('text ', i, ' ${at}')`)).join(', ')} FROM ${numbers}`,
};

const update: Readonly<Record<WorkloadName, string>> = {
  narrow: 'UPDATE narrow SET k = k + 1 WHERE id BETWEEN ? AND ?',
  orders: `UPDATE orders SET status = 'shipped', score = score / 3, total = total + 1.25 WHERE id BETWEEN ? AND ?`,
  wide: 'UPDATE wide SET c0 = c0 + 1, c1 = NULL WHERE id BETWEEN ? AND ?',
};

const definitions: Readonly<Record<WorkloadName, string>> = { narrow, orders, wide };

async function logEnd(connection: Connection): Promise<{ file: string; position: number; gtidSet: string }> {
  const [rows] =
    await connection.query<(RowDataPacket & { File: string; Position: number; Executed_Gtid_Set: string })[]>(
      'SHOW BINARY LOG STATUS',
    );
  const row = rows[0];
  if (row === undefined) throw new Error('the binary log is off');
  return { file: row.File, position: row.Position, gtidSet: row.Executed_Gtid_Set.replaceAll('\n', '') };
}

/** How a workload changes rows: of ten, six inserts, three updates, one delete, as measured elsewhere; or inserts alone. */
export type Mix = 'mixed' | 'inserts';

/**
 * Creates the table and writes about `changes` row changes in transactions of 600 rows (or one row each with `single`)
 * into one fresh log file. The connection must be an administrator's with the database selected.
 */
export async function prepareWorkload(
  connection: Connection,
  database: string,
  name: WorkloadName,
  changes: number,
  options: { readonly mix: Mix; readonly single: boolean },
): Promise<Workload> {
  await connection.query(`SET SESSION cte_max_recursion_depth = 1000000, time_zone = '+00:00'`);
  await connection.query(definitions[name]);
  await connection.query('FLUSH BINARY LOGS');
  const start = await logEnd(connection);
  const done = options.single
    ? await writeSingles(connection, name, changes)
    : await writeGroups(connection, name, changes, options.mix);
  const end = await logEnd(connection);
  if (end.file !== start.file) throw new Error('the workload spans two log files: use fewer rows');
  return {
    name,
    database,
    table: name,
    changes: done,
    logBytes: end.position - start.position,
    file: start.file,
    start: start.position,
    end: end.position,
    gtidSet: start.gtidSet,
  };
}

async function affected(connection: Connection, sql: string, values: readonly number[]): Promise<number> {
  const [result] = await connection.query<ResultSetHeader>(sql, [...values]);
  return result.affectedRows;
}

async function writeGroups(connection: Connection, name: WorkloadName, changes: number, mix: Mix): Promise<number> {
  let done = 0;
  let inserted = 0;
  for (let round = 0; done < changes; round++) {
    const kind = mix === 'inserts' ? 0 : round % 10;
    const size = Math.min(rowsPerTransaction, changes - done);
    if (kind < 6) {
      done += await affected(connection, insert[name], [inserted + 1, inserted + size]);
      inserted += size;
    } else if (kind < 9) {
      const from = 1 + ((round * 7919) % Math.max(1, inserted - size));
      done += await affected(connection, update[name], [from, from + size - 1]);
    } else {
      const from = 1 + ((round * 104_729) % Math.max(1, inserted - size));
      done += await affected(connection, `DELETE FROM ${name} WHERE id BETWEEN ? AND ?`, [from, from + size - 1]);
    }
  }
  return done;
}

/** Many one-row transactions: pairs of statements per round trip keep the client out of the way. */
async function writeSingles(connection: Connection, name: WorkloadName, changes: number): Promise<number> {
  const perTrip = 100;
  let done = 0;
  while (done < changes) {
    const statements: string[] = [];
    const values: number[] = [];
    for (let index = 0; index < perTrip && done + index < changes; index++) {
      statements.push(insert[name]);
      values.push(done + index + 1, done + index + 1);
    }
    await connection.query(statements.join(';'), values);
    done += statements.length;
  }
  return done;
}
