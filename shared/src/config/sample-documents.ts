import { readFileSync } from 'node:fs';

import { CdcError } from '../errors/cdc-error.ts';
import { loadPipeline } from './load-pipeline.ts';
import type { LoadedPipeline, LoadOptions } from './load-pipeline.ts';
import type { CapturePipeline, IngestPipeline } from './pipeline.ts';
import { renderValidation } from './validation-error.ts';

/** Documents and a loader for tests. */

/** The published capture configuration in its full form. */
export const publishedCapture = String.raw`source:
  type: mysql
  name: MySQL Source
  hostname: ${'${secret_values.mysql.hostname}'}
  port: ${'${mysql.port}'}
  username: ${'${secret_values.mysql.username}'}
  password: ${'${secret_values.mysql.password}'}
  tables: kafka_test\.\*
  server-id: 8601-8604
  # (Optional) Sync existing and incremental data from newly added tables.
  scan.newly-added-table.enabled: true
  # (Optional) Sync table and column comments.
  include-comments.enabled: true
  # (Optional) Prioritize distributing unbounded chunks during snapshot.
  scan.incremental.snapshot.unbounded-chunk-first.enabled: true
  # (Optional) Deserialize changelog only for captured tables.
  scan.only.deserialize.captured.tables.changelog.enabled: true
  # (Optional) Include the data change timestamp as a metadata column.
  metadata-column.include-list: op_ts

sink:
  type: kafka
  name: Kafka Sink
  properties.bootstrap.servers: ${'${kafka.bootstraps.server}'}
  # Required: ApsaraMQ for Kafka does not support idempotent or transactional writes.
  properties.enable.idempotence: false
  # (Optional) Set the mapping between upstream tables and Kafka topics.
  sink.tableId-to-topic.mapping: kafka_test.customers:customers;kafka_test.products:products
`;

/** The same without every line after an `(Optional)` comment. */
export const minimalCapture = publishedCapture.replaceAll(/ +# \(Optional\)[^\n]*\n[^\n]*\n/g, '');

export const publishedIngest = String.raw`source:
  type: kafka
  name: Kafka Source
  properties.bootstrap.servers: ${'${kafka.bootstrap.servers}'}
  topic: inventory
  scan.startup.mode: earliest-offset
  value.format: debezium-json
  debezium-json.distributed-tables: true

transform:
  - source-table: \.*.\.*
    projection: \*
    primary-keys: id

sink:
  type: paimon
  catalog.properties.metastore: rest
  catalog.properties.uri: dlf_uri
  catalog.properties.warehouse: your_warehouse
  catalog.properties.token.provider: dlf
  # (Optional) The username for commits. Set a unique commit user for each job to avoid conflicts.
  commit.user: your_job_name
  # (Optional) Enable deletion vectors to improve read performance.
  table.properties.deletion-vectors.enabled: true
`;

/** Smallest documents of each kind, without placeholders that need a value. */
export const plainCapture = `source:
  type: mysql
  hostname: db1
  username: reader
  password: \${env:PASSWORD}
  tables: shop.orders
  server-id: 1
sink:
  type: kafka
  properties.bootstrap.servers: localhost:9092
`;

export const plainPostgres = `source:
  type: kafka
  properties.bootstrap.servers: localhost:9092
  topic: orders
sink:
  type: postgres
  hostname: localhost
  database: dw
  username: writer
  password: \${env:PASSWORD}
pipeline:
  dead-letter.policy: stop
`;

export const plainLakehouse = `source:
  type: kafka
  properties.bootstrap.servers: localhost:9092
  topic: orders
sink:
  type: lakehouse
  warehouse: ./lake
pipeline:
  dead-letter.policy: stop
`;

export type Overrides = Partial<LoadOptions> & {
  /** Further files by path. */
  readonly files?: Readonly<Record<string, string>>;
};

/** Loads a document that exists only in memory, as `pipeline.yaml`. */
export function loadText(text: string, overrides: Overrides = {}): LoadedPipeline {
  const file = overrides.file ?? 'pipeline.yaml';
  const files: Readonly<Record<string, string>> = { ...overrides.files, [file]: text };
  return loadPipeline({
    file,
    sets: [],
    varsFiles: [],
    secretsDir: null,
    environment: { PASSWORD: 'pw' },
    // A path that is not given fails as a missing file does.
    readFile: (path) => files[path] ?? readFileSync(`/nonexistent/${path}`, 'utf8'),
    ...overrides,
  });
}

export function loadCapture(text: string, overrides: Overrides = {}): CapturePipeline {
  const { pipeline } = loadText(text, overrides);
  if (pipeline.kind !== 'capture') throw new Error('not a capture document');
  return pipeline;
}

export function loadIngest(text: string, overrides: Overrides = {}): IngestPipeline {
  const { pipeline } = loadText(text, overrides);
  if (pipeline.kind !== 'ingest') throw new Error('not an ingest document');
  return pipeline;
}

/** The whole error text of a document that must not load. */
export function failureOf(text: string, overrides: Overrides = {}): string {
  try {
    loadText(text, overrides);
  } catch (error) {
    if (error instanceof CdcError && error.code === 'CONFIG_INVALID') return renderValidation(error);
    throw error;
  }
  throw new Error('the document loads');
}

/** Problem lines of a document that must not load, without their place: `path  'value'  kind: rule`. */
export function problemsOf(text: string, overrides: Overrides = {}): readonly string[] {
  const lines = failureOf(text, overrides).split('\n');
  const problems = lines.filter((line) => /^ {2}[^ ]+:\d+:\d+ {2}/.test(line));
  return problems.map((line) => line.replace(/^ +[^ ]+:\d+:\d+ +/, ''));
}

/** A document with further lines in one of its blocks. */
export function withLines(text: string, block: 'source' | 'sink' | 'pipeline', ...lines: readonly string[]): string {
  const added = lines.map((line) => `  ${line}\n`).join('');
  const head = `${block}:\n`;
  return text.includes(head) ? text.replace(head, () => head + added) : `${text}${head}${added}`;
}
