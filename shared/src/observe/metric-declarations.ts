export interface MetricDeclaration {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly in: 'capture' | 'ingest' | 'both';
  readonly help: string;
  readonly labels: readonly string[];
  readonly buckets?: readonly number[];
}

const secondsBuckets = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/**
 * The one list of metrics, without their prefix `millrace_`; every series also has the label `pipeline`.
 * `docs/reference/metrics.md` is generated from it. Label values come from closed sets or the document's tables.
 */
export const metricDeclarations = {
  pipeline_up: {
    type: 'gauge',
    in: 'both',
    help: '1 while the pipeline runs, 0 while it waits to retry or has stopped.',
    labels: [],
  },
  table_state: { type: 'gauge', in: 'both', help: '1 for the state that the table is in.', labels: ['table', 'state'] },
  errors_total: {
    type: 'counter',
    in: 'both',
    help: 'Failures of the pipeline or of one of its tables, by code.',
    labels: ['code', 'stage'],
  },
  build_info: {
    type: 'gauge',
    in: 'both',
    help: 'Always 1; the labels say what runs.',
    labels: ['version', 'kind', 'node'],
  },

  events_received_total: {
    type: 'counter',
    in: 'capture',
    help: 'Row changes read from the source.',
    labels: ['table', 'op'],
  },
  transactions_total: {
    type: 'counter',
    in: 'capture',
    help: 'Transactions read from the source.',
    labels: [],
  },
  capture_lag_seconds: {
    type: 'gauge',
    in: 'capture',
    help: "Now by the source's clock minus the commit time of the newest change read; absent while unknown.",
    labels: [],
  },
  source_last_packet_age_seconds: {
    type: 'gauge',
    in: 'capture',
    help: 'Since the source last sent anything, heartbeats too. Look at it together with the lag.',
    labels: [],
  },
  schema_changes_total: {
    type: 'counter',
    in: 'capture',
    help: 'Schema changes of captured tables.',
    labels: ['table'],
  },
  snapshot_rows_total: { type: 'counter', in: 'capture', help: 'Rows published by snapshots.', labels: ['table'] },
  snapshot_rows_estimated: {
    type: 'gauge',
    in: 'capture',
    help: "The source's estimate of the table's rows at the start of its snapshot.",
    labels: ['table'],
  },
  snapshot_chunks_remaining: {
    type: 'gauge',
    in: 'capture',
    help: 'Planned chunks whose rows are not all published.',
    labels: ['table'],
  },
  records_published_total: {
    type: 'counter',
    in: 'capture',
    help: 'Records that the brokers acknowledged.',
    labels: ['topic'],
  },
  published_bytes_total: {
    type: 'counter',
    in: 'capture',
    help: 'Bytes of acknowledged record batches, as sent.',
    labels: ['topic'],
  },
  publish_seconds: {
    type: 'histogram',
    in: 'capture',
    help: 'From sending a produce request to its answer.',
    labels: [],
    buckets: secondsBuckets,
  },
  publish_retries_total: { type: 'counter', in: 'capture', help: 'Produce requests that were sent again.', labels: [] },
  inflight_bytes: {
    type: 'gauge',
    in: 'capture',
    help: 'Bytes of records that no broker has acknowledged.',
    labels: [],
  },
  checkpoint_age_seconds: { type: 'gauge', in: 'capture', help: 'Since a checkpoint was last stored.', labels: [] },
  clock_skew_seconds: {
    type: 'gauge',
    in: 'capture',
    help: "How far the source's clock is ahead of this machine's; the lag is corrected by it.",
    labels: [],
  },
  source_backlog_bytes: {
    type: 'gauge',
    in: 'capture',
    help: "Bytes of the source's log that are not read yet; absent while unknown.",
    labels: [],
  },
  values_replaced_total: {
    type: 'counter',
    in: 'capture',
    help: 'Texts in which U+FFFD stands for bytes that their charset cannot decode. Must stay 0.',
    labels: ['table'],
  },

  records_consumed_total: { type: 'counter', in: 'ingest', help: 'Records taken from the topic.', labels: ['topic'] },
  consumed_bytes_total: {
    type: 'counter',
    in: 'ingest',
    help: 'Bytes of records taken from the topic, uncompressed.',
    labels: ['topic'],
  },
  consumer_backlog_records: {
    type: 'gauge',
    in: 'ingest',
    help: 'Records between the read position and the end of the owned partitions; absent while unknown.',
    labels: ['topic'],
  },
  ingest_lag_seconds: {
    type: 'gauge',
    in: 'ingest',
    help: 'Now minus the commit time at the source of the newest change that is durable here; absent while unknown.',
    labels: [],
  },
  buffered_bytes: { type: 'gauge', in: 'ingest', help: 'Bytes of changes that are not durable yet.', labels: [] },
  rows_written_total: {
    type: 'counter',
    in: 'ingest',
    help: 'Keys written or deleted by durable commits.',
    labels: ['table', 'op'],
  },
  rows_folded_total: {
    type: 'counter',
    in: 'ingest',
    help: 'Changes that a later change of the same key in the same batch replaced.',
    labels: [],
  },
  duplicates_skipped_total: { type: 'counter', in: 'ingest', help: 'Records that were applied before.', labels: [] },
  commits_total: { type: 'counter', in: 'ingest', help: 'Durable commits.', labels: [] },
  commit_seconds: {
    type: 'histogram',
    in: 'ingest',
    help: 'From the end of a batch to its durable commit.',
    labels: [],
    buckets: secondsBuckets,
  },
  commit_age_seconds: { type: 'gauge', in: 'ingest', help: 'Since the last durable commit.', labels: [] },
  commit_conflicts_total: {
    type: 'counter',
    in: 'ingest',
    help: 'Commits that another writer came before and that were tried again.',
    labels: [],
  },
  statement_retries_total: {
    type: 'counter',
    in: 'ingest',
    help: 'Transactions tried again: deadlock, serialization, lock, connection, other.',
    labels: ['reason'],
  },
  rebalances_total: { type: 'counter', in: 'ingest', help: 'Changes of the owned partitions.', labels: [] },
  partitions_owned: { type: 'gauge', in: 'ingest', help: 'Partitions that this member owns.', labels: ['topic'] },
  files_live: { type: 'gauge', in: 'ingest', help: 'Data files of the current lake version.', labels: ['table'] },
  lake_bytes: {
    type: 'gauge',
    in: 'ingest',
    help: 'Bytes of the data files of the current lake version.',
    labels: ['table'],
  },
  deletion_vectors: {
    type: 'gauge',
    in: 'ingest',
    help: 'Deletion vectors of the current lake version.',
    labels: ['table'],
  },
} as const satisfies Readonly<Record<string, MetricDeclaration>>;
