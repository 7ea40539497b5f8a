import { describe, expect, it } from 'vitest';

import { printLogicalType } from '../event/logical-type.ts';
import { tableIdText } from '../event/table-id.ts';
import { parseInitialSchemas } from './initial-schemas.ts';

describe('initial schemas', () => {
  it('reads tables, types, keys and comments of Flink SQL', () => {
    const result = parseInitialSchemas(`
      CREATE TABLE IF NOT EXISTS \`my db\`.orders ( -- the orders
        id BIGINT NOT NULL,
        \`order\` VARCHAR(20) COMMENT 'the ''number''',
        total decimal(10,2) NULL,
        at TIMESTAMP_LTZ(3),
        tags ARRAY<VARCHAR(5)>,
        PRIMARY KEY (id, \`order\`) NOT ENFORCED
      ) COMMENT 'sold' WITH ('connector' = 'kafka', 'a' = 'b(');
      CREATE TABLE t (x INTEGER);`);
    if (!result.ok) throw new Error(result.rule);
    const [orders, small] = result.value;
    expect(
      orders?.columns.map(({ name, type, nullable, comment }) => [name, printLogicalType(type), nullable, comment]),
    ).toEqual([
      ['id', 'BIGINT', false, null],
      ['order', 'VARCHAR(20)', false, "the 'number'"],
      ['total', 'DECIMAL(10, 2)', true, null],
      ['at', 'TIMESTAMP_LTZ(3)', true, null],
      ['tags', 'ARRAY<VARCHAR(5)>', true, null],
    ]);
    expect(orders).toMatchObject({ primaryKey: ['id', 'order'], comment: 'sold' });
    expect(result.value.map(({ id }) => tableIdText(id))).toEqual(['my db.orders', 't']);
    expect(small?.columns).toHaveLength(1);
  });

  it.each([
    ['CREATE VIEW v', 1],
    ['CREATE TABLE t (a NONSENSE)', 19],
    ['CREATE TABLE t (a INT', 22],
    ['CREATE TABLE t (a INT) CREATE TABLE u (a INT)', 24],
    ['CREATE TABLE a.b.c.d (a INT)', 22],
    ['CREATE TABLE t (a INT, PRIMARY KEY (b))', 40],
    ['CREATE TABLE t (a INT ?)', 23],
  ])('refuses %s at column %i', (sql, column) => {
    expect(parseInitialSchemas(sql)).toMatchObject({ ok: false, column });
  });
});
