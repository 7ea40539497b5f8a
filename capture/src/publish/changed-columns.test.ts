import { ByteWriter } from '@millrace/shared/bytes/byte-writer.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';

import type { RenderedRow } from '../source.ts';
import { ChangedColumns } from './changed-columns.ts';

type Json = null | boolean | number | string;
type Image = Readonly<Record<string, Json>>;

function changed(
  columns: readonly string[],
  before: Image,
  after: Image,
  options: { readonly nullsLeftOut?: boolean; readonly unavailable?: readonly string[] } = {},
): unknown {
  const out = new ByteWriter(16);
  const put = (image: Image): readonly [number, number] => {
    const start = out.length;
    out.appendUtf8(JSON.stringify(image));
    return [start, out.length];
  };
  const [beforeStart, beforeEnd] = put(before);
  const [afterStart, afterEnd] = put(after);
  const row = { beforeStart, beforeEnd, afterStart, afterEnd, unavailable: options.unavailable ?? null };
  new ChangedColumns(columns, options.nullsLeftOut ?? false).append(out, row as RenderedRow);
  return JSON.parse(out.bytes.toString('utf8', afterEnd, out.length));
}

test('old holds the changed columns with their old values', () => {
  const before = { id: 4, name: 'John', 'a"b': 'x', age: null };
  const after = { id: 4, name: 'Joe', 'a"b': 'x', age: 12 };
  expect(changed(['id', 'name', 'a"b', 'age'], before, after)).toEqual({ name: 'John', age: null });
  expect(changed(['id'], { id: 1 }, { id: 1 })).toEqual({});
});

test('a column that the log did not carry is not in old', () => {
  const options = { unavailable: ['blob'] };
  expect(changed(['id', 'blob', 'n'], { id: 1, n: 1 }, { id: 1, blob: 'new', n: 2 }, options)).toEqual({ n: 1 });
  // Known after the change only: what it was before is not known.
  expect(changed(['id', 'blob'], { id: 1 }, { id: 1, blob: 'new' })).toEqual({});
});

test('a null that was left out of the row is null in old', () => {
  const options = { nullsLeftOut: true };
  expect(changed(['id', 'a', 'b'], { id: 1, b: 2 }, { id: 1, a: 5 }, options)).toEqual({ a: null, b: 2 });
});

test('old equals the difference of the parsed images, for any values', () => {
  const columns = ['a', 'ab', 'b', 'ü"\\'];
  const value = fc.oneof(fc.constant(null), fc.boolean(), fc.integer(), fc.string({ unit: 'binary' }));
  const image = fc.tuple(value, value, value, value);
  const named = (values: readonly Json[]): Image =>
    Object.fromEntries(columns.map((name, index) => [name, values[index] ?? null]));
  fc.assert(
    fc.property(image, image, fc.boolean(), (left, right, nullsLeftOut) => {
      const before = named(left);
      const after = named(right);
      const shown = (row: Image): Image =>
        nullsLeftOut ? Object.fromEntries(Object.entries(row).filter(([, cell]) => cell !== null)) : row;
      const expected = Object.fromEntries(Object.entries(before).filter(([name, cell]) => cell !== after[name]));
      expect(changed(columns, shown(before), shown(after), { nullsLeftOut })).toEqual(expected);
    }),
  );
});
