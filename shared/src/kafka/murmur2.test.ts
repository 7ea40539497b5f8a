import { describe, expect, test } from 'vitest';

import { murmur2, partitionOf } from './murmur2.ts';

function hashOf(text: string): number {
  const bytes = Buffer.from(text);
  return murmur2(bytes, 0, bytes.length);
}

/** Bytes, hash, partition of 3, 4, 6 and 12; computed with the Java client. */
const vectors: readonly (readonly [string, number, number, number, number, number])[] = [
  ['', 275646681, 0, 1, 3, 9],
  ['21', -973932308, 0, 0, 0, 0],
  ['abc', 479470107, 0, 3, 3, 3],
  ['foobar', -790332482, 0, 2, 0, 6],
  ['a-little-bit-long-string', -985981536, 2, 0, 2, 8],
  ['a-little-bit-longer-string', -1486304829, 2, 3, 5, 11],
  ['{"TableId":"kafka_test.customers","id":1}', -290841792, 2, 0, 2, 8],
  ['{"TableId":"kafka_test.customers","id":2}', 1932299342, 2, 2, 2, 2],
  ['{"TableId":"kafka_test.customers","id":3}', 1754197782, 0, 2, 0, 6],
  ['{"TableId":"kafka_test.customers","id":4}', -1128820449, 2, 3, 5, 11],
  ['{"TableId":"inventory.products","id":101}', 286489010, 2, 2, 2, 2],
  ['{"TableId":"inventory.products","id":102}', -1646003299, 1, 1, 1, 1],
  ['{"TableId":"kafka_test.order_items","order_id":7,"line_no":2}', -849841036, 1, 0, 4, 4],
  ['{"TableId":"kafka_test.names","name":"Ünï-✓"}', 374615280, 0, 0, 0, 0],
  ['{"TableId":"kafka_test.log"}', 50613708, 0, 0, 0, 0],
  ['{"TableId":"shop.orders","id":9007199254740993}', 48914813, 2, 1, 5, 5],
  ['{"TableId":"shop.orders","id":18446744073709551615}', 983448237, 0, 1, 3, 9],
  ['{"TableId":"shop.orders","id":10}', 1807158203, 2, 3, 5, 11],
  ['{"TableId":"shop.orders","id":1E+1}', 1207667229, 0, 1, 3, 9],
  ['{"TableId":"public.orders","id":1}', 369155670, 0, 2, 0, 6],
  ['{"TableId":"default_namespace.default_schema.table1","col1":"1"}', -1540806067, 1, 1, 1, 1],
  ['"default_namespace.default_schema.table1",1', 1555914887, 2, 3, 5, 11],
  ['kafka_test.customers,4', -381715211, 0, 1, 3, 9],
  ['"1001"', -1066318884, 2, 0, 2, 8],
];

describe('murmur2', () => {
  test.each(vectors)('T133 %j hashes and lands where the Java client puts it', (text, hash, of3, of4, of6, of12) => {
    expect(hashOf(text)).toBe(hash);
    expect([3, 4, 6, 12].map((count) => partitionOf(hash, count))).toEqual([of3, of4, of6, of12]);
  });

  test('a range inside a larger buffer hashes like the same bytes alone', () => {
    for (let length = 0; length <= 12; length++) {
      const text = 'abcdefghijkl'.slice(0, length);
      const inside = Buffer.from(`xyz${text}uvw`);
      expect(murmur2(inside, 3, 3 + length)).toBe(hashOf(text));
    }
  });
});
