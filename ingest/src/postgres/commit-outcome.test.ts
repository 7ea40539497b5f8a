import { expect, test } from 'vitest';

import { resolveOutcome } from './commit-outcome.ts';

const ranges = [0, 1].map((partition) => ({
  topic: 't',
  partition,
  from: 5n,
  to: 9n,
  marks: new Map<string, string>(),
}));

function outcome(next: readonly bigint[], epoch = 2n): string {
  const stored = next.map((nextOffset, partition) => ({ topic: 't', partition, nextOffset, epoch }));
  return resolveOutcome(ranges, stored, () => 2n);
}

test('offsets after the batch show a commit, offsets before it none', () => {
  expect(outcome([9n, 9n])).toBe('committed');
  expect(outcome([5n, 5n])).toBe('not-committed');
});

test('offsets that are neither are a defect, never a guess', () => {
  expect(() => outcome([9n, 5n])).toThrow(expect.objectContaining({ code: 'INVARIANT_BROKEN' }) as Error);
});

test('another epoch means that a newer owner is there, whatever the offsets', () => {
  expect(() => outcome([9n, 9n], 3n)).toThrow(expect.objectContaining({ code: 'DESTINATION_FENCED' }) as Error);
  expect(() => outcome([])).toThrow(expect.objectContaining({ code: 'DESTINATION_FENCED' }) as Error);
});

test('a batch that moves no offset is repeated', () => {
  const still = ranges.map((range) => ({ ...range, to: range.from }));
  const stored = still.map(({ topic, partition, from }) => ({ topic, partition, nextOffset: from, epoch: 2n }));
  expect(resolveOutcome(still, stored, () => 2n)).toBe('not-committed');
});
