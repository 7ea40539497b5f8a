import { createHash } from 'node:crypto';

import { idsOf, sampleEvery } from '../decode-input.ts';
import type { Cell, DecodedChange, DecodeInput, Image } from '../decode-input.ts';
import { answer, sideInput } from '../side-process.ts';
import { readByZongji } from '../zongji-rows.ts';
import type { ZongjiRows } from '../zongji-rows.ts';

/** The library's reading of the same rows; binary values as base64, because the answer is JSON. */
function printable(image: unknown): Image {
  const entries = Object.entries(image as Readonly<Record<string, Cell | Buffer>>).map(([name, value]) => [
    name,
    Buffer.isBuffer(value) ? value.toString('base64') : value,
  ]);
  return Object.fromEntries(entries) as Image;
}

function change(event: ZongjiRows, row: Readonly<Record<string, unknown>>): DecodedChange {
  const name = event.getEventName();
  if (name === 'updaterows') return { op: 'u', before: printable(row['before']), after: printable(row['after']) };
  return name === 'deleterows'
    ? { op: 'd', before: printable(row), after: null }
    : { op: 'c', before: null, after: printable(row) };
}

const { workload } = await sideInput<DecodeInput>();
const hash = createHash('sha256');
const samples: DecodedChange[] = [];
let index = 0;
const rows = await readByZongji(workload, { dateStrings: true }, (event) => {
  for (const row of event.rows) {
    const made = change(event, row);
    hash.update(idsOf(made));
    if (index % sampleEvery === 0) samples.push(made);
    index += 1;
  }
});
answer({ rows, idsHash: hash.digest('hex'), samples });
