import { openMysqlSource } from '@millrace/capture/mysql/mysql-source.ts';
import type { Source, ValueRendering } from '@millrace/capture/source.ts';

import { stackEnvironment } from '../harness/environment.ts';
import type { Workload } from './workload.ts';

/** The default rendering of the pipeline document. */
export const plainValues: ValueRendering = {
  timestampStandard: 'sql',
  decimals: 'scale',
  bigNumbers: 'number',
  ignoreNullFields: false,
  timeFraction: true,
  zeroDates: 'null',
  invalidText: 'fail',
  tinyint1AsBoolean: true,
  compactJson: false,
};

/** The capture program's own source, on the workload's table alone. */
export function openWorkloadSource(
  workload: Pick<Workload, 'database' | 'table'>,
  signal: AbortSignal,
): Promise<Source> {
  const { host, port, user, password } = stackEnvironment().mysql;
  const serverId = 50_000 + (process.pid % 10_000);
  const nothing = (): void => undefined;
  return openMysqlSource(
    {
      connection: {
        host,
        port,
        socketPath: null,
        user,
        password,
        tls: { mode: 'disabled', ca: null, cert: null, key: null },
        allowPublicKeyRetrieval: true,
        connectTimeoutMs: 10_000,
      },
      pipelineName: `bench-${process.pid}`,
      serverIds: { first: serverId, last: serverId },
      stream: {
        heartbeatPeriodMs: 10_000,
        maxEventBytes: 1 << 30,
        reconnect: { initialMs: 250, maxMs: 1000, giveUpMs: 10_000 },
      },
      tinyint1AsBoolean: true,
      chunkKeyColumn: () => null,
      chunkSilenceMs: 60_000,
      initialEpoch: 1,
    },
    (id) => id.schema === workload.database && id.table === workload.table,
    { onWarning: nothing, onReconnect: nothing, onIgnoredEvent: nothing },
    signal,
  );
}
