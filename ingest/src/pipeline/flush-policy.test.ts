import { expect, it } from 'vitest';

import { dueInMs } from './flush-policy.ts';
import { laneOf } from './lane-spread.ts';

const lake = { maxRows: 100, maxBytes: 1000, delayMs: 2000, offsetsDelayMs: 60_000 };
const quiet = { rows: 1, bytes: 10, ageMs: 500, urgent: false };

it.each([
  ['a lone change of PostgreSQL', { ...lake, delayMs: 0 }, quiet, 0],
  ['a lone change of the lake', lake, quiet, 1500],
  ['an old change', lake, { ...quiet, ageMs: 2500 }, 0],
  ['many rows', lake, { ...quiet, rows: 100 }, 0],
  ['many bytes', lake, { ...quiet, bytes: 1000 }, 0],
  ['offsets alone', { ...lake, delayMs: 0 }, { ...quiet, rows: 0 }, 59_500],
  ['offsets that somebody waits for', lake, { ...quiet, rows: 0, urgent: true }, 0],
])('%s', (_, policy, batch, expected) => {
  expect(dueInMs(policy, batch)).toBe(expected);
});

it('spreads partitions of one topic, and topics with one partition each, over all lanes', () => {
  const ofTopic = [0, 1, 2, 3].map((partition) => laneOf({ topic: 'shop.orders', partition }, 4));
  expect(new Set(ofTopic).size).toBe(4);
  const ofTopics = Array.from({ length: 40 }, (_, index) => laneOf({ topic: `shop.t${index}`, partition: 0 }, 4));
  expect(new Set(ofTopics).size).toBe(4);
});
