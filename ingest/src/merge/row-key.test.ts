import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { canonicalNumber, RowKey } from './row-key.ts';

function keyOf(columns: readonly string[], row: string): string | null {
  const key = new RowKey(columns);
  const bytes = Buffer.from(row);
  return key.read(bytes, 0, bytes.length) ? key.bytes.toString('latin1', 0, key.length) : null;
}

describe('canonicalNumber', () => {
  it('gives every spelling of a number one text and different numbers different ones', () => {
    const part = fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n });
    fc.assert(
      fc.property(
        part,
        fc.integer({ min: -40, max: 40 }),
        fc.integer({ min: 0, max: 5 }),
        (digits, exponent, zeros) => {
          const plain = `${digits}e${exponent}`;
          const padded = `${digits}${'0'.repeat(zeros)}E${exponent - zeros}`;
          const pointed = `${digits}.${'0'.repeat(zeros + 1)}e+${exponent}`.replace('e+-', 'e-');
          const texts = [plain, padded, pointed].map((text) => canonicalNumber(text));
          expect(new Set(texts).size).toBe(1);
          expect(Number(texts[0])).toBe(Number(plain) || 0);
        },
      ),
    );
  });

  it.each([
    ['10', '10'],
    ['-0', '0'],
    ['0.00', '0'],
    ['1E+1', '10'],
    ['18446744073709551615', '18446744073709551615'],
    ['1.50', '15e-1'],
    ['1e400', '1e400'],
  ])('%s is %s', (literal, canonical) => {
    expect(canonicalNumber(literal)).toBe(canonical);
  });
});

describe('RowKey', () => {
  it('is the same for one row in every spelling', () => {
    const rows = ['{"a":10,"b":"x"}', '{"b":"\\u0078","other":[{}],"a":1e1}', ' { "a" : "10" , "b" : "x" } '];
    expect(new Set(rows.map((row) => keyOf(['a', 'b'], row))).size).toBe(1);
  });

  it('tells rows apart however their cells meet', () => {
    const cell = fc.oneof(fc.integer(), fc.string({ unit: 'binary', maxLength: 5 }), fc.boolean());
    fc.assert(
      fc.property(fc.tuple(cell, cell), fc.tuple(cell, cell), (one, other) => {
        const key = ([a, b]: readonly unknown[]): unknown => keyOf(['a', 'b'], JSON.stringify({ a, b }));
        const text = (row: readonly unknown[]): string => JSON.stringify(row.map((item) => [typeof item, item]));
        // An integer in quotes is that integer.
        const plain = (row: readonly unknown[]): string =>
          text(row.map((item) => (typeof item === 'string' && /^(?:0|-?[1-9]\d*)$/.test(item) ? Number(item) : item)));
        expect(key(one) === key(other)).toBe(plain(one) === plain(other));
      }),
      { numRuns: 1000 },
    );
  });

  it('keeps texts that only look like numbers', () => {
    const keys = ['"010"', '"1.0"', '"1.00"', '"-0"', '"+1"', '"1e1"', '" 1"', '1'].map((text) =>
      keyOf(['a'], `{"a":${text}}`),
    );
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('is none where a column is absent or null', () => {
    expect(keyOf(['a', 'b'], '{"a":1}')).toBeNull();
    expect(keyOf(['a', 'b'], '{"a":1,"b":null}')).toBeNull();
  });
});
