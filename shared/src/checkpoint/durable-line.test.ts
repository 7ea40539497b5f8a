import fc from 'fast-check';
import { expect, test } from 'vitest';

import { DurableLine } from './durable-line.ts';

test('a state becomes storable when nothing at or below it is pending', () => {
  const line = new DurableLine<string>();
  line.record(1, 'a');
  line.record(2, 'b');
  line.record(5, 'c');
  expect(line.advance(1)).toBeUndefined();
  expect(line.advance(2)).toBe('a');
  expect(line.advance(5)).toBe('b');
  expect(line.advance(5)).toBeUndefined();
  expect(line.advance(Number.POSITIVE_INFINITY)).toBe('c');
});

test('a later state at the same sequence replaces the earlier', () => {
  const line = new DurableLine<string>();
  line.record(3, 'old');
  line.record(3, 'new');
  expect(line.advance(4)).toBe('new');
});

test('T124 the stored state never passes an unresolved record, whatever the order of acknowledgements', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.infiniteStream(fc.nat()), (count, picks) => {
      const line = new DurableLine<number>();
      const pending = new Set<number>();
      for (let sequence = 1; sequence <= count; sequence++) {
        pending.add(sequence);
        line.record(sequence, sequence);
      }
      let stored = 0;
      while (pending.size > 0) {
        const left = [...pending];
        pending.delete(left[(picks.next().value ?? 0) % left.length] ?? 0);
        const next = line.advance(Math.min(...pending, Number.POSITIVE_INFINITY));
        if (next !== undefined) stored = next;
        expect(stored).toBe(pending.size === 0 ? count : Math.min(...pending) - 1);
      }
    }),
  );
});
