import type { CapturePipeline, IngestPipeline } from '@millrace/shared/config/pipeline.ts';
import { loadPipeline } from '@millrace/shared/config/load-pipeline.ts';

import { stackEnvironment } from '../harness/environment.ts';
import type { Workload } from './workload.ts';

type Options = Readonly<Record<string, string | number | boolean>>;
type Blocks = Readonly<Record<'source' | 'sink' | 'pipeline', Options>>;

/** A document goes through the programs' own reader: YAML is a superset of JSON. */
function load(blocks: Blocks) {
  const document = JSON.stringify(blocks);
  return loadPipeline({
    file: 'bench.yaml',
    sets: [],
    varsFiles: [],
    secretsDir: null,
    environment: {},
    readFile: () => document,
  }).pipeline;
}

/** The topic's partitions, ours and the yardstick's. */
export const topicPartitions = 4;
/** Producer settings that both sides have; ours has them by default. */
export const producerSettings = { compression: 'zstd', batchBytes: 512 * 1024, lingerMs: 5 } as const;

export interface CaptureTarget {
  readonly pipeline: string;
  readonly topic: string;
}

/** One table to one topic: from its stretch of the log, or by a snapshot alone. */
export function captureDocument(
  workload: Workload,
  start: 'stretch' | 'snapshot',
  target: CaptureTarget,
): CapturePipeline {
  const { mysqlCapture, kafkaBootstrapServers } = stackEnvironment();
  const serverId = 30_000 + (process.pid % 10_000);
  const startup: Options =
    start === 'snapshot'
      ? { 'scan.startup.mode': 'snapshot' }
      : {
          'scan.startup.mode': 'specific-offset',
          'scan.startup.specific-offset.file': workload.file,
          'scan.startup.specific-offset.pos': workload.start,
        };
  const pipeline = load({
    source: {
      type: 'mysql',
      hostname: mysqlCapture.host,
      port: mysqlCapture.port,
      username: mysqlCapture.user,
      password: mysqlCapture.password,
      // The yardsticks' libraries speak without TLS by default.
      'ssl.mode': 'disabled',
      'ssl.allow-public-key-retrieval': true,
      tables: `${workload.database}.${workload.table}`,
      'server-id': `${serverId}-${serverId + 9}`,
      ...startup,
    },
    sink: {
      type: 'kafka',
      'properties.bootstrap.servers': kafkaBootstrapServers,
      'properties.compression.type': producerSettings.compression,
      'properties.batch.size': producerSettings.batchBytes,
      'properties.linger.ms': producerSettings.lingerMs,
      'partition.strategy': 'hash-by-key',
      'topic.creation.default.partitions': topicPartitions,
      topic: target.topic,
    },
    pipeline: { name: target.pipeline },
  });
  if (pipeline.kind !== 'capture') throw new Error('not a capture document');
  return pipeline;
}

function ingestDocument(pipeline: string, topic: string, sink: Options): IngestPipeline {
  const loaded = load({
    source: {
      type: 'kafka',
      'properties.bootstrap.servers': stackEnvironment().kafkaBootstrapServers,
      topic,
      'scan.startup.mode': 'earliest-offset',
      'value.format': 'debezium-json',
      'debezium-json.distributed-tables': true,
    },
    sink,
    pipeline: { name: pipeline },
  });
  if (loaded.kind !== 'ingest') throw new Error('not an ingest document');
  return loaded;
}

export function postgresDocument(
  pipeline: string,
  topic: string,
  postgresUrl: string,
  connections: number,
): IngestPipeline {
  const url = new URL(postgresUrl);
  return ingestDocument(pipeline, topic, {
    type: 'postgres',
    url: `postgresql://${url.host}${url.pathname}`,
    username: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    'ssl.mode': 'disable',
    'sink.parallelism': connections,
  });
}

export function lakeDocument(pipeline: string, topic: string, warehouse: string): IngestPipeline {
  return ingestDocument(pipeline, topic, { type: 'lakehouse', warehouse });
}
