import { expect, test } from 'vitest';

import { parseArguments, usage, workloadsOf } from './arguments.ts';
import { gates } from './gates.ts';
import type { BenchName } from './gates.ts';

test('a name alone takes all workloads with their defaults, three pairs, one connection', () => {
  expect(parseArguments(['decode'])).toEqual({
    bench: 'decode',
    workload: null,
    rows: null,
    pairs: 3,
    connections: 1,
    jsonFile: null,
  });
});

test('options are read in any place', () => {
  const args = ['--rows', '5000', 'postgres', '--workload=narrow', '--pairs', '9', '--connections', '2', '--json', 'a'];
  expect(parseArguments(args)).toEqual({
    bench: 'postgres',
    workload: 'narrow',
    rows: 5000,
    pairs: 9,
    connections: 2,
    jsonFile: 'a',
  });
});

test('help is no run', () => {
  expect(parseArguments(['decode', '--help'])).toBeNull();
  expect(usage).toContain('scripts/bench NAME');
});

test.each([
  [[], 'expected one of decode, capture, postgres, lake'],
  [['toString'], 'expected one of'],
  [['decode', 'capture'], 'expected one of'],
  [['lake', '--workload', 'wide'], '--workload: lake has orders, narrow'],
  [['decode', '--pairs', '2'], '--pairs: expected an integer from 3'],
  [['decode', '--rows', '1e3x'], '--rows: expected an integer'],
  [['decode', '--speed', '9'], '--speed'],
])('%j is refused with what is wrong', (args, message) => {
  expect(() => parseArguments(args)).toThrow(message);
});

test.each(Object.keys(workloadsOf) as BenchName[])('every workload of %s has a gate', (bench) => {
  expect(Object.keys(gates[bench]).toSorted()).toEqual(workloadsOf[bench].toSorted());
});
