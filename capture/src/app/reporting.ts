import type { CdcError } from '@millrace/shared/errors/cdc-error.ts';
import type { Logger } from '@millrace/shared/observe/logger.ts';
import type { Metrics } from '@millrace/shared/observe/metrics.ts';
import type { PipelineStatus } from '@millrace/shared/observe/pipeline-status.ts';

import type { ProducerObserver } from '@millrace/shared/kafka/producer-observer.ts';

import type { CaptureCounters } from '../pipeline/capture-pipeline.ts';
import type { TableState } from '../pipeline/checkpoint-state.ts';
import type { TableProgress } from '../snapshot/progress.ts';
import type { SourceBacklog } from '../source.ts';
import { CaptureLag } from './capture-lag.ts';

const rowCountOps = ['create', 'update', 'delete', 'read'] as const;
type RowCountOp = (typeof rowCountOps)[number];

/** What the loop tells, as status and metrics. Per event or batch, never per row. */
export class Reporting implements CaptureCounters, ProducerObserver {
  readonly #status: PipelineStatus;
  readonly #metrics: Metrics;
  readonly #logger: Logger;
  /** Of the batch in progress. */
  readonly #counts = new Map<string, Record<RowCountOp, number>>();
  readonly #lag: CaptureLag;
  #backlogBytes: number | null = null;
  #checkpointMs: number | null = null;
  readonly #nowMs: () => number;

  constructor(
    status: PipelineStatus,
    metrics: Metrics,
    logger: Logger,
    heartbeatMs: number,
    nowMs: () => number = Date.now,
  ) {
    this.#status = status;
    this.#metrics = metrics;
    this.#logger = logger;
    this.#nowMs = nowMs;
    this.#lag = new CaptureLag({ heartbeatMs, nowMs });
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
    this.#lag.committed(commitTimeMicros);
  }

  /** Adds up what the batch had of a table and starts anew. */
  #count(table: string, counts: Record<RowCountOp, number>): void {
    let total = 0;
    const streamed = counts.create + counts.update + counts.delete > 0;
    for (const op of rowCountOps) {
      const count = counts[op];
      if (count === 0) continue;
      counts[op] = 0;
      total += count;
      this.#metrics.add('events_received_total', { table, op }, count);
      if (op === 'read') this.#metrics.add('snapshot_rows_total', { table }, count);
      this.#status.tableRows(table, op, count);
    }
    if (total === 0) return;
    this.#status.addTraffic(total, 0);
    if (streamed) this.#lag.packet();
  }

  /** The stream stands at the head of the log: nothing is behind. */
  heartbeat(sourceTimeMicros: number): void {
    this.#lag.heartbeat(sourceTimeMicros);
  }

  replacedTexts(table: string, count: number): void {
    this.#metrics.add('values_replaced_total', { table }, count);
    this.#logger.repeatable('texts do not decode: U+FFFD is written', { table, texts: count });
  }

  delivered(topic: string, records: number, bytes: number): void {
    this.#metrics.add('records_published_total', { topic }, records);
    this.#metrics.add('published_bytes_total', { topic }, bytes);
  }

  answered(seconds: number): void {
    this.#metrics.observe('publish_seconds', {}, seconds);
  }

  sentAgain(): void {
    this.#metrics.add('publish_retries_total', {});
  }

  checkpointStored(): void {
    this.#checkpointMs = this.#nowMs();
  }

  schemaChange(table: string): void {
    this.#metrics.add('schema_changes_total', { table });
    this.#logger.info('schema change', { table });
  }

  tableStopped(table: string, error: CdcError): void {
    this.#metrics.add('errors_total', { code: error.code, stage: error.policy.stage });
    this.#status.tableFailed(table, error);
    this.#logger.error('a table stopped', { table, error });
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

  /** What a look at the source told. */
  backlog({ bytes, position, clockOffsetMs }: SourceBacklog): void {
    this.#backlogBytes = bytes;
    this.#lag.looked(bytes, clockOffsetMs);
    this.#status.setPosition(position);
    if (bytes === null) this.#metrics.unset('source_backlog_bytes', {});
    else this.#metrics.set('source_backlog_bytes', {}, bytes);
    if (clockOffsetMs !== null) this.#metrics.set('clock_skew_seconds', {}, clockOffsetMs / 1000);
  }

  /** Ages grow by themselves. */
  refresh(): void {
    this.#metrics.set('source_last_packet_age_seconds', {}, this.#lag.lastPacketAgeSeconds);
    if (this.#checkpointMs !== null) {
      this.#metrics.set('checkpoint_age_seconds', {}, (this.#nowMs() - this.#checkpointMs) / 1000);
    }
    const { seconds } = this.#lag;
    if (seconds === null) this.#metrics.unset('capture_lag_seconds', {});
    else this.#metrics.set('capture_lag_seconds', {}, seconds);
    this.#status.setLag('capture', { seconds, bytes: this.#backlogBytes });
  }
}
