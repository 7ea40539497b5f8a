import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { parseSize } from './size.ts';

function bytes(text: string): number | string {
  const result = parseSize(text);
  return result.ok ? result.value : result.rule;
}

describe('sizes', () => {
  it('counts in powers of 1024, any case, with and without b', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 7 }), fc.constantFrom('k', 'm', 'g', 't'), (count, unit) => {
        const expected = count * 1024 ** ('kmgt'.indexOf(unit) + 1);
        for (const text of [unit, unit.toUpperCase(), `${unit}b`, ` ${unit}B`]) {
          expect(bytes(`${count}${text}`)).toBe(expected);
        }
      }),
    );
  });

  it('takes plain bytes', () => {
    expect(bytes('65536')).toBe(65_536);
    expect(bytes('12b')).toBe(12);
  });

  it.each(['', 'mb', '1.5mb', '-1', '1 pb', '1_000', '1kib', '9007199254740992'])('refuses %s', (text) => {
    expect(bytes(text)).toBeTypeOf('string');
  });
});
