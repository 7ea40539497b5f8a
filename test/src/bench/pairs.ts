import { childProcess } from './side-process.ts';
import type { SideResult } from './measure.ts';
import { quietness } from './noise.ts';
import type { Quietness } from './noise.ts';

export interface Side {
  /** Shown in the report. */
  readonly label: string;
  /** Module under `sides/`, run in a process of its own. */
  readonly module: string;
  readonly input: unknown;
}

/** One run of both sides, next to each other in time. */
export interface Pair {
  readonly ours: SideResult;
  readonly yardstick: SideResult;
  readonly quiet: Quietness;
}

export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly greatest: number;
}

/** `undecided`: the median is below the gate, the better half of the pairs above it: more pairs, or noise. */
export type Outcome = 'met' | 'missed' | 'undecided';

/** Runs a side once in a fresh process. */
export function runSide(side: Side): Promise<SideResult> {
  return childProcess<SideResult>(side.label, side.module, side.input);
}

/** Runs both sides `pairs` times in turn: A B, B A, A B … */
export async function runPairs(ours: Side, yardstick: Side, pairs: number): Promise<readonly Pair[]> {
  const done: Pair[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    const before = quietness();
    const oursFirst = pair % 2 === 0;
    const first = await runSide(oursFirst ? ours : yardstick);
    const second = await runSide(oursFirst ? yardstick : ours);
    const [a, b] = oursFirst ? [first, second] : [second, first];
    done.push({ ours: a, yardstick: b, quiet: before.ended() });
  }
  return done;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

export function spread(values: readonly number[]): Spread {
  return { median: median(values), least: Math.min(...values), greatest: Math.max(...values) };
}

export function rowsPerSecond({ rows, seconds }: SideResult): number {
  return rows / seconds;
}

/** Null where a side cannot tell its CPU time. */
export function cpuPerMillion({ rows, cpuSeconds }: SideResult): number | null {
  return cpuSeconds === null ? null : (cpuSeconds / rows) * 1e6;
}

/** Rate of ours over rate of the yardstick, pair by pair. */
export function rateRatios(pairs: readonly Pair[]): readonly number[] {
  return pairs.map(({ ours, yardstick }) => rowsPerSecond(ours) / rowsPerSecond(yardstick));
}

/** Rows per CPU-second of ours over those of the yardstick, pair by pair; empty where one side cannot tell. */
export function cpuRatios(pairs: readonly Pair[]): readonly number[] {
  return pairs.flatMap(({ ours, yardstick }) => {
    const [mine, theirs] = [cpuPerMillion(ours), cpuPerMillion(yardstick)];
    return mine === null || theirs === null || mine === 0 ? [] : [theirs / mine];
  });
}

/** Met when the median reaches the gate; undecided when only the better half of the pairs does. */
export function judge(ratios: readonly number[], atLeast: number): Outcome {
  if (median(ratios) >= atLeast) return 'met';
  const better = ratios.toSorted((a, b) => b - a).slice(0, Math.max(1, ratios.length >> 1));
  return better.every((ratio) => ratio >= atLeast) ? 'undecided' : 'missed';
}
