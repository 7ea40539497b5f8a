import { expect, test } from 'vitest';

import type { Gate } from './gates.ts';
import type { SideResult } from './measure.ts';
import type { Pair } from './pairs.ts';
import { reportLines, reportObject, verdict } from './report.ts';
import type { Measurement } from './report.ts';

const gate: Gate = { id: 'C1', atLeast: 4, provisional: false };

function side(seconds: number, more: Partial<SideResult> = {}): SideResult {
  return {
    rows: 1_000_000,
    seconds,
    cpuSeconds: seconds,
    peakRssBytes: 100 * 1024 * 1024,
    serverCpuSeconds: { mysql: 0.5, kafka: 0 },
    foreignShare: 0,
    stolenShare: 0,
    ...more,
  };
}

function measurement(pairs: readonly (readonly [SideResult, SideResult])[], more: Partial<Measurement> = {}) {
  const quiet = { loadPerCore: 0.1, calibration: 1 };
  return {
    bench: 'decode' as const,
    workload: 'orders',
    oursLabel: 'ours',
    yardstickLabel: 'zongji',
    inputBytes: 64 * 1024 * 1024,
    gate,
    pairs: pairs.map(([ours, yardstick]): Pair => ({ ours, yardstick, quiet })),
    checked: 'everything',
    ...more,
  };
}

test('a person reads rates, CPU, memory, the spread of the ratio and the verdict', () => {
  const lines = reportLines(
    measurement([
      [side(4), side(20)],
      [side(5), side(20)],
      [side(4), side(24)],
    ]),
  );
  expect(lines).toEqual([
    'decode orders: 1,000,000 rows, 64 MiB of log, 3 pairs',
    "                                  rows/s   CPU-s/M rows   peak RSS    servers' CPU-s/M rows",
    '  ours                           250,000           4.00    100 MiB    mysql 0.50',
    '  zongji                          50,000          20.00    100 MiB    mysql 0.50',
    '  ratio 5.00 [4.00–6.00], per CPU-second 5.00',
    '  gate  C1 ≥ 4: met',
    '  checked: everything',
  ]);
});

test('what disturbed pairs is told', () => {
  const lines = reportLines(
    measurement([
      [side(4), side(20, { foreignShare: 0.4 })],
      [side(4), side(20)],
    ]),
  );
  expect(lines.at(-1)).toBe(
    '  note: 1 of 2 pairs were disturbed, for example: 40 % of the CPU went to other processes',
  );
});

test.each([
  ['runs below three seconds are not judged', [[side(2.9), side(20)]], 'not judged, runs below 3 s'],
  ['a median above the gate is met', [[side(3), side(20)]], 'met'],
  ['a median below it is missed', [[side(10), side(20)]], 'missed'],
  [
    'a median below and a better half above is noise, not a pass',
    [
      [side(10), side(20)],
      [side(10), side(30)],
      [side(10), side(50)],
    ],
    'inconclusive (noise)',
  ],
] as const)('%s', (_what, pairs, expected) => {
  expect(verdict(measurement(pairs))).toBe(expected);
});

test('where no gate is set there is no verdict', () => {
  expect(verdict(measurement([[side(4), side(20)]], { gate: null }))).toBe('no gate');
});

test('the JSON object has the summary, the setting and every run', () => {
  const setting = { commit: 'abc', node: 'v24', cpu: 'x', cores: 2 };
  const made = reportObject(
    measurement([
      [side(4), side(20)],
      [side(5), side(20, { cpuSeconds: null })],
    ]),
    setting,
  );
  expect(made).toMatchObject({
    bench: 'decode',
    workload: 'orders',
    rowsPerSecond: 225_000,
    cpuSecondsPerMillionRows: 4.5,
    peakRssBytes: 104_857_600,
    yardstick: 'zongji',
    yardstickRowsPerSecond: 50_000,
    ratio: 4.5,
    ratioMin: 4,
    ratioMax: 5,
    cpuRatio: 5,
    gate: 'C1',
    gateAtLeast: 4,
    verdict: 'met',
    disturbedPairs: 0,
    ...setting,
  });
  expect(made['pairs']).toHaveLength(2);
});
