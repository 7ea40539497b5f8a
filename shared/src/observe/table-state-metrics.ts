import type { Metrics } from './metrics.ts';
import type { PipelineStatus } from './pipeline-status.ts';
import type { TableState } from './status-snapshot.ts';

/** Shows each table's state as a metric, brought up to date at each scrape. */
export function exposeTableStates(status: PipelineStatus, metrics: Metrics): void {
  const shown = new Map<string, TableState>();
  metrics.onScrape(() => {
    for (const { table, state } of status.snapshot().tables) {
      const before = shown.get(table);
      if (before !== undefined && before !== state) metrics.unset('table_state', { table, state: before });
      metrics.set('table_state', { table, state }, 1);
      shown.set(table, state);
    }
  });
}
