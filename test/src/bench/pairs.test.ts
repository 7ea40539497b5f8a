import { expect, test } from 'vitest';

import type { SideResult } from './measure.ts';
import { cpuRatios, judge, median, rateRatios } from './pairs.ts';
import type { Pair } from './pairs.ts';

function side(rows: number, seconds: number, cpuSeconds: number | null): SideResult {
  return {
    rows,
    seconds,
    cpuSeconds,
    peakRssBytes: null,
    serverCpuSeconds: {},
    foreignShare: null,
    stolenShare: null,
  };
}

function pair(ours: SideResult, yardstick: SideResult): Pair {
  return { ours, yardstick, quiet: { loadPerCore: 0, calibration: 1 } };
}

test('the median of an odd number of values is the middle one, in whatever order they come', () => {
  expect([median([7]), median([9, 1, 5]), median([5, 9, 1]), median([-1, -10, 100, 2, 2])]).toEqual([7, 5, 5, 2]);
});

test('the median of an even number of values lies between the middle two', () => {
  expect(median([4, 1, 3, 100])).toBe(3.5);
});

test('the ratio is taken of rates, so that sides may do different amounts of work', () => {
  expect(rateRatios([pair(side(300, 1, 1), side(100, 2, 1))])).toEqual([6]);
});

test('the CPU ratio compares rows per CPU-second and is left out where a side cannot tell', () => {
  const known = pair(side(100, 1, 2), side(100, 1, 8));
  expect(cpuRatios([known, pair(side(100, 1, null), side(100, 1, 8))])).toEqual([4]);
});

test.each([
  ['the median decides', [3.9, 4.1, 4.2], 'met'],
  ['a median at the gate meets it', [3, 4, 5], 'met'],
  ['a better half above the gate leaves it undecided', [3.1, 3.8, 4.1], 'undecided'],
  ['an even number is judged by its better half', [1, 2, 4.1, 5], 'undecided'],
  ['pairs below the gate miss it', [3.7, 3.8, 3.9], 'missed'],
])('%s', (_what, ratios, outcome) => {
  expect(judge(ratios, 4)).toBe(outcome);
});
