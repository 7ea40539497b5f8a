import { parseTableSelectors } from '@millrace/shared/config/table-selectors.ts';
import type { TableSelectors } from '@millrace/shared/config/table-selectors.ts';
import { expect, it } from 'vitest';

import { TypeOverrideMap } from './type-override-map.ts';

function selectors(text: string): TableSelectors {
  const parsed = parseTableSelectors(text);
  if (!parsed.ok) throw new Error(parsed.rule);
  return parsed.value;
}

it('answers by table selector and column, the first entry first', () => {
  const map = new TypeOverrideMap([
    { tables: selectors('shop.orders'), column: 'amount', type: 'numeric(30,4)' },
    { tables: selectors('shop.\\.*'), column: 'amount', type: 'text' },
    { tables: selectors('shop.\\.*'), column: 'dotted.name', type: 'json' },
  ]);
  expect(map.get('shop.orders.amount')).toBe('numeric(30,4)');
  expect(map.get('shop.items.amount')).toBe('text');
  expect(map.get('shop.items.dotted.name')).toBe('json');
  expect([map.get('crm.items.amount'), map.has('shop.items.other')]).toStrictEqual([undefined, false]);
});
