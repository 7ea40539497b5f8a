import fc from 'fast-check';
import { expect, test } from 'vitest';

import { rowSpans } from '../testing/row-spans.ts';
import { CopyText } from './copy-text.ts';
import { KeyArrays } from './key-array.ts';
import { integerCell } from './number-cell.ts';
import { textCell } from './text-cell.ts';

function keyArrays(): KeyArrays {
  const text = textCell({ invalidText: 'dead-letter', repairs: { count: 0 } });
  const columns = [
    { field: 'a', cell: integerCell, isKey: true, nullable: false },
    { field: 'b', cell: text, isKey: true, nullable: false },
  ];
  return new KeyArrays(new CopyText(columns), columns.length);
}

/** Elements of an array literal of quoted elements, by the rules of PostgreSQL's array input. */
function elements(literal: string): string[] {
  expect(literal).toMatch(/^\{.*\}$/s);
  const found = [...literal.slice(1, -1).matchAll(/(?:^|,)"((?:\\.|[^"\\])*)"/gs)];
  expect(`{${found.map((match) => match[0]).join('')}}`).toBe(literal);
  return found.map((match) => (match[1] ?? '').replaceAll(/\\(.)/gs, '$1'));
}

test('keys become one array for each key column, row by row', () => {
  const arrays = keyArrays();
  expect(arrays.literals(rowSpans(['{"a":1,"b":"x","other":[]}', '{"b":"y","a":2}']))).toEqual([
    '{"1","2"}',
    '{"x","y"}',
  ]);
  expect(arrays.literals(rowSpans(['{"a":3,"b":""}']))).toEqual(['{"3"}', '{""}']);
});

test('any text comes out of the array as it went in', () => {
  const arrays = keyArrays();
  const texts = fc.array(
    fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0')),
    { minLength: 1 },
  );
  fc.assert(
    fc.property(texts, (keys) => {
      const [numbers = '', strings = ''] = arrays.literals(rowSpans(keys.map((b, a) => JSON.stringify({ a, b }))));
      expect(elements(strings)).toEqual(keys);
      expect(elements(numbers)).toEqual(keys.map((_, index) => String(index)));
    }),
  );
});
