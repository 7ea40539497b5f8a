import type { BenchName, Gate } from './gates.ts';
import type { SideResult } from './measure.ts';
import { disturbances } from './noise.ts';
import { cpuPerMillion, cpuRatios, judge, median, rateRatios, rowsPerSecond, spread } from './pairs.ts';
import type { Pair } from './pairs.ts';

export interface Measurement {
  readonly bench: BenchName;
  readonly workload: string;
  readonly oursLabel: string;
  readonly yardstickLabel: string;
  /** Of the input, where it is one stretch of a log. */
  readonly inputBytes: number | null;
  readonly gate: Gate | null;
  readonly pairs: readonly Pair[];
  /** What was compared besides counts, for the reader. */
  readonly checked: string;
}

/** Facts about the machine and the code that go into every JSON line. */
export interface Setting {
  readonly commit: string;
  readonly node: string;
  readonly cpu: string;
  readonly cores: number;
}

/** Shorter runs measure the start and the compiler. */
const leastSeconds = 3;

export type Verdict = 'met' | 'missed' | 'inconclusive (noise)' | 'not judged, runs below 3 s' | 'no gate';

function shortestSeconds(pairs: readonly Pair[]): number {
  return Math.min(...pairs.flatMap(({ ours, yardstick }) => [ours.seconds, yardstick.seconds]));
}

export function verdict({ gate, pairs }: Measurement): Verdict {
  if (gate === null) return 'no gate';
  if (shortestSeconds(pairs) < leastSeconds) return 'not judged, runs below 3 s';
  const outcome = judge(rateRatios(pairs), gate.atLeast);
  return outcome === 'undecided' ? 'inconclusive (noise)' : outcome;
}

function medianOf(results: readonly SideResult[], pick: (result: SideResult) => number | null): number | null {
  const known = results.map(pick).filter((value) => value !== null);
  return known.length === 0 ? null : median(known);
}

interface Summary {
  readonly rate: number;
  readonly cpu: number | null;
  readonly rss: number | null;
  readonly servers: Readonly<Record<string, number>>;
}

/** Servers that hardly took part are left out. */
const leastServerCpuPerMillion = 0.01;

function summary(results: readonly SideResult[]): Summary {
  const names = [...new Set(results.flatMap(({ serverCpuSeconds }) => Object.keys(serverCpuSeconds)))];
  const servers = names.map((name): [string, number] => [
    name,
    median(results.map(({ rows, serverCpuSeconds }) => ((serverCpuSeconds[name] ?? 0) / rows) * 1e6)),
  ]);
  return {
    rate: median(results.map(rowsPerSecond)),
    cpu: medianOf(results, cpuPerMillion),
    rss: medianOf(results, ({ peakRssBytes }) => peakRssBytes),
    servers: Object.fromEntries(servers.filter(([, cpu]) => cpu >= leastServerCpuPerMillion)),
  };
}

const whole = (value: number): string => Math.round(value).toLocaleString('en-GB');
const digits = (value: number): string => value.toFixed(2);
const megabytes = (bytes: number): string => `${Math.round(bytes / 1024 / 1024)} MiB`;

function sideLine(label: string, { rate, cpu, rss, servers }: Summary): string {
  const of = Object.entries(servers).map(([name, value]) => `${name} ${digits(value)}`);
  return [
    `  ${label.padEnd(26)}`,
    whole(rate).padStart(11),
    (cpu === null ? '–' : digits(cpu)).padStart(14),
    (rss === null ? '–' : megabytes(rss)).padStart(10),
    `   ${of.join(', ')}`,
  ]
    .join(' ')
    .trimEnd();
}

/** What a person reads about one workload. */
export function reportLines(measurement: Measurement): readonly string[] {
  const { bench, workload, pairs, gate, inputBytes, oursLabel, yardstickLabel, checked } = measurement;
  const ours = pairs.map((pair) => pair.ours);
  const ratio = spread(rateRatios(pairs));
  const cpu = cpuRatios(pairs);
  const rows = ours[0]?.rows ?? 0;
  const input = inputBytes === null ? '' : `, ${megabytes(inputBytes)} of log`;
  const shortest = shortestSeconds(pairs);
  const disturbed = pairs.map(disturbances).filter((found) => found.length > 0);
  const lines = [
    `${bench} ${workload}: ${whole(rows)} rows${input}, ${pairs.length} pairs`,
    `  ${''.padEnd(26)} ${'rows/s'.padStart(11)} ${'CPU-s/M rows'.padStart(14)} ${'peak RSS'.padStart(10)}    servers' CPU-s/M rows`,
    sideLine(oursLabel, summary(ours)),
    sideLine(yardstickLabel, summary(pairs.map((pair) => pair.yardstick))),
    `  ratio ${digits(ratio.median)} [${digits(ratio.least)}–${digits(ratio.greatest)}]${cpu.length === 0 ? '' : `, per CPU-second ${digits(median(cpu))}`}`,
    `  gate  ${gateText(gate)}${verdict(measurement)}`,
  ];
  if (gate?.remark !== undefined) lines.push(`        ${gate.remark}`);
  lines.push(`  checked: ${checked}`);
  if (shortest < leastSeconds) lines.push(`  note: the shortest run took ${digits(shortest)} s: indicative`);
  if (disturbed.length > 0) {
    const example = disturbed[0]?.join(', ') ?? '';
    lines.push(`  note: ${disturbed.length} of ${pairs.length} pairs were disturbed, for example: ${example}`);
  }
  return lines;
}

function gateText(gate: Gate | null): string {
  if (gate === null) return '';
  return `${gate.id} ≥ ${gate.atLeast}${gate.provisional ? ' (provisional)' : ''}: `;
}

/** One JSON line: the summary and every raw number. */
export function reportObject(measurement: Measurement, setting: Setting): Readonly<Record<string, unknown>> {
  const { bench, workload, pairs, gate, inputBytes, yardstickLabel } = measurement;
  const ours = summary(pairs.map((pair) => pair.ours));
  const yardstick = summary(pairs.map((pair) => pair.yardstick));
  const ratio = spread(rateRatios(pairs));
  const cpu = cpuRatios(pairs);
  return {
    bench,
    workload,
    rows: pairs[0]?.ours.rows ?? 0,
    inputBytes,
    rowsPerSecond: ours.rate,
    cpuSecondsPerMillionRows: ours.cpu,
    peakRssBytes: ours.rss,
    serverCpuSecondsPerMillionRows: ours.servers,
    yardstick: yardstickLabel,
    yardstickRowsPerSecond: yardstick.rate,
    yardstickCpuSecondsPerMillionRows: yardstick.cpu,
    yardstickPeakRssBytes: yardstick.rss,
    yardstickServerCpuSecondsPerMillionRows: yardstick.servers,
    ratio: ratio.median,
    ratioMin: ratio.least,
    ratioMax: ratio.greatest,
    cpuRatio: cpu.length === 0 ? null : median(cpu),
    gate: gate?.id ?? null,
    gateAtLeast: gate?.atLeast ?? null,
    verdict: verdict(measurement),
    disturbedPairs: pairs.filter((pair) => disturbances(pair).length > 0).length,
    ...setting,
    pairs,
  };
}
