import { loadPipeline } from '@millrace/shared/config/load-pipeline.ts';
import { tableIdText } from '@millrace/shared/event/table-id.ts';
import { expect, it } from 'vitest';

import { projectionRules } from './rules-from-document.ts';
import type { ProjectionRules } from './source-tables.ts';

function rulesOf(document: string): ProjectionRules {
  const { pipeline } = loadPipeline({
    file: 'ingest.yaml',
    sets: [],
    varsFiles: [],
    secretsDir: null,
    environment: {},
    readFile: () => document,
  });
  if (pipeline.kind !== 'ingest') throw new Error('not an ingest document');
  return projectionRules(pipeline);
}

const rules = rulesOf(`
source:
  type: kafka
  properties.bootstrap.servers: localhost:9092
  topic-pattern: shop\\..*
  tables: shop.\\.*
  tables.exclude: shop.secret
transform:
  - source-table: shop.orders
    projection: id, amount
    primary-keys: id
route:
  - source-table: shop.orders_\\d+
    sink-table: shop.orders_all
sink:
  type: postgres
  url: postgresql://localhost/dw
  username: dw
  password: secret
`);

function table(name: string, schema = 'shop'): { namespace: string; schema: string; table: string } {
  return { namespace: '', schema, table: name };
}

it('tables outside the list are left out', () => {
  const included = [table('orders'), table('secret'), table('orders', 'crm')].map((id) => rules.rulesFor(id).included);
  expect(included).toStrictEqual([true, false, false]);
});

it('the first matching transform gives columns and key', () => {
  expect(rules.rulesFor(table('orders'))).toMatchObject({ columns: ['id', 'amount'], primaryKeys: ['id'] });
  expect(rules.rulesFor(table('items'))).toMatchObject({ columns: null, primaryKeys: null });
});

it('routes gather shards in one target', () => {
  const targets = [table('orders_1'), table('orders_22'), table('items')].map((id) => rules.route(id).map(tableIdText));
  expect(targets).toStrictEqual([['shop.orders_all'], ['shop.orders_all'], ['shop.items']]);
});
