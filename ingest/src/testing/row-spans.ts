import type { RowSpans } from '../destination.ts';

/** JSON objects, as bytes or text, each in a buffer of its own. */
export function rowSpans(rows: readonly (string | Buffer)[]): RowSpans {
  const buffers = rows.map((row) => Buffer.from(row));
  return {
    count: rows.length,
    buffers,
    bufferIndex: Int32Array.from(buffers.keys()),
    start: new Int32Array(rows.length),
    end: Int32Array.from(buffers, (buffer) => buffer.length),
  };
}
