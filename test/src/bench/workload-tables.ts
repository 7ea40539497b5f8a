export const tableNames = ['narrow', 'orders', 'wide'] as const;
export type TableName = (typeof tableNames)[number];

/** SQL of one benchmark table; rows are made by the server from their number. */
export interface WorkloadTable {
  readonly create: string;
  /** Inserts the rows with ids from the first to the second parameter. */
  readonly insert: string;
  /** Changes a few columns of the rows with ids from the first to the second parameter. */
  readonly update: string;
  /** A numeric column that both statements set: its sum tells rows that were mixed up. */
  readonly summed: string;
}

const numbers = `(WITH RECURSIVE n(i) AS (SELECT ? UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT i FROM n) numbers`;

const narrow: WorkloadTable = {
  create: `CREATE TABLE narrow (id BIGINT NOT NULL PRIMARY KEY, k INT NOT NULL, c CHAR(120) NOT NULL, pad CHAR(60) NOT NULL)`,
  insert: `INSERT INTO narrow SELECT i, i % 1000, REPEAT(CHAR(97 + i % 26), 119), LEFT(SHA2(i, 256), 59) FROM ${numbers}`,
  update: 'UPDATE narrow SET k = k + 1 WHERE id BETWEEN ? AND ?',
  summed: 'k',
};

const orders: WorkloadTable = {
  create: `CREATE TABLE orders (
  id BIGINT UNSIGNED NOT NULL PRIMARY KEY, customer_id BIGINT UNSIGNED NOT NULL, reference VARCHAR(32) NOT NULL,
  total DECIMAL(18,4) NOT NULL, discount DECIMAL(18,4) NULL, items INT NOT NULL, warehouse INT NOT NULL, score DOUBLE NOT NULL,
  status ENUM('new','paid','shipped','returned') NOT NULL, paid TINYINT(1) NOT NULL, placed_at DATETIME(6) NOT NULL,
  paid_at TIMESTAMP(3) NOT NULL, ship_on DATE NULL, name VARCHAR(100) NOT NULL, street VARCHAR(120) NOT NULL,
  url VARCHAR(255) NOT NULL, note TEXT NULL, detail JSON NOT NULL, token VARBINARY(32) NOT NULL, channel SMALLINT UNSIGNED NOT NULL)`,
  insert: `INSERT INTO orders SELECT i, i * 1000003, CONCAT('R', LPAD(i, 12, '0')), i % 100000 / 16, IF(i % 10 = 0, NULL, i % 997 / 64), i % 90, i, i / 1024,
      1 + i % 4, i % 2, TIMESTAMPADD(MICROSECOND, i * 997003, '2020-01-01 00:00:00'), TIMESTAMPADD(SECOND, i % 90000000, '2021-06-01'),
      IF(i % 5 = 0, NULL, DATE_ADD('2021-01-01', INTERVAL i % 900 DAY)), ELT(1 + i % 3, CONCAT('Zoë "', i, '"'), CONCAT('李小龙 ', i), CONCAT('Anna Müller ', i)),
      CONCAT('Straße ', i % 5000, ', "Köln"'), CONCAT('https://shop.example/orders/', i, '?source=mail&campaign=', i % 77),
      IF(i % 2 = 0, NULL, CONCAT('first line\\nsecond line ', i, ' of a note')), JSON_OBJECT('k', i, 'list', JSON_ARRAY(1, 2.5, 'x'), 's', CONCAT('v', i), 'ok', TRUE, 'n', NULL),
      UNHEX(LEFT(SHA2(i, 256), 32)), i % 65536 FROM ${numbers}`,
  update: `UPDATE orders SET status = 'shipped', score = score / 3, total = total + 1.25 WHERE id BETWEEN ? AND ?`,
  summed: 'total',
};

const wideColumns = Array.from({ length: 227 }, (_, index) => {
  const name = `c${index}`;
  switch (index % 40) {
    case 7:
      return { name, type: 'VARCHAR(64)', value: `CONCAT('text ', i, ' ${index}')` };
    case 17:
      return { name, type: 'TINYINT(1)', value: 'i % 2' };
    case 27:
      return { name, type: 'DATETIME(3)', value: `TIMESTAMPADD(SECOND, i + ${index}, '2020-01-01 00:00:00.250')` };
    default:
      return { name, type: 'INT', value: `i + ${index}` };
  }
});

const wide: WorkloadTable = {
  create: `CREATE TABLE wide (id BIGINT NOT NULL PRIMARY KEY, ${wideColumns.map(({ name, type }) => `${name} ${type} NULL`).join(', ')})`,
  insert: `INSERT INTO wide SELECT i, ${wideColumns.map(({ value }) => value).join(', ')} FROM ${numbers}`,
  update: 'UPDATE wide SET c0 = c0 + 1, c1 = NULL WHERE id BETWEEN ? AND ?',
  summed: 'c0',
};

export const workloadTables: Readonly<Record<TableName, WorkloadTable>> = { narrow, orders, wide };
