import { silentLogger } from '@millrace/shared/observe/logger.ts';
import { tableSchema } from '@millrace/shared/event/schema.ts';
import { Metrics } from '@millrace/shared/observe/metrics.ts';
import { PipelineStatus } from '@millrace/shared/observe/pipeline-status.ts';
import { expect, it } from 'vitest';

import { noCounts } from '../decode/decode-counts.ts';
import type { LaneBatch } from '../destination.ts';
import { IngestReport } from './ingest-report.ts';

const partition = { topic: 't', partition: 0 };

class Watched {
  nowMs = 100_000;
  readonly metrics = new Metrics('p', 'ingest');
  readonly status = new PipelineStatus({ pipeline: 'p', kind: 'ingest', version: '1' });
  readonly report = new IngestReport({
    metrics: this.metrics,
    status: this.status,
    log: silentLogger,
    watchDistribution: false,
    nowMs: () => this.nowMs,
  });

  commit(sourceTimeMicros: number): void {
    const batch: LaneBatch = {
      partitions: [{ ...partition, from: 0n, to: 7n, marks: new Map() }],
      tables: [],
      sourceTimeMicros,
    };
    this.report.onCommit({ batch, changes: 9, rows: 4, seconds: 0.5 });
  }

  async metric(name: string): Promise<number | null> {
    const text = await this.metrics.text();
    const value = new RegExp(`^millrace_${name}\\{[^}]*\\} (.+)$`, 'm').exec(text)?.[1];
    return value === undefined ? null : Number(value);
  }
}

it('the lag of an idle ingest is the delay of its last change, and grows while records wait', async () => {
  const watched = new Watched();
  expect(await watched.metric('ingest_lag_seconds')).toBeNull();
  watched.report.onBacklog([{ ...partition, backlog: 0 }], 0);
  watched.commit(98_000_000);
  watched.nowMs = 150_000;
  expect(await watched.metric('ingest_lag_seconds')).toBe(2);
  watched.report.onBacklog([{ ...partition, backlog: 3 }], 0);
  expect(await watched.metric('ingest_lag_seconds')).toBe(52);
  expect(await watched.metric('commit_age_seconds')).toBe(50);
});

it('the backlog stays unknown until every partition has answered', async () => {
  const watched = new Watched();
  watched.report.onBacklog(
    [
      { ...partition, backlog: 5 },
      { topic: 't', partition: 1, backlog: -1 },
    ],
    10,
  );
  expect(await watched.metric('consumer_backlog_records')).toBeNull();
  watched.report.onBacklog(
    [
      { ...partition, backlog: 5 },
      { topic: 't', partition: 1, backlog: 2 },
    ],
    10,
  );
  expect(await watched.metric('consumer_backlog_records')).toBe(7);
  expect(watched.status.snapshot().lag.backlog?.events).toBe(7);
});

it('fetches and commits are counted', async () => {
  const watched = new Watched();
  watched.report.onAssigned([partition]);
  watched.report.onFetch({ ...partition, counts: { ...noCounts(), records: 9, duplicates: 2 }, bytes: 400 });
  watched.commit(0);
  expect(await watched.metric('records_consumed_total')).toBe(9);
  expect(await watched.metric('duplicates_skipped_total')).toBe(2);
  expect(await watched.metric('rows_folded_total')).toBe(5);
  expect(await watched.metric('partitions_owned')).toBe(1);
  const { state, offsets } = watched.status.snapshot();
  expect([state, offsets]).toStrictEqual(['running', { t: { 0: '7' } }]);
  watched.report.onRevoked([partition]);
  expect(watched.status.snapshot().offsets).toStrictEqual({});
});

it('a table shows its rows and the delay of the newest change of its last commit', () => {
  const watched = new Watched();
  const none = { count: 0, buffers: [], bufferIndex: new Int32Array(), start: new Int32Array(), end: new Int32Array() };
  const schema = tableSchema({
    id: { namespace: '', schema: 'shop', table: 'orders' },
    columns: [],
    primaryKey: [],
    comment: null,
  });
  const batch: LaneBatch = {
    partitions: [],
    tables: [
      {
        target: { schema },
        upserts: { ...none, count: 3 },
        deletes: { ...none, count: 1 },
        upsertPartition: new Int32Array(),
        deletePartition: new Int32Array(),
        truncateFirst: false,
      },
    ],
    sourceTimeMicros: (watched.nowMs - 2_500) * 1000,
  };
  watched.report.onCommit({ batch, changes: 4, rows: 4, seconds: 0.1 });
  watched.nowMs += 60_000;
  const [table] = watched.status.snapshot().tables;
  expect(table).toMatchObject({ table: 'shop.orders', rows: { update: 3, delete: 1 }, lagSeconds: 2.5 });
});

it('incidents and sizes that a destination tells become metrics', async () => {
  const watched = new Watched();
  watched.report.commitConflict();
  watched.report.statementRetry('deadlock');
  watched.report.lakeTable('shop.orders', { files: 3, bytes: 4096, deletionVectors: 2 });
  const names = ['commit_conflicts_total', 'statement_retries_total', 'files_live', 'lake_bytes', 'deletion_vectors'];
  expect(await Promise.all(names.map((name) => watched.metric(name)))).toEqual([1, 1, 3, 4096, 2]);
});
