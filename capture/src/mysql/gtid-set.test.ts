import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { decodeGtidSet, GtidSet } from './gtid-set.ts';

const a = '8b4570c1-e545-11f1-960d-02fc00000001';
const b = '8b4570c1-e545-11f1-960d-02fc00000002';
const c = '8b4570c1-e545-11f1-960d-02fc00000003';

function short(text: string): GtidSet {
  return GtidSet.parse(text.replaceAll('A:', `${a}:`).replaceAll('B:', `${b}:`).replaceAll('C:', `${c}:`));
}

describe('T109 sets of many shapes', () => {
  test.each([
    [`${a}:1-3:5`, `${a}:1-3:5`],
    [`${a.toUpperCase()}:1-3,\n ${b}:7`, `${a}:1-3,${b}:7`],
    [`${b}:1,${a}:2`, `${a}:2,${b}:1`],
    [`${a}:5:1-4`, `${a}:1-5`],
    [`${a}:1-5,${a}:3-9`, `${a}:1-9`],
    [`${a}:1-65:mytag:1`, `${a}:1-65:mytag:1`],
    [`${a}:MyTag:1-2:3`, `${a}:mytag:1-3`],
    [`${a.replaceAll('-', '')}:1 - 2`, `${a}:1-2`],
    ['', ''],
    [' ,\n', ''],
  ])('%j is read as %j', (text, printed) => {
    expect(GtidSet.parse(text).toString()).toBe(printed);
  });

  test.each(['x:1', a, `${a}:0`, `${a}:1-`, `${a}:-5`, `${a}:9223372036854775807`, `${a}:1:!x:2`])(
    '%j is refused',
    (text) => {
      expect(() => GtidSet.parse(text)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    },
  );

  test('the tagged form of the dump command is encoded as the server expects it', () => {
    const uuid = a.replaceAll('-', '');
    const one = '0100000000000000';
    expect(GtidSet.parse(`${a}:1-65:mytag:1`).encode().toString('hex')).toBe(
      `0102000000000001${uuid}00${one}${one}4200000000000000${uuid}0a6d79746167${one}${one}0200000000000000`,
    );
  });

  test('the plain form has a count of 64 bits and half-open intervals', () => {
    expect(GtidSet.parse(`${a}:3-4`).encode().toString('hex')).toBe(
      `0100000000000000${a.replaceAll('-', '')}010000000000000003000000000000000500000000000000`,
    );
  });
});

describe('T110 a set that names only what was read is completed from the server, holes kept', () => {
  test.each([
    ['A:1-100', 'A:45-80:83-90', 'A:1-80:83-90'],
    ['A:1-50:60-90:95-200', 'A:45-50:65-70', 'A:1-50:65-70'],
    ['A:1-100,B:1-50', 'A:45-80,B:30-60,C:1-20', 'A:1-80,B:1-50,C:1-20'],
  ])('server %s, checkpoint %s', (server, stored, start) => {
    expect(short(stored).completedFrom(short(server)).toString()).toBe(short(start).toString());
  });
});

describe('set arithmetic agrees with sets of numbers', () => {
  const numbers = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 });
  const build = (list: readonly number[]): GtidSet => {
    const set = new GtidSet();
    for (const number of list) set.add(a, number);
    return set;
  };
  const members = (set: GtidSet): number[] => {
    const found: number[] = [];
    for (let number = 0; number <= 60; number++) if (set.contains(a, number)) found.push(number);
    return found;
  };
  const sorted = (list: Iterable<number>): number[] => [...new Set(list)].sort((x, y) => x - y);

  test('add and contains', () => {
    fc.assert(
      fc.property(numbers, (list) => {
        expect(members(build(list))).toEqual(sorted(list));
      }),
    );
  });

  test('union, subtract, intersect, containsSet', () => {
    fc.assert(
      fc.property(numbers, numbers, (left, right) => {
        const [x, y] = [build(left), build(right)];
        const inRight = new Set(right);
        expect(members(x.union(y))).toEqual(sorted([...left, ...right]));
        expect(members(x.subtract(y))).toEqual(sorted(left.filter((n) => !inRight.has(n))));
        expect(members(x.intersect(y))).toEqual(sorted(left.filter((n) => inRight.has(n))));
        expect(x.containsSet(y)).toBe(right.every((n) => left.includes(n)));
      }),
    );
  });

  test('print and parse, encode and decode return the same set, in its shortest form', () => {
    fc.assert(
      fc.property(numbers, (list) => {
        const set = build(list);
        expect(GtidSet.parse(set.toString()).toString()).toBe(set.toString());
        expect(decodeGtidSet(set.encode()).toString()).toBe(set.toString());
        const gaps = sorted(list).filter((n, at, all) => at === 0 || all[at - 1] !== n - 1).length;
        expect(set.toString().split(':').length - 1).toBe(gaps);
      }),
    );
  });
});

test('a truncated encoded set is a corrupt log', () => {
  const whole = GtidSet.parse(`${a}:1-65:mytag:1`).encode();
  for (let length = 0; length < whole.length; length++) {
    expect(() => decodeGtidSet(whole.subarray(0, length))).toThrow(
      expect.objectContaining({ code: 'SOURCE_LOG_CORRUPT' }),
    );
  }
});
