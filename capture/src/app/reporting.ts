import type { Logger } from '@millrace/shared/observe/logger.ts';
import type { Metrics } from '@millrace/shared/observe/metrics.ts';
import type { PipelineStatus } from '@millrace/shared/observe/pipeline-status.ts';

import type { CaptureCounters } from '../pipeline/capture-pipeline.ts';
import type { TableState } from '../pipeline/checkpoint-state.ts';
import type { TableProgress } from '../snapshot/progress.ts';

const rowCountOps = ['create', 'update', 'delete', 'read'] as const;
type RowCountOp = (typeof rowCountOps)[number];

/** What the loop tells, as status and metrics. Per event or batch, never per row. */
export class Reporting implements CaptureCounters {
  readonly #status: PipelineStatus;
  readonly #metrics: Metrics;
  readonly #logger: Logger;
  /** Of the batch in progress. */
  readonly #counts = new Map<string, Record<RowCountOp, number>>();
  #newestCommitMicros = 0;
  #backlogBytes: number | null = null;
  #lastPacketMs: number;
  readonly #nowMs: () => number;

  constructor(status: PipelineStatus, metrics: Metrics, logger: Logger, nowMs: () => number = Date.now) {
    this.#status = status;
    this.#metrics = metrics;
    this.#logger = logger;
    this.#nowMs = nowMs;
    this.#lastPacketMs = nowMs();
    metrics.onScrape(() => {
      this.refresh();
    });
  }

  rows(table: string, op: RowCountOp, count: number): void {
    let counts = this.#counts.get(table);
    if (counts === undefined) {
      counts = { create: 0, update: 0, delete: 0, read: 0 };
      this.#counts.set(table, counts);
    }
    counts[op] += count;
  }

  turn(transactions: number, commitTimeMicros: number): void {
    for (const [table, counts] of this.#counts) this.#count(table, counts);
    if (transactions === 0) return;
    this.#metrics.add('transactions_total', {}, transactions);
    this.#newestCommitMicros = commitTimeMicros;
    this.#lastPacketMs = this.#nowMs();
  }

  /** Adds up what the batch had of a table and starts anew. */
  #count(table: string, counts: Record<RowCountOp, number>): void {
    let total = 0;
    for (const op of rowCountOps) {
      const count = counts[op];
      if (count === 0) continue;
      counts[op] = 0;
      total += count;
      this.#metrics.add('events_received_total', { table, op }, count);
      if (op === 'read') this.#metrics.add('snapshot_rows_total', { table }, count);
      this.#status.tableRows(table, op, count);
    }
    if (total > 0) this.#status.addTraffic(total, 0);
  }

  /** The stream stands at the head of the log: nothing is behind. */
  heartbeat(sourceTimeMicros: number): void {
    this.#newestCommitMicros = sourceTimeMicros > 0 ? sourceTimeMicros : this.#nowMs() * 1000;
    this.#lastPacketMs = this.#nowMs();
  }

  schemaChange(table: string): void {
    this.#metrics.add('schema_changes_total', { table });
    this.#logger.info('schema change', { table });
  }

  tableState(table: string, state: TableState, progress: TableProgress | undefined): void {
    if (state.state === 'stopped') return;
    if (state.state === 'live') {
      this.#status.tableState(table, 'live');
      return;
    }
    const shown = progress ?? state.progress;
    this.#status.tableState(table, 'snapshotting');
    this.#status.tableProgress(table, shown.rowsDone, shown.rowsEstimated, shown.open.length);
    this.#metrics.set('snapshot_rows_estimated', { table }, shown.rowsEstimated);
    this.#metrics.set('snapshot_chunks_remaining', { table }, shown.open.length);
  }

  inFlight(bytes: number): void {
    this.#status.setInFlightBytes(bytes);
    this.#metrics.set('inflight_bytes', {}, bytes);
  }

  /** Log bytes at the source that are not read yet; null where unknown. */
  backlog(bytes: number | null): void {
    this.#backlogBytes = bytes;
  }

  /** Ages grow by themselves. */
  refresh(): void {
    const now = this.#nowMs();
    this.#metrics.set('source_last_packet_age_seconds', {}, (now - this.#lastPacketMs) / 1000);
    if (this.#newestCommitMicros === 0) return;
    const seconds = Math.max(0, now - this.#newestCommitMicros / 1000) / 1000;
    this.#metrics.set('capture_lag_seconds', {}, seconds);
    this.#status.setLag('capture', { seconds, bytes: this.#backlogBytes });
  }
}
