import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

/** What one run of one side reports about itself, after checking its own result. */
export interface SideResult {
  readonly rows: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakRssBytes: number;
  /** Bytes that the side produced; compared where both sides make the same thing. */
  readonly bytes?: number;
}

export interface Side {
  /** Shown in the report. */
  readonly label: string;
  /** Module under `sides/`, run in a process of its own. */
  readonly module: string;
  readonly input: unknown;
}

export interface PairReport {
  readonly ours: SideResult;
  readonly yardstick: SideResult;
  /** Rate of ours over rate of the yardstick, per pair: median, least, greatest. */
  readonly ratio: number;
  readonly ratioMin: number;
  readonly ratioMax: number;
  readonly pairs: number;
}

/** Runs a side once in a fresh process; its last output line is its result. */
export async function runSide(side: Side): Promise<SideResult> {
  const script = fileURLToPath(new URL(`sides/${side.module}.ts`, import.meta.url));
  const child = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  child.stdin.end(JSON.stringify(side.input));
  const output = await text(child.stdout);
  const [code] = await exited;
  if (code !== 0) throw new Error(`${side.label} failed with code ${String(code)}`);
  return JSON.parse(output.trim().split('\n').at(-1) ?? '') as SideResult;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

function byRate(results: readonly SideResult[]): SideResult {
  const sorted = results.toSorted((a, b) => a.rows / a.seconds - b.rows / b.seconds);
  const middle = sorted[sorted.length >> 1];
  if (middle === undefined) throw new Error('nothing was measured');
  return middle;
}

/** Runs both sides in turn, A B B A …, after one uncounted pair; quotes the median of the pairwise ratios. */
export async function runPairs(ours: Side, yardstick: Side, pairs: number): Promise<PairReport> {
  await runSide(ours);
  await runSide(yardstick);
  const a: SideResult[] = [];
  const b: SideResult[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    const order = pair % 2 === 0 ? ([ours, yardstick] as const) : ([yardstick, ours] as const);
    for (const side of order) (side === ours ? a : b).push(await runSide(side));
  }
  const ratios = a.map((one, index) => {
    const other = b[index] ?? one;
    return one.rows / one.seconds / (other.rows / other.seconds);
  });
  return {
    ours: byRate(a),
    yardstick: byRate(b),
    ratio: median(ratios),
    ratioMin: Math.min(...ratios),
    ratioMax: Math.max(...ratios),
    pairs,
  };
}
