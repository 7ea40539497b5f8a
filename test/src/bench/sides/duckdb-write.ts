import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { stackEnvironment } from '../../harness/environment.ts';
import { assertTotals } from '../ingest-input.ts';
import type { DuckdbInput } from '../ingest-input.ts';
import { lakeTotals } from '../lake-totals.ts';
import { startClock } from '../measure.ts';
import type { Measured } from '../measure.ts';
import { answer, sideInput } from '../side-process.ts';

const script = fileURLToPath(new URL('duckdb_write.py', import.meta.url));

/** The yardstick: DuckDB writing the same rows to a Parquet file, zstd, one thread, several times over. */
const { lakeTable, file, summed, rows, expected } = await sideInput<DuckdbInput>();
const python = stackEnvironment().readersPython;
if (python === undefined) throw new Error('no lake readers: run scripts/stack readers');
const stop = startClock();
const output = execFileSync(python, [script, lakeTable, file], { encoding: 'utf8' });
const around = stop();
const { writes, ...own } = JSON.parse(output) as Pick<Measured, 'seconds' | 'cpuSeconds' | 'peakRssBytes'> & {
  readonly writes: number;
};
assertTotals(await lakeTotals(`read_parquet('${file}')`, summed), expected);
rmSync(file);
answer({ ...around, ...own, rows: rows * writes });
