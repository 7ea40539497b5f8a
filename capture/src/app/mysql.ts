import type { CapturePipeline as Document } from '@millrace/shared/config/pipeline.ts';
import type { MysqlStartup } from '@millrace/shared/config/mysql-source-options.ts';
import { assertNever } from '@millrace/shared/errors/cdc-error.ts';
import type { ResumePoint } from '@millrace/shared/event/position.ts';
import type { Logger } from '@millrace/shared/observe/logger.ts';

import { openMysqlSource } from '../mysql/mysql-source.ts';
import { parseResumePoint } from '../mysql/resume-point.ts';
import type { Source, StartPoint } from '../source.ts';
import type { CapturedTables } from './captured-tables.ts';

const maxEventBytes = 1024 * 1024 * 1024;
const idleHeartbeatMs = 10_000;
const chunkSilenceMs = 300_000;

/** Where the log begins for a start mode; modes with a snapshot begin it now. */
export function startPoint(startup: MysqlStartup): StartPoint {
  switch (startup.mode) {
    case 'initial':
    case 'snapshot':
    case 'latest-offset':
      return { kind: 'now' };
    case 'earliest-offset':
      return { kind: 'earliest' };
    case 'specific-gtid-set':
      return { kind: 'gtid-set', gtidSet: startup.gtidSet };
    case 'specific-file': {
      const { file, position, skipEvents, skipRows } = startup;
      return { kind: 'file', file, position, skipEvents, skipRows };
    }
    case 'timestamp':
      return { kind: 'timestamp', millis: startup.millis };
    default:
      return assertNever(startup);
  }
}

/** Epoch of tokens for a start that throws this position away: later than all of its tokens. */
export function epochAfter(discarded: ResumePoint): number {
  return parseResumePoint(discarded).epoch + 1;
}

/** The document's MySQL server as a source. */
export function openSource(
  document: Document,
  captured: CapturedTables,
  initialEpoch: number,
  logger: Logger,
  signal: AbortSignal,
): Promise<Source> {
  const { source } = document;
  const { tls } = source;
  return openMysqlSource(
    {
      connection: {
        host: source.hostname,
        port: source.port,
        socketPath: null,
        user: source.username,
        password: source.password,
        tls: { mode: tls.mode, ca: tls.ca?.text ?? null, cert: tls.cert?.text ?? null, key: tls.key?.text ?? null },
        allowPublicKeyRetrieval: tls.allowPublicKeyRetrieval,
        connectTimeoutMs: source.connectTimeoutMs,
      },
      pipelineName: document.name,
      serverIds: source.serverIds,
      stream: {
        heartbeatPeriodMs:
          source.heartbeatIntervalMs === 0 ? idleHeartbeatMs : Math.min(source.heartbeatIntervalMs, idleHeartbeatMs),
        maxEventBytes,
        reconnect: { initialMs: 250, maxMs: 10_000, giveUpMs: 60_000 },
      },
      tinyint1AsBoolean: source.tinyint1AsBoolean,
      chunkKeyColumn: (id) =>
        source.snapshot.chunkKeyColumns.find(({ tables }) => tables.matches(id, captured.caseSensitive))?.column ??
        null,
      chunkSilenceMs,
      initialEpoch,
    },
    (id, ignoreCase) => {
      captured.caseSensitive = !ignoreCase;
      return captured.captures(id);
    },
    {
      onWarning: (warning) => {
        logger.repeatable('source', { warning });
      },
      onReconnect: (error, attempt) => {
        logger.repeatable('the source is connected to again', { error, attempt });
      },
      onIgnoredEvent: (type) => {
        logger.repeatable('an ignorable log event of a newer server was skipped', { type });
      },
    },
    signal,
  );
}
