import fc from 'fast-check';
import { expect, test } from 'vitest';

import { RowIndex } from './row-index.ts';

const sets: readonly [string, (i: number) => readonly [number, number]][] = [
  ['sequential', (i) => [i, 0]],
  ['strided', (i) => [(i * 4096) >>> 0, Math.floor((i * 4096) / 2 ** 32)]],
  ['multiples of the mixing constant', (i) => [Math.imul(i, 0x9e3779b1) >>> 0, 0]],
  ['high words only', (i) => [0, i]],
  ['equal low and high words', (i) => [i, i]],
  ['negative', (i) => [-i >>> 0, 0xffffffff]],
];

test.each(sets)('%s keys are found, in time that does not degenerate', (_name, keyOf) => {
  const index = new RowIndex(2);
  const count = 200_000;
  const started = performance.now();
  for (let i = 1; i <= count; i++) index.set(...keyOf(i), 0, i);
  let wrong = 0;
  for (let i = 1; i <= count; i++) if (index.get(...keyOf(i), 0) !== i) wrong++;
  expect(wrong).toBe(0);
  expect(index.size).toBe(count);
  expect(performance.now() - started).toBeLessThan(5000);
});

test('12 bytes per slot stay below 34 bytes per key, right after doubling too', () => {
  const index = new RowIndex(2);
  let worst = 0;
  for (let i = 1; i <= 300_000; i++) {
    index.set(Math.imul(i, 0x2545f491) >>> 0, i, 0, i);
    if (i > 100_000 && i % 1000 === 0) worst = Math.max(worst, index.bytes / i);
  }
  expect(worst).toBeLessThan(34);
});

interface Operation {
  readonly kind: 'set' | 'delete' | 'get';
  readonly key: readonly [number, number, number];
  readonly address: number;
}

test.each([2, 3] as const)('keys of %i words behave like a Map', (words) => {
  const word = fc.oneof(fc.integer({ min: 0, max: 5 }), fc.constantFrom(0xffffffff, 0x80000000));
  const operation = fc.record({
    kind: fc.constantFrom('set' as const, 'delete' as const, 'get' as const),
    key: fc.tuple(word, word, word),
    address: fc.integer({ min: 1, max: 0xffffffff }),
  });
  const run = (operations: readonly Operation[]): void => {
    const index = new RowIndex(words);
    const model = new Map<string, number>();
    for (const { kind, key, address } of operations) {
      const name = key.slice(0, words).join();
      const known = model.get(name) ?? 0;
      const answer = {
        get: () => index.get(...key),
        set: () => index.set(...key, address),
        delete: () => index.delete(...key),
      };
      expect(answer[kind]()).toBe(known);
      if (kind === 'set') model.set(name, address);
      if (kind === 'delete') model.delete(name);
      expect(index.size).toBe(model.size);
    }
    index.remap((address) => (address % 2 === 0 ? 0 : address));
    for (const [name, address] of model) {
      const key = name.split(',').map(Number);
      expect(index.get(key[0] ?? 0, key[1] ?? 0, key[2] ?? 0)).toBe(address % 2 === 0 ? 0 : address);
    }
  };
  fc.assert(fc.property(fc.array(operation, { maxLength: 400 }), run), { numRuns: 60 });
});

test('deleting every second of many colliding keys leaves the others where they are found', () => {
  const index = new RowIndex(3);
  for (let i = 1; i <= 50_000; i++) index.set(i & 0xff, i >>> 8, i, i);
  for (let i = 2; i <= 50_000; i += 2) expect(index.delete(i & 0xff, i >>> 8, i)).toBe(i);
  for (let i = 1; i <= 50_000; i++) expect(index.get(i & 0xff, i >>> 8, i)).toBe(i % 2 === 0 ? 0 : i);
});
