import type { DecodeInput } from '../decode-input.ts';
import { addMeasured, startClock } from '../measure.ts';
import type { Measured } from '../measure.ts';
import { answer, sideInput } from '../side-process.ts';
import { readByZongji } from '../zongji-rows.ts';
import type { ZongjiRows } from '../zongji-rows.ts';

/** The library's objects, a debezium envelope by `JSON.stringify`, bytes of the string. */
function envelopes(event: ZongjiRows): number {
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

const { workload, passes } = await sideInput<DecodeInput>();
const parts: Measured[] = [];
let rows = 0;
let bytes = 0;
for (let pass = 0; pass < passes; pass++) {
  let stop = startClock();
  const onStreaming = (): void => {
    stop = startClock();
  };
  rows += await readByZongji(workload, { dateStrings: false, onStreaming }, (event) => {
    bytes += envelopes(event);
  });
  parts.push(stop());
}
answer({ ...addMeasured(parts), rows, bytes });
