import fc from 'fast-check';
import { expect, test } from 'vitest';

import { unsignedVarintBytes, unzigzag, varintBytes, writeUnsignedVarint, writeVarint, zigzag } from './varint.ts';

/** The definition, in bigint. */
function expected(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = value >= 0n ? value << 1n : (-value << 1n) - 1n;
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return bytes;
}

test('varints of any magnitude have the bytes of the definition', () => {
  const limit = 2 ** 51;
  fc.assert(
    fc.property(
      fc.oneof(
        fc.integer(),
        fc.maxSafeInteger().filter((value) => Math.abs(value) < limit),
      ),
      (value) => {
        const target = Buffer.alloc(12);
        const end = writeVarint(target, 0, value);
        expect([...target.subarray(0, end)]).toEqual(expected(BigInt(value)));
        expect(varintBytes(value)).toBe(end);
        expect(unzigzag(zigzag(value))).toBe(value);
      },
    ),
  );
});

test('sizes change exactly at the powers of 128', () => {
  for (let bits = 7; bits <= 49; bits += 7) {
    const target = Buffer.alloc(12);
    expect(writeUnsignedVarint(target, 0, 2 ** bits - 1)).toBe(bits / 7);
    expect(unsignedVarintBytes(2 ** bits - 1)).toBe(bits / 7);
    expect(unsignedVarintBytes(2 ** bits)).toBe(bits / 7 + 1);
  }
});
