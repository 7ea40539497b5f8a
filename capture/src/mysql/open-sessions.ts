import { backoffMs, delay } from '@millrace/shared/async/delay.ts';
import { CdcError } from '@millrace/shared/errors/cdc-error.ts';

import { connectMysql } from './connection.ts';
import type { MysqlConnectionOptions, SqlSession } from './connection.ts';

const firstPauseMs = 200;
const longestPauseMs = 5_000;

/** Opens a session; a server that does not answer is asked up to `attempts` times. A refusal is not asked again. */
export async function openSession(
  options: MysqlConnectionOptions,
  attempts: number,
  signal: AbortSignal,
  onWarning: (warning: string) => void,
): Promise<SqlSession> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await connectMysql(options, signal, onWarning);
    } catch (error) {
      const isLost = error instanceof CdcError && error.code === 'SOURCE_CONNECTION_LOST';
      if (!isLost || attempt >= attempts) throw error;
    }
    await delay(backoffMs(attempt - 1, firstPauseMs, longestPauseMs), signal);
  }
}
