import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { TableId } from '../event/table-id.ts';
import { excluding, parseTableSelectors } from './table-selectors.ts';
import type { TableSelectors } from './table-selectors.ts';

function id(text: string): TableId {
  const [table = '', schema = '', namespace = ''] = text.split('.').toReversed();
  return { namespace, schema, table };
}

function selectors(text: string, minimumParts = 1): TableSelectors {
  const result = parseTableSelectors(text, { minimumParts });
  if (!result.ok) throw new Error(result.rule);
  return result.value;
}

const rows: readonly { selector: string; yes: readonly string[]; no: readonly string[]; normalised: string }[] = [
  {
    selector: String.raw`kafka_test.\.*`,
    yes: ['kafka_test.a', 'kafka_test.customers'],
    no: ['other.a', 'kafka_test2.a', 'xkafka_test.a', 'a.kafka_test.b'],
    normalised: String.raw`kafka_test.\.*`,
  },
  {
    selector: String.raw`kafka_test\.\*`,
    yes: ['kafka_test.a', 'kafka_test.customers'],
    no: ['other.a', 'kafka_test2.a', 'kafka_testx', 'a.kafka_test.b'],
    normalised: String.raw`kafka_test.\.*`,
  },
  { selector: 'kafka_test.*', yes: ['kafka_test.a'], no: ['kafka.a'], normalised: String.raw`kafka_test.\.*` },
  {
    selector: String.raw`kafka_test.\*`,
    yes: ['kafka_test.a'],
    no: ['kafka.a'],
    normalised: String.raw`kafka_test.\.*`,
  },
  { selector: String.raw`\.*.\.*`, yes: ['a.b', 'x1.y_2'], no: ['a', 'a.b.c'], normalised: String.raw`\.*.\.*` },
  {
    selector: 'db.sc.A[0-9]+',
    yes: ['db.sc.A1', 'db.sc.A23'],
    no: ['sc.A1', 'db.sc.AA', 'db.sc.A'],
    normalised: 'db.sc.A[0-9]+',
  },
  {
    selector: String.raw`inventory\.orders`,
    yes: ['inventory.orders'],
    no: ['inventory.orders2', 'inventory.xorders'],
    normalised: 'inventory.orders',
  },
];

describe('selector rows of the specification', () => {
  it.each(rows)('$selector', ({ selector, yes, no, normalised }) => {
    const found = selectors(selector);
    expect(yes.filter((text) => !found.matches(id(text)))).toEqual([]);
    expect(no.filter((text) => found.matches(id(text)))).toEqual([]);
    expect(found.normalised).toEqual([normalised]);
  });
});

describe('selectors', () => {
  it('keeps the strict reading for ids of one part', () => {
    // One part: "inventory", any character, "orders".
    expect(
      selectors(String.raw`inventory\.orders`).matches({ namespace: '', schema: '', table: 'inventoryXorders' }),
    ).toBe(true);
  });

  it('does not take a quantified any-character for the separator', () => {
    const found = selectors(String.raw`inv\.orders_\.*`);
    expect(found.normalised).toEqual([String.raw`inv.orders_\.*`]);
    expect(found.matches(id('inv.orders_7'))).toBe(true);
  });

  it('matches names whole, so that a common prefix selects nothing more (T178)', () => {
    const found = selectors(String.raw`shop.\.*`);
    expect(found.matches(id('shop2.a'))).toBe(false);
    expect(found.matches(id('myshop.a'))).toBe(false);
  });

  it('splits lists at commas outside brackets', () => {
    const found = selectors(String.raw`shop.t{1,2}, crm.(a|b), x.[,y]`);
    expect(found.normalised).toEqual(['shop.t{1,2}', 'crm.(a|b)', 'x.[,y]']);
    expect(['shop.tt', 'crm.b', 'x.y'].every((text) => found.matches(id(text)))).toBe(true);
    expect(found.matches(id('shop.ttt'))).toBe(false);
  });

  it('subtracts exclusions', () => {
    const found = excluding(selectors(String.raw`shop.\.*`), selectors(String.raw`shop.tmp_\.*`));
    expect(found.matches(id('shop.orders'))).toBe(true);
    expect(found.matches(id('shop.tmp_orders'))).toBe(false);
  });

  it('compares without case only when asked', () => {
    const found = selectors('Shop.Orders');
    expect(found.matches(id('shop.orders'))).toBe(false);
    expect(found.matches(id('shop.orders'), false)).toBe(true);
  });

  it('reports what it read in a relaxed way', () => {
    expect(selectors(String.raw`a\.b, c.d`).relaxed).toEqual([String.raw`a\.b is read as a.b`]);
    expect(selectors(String.raw`a.\.*`).relaxed).toEqual([]);
  });

  it.each([
    ['a.b,,c.d', 5],
    ['a.b,', 5],
    ['a..b', 3],
    ['.b', 1],
    ['a.(b', 3],
    [String.raw`a.(b)\1`, 3],
    ['a.(?=b)c', 3],
    ['a.*b', 3],
  ])('refuses %s at column %i', (text, column) => {
    expect(parseTableSelectors(text)).toMatchObject({ ok: false, column });
  });

  it('demands as many parts as ids of the source have, in either reading', () => {
    expect(parseTableSelectors('orders', { minimumParts: 2 })).toMatchObject({ ok: false });
    expect(parseTableSelectors(String.raw`\.*`, { minimumParts: 2 })).toMatchObject({ ok: false });
    expect(parseTableSelectors(String.raw`shop\.orders`, { minimumParts: 2 })).toMatchObject({ ok: true });
  });

  it('selects exactly the id that it spells, in both spellings of the separator', () => {
    const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,12}$/);
    fc.assert(
      fc.property(name, name, name, name, (database, table, otherDatabase, otherTable) => {
        const other = { namespace: '', schema: otherDatabase, table: otherTable };
        const same = database === otherDatabase && table === otherTable;
        for (const text of [`${database}.${table}`, `${database}\\.${table}`]) {
          const found = selectors(text);
          expect(found.matches({ namespace: '', schema: database, table })).toBe(true);
          expect(found.matches(other)).toBe(same);
        }
      }),
    );
  });

  it('stays linear on a pattern that backtracking engines drown in', () => {
    const found = selectors('db.(a+)+b');
    const started = performance.now();
    expect(found.matches({ namespace: '', schema: 'db', table: 'a'.repeat(5000) })).toBe(false);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});
