import { createHash } from 'node:crypto';

import { idsOf, sampleEvery } from '../decode-input.ts';
import type { DecodedChange, DecodeInput } from '../decode-input.ts';
import { LogDecoder } from '../decode-rows.ts';
import { answer, sideInput } from '../side-process.ts';

/** What our values say, by `JSON.parse`. */
const { workload } = await sideInput<DecodeInput>();
const hash = createHash('sha256');
const samples: DecodedChange[] = [];
let row = 0;
await using decoder = await LogDecoder.open(workload, new AbortController().signal);
const rows = await decoder.run((bytes, start, end) => {
  const change = JSON.parse(bytes.toString('utf8', start, end)) as DecodedChange;
  hash.update(idsOf(change));
  if (row % sampleEvery === 0) samples.push({ op: change.op, before: change.before, after: change.after });
  row += 1;
});
answer({ rows, idsHash: hash.digest('hex'), samples });
