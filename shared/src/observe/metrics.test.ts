import { expect, test } from 'vitest';
import { metricDeclarations } from './metric-declarations.ts';
import { Metrics } from './metrics.ts';

function series(text: string, name: string): string[] {
  return text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
}

test('a counter adds up per label set and carries the pipeline', async () => {
  const metrics = new Metrics('shop', 'capture');
  metrics.add('events_received_total', { table: 'shop.orders', op: 'create' }, 5);
  metrics.add('events_received_total', { table: 'shop.orders', op: 'create' }, 2);
  expect(series(await metrics.text(), 'millrace_events_received_total')).toEqual([
    'millrace_events_received_total{table="shop.orders",op="create",pipeline="shop"} 7',
  ]);
});

test('an unknown gauge is absent, not 0, before it is set and after it is unset', async () => {
  const metrics = new Metrics('shop', 'capture');
  expect(series(await metrics.text(), 'millrace_capture_lag_seconds')).toEqual([]);
  metrics.set('capture_lag_seconds', {}, 1.5);
  expect(series(await metrics.text(), 'millrace_capture_lag_seconds')).toEqual([
    'millrace_capture_lag_seconds{pipeline="shop"} 1.5',
  ]);
  metrics.unset('capture_lag_seconds', {});
  expect(series(await metrics.text(), 'millrace_capture_lag_seconds')).toEqual([]);
});

test('a process shows the metrics of its own kind and those of both, beside the standard ones of the process', async () => {
  const text = await new Metrics('lake', 'ingest').text();
  const shown = [...text.matchAll(/^# HELP millrace_(\w+) /gm)].map(([, name]) => name);
  const declared = Object.entries(metricDeclarations).filter(([, declaration]) => declaration.in !== 'capture');
  expect(new Set(shown)).toEqual(new Set(declared.map(([name]) => name)));
  expect(text).toMatch(/^process_resident_memory_bytes\{pipeline="lake"\} \d/m);
});

test('ages are brought up to date at each scrape', async () => {
  const metrics = new Metrics('shop', 'capture');
  let age = 0;
  metrics.onScrape(() => metrics.set('checkpoint_age_seconds', {}, ++age));
  await metrics.text();
  expect(await metrics.text()).toContain('millrace_checkpoint_age_seconds{pipeline="shop"} 2');
});
