/** The sample shop: five tables over most column types, single and composite keys, text in several scripts and charsets. */
export const shopTables = ['customers', 'products', 'orders', 'order_items', 'stock'] as const;

const customers = `CREATE TABLE customers (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  public_id BINARY(16) NOT NULL,
  name VARCHAR(80) NOT NULL COMMENT 'as the customer writes it',
  email VARCHAR(120) CHARACTER SET latin1 NOT NULL,
  country CHAR(2) CHARACTER SET ascii NOT NULL,
  interests SET('books','music','garden','games') NOT NULL,
  tier ENUM('basic','plus','"gold"') NOT NULL DEFAULT 'basic',
  vip TINYINT(1) NOT NULL DEFAULT 0,
  flags BIT(12) NULL,
  newsletter BIT(1) NOT NULL DEFAULT b'1',
  born DATE NULL,
  member_since YEAR NOT NULL,
  profile JSON NULL,
  created_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3)
) COMMENT 'people who buy'`;

const products = `CREATE TABLE products (
  sku VARCHAR(24) NOT NULL PRIMARY KEY,
  title VARCHAR(200) NOT NULL,
  price DECIMAL(10,2) NOT NULL,
  cost DECIMAL(65,30) NULL,
  weight_kg FLOAT NULL,
  rating DOUBLE NULL,
  picture BLOB NULL,
  opens_at TIME(3) NULL,
  description MEDIUMTEXT NULL
)`;

const orders = `CREATE TABLE orders (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  customer_id INT UNSIGNED NOT NULL,
  reference VARCHAR(32) NOT NULL,
  total DECIMAL(18,4) NOT NULL,
  discount DECIMAL(18,4) NULL,
  items SMALLINT UNSIGNED NOT NULL,
  status ENUM('new','paid','shipped','returned') NOT NULL,
  paid TINYINT(1) NOT NULL,
  score DOUBLE NULL,
  placed_at DATETIME(6) NOT NULL,
  paid_at TIMESTAMP(3) NULL,
  ship_on DATE NULL,
  address VARCHAR(120) NOT NULL,
  note TEXT NULL,
  detail JSON NOT NULL,
  token VARBINARY(32) NULL,
  KEY (customer_id)
)`;

const orderItems = `CREATE TABLE order_items (
  order_id BIGINT UNSIGNED NOT NULL,
  line_no SMALLINT NOT NULL,
  sku VARCHAR(24) NOT NULL,
  quantity MEDIUMINT NOT NULL,
  price DECIMAL(10,2) NOT NULL,
  PRIMARY KEY (order_id, line_no)
)`;

const stock = `CREATE TABLE stock (
  sku VARCHAR(24) NOT NULL,
  warehouse TINYINT UNSIGNED NOT NULL,
  quantity INT NOT NULL,
  changed_at DATETIME(3) NOT NULL,
  PRIMARY KEY (warehouse, sku)
)`;

export const shopDefinitions: readonly string[] = [customers, products, orders, orderItems, stock];

export interface ShopSize {
  readonly customers: number;
  readonly products: number;
  readonly orders: number;
}

/** Numbers 1 to n as a derived table; MySQL computes the rows itself, so that a large shop loads in seconds. */
function sequence(count: number): string {
  return `(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count}) SELECT i FROM n) numbers`;
}

/** Statements that fill the shop; run them on one connection, in order. Orders have two items each. */
export function shopRows(size: ShopSize): readonly string[] {
  return [
    `SET SESSION cte_max_recursion_depth = ${Math.max(size.customers, size.products, size.orders) + 1}, time_zone = '+00:00'`,
    `INSERT INTO customers (public_id, name, email, country, interests, tier, vip, flags, newsletter, born, member_since, profile, created_at)
     SELECT UNHEX(LEFT(SHA2(i, 256), 32)), ELT(1 + i % 5, CONCAT('Anna ', i), CONCAT('Łukasz "', i, '"'), CONCAT('李', i), CONCAT('O\\'Neill\\\\', i), CONCAT('Zoë 🙂 ', i)),
       CONCAT('user', i, '@caf', _latin1 0xE9, '.example'), ELT(1 + i % 3, 'DE', 'FR', 'PL'), i % 16, 1 + i % 3, i % 2,
       IF(i % 7 = 0, NULL, i % 4096), i % 3 = 0, IF(i % 5 = 0, NULL, DATE_ADD('1930-01-01', INTERVAL i % 30000 DAY)), 1990 + i % 36,
       IF(i % 4 = 0, NULL, JSON_OBJECT('n', i, 'big', 9007199254740993 + i, 'tags', JSON_ARRAY('a', i / 8, NULL, TRUE))),
       TIMESTAMPADD(SECOND, i * 61, '2015-01-01 00:00:00.123')
     FROM ${sequence(size.customers)}`,
    `INSERT INTO products
     SELECT CONCAT('SKU-', LPAD(i, 8, '0')), CONCAT('Thing "', i, '"\\n\\t№ ', i), i % 10000 / 100 + 0.5, i * 1.000000000000000000000000000001,
       IF(i % 9 = 0, NULL, i / 7), IF(i % 11 = 0, NULL, i / 3), UNHEX(SHA2(i, 256)), IF(i % 6 = 0, NULL, SEC_TO_TIME(i % 86400 + 0.25)),
       IF(i % 2 = 0, NULL, REPEAT(CONCAT('déjà vu ', i, ' '), 1 + i % 20))
     FROM ${sequence(size.products)}`,
    `INSERT INTO orders (customer_id, reference, total, discount, items, status, paid, score, placed_at, paid_at, ship_on, address, note, detail, token)
     SELECT 1 + i % ${size.customers}, CONCAT('R', LPAD(i, 12, '0')), i % 100000 / 16, IF(i % 10 = 0, NULL, i % 997 / 64), 2, 1 + i % 4, i % 2,
       IF(i % 13 = 0, NULL, i / 1024), TIMESTAMPADD(MICROSECOND, i * 997003, '2020-01-01 00:00:00'), IF(i % 3 = 0, NULL, TIMESTAMPADD(SECOND, i, '2021-06-01')),
       IF(i % 5 = 0, NULL, DATE_ADD('2021-01-01', INTERVAL i % 900 DAY)), CONCAT('Straße ', i % 5000, ', "Köln"'),
       IF(i % 2 = 0, NULL, CONCAT('line one\\nline two ', i)), JSON_OBJECT('k', i, 'list', JSON_ARRAY(1, 2.5, 'x'), 's', CONCAT('v', i)), UNHEX(LEFT(SHA2(i, 256), 32))
     FROM ${sequence(size.orders)}`,
    `INSERT INTO order_items
     SELECT o.id, l.n, CONCAT('SKU-', LPAD(1 + (o.id * l.n) % ${size.products}, 8, '0')), 1 + o.id % 9, o.id % 500 / 4
     FROM orders o JOIN (SELECT 1 n UNION ALL SELECT 2) l`,
    `INSERT INTO stock SELECT p.sku, w.n, 1000, '2024-01-01 12:00:00.5' FROM products p JOIN (SELECT 1 n UNION ALL SELECT 2 UNION ALL SELECT 255) w`,
  ];
}
