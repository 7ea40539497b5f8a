import { delay } from '@millrace/shared/async/delay.ts';
import { toCdcError } from '@millrace/shared/errors/cdc-error.ts';
import type { CdcError } from '@millrace/shared/errors/cdc-error.ts';

import { SharedSession } from './connection.ts';
import type { SqlSession } from './connection.ts';

export interface ActionQueryOptions {
  readonly sql: string;
  readonly intervalMs: number;
  readonly onError: (error: CdcError) => void;
}

/**
 * Runs a statement at the source each interval, for `heartbeat.action.query`, in a session of its own that may write.
 * A failure is told and the next interval tries again: the capture itself needs no right to write.
 */
export async function runActionQuery(
  connect: (signal: AbortSignal) => Promise<SqlSession>,
  { sql, intervalMs, onError }: ActionQueryOptions,
  signal: AbortSignal,
): Promise<void> {
  await using session = new SharedSession(async (until) => {
    const opened = await connect(until);
    await opened.query('SET SESSION TRANSACTION READ WRITE', until, 'preparing a session');
    return opened;
  });
  for (;;) {
    try {
      await session.query(sql, signal, 'running heartbeat.action.query');
    } catch (error) {
      signal.throwIfAborted();
      onError(toCdcError(error));
    }
    await delay(intervalMs, signal);
  }
}
