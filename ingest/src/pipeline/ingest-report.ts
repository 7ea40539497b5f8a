import type { Logger } from '@millrace/shared/observe/logger.ts';
import type { Metrics } from '@millrace/shared/observe/metrics.ts';
import type { PipelineStatus } from '@millrace/shared/observe/pipeline-status.ts';

import type { DestinationObserver, LakeTableSize, TopicPartition } from '../destination.ts';
import type { SourceTable } from '../project/source-table.ts';
import { DistributionWatch } from './distribution-watch.ts';
import type { PipelineObserver } from './ingest-pipeline.ts';
import type { CommitReport } from './lane.ts';
import type { FetchReport } from './partition-pump.ts';

export interface IngestReportOptions {
  readonly metrics: Metrics;
  readonly status: PipelineStatus;
  readonly log: Logger;
  /** False: nobody is told that tables are spread or share a topic. */
  readonly watchDistribution: boolean;
  readonly nowMs?: () => number;
}

/** Metrics, status and log of an ingest: fed per fetch, commit and rebalance. */
export class IngestReport implements PipelineObserver, DestinationObserver {
  readonly #options: IngestReportOptions;
  readonly #nowMs: () => number;
  readonly #distribution: DistributionWatch | null;
  readonly #owned = new Map<string, number>();
  #backlogRecords: number | null = null;
  #lastCommitMs: number | null = null;
  /** Commit time at the source of the newest durable change, and the lag that it became durable with. */
  #sourceTimeMs = 0;
  #lagSeconds: number | null = null;

  constructor(options: IngestReportOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? Date.now;
    const { log, metrics } = options;
    this.#distribution = options.watchDistribution
      ? new DistributionWatch((message, table, topic) => log.warn(message, { table, topic }))
      : null;
    metrics.onScrape(() => this.#refresh());
  }

  onFetch({ topic, counts, bytes }: FetchReport): void {
    const { metrics, status, log } = this.#options;
    if (counts.records === 0) return;
    metrics.add('records_consumed_total', { topic }, counts.records);
    metrics.add('consumed_bytes_total', { topic }, bytes);
    const repeated = counts.duplicates + counts.alreadyApplied;
    if (repeated > 0) metrics.add('duplicates_skipped_total', {}, repeated);
    status.addTraffic(counts.records, bytes);
    if (counts.truncatesIgnored > 0) {
      log.repeatable('truncated at the source, not applied', { topic, records: counts.truncatesIgnored });
    }
    if (counts.tombstonesSkipped > 0) {
      log.repeatable('tombstones without the whole key of a known table are skipped', {
        topic,
        records: counts.tombstonesSkipped,
      });
    }
  }

  onCommit({ batch, changes, rows, seconds }: CommitReport): void {
    const { metrics, status } = this.#options;
    const delaySeconds = batch.sourceTimeMicros > 0 ? (this.#nowMs() - batch.sourceTimeMicros / 1000) / 1000 : null;
    this.#lastCommitMs = this.#nowMs();
    metrics.add('commits_total', {});
    metrics.observe('commit_seconds', {}, seconds);
    if (changes > rows) metrics.add('rows_folded_total', {}, changes - rows);
    for (const { target, upserts, deletes } of batch.tables) {
      const { schema, table } = target.schema.id;
      const name = schema === '' ? table : `${schema}.${table}`;
      if (upserts.count > 0) metrics.add('rows_written_total', { table: name, op: 'upsert' }, upserts.count);
      if (deletes.count > 0) metrics.add('rows_written_total', { table: name, op: 'delete' }, deletes.count);
      status.tableRows(name, 'update', upserts.count);
      status.tableRows(name, 'delete', deletes.count);
      // Of the newest change in the commit: the tables of a commit are read side by side.
      if (delaySeconds !== null) status.tableLag(name, delaySeconds);
      status.tableState(name, this.#backlogRecords === 0 ? 'live' : 'catching-up');
    }
    for (const { topic, partition, to } of batch.partitions) status.setOffset(topic, partition, to);
    if (batch.sourceTimeMicros > 0) {
      this.#sourceTimeMs = Math.max(this.#sourceTimeMs, batch.sourceTimeMicros / 1000);
      this.#lagSeconds = Math.max(0, (this.#nowMs() - this.#sourceTimeMs) / 1000);
    }
    this.#refresh();
  }

  commitConflict(): void {
    this.#options.metrics.add('commit_conflicts_total', {});
  }

  statementRetry(reason: string): void {
    this.#options.metrics.add('statement_retries_total', { reason });
  }

  lakeTable(table: string, { files, bytes, deletionVectors }: LakeTableSize): void {
    const { metrics } = this.#options;
    metrics.set('files_live', { table }, files);
    metrics.set('lake_bytes', { table }, bytes);
    metrics.set('deletion_vectors', { table }, deletionVectors);
  }

  onBacklog(partitions: readonly (TopicPartition & { readonly backlog: number })[], bufferedBytes: number): void {
    const { metrics, status } = this.#options;
    metrics.set('buffered_bytes', {}, bufferedBytes);
    status.setInFlightBytes(bufferedBytes);
    if (partitions.some(({ backlog }) => backlog < 0)) return;
    const byTopic = new Map<string, number>();
    for (const { topic, backlog } of partitions) byTopic.set(topic, (byTopic.get(topic) ?? 0) + backlog);
    let sum = 0;
    for (const [topic, backlog] of byTopic) {
      metrics.set('consumer_backlog_records', { topic }, backlog);
      sum += backlog;
    }
    const caughtUp = sum === 0 && this.#backlogRecords !== 0;
    this.#backlogRecords = sum;
    status.setLag('backlog', { events: sum });
    if (caughtUp) this.#allLive();
  }

  onAssigned(partitions: readonly TopicPartition[]): void {
    const { metrics, status, log } = this.#options;
    metrics.add('rebalances_total', {});
    this.#count(partitions, 1);
    status.enter('running');
    log.info('partitions assigned', { partitions: partitions.length });
  }

  onRevoked(partitions: readonly TopicPartition[]): void {
    const { status, log } = this.#options;
    this.#count(partitions, -1);
    for (const { topic, partition } of partitions) status.dropOffset(topic, partition);
    log.info('partitions given up', { partitions: partitions.length });
  }

  onTable(table: SourceTable, partition: TopicPartition): void {
    this.#distribution?.met(table, partition);
    for (const target of table.targets) {
      this.#options.status.tableState(target.text, this.#backlogRecords === 0 ? 'live' : 'catching-up');
    }
  }

  #allLive(): void {
    for (const { table, state } of this.#options.status.snapshot().tables) {
      if (state === 'catching-up') this.#options.status.tableState(table, 'live');
    }
  }

  #count(partitions: readonly TopicPartition[], by: 1 | -1): void {
    for (const { topic } of partitions) {
      const owned = (this.#owned.get(topic) ?? 0) + by;
      this.#owned.set(topic, owned);
      this.#options.metrics.set('partitions_owned', { topic }, owned);
    }
  }

  /** While records wait, the newest durable change grows old; with none waiting the last change's own delay stands. */
  #refresh(): void {
    const { metrics, status } = this.#options;
    if (this.#lastCommitMs !== null) metrics.set('commit_age_seconds', {}, (this.#nowMs() - this.#lastCommitMs) / 1000);
    if (this.#lagSeconds === null) return;
    const waiting = this.#backlogRecords !== null && this.#backlogRecords > 0;
    const seconds = waiting ? (this.#nowMs() - this.#sourceTimeMs) / 1000 : this.#lagSeconds;
    metrics.set('ingest_lag_seconds', {}, Math.max(0, seconds));
    status.setLag('ingest', { events: this.#backlogRecords, seconds });
  }
}
