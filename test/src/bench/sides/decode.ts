import type { DecodeInput } from '../decode-input.ts';
import { LogDecoder } from '../decode-rows.ts';
import { addMeasured, startClock } from '../measure.ts';
import type { Measured } from '../measure.ts';
import { answer, sideInput } from '../side-process.ts';

/** Ours: the binary log to debezium-json values. */
const { workload, passes } = await sideInput<DecodeInput>();
const parts: Measured[] = [];
let rows = 0;
let bytes = 0;
for (let pass = 0; pass < passes; pass++) {
  await using decoder = await LogDecoder.open(workload, new AbortController().signal);
  const stop = startClock();
  rows += await decoder.run((_, start, end) => {
    bytes += end - start;
  });
  parts.push(stop());
}
answer({ ...addMeasured(parts), rows, bytes });
