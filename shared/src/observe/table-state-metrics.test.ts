import { expect, test } from 'vitest';
import { Metrics } from './metrics.ts';
import { PipelineStatus } from './pipeline-status.ts';
import { exposeTableStates } from './table-state-metrics.ts';

test('each table shows the one state that it is in', async () => {
  const metrics = new Metrics('shop', 'capture');
  const status = new PipelineStatus({ pipeline: 'shop', kind: 'capture', version: '1' });
  exposeTableStates(status, metrics);
  const states = async (): Promise<string[]> =>
    (await metrics.text()).split('\n').filter((line) => line.startsWith('millrace_table_state{'));
  status.tableState('a', 'snapshotting');
  expect(await states()).toEqual(['millrace_table_state{table="a",state="snapshotting",pipeline="shop"} 1']);
  status.tableState('a', 'live');
  expect(await states()).toEqual(['millrace_table_state{table="a",state="live",pipeline="shop"} 1']);
});
