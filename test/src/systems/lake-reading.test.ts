import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { openLakehouseDestination } from '@millrace/ingest/lakehouse/lakehouse-destination.ts';
import {
  column,
  laneBatch,
  schemaOf,
  silentLog,
  tableBatch,
  testOptions,
} from '@millrace/ingest/lakehouse/testing/batches.ts';
import { readTable } from '@millrace/ingest/lakehouse/testing/read-table.ts';

import { scratchFolder } from '../harness/scratch-folder.ts';
import { openLakeReaders } from './lake-readers.ts';
import type { LakeReaders } from './lake-readers.ts';

const { signal } = new AbortController();
let readers: LakeReaders;

beforeAll(() => {
  readers = openLakeReaders();
});
afterAll(() => readers[Symbol.asyncDispose]());

async function openLane(warehouse: string, partitions = 1) {
  const destination = await openLakehouseDestination(testOptions(warehouse), silentLog);
  const lane = await destination.openLane(0, signal);
  const all = Array.from({ length: partitions }, (_, partition) => ({ topic: 't', partition, firstOffset: 0n }));
  await lane.claim(all, signal);
  return { destination, lane };
}

interface TypeCase {
  readonly type: string;
  readonly source?: string;
  /** JSON of the values and what a reader prints for them. */
  readonly values: readonly (readonly [json: string, text: string])[];
}

const types: Readonly<Record<string, TypeCase>> = {
  boolean: {
    type: 'BOOLEAN',
    values: [
      ['true', 'true'],
      ['false', 'false'],
    ],
  },
  tinyint: {
    type: 'TINYINT',
    values: [
      ['-128', '-128'],
      ['127', '127'],
    ],
  },
  int: {
    type: 'INT',
    values: [
      ['-2147483648', '-2147483648'],
      ['2147483647', '2147483647'],
    ],
  },
  bigint: {
    type: 'BIGINT',
    values: [
      ['-9223372036854775808', '-9223372036854775808'],
      ['9223372036854775807', '9223372036854775807'],
      ['9007199254740993', '9007199254740993'],
    ],
  },
  unsigned_bigint: { type: 'DECIMAL(20,0)', values: [['18446744073709551615', '18446744073709551615']] },
  decimal9: {
    type: 'DECIMAL(9,4)',
    values: [
      ['-99999.9999', '-99999.9999'],
      ['0.0001', '0.0001'],
    ],
  },
  decimal18: { type: 'DECIMAL(18,2)', values: [['-9999999999999999.99', '-9999999999999999.99']] },
  decimal38: {
    type: 'DECIMAL(38,10)',
    values: [
      ['-9999999999999999999999999999.9999999999', '-9999999999999999999999999999.9999999999'],
      ['0.0000000001', '0.0000000001'],
      ['1E+3', '1000.0000000000'],
    ],
  },
  decimal65: {
    type: 'DECIMAL(65,30)',
    values: [['"-0.000000000000000000000000000001"', '-0.000000000000000000000000000001']],
  },
  float: {
    type: 'FLOAT',
    values: [
      ['5.61', '5.61'],
      ['-0.0', '-0.0'],
      ['"NaN"', 'nan'],
      ['"-Infinity"', '-inf'],
    ],
  },
  double: {
    type: 'DOUBLE',
    values: [
      ['1.7976931348623157E308', '1.7976931348623157e+308'],
      ['5.0E-324', '5e-324'],
      ['-0.0', '-0.0'],
      ['"Infinity"', 'inf'],
    ],
  },
  date: {
    type: 'DATE',
    values: [
      ['"0001-01-01"', '0001-01-01'],
      ['"1969-12-31"', '1969-12-31'],
      ['"9999-12-31"', '9999-12-31'],
    ],
  },
  time: {
    type: 'TIME(6)',
    values: [
      ['"00:00:00"', '00:00:00'],
      ['"23:59:59.999999"', '23:59:59.999999'],
    ],
  },
  timestamp: {
    type: 'TIMESTAMP(6)',
    values: [
      ['"0001-01-01 00:00:00"', '0001-01-01 00:00:00'],
      ['"1969-12-31 23:59:59.999999"', '1969-12-31 23:59:59.999999'],
      ['"9999-12-31 23:59:59.999999"', '9999-12-31 23:59:59.999999'],
    ],
  },
  timestamptz: { type: 'TIMESTAMP_LTZ(6)', values: [['"2038-01-19 03:14:07.5Z"', '2038-01-19 03:14:07.5+00']] },
  text: {
    type: 'STRING',
    values: [
      ['""', ''],
      ['"áé€😀\\u0000x"', 'áé€😀\u0000x'],
      ['"a\\"b\\\\c\\n"', 'a"b\\c\n'],
      [`"${'z'.repeat(100)}"`, 'z'.repeat(100)],
    ],
  },
  bytes: {
    type: 'VARBINARY(10)',
    values: [
      ['"AP8="', '\\x00\\xFF'],
      ['""', ''],
    ],
  },
  uuid: {
    type: 'STRING',
    source: 'uuid',
    values: [['"651aed08-390f-4893-b2f1-36923e7b7400"', '651aed08-390f-4893-b2f1-36923e7b7400']],
  },
  list: {
    type: 'ARRAY<STRING>',
    values: [
      ['["a","c"]', '[a, c]'],
      ['[]', '[]'],
      ['["x",null]', '[x, NULL]'],
    ],
  },
  floats: { type: 'ARRAY<FLOAT>', values: [['[1.0,-2.5,0.0]', '[1.0, -2.5, 0.0]']] },
};

describe('every type reads back exactly in engines of others', () => {
  test('with edge values and nulls, in optional and in required columns', async () => {
    await using folder = await scratchFolder();
    const names = Object.keys(types);
    const columns = names.flatMap((name) => {
      const { type, source } = types[name] as TypeCase;
      const sourceType = source ?? null;
      return [column(name, type, { sourceType }), column(`${name}_required`, type, { sourceType, nullable: false })];
    });
    const schema = schemaOf('all_types', ['id'], [column('id', 'INT'), ...columns]);
    const count = Math.max(...names.map((name) => (types[name] as TypeCase).values.length)) + 1;
    const rows: string[] = [];
    const expected: Record<string, string | null>[] = [];
    for (let i = 0; i < count; i++) {
      const members = [`"id":${i}`];
      const texts: Record<string, string | null> = { id: String(i) };
      for (const name of names) {
        const { values } = types[name] as TypeCase;
        const optional = values[i];
        const required = optional ?? values[0] ?? ['null', ''];
        if (optional !== undefined) members.push(`"${name}":${optional[0]}`);
        else if (i % 2 === 0) members.push(`"${name}":null`);
        members.push(`"${name}_required":${required[0]}`);
        texts[name] = optional?.[1] ?? null;
        texts[`${name}_required`] = required[1];
      }
      rows.push(`{${members.join(',')}}`);
      expected.push(texts);
    }
    const { lane } = await openLane(folder.path);
    const batch = tableBatch(
      schema,
      rows.map((text) => ({ text, partition: 0 })),
    );
    await lane.commit(laneBatch([batch], 0n, 1n), signal);
    const read = await readers.read(`${folder.path}/shop/all_types`, 'id');
    expect(read.duckdb).toEqual(expected);
    expect(read.pyiceberg).toEqual(expected);
  });
});

test('upserts and deletes over many commits and Puffin files leave what a map holds, after a restart too', async () => {
  await using folder = await scratchFolder();
  const table = `${folder.path}/shop/orders`;
  const schema = schemaOf('orders', ['id'], [column('id', 'BIGINT'), column('v', 'INT')]);
  const model = new Map<number, number>();
  let opened = await openLane(folder.path, 3);
  let seed = 7;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 8) % below;
  };
  for (let round = 0; round < 60; round++) {
    const upserts = new Set(Array.from({ length: random(40) }, () => random(1500)));
    const deletes = new Set(Array.from({ length: random(10) }, () => random(1500)));
    for (const id of upserts) deletes.delete(id);
    const batch = tableBatch(
      schema,
      [...upserts].map((id) => ({ text: `{"id":${id},"v":${round}}`, partition: id % 3 })),
      [...deletes].map((id) => ({ text: `{"id":${id}}`, partition: id % 3 })),
    );
    await opened.lane.commit(laneBatch([batch], BigInt(round), BigInt(round + 1), 3), signal);
    for (const id of upserts) model.set(id, round);
    for (const id of deletes) model.delete(id);
    if (round % 20 === 13) {
      await opened.destination[Symbol.asyncDispose]();
      opened = await openLane(folder.path, 3);
    }
    if (round % 15 !== 14) continue;
    const expected = [...model].sort((a, b) => a[0] - b[0]).map(([id, v]) => ({ id: String(id), v: String(v) }));
    const read = await readers.read(table, 'id');
    expect(read.duckdb).toEqual(expected);
    expect(read.pyiceberg).toEqual(expected);
    expect((await readTable(table)).faults).toEqual([]);
  }
});

test('columns that were added, widened, set aside and dropped read right in old and new files', async () => {
  await using folder = await scratchFolder();
  const { lane } = await openLane(folder.path);
  const schemas = [
    [column('id', 'INT'), column('a', 'INT'), column('gone', 'STRING', { nullable: false }), column('f', 'FLOAT')],
    [column('id', 'INT'), column('a', 'BIGINT'), column('f', 'DOUBLE'), column('b', 'DECIMAL(9,2)')],
    [column('id', 'INT'), column('a', 'DECIMAL(20,0)'), column('f', 'DOUBLE'), column('b', 'DECIMAL(20,2)')],
  ];
  const rows = [
    '{"id":1,"a":1,"gone":"x","f":1.5}',
    '{"id":2,"a":9007199254740993,"f":2.25,"b":1.10}',
    '{"id":3,"a":18446744073709551615,"f":0.1,"b":999999999999999999.99}',
  ];
  for (const [i, columns] of schemas.entries()) {
    const batch = tableBatch(schemaOf('orders', ['id'], columns), [{ text: rows[i] ?? '', partition: 0 }]);
    await lane.commit(laneBatch([batch], BigInt(i), BigInt(i + 1)), signal);
  }
  const expected = [
    { id: '1', a: '1', gone: 'x', f: '1.5', b: null, a__decimal_20_0: null },
    { id: '2', a: '9007199254740993', gone: null, f: '2.25', b: '1.10', a__decimal_20_0: null },
    { id: '3', a: null, gone: null, f: '0.1', b: '999999999999999999.99', a__decimal_20_0: '18446744073709551615' },
  ];
  const read = await readers.read(`${folder.path}/shop/orders`, 'id');
  expect(read.duckdb).toEqual(expected);
  expect(read.pyiceberg).toEqual(expected);
});

test('a reader sees whole commits only while they go on', async () => {
  await using folder = await scratchFolder();
  const { lane } = await openLane(folder.path);
  const schema = schemaOf('orders', ['id'], [column('id', 'INT'), column('v', 'INT')]);
  const commit = (round: number): Promise<void> => {
    const rows = Array.from({ length: 200 }, (_, id) => ({ text: `{"id":${id},"v":${round}}`, partition: 0 }));
    return lane.commit(laneBatch([tableBatch(schema, rows)], BigInt(round), BigInt(round + 1)), signal);
  };
  await commit(0);
  const committing = new AbortController();
  const seen: string[] = [];
  const reading = (async () => {
    while (!committing.signal.aborted) {
      const engine = seen.length % 2 === 0 ? 'duckdb' : 'pyiceberg';
      const rows = (await readers.read(`${folder.path}/shop/orders`, 'id', [engine]))[engine];
      seen.push(`${rows.length}:${new Set(rows.map((row) => row['v'])).size}`);
    }
  })();
  for (let round = 1; round <= 120; round++) await commit(round);
  committing.abort();
  await reading;
  expect(seen.length).toBeGreaterThan(5);
  expect(new Set(seen)).toEqual(new Set(['200:1']));
});
