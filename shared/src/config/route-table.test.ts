import { describe, expect, it } from 'vitest';

import { tableIdText } from '../event/table-id.ts';
import type { TableId } from '../event/table-id.ts';
import { parseRouteRule, routeTable } from './route-table.ts';
import type { RouteRule } from './route-table.ts';

function id(text: string): TableId {
  const [table = '', schema = '', namespace = ''] = text.split('.').toReversed();
  return { namespace, schema, table };
}

function rule(sourceTable: string, sinkTable: string, replaceSymbol: string | null = null): RouteRule {
  const { sink } = parseRouteRule({ sourceTable, sinkTable, replaceSymbol, description: null });
  if (!sink.ok) throw new Error(sink.rule);
  return sink.value;
}

function routed(text: string, rules: readonly RouteRule[], mode?: 'all-match' | 'first-match'): readonly string[] {
  return routeTable(id(text), rules, mode).map(tableIdText);
}

describe('examples of the specification', () => {
  it('merges tables into a literal', () => {
    const rules = [rule(String.raw`db_3.table_\.*`, 'db_3.merged')];
    expect(routed('db_3.table_1', rules)).toEqual(['db_3.merged']);
    expect(routed('db_3.other', rules)).toEqual(['db_3.other']);
  });

  it('puts the table name where the replace symbol stands', () => {
    const rules = [rule(String.raw`db_5.table_\.*`, 'db_5.p_<>_s', '<>')];
    expect(routed('db_5.table_1', rules)).toEqual(['db_5.p_table_1_s']);
  });

  it('fills groups in', () => {
    const rules = [rule(String.raw`(inv_\d+).(table_\.*)`, '$2.$1')];
    expect(routed('inv_1.table_foo', rules)).toEqual(['table_foo.inv_1']);
    expect(routed('inv_x.table_foo', rules)).toEqual(['inv_x.table_foo']);
  });

  it('swaps two tables, never chained', () => {
    const rules = [rule('db.a', 'db.b'), rule('db.b', 'db.a')];
    expect(routed('db.a', rules)).toEqual(['db.b']);
    expect(routed('db.b', rules)).toEqual(['db.a']);
  });
});

describe('routeTable', () => {
  it('sends one table to many, or only to the first', () => {
    const rules = [rule(String.raw`db.\.*`, 'x.all'), rule('db.a', 'y.a'), rule('db.a', 'x.all')];
    expect(routed('db.a', rules)).toEqual(['x.all', 'y.a']);
    expect(routed('db.a', rules, 'first-match')).toEqual(['x.all']);
  });

  it(String.raw`takes \.* alone for every table`, () => {
    expect(routed('db.a', [rule(String.raw`\.*`, 'x.all')])).toEqual(['x.all']);
  });

  it('understands the relaxed spelling of a whole database', () => {
    expect(routed('kafka_test.a', [rule(String.raw`kafka_test\.\*`, 'x.all')])).toEqual(['x.all']);
  });

  it('counts groups over all alternatives of a list, as OSS does', () => {
    const rules = [rule(String.raw`a_(\d).t, b_(\d).t`, 'all.t_$1$2')];
    expect(routed('a_1.t', rules)).toEqual(['all.t_1']);
    expect(routed('b_2.t', rules)).toEqual(['all.t_2']);
  });

  it('takes special characters of a table name as they are', () => {
    const odd: TableId = { namespace: '', schema: 'db', table: 'a$&b' };
    expect(routeTable(odd, [rule(String.raw`db.\.*`, 'db.x_<>', '<>')])).toEqual([
      { namespace: '', schema: 'db', table: 'x_a$&b' },
    ]);
  });

  it('compares without case when asked', () => {
    const rules = [rule('DB.A', 'x.y'), rule('(DB).A', '$1.z')];
    expect(routeTable(id('db.a'), rules)).toEqual([id('db.a')]);
    expect(routeTable(id('db.a'), rules, 'all-match', false)).toEqual([id('x.y'), id('db.z')]);
  });

  it.each([
    ['a.b', 'c'],
    ['a.b', 'c.'],
    ['a.b', 'a.b.c.d'],
    ['(a).b', '$2.b'],
  ])('refuses %s → %s', (sourceTable, sinkTable) => {
    const { sink } = parseRouteRule({ sourceTable, sinkTable, replaceSymbol: null, description: null });
    expect(sink.ok).toBe(false);
  });
});
