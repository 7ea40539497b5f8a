import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { parseDuration } from './duration.ts';

function milliseconds(text: string): number | string {
  const result = parseDuration(text);
  return result.ok ? result.value : result.rule;
}

describe('durations', () => {
  it.each([
    ['250', 250],
    ['30s', 30_000],
    ['30 S', 30_000],
    ['5min', 300_000],
    ['5 minutes', 300_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    ['1 day', 86_400_000],
    ['2000 us', 2],
    ['3000000ns', 3],
    ['1µs', 1],
    ['1ns', 1],
    ['0s', 0],
    ['-1', -1],
    ['10 milliseconds', 10],
    ['PT30S', 30_000],
    ['PT0.5S', 500],
    ['pt1h1m1s', 3_661_000],
    ['P1DT1S', 86_401_000],
  ])('%s', (text, expected) => {
    expect(milliseconds(text)).toBe(expected);
  });

  it.each(['', 's', '1.5s', '1 fortnight', 'P', 'PT', 'P1DT', '1s 2ms', '1_000', '0x10', '9'.repeat(20)])(
    'refuses %s',
    (text) => {
      expect(milliseconds(text)).toBeTypeOf('string');
    },
  );

  it('reads whole milliseconds back in every unit that divides them', () => {
    const units = { ms: 1, s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 };
    fc.assert(
      fc.property(
        fc.constantFrom(...(Object.keys(units) as (keyof typeof units)[])),
        fc.integer({ min: 0, max: 10_000_000 }),
        fc.constantFrom('', ' '),
        (unit, count, blank) => {
          expect(milliseconds(`${count}${blank}${unit}`)).toBe(count * units[unit]);
          expect(milliseconds(`${count}${blank}${unit.toUpperCase()}`)).toBe(count * units[unit]);
        },
      ),
    );
  });

  it('rounds finer units up, so that nothing positive becomes zero', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2_000_000_000 }), (nanoseconds) => {
        const expected = Number((BigInt(nanoseconds) + 999_999n) / 1_000_000n);
        expect(milliseconds(`${nanoseconds}ns`)).toBe(expected);
      }),
    );
  });
});
