import { expect, test } from 'vitest';

import type { Cell } from './decode-input.ts';
import { changeDifferences } from './same-change.ts';

function differences(ours: Cell, theirs: Cell): readonly string[] {
  return changeDifferences(
    { op: 'c', before: null, after: { id: 1, value: ours } },
    { op: 'c', before: null, after: { id: 1, value: theirs } },
  );
}

test.each<readonly [string, Cell, Cell]>([
  ['a decimal as number and as text', 12.5, '12.5000'],
  ['a boolean and a tiny integer', true, 1],
  ['a timestamp with zone and one with idle zeros', '2021-06-01 00:00:01Z', '2021-06-01 00:00:01.000'],
  ['fractions of different length', '2020-01-01 00:00:00.997Z', '2020-01-01 00:00:00.997000'],
  ['JSON as text and as objects', '{"list": [1, 2.5], "n": null}', { n: null, list: [1, '2.5'] }],
  ['nulls', null, null],
])('%s are the same', (_what, ours, theirs) => {
  expect(differences(ours, theirs)).toEqual([]);
});

test.each<readonly [string, Cell, Cell]>([
  ['another number', 12.5, '12.5001'],
  ['a number and an empty text', 0, ''],
  ['null and nothing to see', null, 0],
  ['another fraction', '2020-01-01 00:00:00.99', '2020-01-01 00:00:00.997'],
  ['another text', 'a', 'b'],
  ['a missing JSON member', '{"a": 1}', { a: 1, b: 2 }],
  ['another boolean', false, 1],
])('%s differs', (_what, ours, theirs) => {
  expect(differences(ours, theirs)).toEqual(['value']);
});

test('a missing column, a missing image and another op differ', () => {
  const whole = { op: 'u', before: { id: 1 }, after: { id: 1, k: 2 } };
  expect(changeDifferences(whole, { ...whole, after: { id: 1 } })).toEqual(['k']);
  expect(changeDifferences(whole, { ...whole, before: null })).toEqual(['an image is missing']);
  expect(changeDifferences(whole, { ...whole, op: 'c' })).toEqual(['op']);
});
