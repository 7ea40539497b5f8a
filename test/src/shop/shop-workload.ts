import type { Connection, ResultSetHeader, RowDataPacket } from 'mysql2/promise';

import type { ShopSize } from './shop-tables.ts';

type Step = (connection: Connection, pick: (below: number) => number, size: ShopSize) => Promise<void>;

async function placeOrder(connection: Connection, pick: (below: number) => number, size: ShopSize): Promise<void> {
  const [result] = await connection.query<ResultSetHeader>(
    `INSERT INTO orders (customer_id, reference, total, discount, items, status, paid, score, placed_at, paid_at, ship_on, address, note, detail, token)
     VALUES (?, ?, ?, NULL, 1, 'new', 0, ?, NOW(6), NULL, NULL, ?, ?, ?, ?)`,
    [
      1 + pick(size.customers),
      `N${pick(1e9)}`,
      pick(1e7) / 64,
      pick(1e6) / 3,
      `Ulica "Długa" ${pick(100)}`,
      `Zoë 🙂\n${pick(100)}`,
      JSON.stringify({ fresh: true, n: pick(1e6) / 8, '': null }),
      Buffer.from([pick(256), pick(256), 0]),
    ],
  );
  const sku = `SKU-${String(1 + pick(size.products)).padStart(8, '0')}`;
  await connection.query(`INSERT INTO order_items VALUES (?, 1, ?, ?, ?)`, [
    result.insertId,
    sku,
    1 + pick(9),
    pick(1e6) / 100,
  ]);
  await connection.query(
    `UPDATE stock SET quantity = quantity - 1, changed_at = NOW(3) WHERE sku = ? AND warehouse = ?`,
    [sku, [1, 2, 255][pick(3)]],
  );
}

const payOrders: Step = async (connection, pick, size) => {
  await connection.query(
    `UPDATE orders SET status = 'paid', paid = 1, paid_at = NOW(3), score = score / 3 WHERE id BETWEEN ? AND ? + 20`,
    [...Array<number>(2).fill(pick(size.orders))],
  );
};

const dropOrder: Step = async (connection, pick, size) => {
  const id = 1 + pick(size.orders);
  await connection.query(`DELETE FROM order_items WHERE order_id = ?`, [id]);
  await connection.query(`DELETE FROM orders WHERE id = ?`, [id]);
};

/** A product gets another number: its key changes in two tables. */
const renameProduct: Step = async (connection, pick, size) => {
  const from = `SKU-${String(1 + pick(size.products)).padStart(8, '0')}`;
  const to = `REN-${pick(1e9)}`;
  await connection.query(`UPDATE products SET sku = ? WHERE sku = ?`, [to, from]);
  await connection.query(`UPDATE stock SET sku = ? WHERE sku = ?`, [to, from]);
};

/** Keys rotate inside one transaction (1→−1, 2→1, −1→2): order per key decides who is left (T34). */
const swapLines: Step = async (connection, pick, size) => {
  const id = 1 + pick(size.orders);
  for (const [from, to] of [
    [1, -1],
    [2, 1],
    [-1, 2],
  ]) {
    await connection.query(`UPDATE order_items SET line_no = ? WHERE order_id = ? AND line_no = ?`, [to, id, from]);
  }
};

const touchCustomer: Step = async (connection, pick, size) => {
  await connection.query(
    `UPDATE customers SET name = CONCAT('李 ', ?), flags = ?, interests = ?, profile = JSON_OBJECT('v', ?, 'd', 1.50), vip = NOT vip WHERE id = ?`,
    [pick(1e6), pick(4096), pick(16), pick(1e9), 1 + pick(size.customers)],
  );
};

/** Insert, change and delete of one key inside one transaction, then the same key again. */
const churn: Step = async (connection, pick) => {
  const sku = `TMP-${pick(50)}`;
  await connection.query(`DELETE FROM products WHERE sku = ?`, [sku]);
  await connection.query(`INSERT INTO products (sku, title, price, rating) VALUES (?, 'x', ?, ?)`, [
    sku,
    pick(1e6) / 100,
    pick(1e6) / 7,
  ]);
  if (pick(2) === 0) await connection.query(`DELETE FROM products WHERE sku = ?`, [sku]);
  else await connection.query(`UPDATE products SET title = ? WHERE sku = ?`, [`t${pick(1e9)}`, sku]);
};

const steps: readonly Step[] = [
  placeOrder,
  placeOrder,
  placeOrder,
  payOrders,
  dropOrder,
  renameProduct,
  swapLines,
  touchCustomer,
  churn,
];

/** One random transaction of one to three steps, sometimes rolled back. Returns the number of steps that were committed. */
export async function changeShop(connection: Connection, random: () => number, size: ShopSize): Promise<number> {
  const pick = (below: number): number => Math.floor(random() * below);
  const count = 1 + pick(3);
  await connection.query('START TRANSACTION');
  for (let index = 0; index < count; index++) {
    const step = steps[pick(steps.length)] ?? placeOrder;
    await step(connection, pick, size);
  }
  const undone = pick(20) === 0;
  await connection.query(undone ? 'ROLLBACK' : 'COMMIT');
  return undone ? 0 : count;
}

/** Rows of every shop table, for progress. */
export async function countShop(
  connection: Connection,
  tables: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for (const table of tables) {
    const [rows] = await connection.query<(RowDataPacket & { n: number })[]>(`SELECT COUNT(*) n FROM ${table}`);
    counts.set(table, rows[0]?.n ?? 0);
  }
  return counts;
}
