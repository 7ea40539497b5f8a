import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { TopicMetadata } from './cluster.ts';
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
  rangeAssignor,
  roundRobinAssignor,
} from './group-protocol.ts';
import type { AssignedTopic, GroupSubscription } from './group-protocol.ts';

function topic(name: string, count: number): TopicMetadata {
  const partitions = Array.from({ length: count }, (_, index) => ({ index, leader: 1 }));
  return { name, topicId: name, partitions };
}

function topics(...list: readonly TopicMetadata[]): ReadonlyMap<string, TopicMetadata> {
  return new Map(list.map((metadata) => [metadata.name, metadata]));
}

function member(memberId: string, names: readonly string[], instanceId: string | null = null): GroupSubscription {
  return { memberId, instanceId, topics: names };
}

function shown(assigned: ReadonlyMap<string, readonly AssignedTopic[]>): Readonly<Record<string, readonly string[]>> {
  const entries = [...assigned].map(
    ([id, list]) => [id, list.flatMap(({ topic, partitions }) => partitions.map((p) => `${topic}${p}`))] as const,
  );
  return Object.fromEntries(entries);
}

describe('assignors', () => {
  test('range gives as the documentation of the Java assignor says', () => {
    const members = [member('C1', ['t0', 't1']), member('C0', ['t0', 't1'])];
    expect(shown(rangeAssignor.assign(members, topics(topic('t0', 3), topic('t1', 3))))).toEqual({
      C0: ['t00', 't01', 't10', 't11'],
      C1: ['t02', 't12'],
    });
  });

  test('round robin gives as the documentation of the Java assignor says', () => {
    const all = topics(topic('t0', 1), topic('t1', 2), topic('t2', 3));
    const members = [member('C0', ['t0']), member('C1', ['t0', 't1']), member('C2', ['t0', 't1', 't2'])];
    expect(shown(roundRobinAssignor.assign(members, all))).toEqual({
      C0: ['t00'],
      C1: ['t10'],
      C2: ['t11', 't20', 't21', 't22'],
    });
  });

  test('static members come before others, by instance id', () => {
    const members = [member('a', ['t']), member('z', ['t'], 'i2'), member('y', ['t'], 'i1')];
    expect(shown(rangeAssignor.assign(members, topics(topic('t', 3))))).toEqual({ y: ['t0'], z: ['t1'], a: ['t2'] });
  });

  test.each([rangeAssignor, roundRobinAssignor])(
    '$name gives every partition to exactly one subscriber',
    (assignor) => {
      const names = ['t0', 't1', 't2'];
      const subscription = fc.subarray(names, { minLength: 1 });
      fc.assert(
        fc.property(
          fc.array(subscription, { minLength: 1, maxLength: 7 }),
          fc.tuple(fc.nat(9), fc.nat(9), fc.nat(9)),
          (subscriptions, counts) => {
            const members = subscriptions.map((list, index) => member(`m${index}`, list));
            const all = topics(...names.map((name, index) => topic(name, counts[index] ?? 0)));
            const assigned = assignor.assign(members, all);
            const owned = [...assigned].flatMap(([id, list]) =>
              list.flatMap(({ topic, partitions }) => {
                expect(members.find(({ memberId }) => memberId === id)?.topics).toContain(topic);
                return partitions.map((partition) => `${topic}/${partition}`);
              }),
            );
            const subscribed = new Set(subscriptions.flat());
            const expected = [...all.values()]
              .filter(({ name }) => subscribed.has(name))
              .flatMap(({ name, partitions }) => partitions.map(({ index }) => `${name}/${index}`));
            expect(owned.sort()).toEqual(expected.sort());
            expect(assigned.size).toBe(members.length);
          },
        ),
      );
    },
  );
});

describe('consumer protocol', () => {
  test('assignments and subscriptions come back', () => {
    const assigned = [
      { topic: 'a', partitions: [0, 5] },
      { topic: 'b', partitions: [2] },
    ];
    expect(decodeAssignment(encodeAssignment(assigned))).toEqual(assigned);
    expect(decodeAssignment(Buffer.alloc(0))).toEqual([]);
    expect(decodeSubscription(encodeSubscription(['b', 'a'], 0))).toEqual(['a', 'b']);
    expect(decodeSubscription(encodeSubscription(['b', 'a'], 7))).toEqual(['a', 'b']);
    expect(encodeSubscription(['a'], 1)).not.toEqual(encodeSubscription(['a'], 2));
  });

  test('an assignment has the bytes of the protocol', () => {
    const fields = ['0001', '00000001', '0001', '61', '00000001', '00000003', 'ffffffff'];
    expect(encodeAssignment([{ topic: 'a', partitions: [3] }]).toString('hex')).toBe(fields.join(''));
  });
});
