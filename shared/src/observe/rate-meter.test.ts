import { expect, test } from 'vitest';
import { RateMeter } from './rate-meter.ts';

test.each([1000, 5000, 60_000])('a steady rate is shown as it is after %i ms', (durationMs) => {
  const meter = new RateMeter(0);
  for (let ms = 1; ms <= durationMs; ms++) meter.add(3, ms);
  expect(meter.perSecond(durationMs)).toBeCloseTo(3000, -1.5);
});

test('the rate fades when nothing comes any more', () => {
  const meter = new RateMeter(0);
  for (let ms = 0; ms <= 20_000; ms++) meter.add(1, ms);
  expect(meter.perSecond(50_000)).toBeLessThan(60);
  expect(meter.perSecond(500_000)).toBeCloseTo(0, 3);
});

test('a clock that jumps back yields no infinite and no negative rate', () => {
  const meter = new RateMeter(1_000_000);
  meter.add(10, 0);
  expect(meter.perSecond(0)).toBe(0);
});
