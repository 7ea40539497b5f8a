import { describe, expect, it } from 'vitest';

import { tableIdText } from '../../event/table-id.ts';
import { routeTable } from '../route-table.ts';
import { loadCapture, loadText, plainCapture, problemsOf } from '../sample-documents.ts';
import { transformFor } from '../transform-rule.ts';

const orders = { namespace: '', schema: 'shop', table: 'orders' };

describe('transform', () => {
  it('applies the first rule whose tables match', () => {
    const { transform } = loadCapture(`${plainCapture}transform:
  - source-table: shop.orders
    projection: id, total
    primary-keys: [id]
    description: money only
  - source-table: shop.\\.*
    projection: '*'
`);
    expect(transformFor(transform, orders)).toMatchObject({
      columns: ['id', 'total'],
      primaryKeys: ['id'],
      description: 'money only',
    });
    expect(transformFor(transform, { ...orders, table: 'items' })).toMatchObject({ columns: null, primaryKeys: null });
    expect(transformFor(transform, { ...orders, schema: 'crm' })).toBeNull();
    expect(transformFor(transform, { ...orders, table: 'ORDERS' }, false)).toMatchObject({ columns: ['id', 'total'] });
  });

  it.each([
    ['filter: id > 1', 'unsupported: filters'],
    ['projection: id, name AS n', 'unsupported: computed columns'],
    ['projection: a, __table_name__', 'unsupported: metadata columns'],
    ['converter-after-transform: SOFT_DELETE', 'unsupported: converters'],
    ['table-options: a=b', 'unsupported: table options'],
    ['projections: id', 'unknown-key: not an option of transform[0]  (nearest: projection)'],
    ['primary-keys: a(b)', 'syntax: expected column names'],
  ])('refuses %s', (line, expected) => {
    expect(problemsOf(`${plainCapture}transform:\n  - source-table: a.b\n    ${line}\n`)[0]).toContain(expected);
  });

  it('refuses a key that the projection leaves out, and a rule without tables', () => {
    const text = `${plainCapture}transform:\n  - projection: a\n    primary-keys: a, b\n`;
    expect(problemsOf(text)).toEqual([
      'transform[0].source-table  missing: required: Tables that the rule is for; the first rule that matches applies',
      "transform[0].primary-keys  'a, b'  conflict: a key column that the projection leaves out",
    ]);
  });
});

describe('route', () => {
  it('is read and applied', () => {
    const { route, runtime } = loadCapture(`${plainCapture}route:
  - source-table: shop.order\\.*
    sink-table: all.<>
    replace-symbol: <>
pipeline: {route-mode: FIRST_MATCH}
`);
    expect(routeTable(orders, route, runtime.routeMode).map(tableIdText)).toEqual(['all.orders']);
  });

  it('warns of a relaxed selector, and reports both sides of a rule', () => {
    const rule = (source: string, sink: string): string =>
      `${plainCapture}route:\n  - source-table: ${source}\n    sink-table: ${sink}\n`;
    expect(loadText(rule(String.raw`a\.b`, 'x.y')).warnings[0]).toContain(String.raw`a\.b is read as a.b`);
    expect(problemsOf(rule('a.(b', 'x.y'))[0]).toContain('source-table');
    expect(problemsOf(rule('(a).b', '$1.$2'))).toEqual([
      "route[0].sink-table  '$1.$2'  syntax: expected only groups that the source-table has (column 4 of the value)",
    ]);
  });
});
