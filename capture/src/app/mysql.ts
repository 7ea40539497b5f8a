import type { CapturePipeline as Document } from '@millrace/shared/config/pipeline.ts';
import type { MysqlStartup } from '@millrace/shared/config/mysql-source-options.ts';
import { assertNever } from '@millrace/shared/errors/cdc-error.ts';
import type { CdcError } from '@millrace/shared/errors/cdc-error.ts';
import type { ResumePoint } from '@millrace/shared/event/position.ts';
import type { Logger } from '@millrace/shared/observe/logger.ts';

import { runActionQuery } from '../mysql/action-query.ts';
import type { MysqlConnectionOptions } from '../mysql/connection.ts';
import { openMysqlSource } from '../mysql/mysql-source.ts';
import { openSession } from '../mysql/open-sessions.ts';
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

/** How often the source sends something when it has nothing to tell. */
export function heartbeatPeriodMs({ source }: Document): number {
  const { heartbeatIntervalMs } = source;
  return heartbeatIntervalMs === 0 ? idleHeartbeatMs : Math.min(heartbeatIntervalMs, idleHeartbeatMs);
}

function connectionOf({ source }: Document): MysqlConnectionOptions {
  const { tls } = source;
  return {
    host: source.hostname,
    port: source.port,
    socketPath: null,
    user: source.username,
    password: source.password,
    tls: { mode: tls.mode, ca: tls.ca?.text ?? null, cert: tls.cert?.text ?? null, key: tls.key?.text ?? null },
    allowPublicKeyRetrieval: tls.allowPublicKeyRetrieval,
    connectTimeoutMs: source.connectTimeoutMs,
  };
}

/** Runs `heartbeat.action.query` until the signal aborts; null when the document has none. */
export function actionQuery(document: Document, logger: Logger, signal: AbortSignal): Promise<void> | null {
  const { heartbeatQuery: sql, heartbeatIntervalMs: intervalMs, connectMaxRetries } = document.source;
  if (sql === null || intervalMs === 0) return null;
  const onError = (error: CdcError): void => logger.repeatable('heartbeat.action.query failed', { error });
  const onWarning = (): void => undefined;
  return runActionQuery(
    (until) => openSession(connectionOf(document), connectMaxRetries, until, onWarning),
    { sql, intervalMs, onError },
    signal,
  );
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
  return openMysqlSource(
    {
      connection: connectionOf(document),
      connectAttempts: source.connectMaxRetries,
      declaredZone: source.serverTimeZone,
      tablesMayCome: source.newTables !== 'ignore',
      pipelineName: document.name,
      serverIds: source.serverIds,
      stream: {
        heartbeatPeriodMs: heartbeatPeriodMs(document),
        maxEventBytes,
        reconnect: { initialMs: 250, maxMs: 10_000, giveUpMs: 60_000 },
      },
      tinyint1AsBoolean: source.tinyint1AsBoolean,
      chunkKeyColumn: (id) =>
        source.snapshot.chunkKeyColumns.find(({ tables }) => tables.matches(id, captured.caseSensitive))?.column ??
        null,
      chunkSilenceMs: source.socketTimeoutMs ?? chunkSilenceMs,
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
