import { hostname } from 'node:os';
import { resolve } from 'node:path';

import type { LakehouseSinkOptions } from '@millrace/shared/config/lakehouse-sink-options.ts';
import type { IngestPipeline } from '@millrace/shared/config/pipeline.ts';
import type { PostgresSinkOptions } from '@millrace/shared/config/postgres-sink-options.ts';
import { assertNever } from '@millrace/shared/errors/cdc-error.ts';
import type { Logger } from '@millrace/shared/observe/logger.ts';

import type { Destination, DestinationObserver } from '../destination.ts';
import { openLakehouseDestination } from '../lakehouse/lakehouse-destination.ts';
import type { LakehouseOptions } from '../lakehouse/options.ts';
import type { FlushPolicy } from '../pipeline/flush-policy.ts';
import { openPostgresDestination } from '../postgres/destination.ts';
import type { PostgresDestinationOptions } from '../postgres/options.ts';
import { TypeOverrideMap } from './type-override-map.ts';

const offsetsDelayMs = 1_000;
const lakeOffsetsDelayMs = 60_000;
/** Tables of the lake without changes get their offsets in commits of their own this often. */
const idleTableCommitMs = 300_000;

export function postgresOptions(pipeline: string, sink: PostgresSinkOptions): PostgresDestinationOptions {
  const { mode, ca, cert, key } = sink.tls;
  return {
    hostname: sink.hostname,
    port: sink.port,
    database: sink.database,
    username: sink.username,
    password: () => sink.password,
    // `allow` asks for TLS only where the server insists; trying it first does no harm.
    tls: { mode: mode === 'allow' ? 'prefer' : mode, ca: ca?.text, cert: cert?.text, key: key?.text },
    pipelineName: pipeline,
    commitUser: sink.commitUser,
    schema: sink.schemaTemplate,
    createSchemas: sink.createSchemas,
    createTables: sink.createTables,
    tablePrefix: sink.tablePrefix,
    tableSuffix: sink.tableSuffix,
    metadataSchema: sink.metadataSchema,
    parallelism: sink.parallelism,
    maxRetries: sink.maxRetries,
    invalidText: sink.invalidText,
    typeOverrides: new TypeOverrideMap(sink.typeOverrides),
    session: sink.sessionSettings,
    tableProperties: sink.storageParameters,
    owner: `${hostname()}:${process.pid}`,
  };
}

function lakehouseOptions(sink: LakehouseSinkOptions, version: string): LakehouseOptions {
  return {
    warehouse: resolve(sink.warehouse),
    commitUser: sink.commitUser,
    targetFileSizeBytes: sink.targetFileSizeBytes,
    compression: sink.compression,
    snapshotTimeRetainedMs: sink.snapshots.retainedMs,
    snapshotsRetainedMin: sink.snapshots.minRetained,
    offsetCommitIntervalMs: idleTableCommitMs,
    typeChange: 'new-column',
    createdBy: `millrace ${version}`,
  };
}

/** The destination of a document. Nothing is connected yet. */
export function openDestination(
  pipeline: IngestPipeline,
  version: string,
  log: Logger,
  observer: DestinationObserver | null = null,
): Promise<Destination> {
  const { sink } = pipeline;
  const details = {
    info: (message: string, fields: Parameters<Logger['info']>[1]): void => log.info(message, fields),
    warn: (message: string, fields: Parameters<Logger['warn']>[1]): void => log.warn(message, fields),
  };
  switch (sink.kind) {
    case 'postgres':
      return openPostgresDestination(postgresOptions(pipeline.name, sink), details, observer);
    case 'lakehouse':
      return openLakehouseDestination(lakehouseOptions(sink, version), details, observer === null ? {} : { observer });
    default:
      return assertNever(sink);
  }
}

/** PostgreSQL takes a lone change at once; the lake gathers, because every commit writes files. */
export function flushPolicy({ sink }: IngestPipeline): FlushPolicy {
  if (sink.kind === 'lakehouse') {
    const { maxRows, maxBytes, intervalMs } = sink.commit;
    return { maxRows, maxBytes, delayMs: intervalMs, offsetsDelayMs: Math.max(intervalMs, lakeOffsetsDelayMs) };
  }
  const { maxRows, maxBytes, intervalMs } = sink.flush;
  return { maxRows, maxBytes, delayMs: 0, offsetsDelayMs: Math.max(intervalMs, offsetsDelayMs) };
}
