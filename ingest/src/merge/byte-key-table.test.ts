import * as fc from 'fast-check';
import { expect, it } from 'vitest';

import { ByteKeyTable } from './byte-key-table.ts';

function numbered(table: ByteKeyTable, keys: readonly string[]): readonly number[] {
  return keys.map((key) => {
    const bytes = Buffer.from(`<${key}>`);
    return table.add(bytes, 1, bytes.length - 1);
  });
}

/** Numbers in order of first appearance, by a Map. */
function expected(keys: readonly string[]): readonly number[] {
  const known = new Map<string, number>();
  for (const key of keys) if (!known.has(key)) known.set(key, known.size);
  return keys.map((key) => known.get(key) ?? -1);
}

const keys = fc.array(fc.string({ unit: 'binary', maxLength: 4 }), { maxLength: 200 });

it('numbers keys as a Map does', () => {
  fc.assert(
    fc.property(keys, (list) => {
      expect(numbered(new ByteKeyTable(), list)).toStrictEqual(expected(list));
    }),
  );
});

it('tells keys apart when all their hashes are equal', () => {
  fc.assert(
    fc.property(keys, (list) => {
      expect(numbered(new ByteKeyTable(() => -7), list)).toStrictEqual(expected(list));
    }),
  );
});

it('grows beyond its first size and starts anew when cleared', () => {
  const table = new ByteKeyTable();
  const list = Array.from({ length: 20_000 }, (_, index) => `key ${index % 15_000}`);
  expect(numbered(table, list)).toStrictEqual(expected(list));
  table.clear();
  expect(numbered(table, ['b', 'a', 'b'])).toStrictEqual([0, 1, 0]);
});
