import type { RowSpans } from '../destination.ts';

const before = Buffer.from('{"before":null,"after":');
const after = Buffer.from(',"op":"c","source":{}}');

/** JSON objects, as bytes or text, each inside of a record of its own. */
export function rowSpans(rows: readonly (string | Buffer)[]): RowSpans {
  const buffers = rows.map((row) => Buffer.concat([before, Buffer.from(row), after]));
  return {
    count: rows.length,
    buffers,
    bufferIndex: Int32Array.from(buffers.keys()),
    start: new Int32Array(rows.length).fill(before.length),
    end: Int32Array.from(buffers, (buffer) => buffer.length - after.length),
  };
}
