import { execFileSync } from 'node:child_process';
import type { StdioOptions } from 'node:child_process';
import { appendFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';

import { checkoutPath } from '../harness/environment.ts';
import { parseArguments, usage, workloadsOf } from './arguments.ts';
import type { BenchArguments } from './arguments.ts';
import { prepareCapture } from './benches/capture.ts';
import { prepareDecode } from './benches/decode.ts';
import { prepareLake } from './benches/lake.ts';
import { preparePostgres } from './benches/postgres.ts';
import { gates } from './gates.ts';
import type { BenchName } from './gates.ts';
import { takeBenchLock } from './lock.ts';
import { runPairs, runSide } from './pairs.ts';
import type { Pair } from './pairs.ts';
import type { BenchRequest, PreparedBench } from './prepared-bench.ts';
import { reportLines, reportObject, verdict } from './report.ts';
import type { Measurement, Setting } from './report.ts';

const prepare: Readonly<Record<BenchName, (request: BenchRequest) => Promise<PreparedBench>>> = {
  decode: prepareDecode,
  capture: prepareCapture,
  postgres: preparePostgres,
  lake: prepareLake,
};

let interrupted = false;

/** Also where an interrupted run ends when no side is running: a side gets the terminal's Ctrl-C by itself. */
function say(text: string): void {
  if (interrupted) throw new Error('interrupted');
  process.stderr.write(`  … ${text}\n`);
}

function commit(): string {
  try {
    const stdio: StdioOptions = ['ignore', 'pipe', 'ignore'];
    return execFileSync('git', ['describe', '--always', '--dirty'], {
      cwd: checkoutPath,
      encoding: 'utf8',
      stdio,
    }).trim();
  } catch {
    return 'unknown';
  }
}

function setting(): Setting {
  const cpu = cpus()[0]?.model ?? 'unknown';
  return { commit: commit(), node: process.version, cpu, cores: availableParallelism() };
}

async function measure(request: BenchArguments, workload: string): Promise<Measurement> {
  const { bench, rows, connections, pairs } = request;
  const gate = gates[bench][workload] ?? null;
  await using prepared = await prepare[bench]({ workload, rows, connections, say });
  const { ours, yardstick, inputBytes, checked } = prepared;
  say('one run of each side that does not count');
  await runSide(ours);
  await runSide(yardstick);
  say(`${pairs} pairs`);
  const made = (done: readonly Pair[]): Measurement => ({
    bench,
    workload,
    oursLabel: ours.label,
    yardstickLabel: yardstick.label,
    inputBytes,
    gate,
    pairs: done,
    checked,
  });
  const done = await runPairs(ours, yardstick, pairs);
  if (verdict(made(done)) !== 'inconclusive (noise)') return made(done);
  say(`near the gate: ${pairs * 2} pairs more`);
  return made([...done, ...(await runPairs(ours, yardstick, pairs * 2))]);
}

async function run(request: BenchArguments): Promise<void> {
  using _lock = takeBenchLock();
  const { jsonFile, workload, bench } = request;
  if (jsonFile !== null) writeFileSync(jsonFile, '');
  for (const name of workload === null ? workloadsOf[bench] : [workload]) {
    const measurement = await measure(request, name);
    for (const line of reportLines(measurement)) console.log(line);
    if (jsonFile !== null) appendFileSync(jsonFile, `${JSON.stringify(reportObject(measurement, setting()))}\n`);
  }
}

process.on('SIGINT', () => {
  if (interrupted) process.exit(130);
  interrupted = true;
});
const checkOnly = process.argv[2] === '--check';
try {
  const request = parseArguments(process.argv.slice(checkOnly ? 3 : 2));
  if (request === null) console.log(usage);
  else if (!checkOnly) await run(request);
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
