import { ByteWriter } from '@millrace/shared/bytes/byte-writer.ts';
import type { ResumePoint } from '@millrace/shared/event/position.ts';
import { ChangeFrame } from '@millrace/shared/format/change-frame.ts';
import { debeziumJsonFrame } from '@millrace/shared/format/debezium-json-frame.ts';
import { Gather } from '@millrace/shared/kafka/gather.ts';
import type { RowRenderer, SourceTable } from '@millrace/capture/source.ts';

import { openWorkloadSource, plainValues } from '../workload-source.ts';
import { sideInput, startClock } from '../measure.ts';
import type { Workload } from '../workload.ts';

interface Compiled {
  readonly renderer: RowRenderer;
  readonly frame: ChangeFrame;
}

const outputBytes = 16 * 1024 * 1024;

/** Ours: the dump stream with checksums verified, rows rendered, keys extracted, debezium-json values in one buffer. */
const workload = await sideInput<Workload>();
const signal = new AbortController().signal;
await using source = await openWorkloadSource(workload, signal);
const resume: ResumePoint = await source.resolveStart(
  { kind: 'file', file: workload.file, position: workload.start, skipEvents: 0, skipRows: 0 },
  signal,
);
await using stream = await source.stream(resume, signal);
const compiled = new Map<SourceTable, Compiled>();
const scratch = new ByteWriter();
const value = new Gather();
const output = Buffer.allocUnsafe(outputBytes);
let at = 0;
let rows = 0;
let bytes = 0;

function compile(table: SourceTable): Compiled {
  const { schema } = table;
  const spec = {
    columns: schema.columns.map((column) => column.name),
    keyColumns: schema.primaryKey,
    keyStyle: 'json' as const,
    keyPrefix: Buffer.from('{"TableId":"bench"'),
    values: plainValues,
  };
  const frame = new ChangeFrame(debeziumJsonFrame(schema.id, { flavour: 'vvr', snapshotOp: 'c', fullTableId: false }));
  const made = { renderer: source.compile(table, spec, 'stream'), frame };
  compiled.set(table, made);
  return made;
}

const stop = startClock();
let timeMs = 0;
while (rows < workload.changes) {
  for (const event of await stream.next(signal)) {
    if (event.kind === 'begin') timeMs = Math.floor(event.commitTimeMicros / 1000);
    if (event.kind !== 'rows') continue;
    const { renderer, frame } = compiled.get(event.rows.table) ?? compile(event.rows.table);
    renderer.open(event.rows);
    for (;;) {
      scratch.clear();
      if (!renderer.next(scratch)) break;
      value.clear();
      frame.gather(value, event.op, timeMs, scratch.bytes, renderer.row);
      if (at + value.totalBytes > outputBytes) at = 0;
      at = value.copyTo(output, at);
      bytes += value.totalBytes;
      rows += 1;
    }
  }
}
stop(rows, bytes);
process.exit(0);
