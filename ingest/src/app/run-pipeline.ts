import type { IngestPipeline } from '@millrace/shared/config/pipeline.ts';
import { KafkaClient } from '@millrace/shared/kafka/kafka-client.ts';
import { kafkaOptions } from '@millrace/shared/kafka/options-from-document.ts';
import type { Logger } from '@millrace/shared/observe/logger.ts';
import { SchemaLogReader } from '@millrace/shared/schema-log/schema-log-reader.ts';

import { KafkaRecordSource } from '../consume/kafka-record-source.ts';
import type { DestinationObserver } from '../destination.ts';
import { runIngest } from '../pipeline/ingest-pipeline.ts';
import type { PipelineObserver } from '../pipeline/ingest-pipeline.ts';
import { readWholeAfterBrokenRow } from '../pipeline/second-reading.ts';
import { projectionRules } from '../project/rules-from-document.ts';
import { SourceTables } from '../project/source-tables.ts';
import { flushPolicy, openDestination } from './open-destination.ts';
import { schemaLogTopic, schemaSources } from './schema-sources.ts';

const minFetchBytes = 65_536;

export interface RunOptions {
  readonly version: string;
  readonly untilIdle: boolean;
  readonly log: Logger;
  readonly observer: PipelineObserver & DestinationObserver;
  /** Connected and checked; called once per attempt. */
  readonly onReady: () => void;
}

/** One run: connects, checks, copies until `stop` aborts, and closes everything. The supervisor's unit of retry. */
export function runPipeline(pipeline: IngestPipeline, options: RunOptions, stop: AbortSignal): Promise<void> {
  return readWholeAfterBrokenRow((wholeValues) => runAttempt(pipeline, options, wholeValues, stop));
}

async function runAttempt(
  pipeline: IngestPipeline,
  options: RunOptions,
  wholeValues: boolean,
  stop: AbortSignal,
): Promise<void> {
  const { source, runtime } = pipeline;
  const { log, observer, untilIdle, version } = options;
  await using client = await KafkaClient.connect(kafkaOptions(source.client), stop);
  await using destination = await openDestination(pipeline, version, log, observer);
  for (const warning of await destination.check(stop)) log.warn('destination check', { warning });
  await using records = new KafkaRecordSource(client, {
    source,
    maxFetchBytes: Math.max(minFetchBytes, Math.floor(runtime.memoryLimitBytes / 16)),
    waitForTopics: !untilIdle,
    log,
  });
  options.onReady();
  await runIngest(
    {
      source: records,
      destination,
      tables: new SourceTables(projectionRules(pipeline)),
      schemas: schemaSources(new SchemaLogReader(client, schemaLogTopic), destination, log),
      value: { format: source.valueFormat, envelopeRequired: source.schemaRequired, wholeValues },
      // schema.change.behavior LENIENT leaves rows that were truncated at the source.
      applyTruncate: false,
      flush: flushPolicy(pipeline),
      memoryLimitBytes: runtime.memoryLimitBytes,
      untilIdle,
      observer,
    },
    stop,
  );
}
