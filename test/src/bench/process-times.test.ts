import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { platform } from 'node:os';

import { expect, test } from 'vitest';

import { machineTimes, parseProcessTimes, peakRssBytes, treeCpuSeconds } from './process-times.ts';

test('a process name with blanks and brackets does not shift the fields', () => {
  const stat = '42 (a) b (c) S 7 42 42 0 -1 4194560 1 2 3 4 110 20 3 1 20 0 1 0 99 0 0';
  expect(parseProcessTimes(stat)).toEqual({ parent: 7, ticks: 134 });
});

test.runIf(platform() === 'linux')('the work of a child that has ended counts for its tree', async () => {
  const before = treeCpuSeconds(process.pid) ?? 0;
  const work = 'const end = process.cpuUsage().user + 300_000; while (process.cpuUsage().user < end);';
  const child = spawn(process.execPath, ['-e', work]);
  await once(child, 'exit');
  expect((treeCpuSeconds(process.pid) ?? 0) - before).toBeGreaterThan(0.29);
});

test.runIf(platform() === 'linux')('memory and machine times are known; those of no process are not', () => {
  expect(peakRssBytes(process.pid)).toBeGreaterThan(10_000_000);
  expect(machineTimes()?.busySeconds).toBeGreaterThan(0);
  expect(treeCpuSeconds(2 ** 30)).toBeNull();
});
