import { parseTableSelectors } from '@millrace/shared/config/table-selectors.ts';
import type { TableId } from '@millrace/shared/event/table-id.ts';
import { expect, test } from 'vitest';

import type { NewTables } from '../pipeline/start-state.ts';
import { CapturedTables } from './captured-tables.ts';

function tables(newTables: NewTables): { readonly captured: CapturedTables; readonly told: string[] } {
  const selectors = parseTableSelectors('shop.*');
  if (!selectors.ok) throw new Error(selectors.rule);
  const told: string[] = [];
  return { captured: new CapturedTables(selectors.value, newTables, (table) => told.push(table)), told };
}

const id = (table: string, schema = 'shop'): TableId => ({ namespace: '', schema, table });

test('before the start the selectors alone decide', () => {
  const { captured } = tables('ignore');
  expect([captured.captures(id('a')), captured.captures(id('a', 'crm'))]).toEqual([true, false]);
});

test('a table that comes later and is not asked for is told of once', () => {
  const { captured, told } = tables('ignore');
  captured.begin(['shop.a'], []);
  const seen = [id('a'), id('b'), id('b'), id('b', 'crm')].map((table) => captured.captures(table));
  expect(seen).toEqual([true, false, false, false]);
  expect(told).toEqual(['shop.b']);
});

test.each(['snapshot', 'stream-from-create'] as const)('with %s a table that comes later is captured', (newTables) => {
  const { captured, told } = tables(newTables);
  captured.begin(['shop.a'], ['shop.c']);
  expect([captured.captures(id('b')), captured.captures(id('c'))]).toEqual([true, false]);
  expect(told).toEqual([]);
});
