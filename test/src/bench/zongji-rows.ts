import ZongJi from '@vlasky/zongji';

import { stackEnvironment } from '../harness/environment.ts';
import type { Workload } from './workload.ts';

export interface ZongjiRows {
  readonly tableId: number;
  readonly timestamp: number;
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  readonly tableMap: Readonly<Record<number, { parentSchema: string; tableName: string }>>;
  getEventName(): string;
}

function isRows(event: unknown): event is ZongjiRows {
  return typeof event === 'object' && event !== null && 'rows' in event;
}

/** The same stretch of the log read by zongji; resolves when every change was handed to `onRows`. */
export async function readByZongji(
  workload: Workload,
  options: { readonly dateStrings: boolean; readonly onStreaming?: () => void },
  onRows: (event: ZongjiRows) => void,
): Promise<number> {
  const { host, port, user, password } = stackEnvironment().mysql;
  const zongji = new ZongJi({ host, port, user, password, dateStrings: options.dateStrings });
  const ended = Promise.withResolvers<void>();
  let rows = 0;
  zongji.on('error', (error: Error) => {
    ended.reject(error);
  });
  zongji.on('ready', () => options.onStreaming?.());
  zongji.on('binlog', (event: unknown) => {
    // Once all is there, what others write to the log meanwhile no longer counts.
    if (!isRows(event) || rows >= workload.changes) return;
    onRows(event);
    rows += event.rows.length;
    if (rows >= workload.changes) ended.resolve();
  });
  zongji.start({
    serverId: 40_000 + (process.pid % 10_000),
    filename: workload.file,
    position: workload.start,
    includeEvents: ['rotate', 'tablemap', 'writerows', 'updaterows', 'deleterows'],
    includeSchema: { [workload.database]: [workload.table] },
  });
  await ended.promise;
  zongji.stop();
  return rows;
}
