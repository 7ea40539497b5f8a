import ZongJi from '@vlasky/zongji';

import { stackEnvironment } from '../../harness/environment.ts';
import { sideInput, startClock } from '../measure.ts';
import type { Workload } from '../workload.ts';

interface RowsEvent {
  readonly tableId: number;
  readonly timestamp: number;
  readonly rows: readonly Record<string, unknown>[];
  readonly tableMap: Readonly<Record<number, { parentSchema: string; tableName: string }>>;
  getEventName(): string;
}

function isRows(event: unknown): event is RowsEvent {
  return typeof event === 'object' && event !== null && 'rows' in event;
}

/** The yardstick: the library's objects, a debezium envelope by `JSON.stringify`, bytes of the string. */
function envelopes(event: RowsEvent): number {
  const table = event.tableMap[event.tableId];
  const source = { db: table?.parentSchema, table: table?.tableName, ts_ms: event.timestamp };
  const name = event.getEventName();
  let bytes = 0;
  for (const row of event.rows) {
    const value =
      name === 'updaterows'
        ? { before: row['before'], after: row['after'], op: 'u', source }
        : name === 'deleterows'
          ? { before: row, after: null, op: 'd', source }
          : { before: null, after: row, op: 'c', source };
    bytes += Buffer.from(JSON.stringify(value)).length;
  }
  return bytes;
}

const workload = await sideInput<Workload>();
const { host, port, user, password } = stackEnvironment().mysql;
const zongji = new ZongJi({ host, port, user, password });
const ended = Promise.withResolvers<void>();
let rows = 0;
let bytes = 0;
zongji.on('error', (error: Error) => {
  ended.reject(error);
});
zongji.on('binlog', (event: unknown) => {
  if (!isRows(event)) return;
  bytes += envelopes(event);
  rows += event.rows.length;
  if (rows >= workload.changes) ended.resolve();
});
const stop = startClock();
zongji.start({
  serverId: 40_000 + (process.pid % 10_000),
  filename: workload.file,
  position: workload.start,
  includeEvents: ['rotate', 'tablemap', 'writerows', 'updaterows', 'deleterows'],
  includeSchema: { [workload.database]: [workload.table] },
});
await ended.promise;
stop(rows, bytes);
// The library keeps its connections open; nothing is left to do.
process.exit(0);
