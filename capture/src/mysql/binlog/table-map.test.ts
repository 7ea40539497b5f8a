import { readFileSync } from 'node:fs';

import fc from 'fast-check';
import { expect, test } from 'vitest';

import { wireType } from '../column.ts';
import { failureCode } from './failure-code.ts';
import { readTableMap } from './table-map.ts';

/** Events of a log file of MySQL 9.7.4 with CRC32. */
function tableMaps(): readonly Buffer[] {
  const log = readFileSync(new URL('../stream/golden/rich.binlog', import.meta.url));
  const found: Buffer[] = [];
  for (let at = 4; at < log.length; at += log.readUInt32LE(at + 9)) {
    if (log[at + 4] === 19) found.push(log.subarray(at + 19, at + log.readUInt32LE(at + 9) - 4));
  }
  return found;
}

const [rich = Buffer.alloc(0), unique = Buffer.alloc(0)] = tableMaps();

test('T164 every column keeps its own charset behind a VECTOR column', () => {
  const map = readTableMap(rich, 0, rich.length);
  const by = Object.fromEntries(map.columns.map((column) => [column.name, column]));
  expect(map).toMatchObject({ schema: 'fix', table: 'rich', named: true });
  expect(by['v3']?.wireType).toBe(wireType.vector);
  expect(by['a']).toMatchObject({ wireType: wireType.varchar, meta: 20, collation: 8 });
  expect(by['b']).toMatchObject({ wireType: wireType.varchar, meta: 10, collation: 63 });
  expect(by['c']).toMatchObject({ wireType: wireType.string, meta: 20, collation: 255 });
  expect(by['t']).toMatchObject({ wireType: wireType.blob, meta: 2, collation: 28 });
  expect(by['j']).toMatchObject({ wireType: wireType.json, meta: 4, collation: null });
  expect(by['g']).toMatchObject({ wireType: wireType.geometry, collation: null });
});

test('signs, sizes and labels', () => {
  const map = readTableMap(rich, 0, rich.length);
  const by = Object.fromEntries(map.columns.map((column) => [column.name, column]));
  expect(by['id']).toMatchObject({ wireType: wireType.longlong, unsigned: true, nullable: false });
  expect(by['y']?.unsigned).toBe(true);
  expect(by['d']).toMatchObject({ meta: 10, scale: 2, unsigned: true });
  expect(by['f']).toMatchObject({ meta: 4, unsigned: false });
  expect(by['ti']).toMatchObject({ wireType: wireType.tiny, unsigned: false });
  expect(by['b5']).toMatchObject({ wireType: wireType.bit, meta: 13 });
  expect(by['dt']).toMatchObject({ wireType: wireType.datetime2, meta: 3 });
  expect(by['inv']?.nullable).toBe(true);
  expect(by['s']).toMatchObject({ wireType: wireType.set, meta: 1, collation: 8 });
  expect(by['e']?.labels?.map((label: Buffer) => label.toString('hex'))).toEqual(['e4', '62']);
});

test('the primary key is in key order', () => {
  const map = readTableMap(rich, 0, rich.length);
  expect(map.primaryKey?.map((index) => map.columns[index]?.name)).toEqual(['c', 'id']);
});

test('T173 without a primary key the first not-null unique key is named', () => {
  expect(readTableMap(unique, 0, unique.length).primaryKey).toEqual([0]);
});

test('T195 without names the map says so', () => {
  const map = readTableMap(rich, 0, rich.indexOf(Buffer.from([4, 0x2b, 2])));
  expect(map.named).toBe(false);
  expect(map.primaryKey).toBeNull();
});

test('T36 a prefix in the key counts as the whole column', () => {
  const start = rich.subarray(0, rich.length - 5);
  const key = Buffer.from([9, 2, 2, 10]);
  expect(readTableMap(Buffer.concat([start, key]), 0, start.length + key.length).primaryKey).toEqual([2]);
});

test('T165 a column of unknown type is never passed over', () => {
  const bytes = Buffer.from(rich);
  bytes[bytes.indexOf(Buffer.from('rich')) + 6] = 200;
  expect(() => readTableMap(bytes, 0, bytes.length)).toThrow(expect.objectContaining({ code: 'SOURCE_LOG_CORRUPT' }));
});

test('changed or cut bytes give a map or a corrupt log', () => {
  const change = fc.record({ at: fc.nat(rich.length - 1), value: fc.nat(255), cut: fc.nat(rich.length) });
  fc.assert(
    fc.property(change, ({ at, value, cut }) => {
      const bytes = Buffer.from(rich);
      bytes[at] = value;
      expect(failureCode(() => readTableMap(bytes, 0, cut))).toBeOneOf([null, 'SOURCE_LOG_CORRUPT']);
    }),
    { numRuns: 2000 },
  );
});
