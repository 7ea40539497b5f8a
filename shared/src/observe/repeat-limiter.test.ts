import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { RepeatLimiter } from './repeat-limiter.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function recorded(): { lines: [string, string, number][]; limiter: RepeatLimiter<string> } {
  const lines: [string, string, number][] = [];
  return { lines, limiter: new RepeatLimiter(10_000, (key, last, count) => lines.push([key, last, count])) };
}

test('the first occurrence comes at once, the rest of an interval as one line with the count', () => {
  const { lines, limiter } = recorded();
  for (let i = 0; i < 1000; i++) limiter.occurred('m', `o${i}`);
  expect(lines).toEqual([['m', 'o0', 1]]);
  vi.advanceTimersByTime(9999);
  expect(lines).toHaveLength(1);
  vi.advanceTimersByTime(1);
  expect(lines).toEqual([
    ['m', 'o0', 1],
    ['m', 'o999', 999],
  ]);
});

test('a burst of any length gives one line each interval', () => {
  const { lines, limiter } = recorded();
  for (let i = 0; i < 60; i++) {
    limiter.occurred('m', 'o');
    vi.advanceTimersByTime(1000);
  }
  expect(lines).toHaveLength(7);
  expect(lines.reduce((sum, [, , count]) => sum + count, 0)).toBe(60);
});

test('after a silent interval the next occurrence comes at once again, and messages do not hold each other back', () => {
  const { lines, limiter } = recorded();
  limiter.occurred('a', '1');
  limiter.occurred('b', '1');
  vi.advanceTimersByTime(10_000);
  limiter.occurred('a', '2');
  expect(lines).toEqual([
    ['a', '1', 1],
    ['b', '1', 1],
    ['a', '2', 1],
  ]);
});
