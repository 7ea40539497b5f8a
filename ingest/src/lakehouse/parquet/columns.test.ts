import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { CdcError } from '@millrace/shared/errors/cdc-error.ts';
import { RowCells } from '@millrace/shared/format/json-cells.ts';
import { ByteWriter } from '@millrace/shared/bytes/byte-writer.ts';

import { buildColumn } from './build-column.ts';
import { daysSinceEpoch } from './temporal-text.ts';

const cells = new RowCells(['c']);

/** The stored value of a JSON value in a column of the type, or the reason why it is refused. */
function store(type: string, json: string): unknown {
  const list = /^list<(.*)>$/.exec(type)?.[1];
  const stored =
    list === undefined ? type : ({ type: 'list', 'element-id': 2, element: list, 'element-required': false } as const);
  const builder = buildColumn('shop.t', { id: 1, name: 'c', required: false, type: stored });
  const bytes = Buffer.from(`{"c":${json}}`, 'utf8');
  cells.read(bytes, 0, bytes.length);
  try {
    builder.append(bytes, cells.kind[0] ?? 0, cells.start[0] ?? 0, cells.end[0] ?? 0);
  } catch (error) {
    if (!(error instanceof CdcError)) throw error;
    const { table, column, reason } = error.details;
    return table === 'shop.t' && column === 'c' ? String(reason) : 'an error that names no column';
  }
  const value = builder.value(0);
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value;
}

const range = 'value-out-of-range';
const mismatch = 'type-mismatch';
const bad = 'bad-value';
const daysMicros = (year: number, month: number, day: number): bigint =>
  BigInt(daysSinceEpoch(year, month, day)) * 86_400_000_000n;

describe('integers keep every digit (T1, T2, T156)', () => {
  test.each([
    ['int', '2147483647', 2_147_483_647],
    ['int', '-2147483648', -2_147_483_648],
    ['int', '2147483648', range],
    ['int', '-2147483649', range],
    ['int', '1E+1', 10],
    ['int', '1.50', range],
    ['int', '12.00', 12],
    ['int', '"7"', 7],
    ['int', '"abc"', bad],
    ['int', '""', bad],
    ['int', 'true', mismatch],
    ['int', '0', 0],
    ['int', '2155', 2155],
    ['long', '9007199254740993', 9_007_199_254_740_993n],
    ['long', '-9223372036854775808', -9_223_372_036_854_775_808n],
    ['long', '9223372036854775807', 9_223_372_036_854_775_807n],
    ['long', '9223372036854775808', range],
    ['long', '4294967295', 4_294_967_295n],
    ['long', '-4294967296', -4_294_967_296n],
    ['long', '-1', -1n],
    ['long', '4.5462186404924617E+17', 454_621_864_049_246_170n],
    ['long', '1E+400', range],
    ['decimal(20, 0)', '18446744073709551615', 18_446_744_073_709_551_615n],
    ['decimal(20, 0)', '1E+2', 100n],
  ])('%s %s', (type, json, expected) => {
    expect(store(type, json)).toEqual(expected);
  });
});

describe('decimals are never rounded (T4)', () => {
  test.each([
    ['decimal(10, 2)', '99.50', 9950n],
    ['decimal(10, 2)', '99.5', 9950n],
    ['decimal(10, 2)', '1E+1', 1000n],
    ['decimal(10, 2)', '"99.50"', 9950n],
    ['decimal(10, 2)', '0.005', range],
    ['decimal(10, 2)', '0.0050', range],
    ['decimal(10, 2)', '0.500', 50n],
    ['decimal(4, 2)', '-99.99', -9999n],
    ['decimal(4, 2)', '100.00', range],
    ['decimal(9, 8)', '3E-8', 3n],
    ['decimal(18, 2)', '0', 0n],
    ['decimal(18, 2)', '-0.00', 0n],
    ['decimal(18, 2)', '9999999999999999.99', 999_999_999_999_999_999n],
    ['decimal(18, 2)', '10000000000000000.00', range],
    ['decimal(38, 0)', '99999999999999999999999999999999999999', 10n ** 38n - 1n],
    ['decimal(38, 0)', '100000000000000000000000000000000000000', range],
    ['decimal(38, 10)', '-1234567890123456789012345678.0123456789', -12345678901234567890123456780123456789n],
    ['decimal(10, 2)', '"NaN"', bad],
    ['decimal(10, 2)', '[]', mismatch],
  ])('%s %s', (type, json, expected) => {
    expect(store(type, json)).toEqual(expected);
  });

  test('any unscaled integer printed with any scale comes back', () => {
    const digits = fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n });
    fc.assert(
      fc.property(digits, fc.integer({ min: 0, max: 38 }), (unscaled, scale) => {
        const text = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
        const plain = scale === 0 ? text : `${text.slice(0, -scale)}.${text.slice(-scale)}`;
        expect(store(`decimal(38, ${scale})`, (unscaled < 0n ? '-' : '') + plain)).toBe(unscaled);
      }),
    );
  });
});

describe('floats', () => {
  test.each([
    ['float', '5.61', Math.fround(5.61)],
    ['float', '1.6777216E7', 16_777_216],
    ['float', '1e39', range],
    ['double', '-0.0', -0],
    ['double', '1.7976931348623157E308', Number.MAX_VALUE],
    ['double', '5.0E-324', 5e-324],
    ['double', '1e309', range],
    ['double', '"NaN"', Number.NaN],
    ['double', '"-Infinity"', Number.NEGATIVE_INFINITY],
    ['double', '"1.5"', 1.5],
    ['double', '" 1"', bad],
    ['double', '"0x10"', bad],
    ['double', 'false', mismatch],
  ])('%s %s', (type, json, expected) => {
    expect(store(type, json)).toBe(expected);
  });
});

describe('booleans are never coerced (T7, T8)', () => {
  test.each([
    ['true', true],
    ['false', false],
    ['1', true],
    ['0', false],
    ['"1"', true],
    ['2', range],
    ['-1', range],
    ['"true"', mismatch],
  ])('%s', (json, expected) => {
    expect(store('boolean', json)).toBe(expected);
  });
});

describe('dates and times (T11, T13, T18, T50)', () => {
  test.each([
    ['date', '"1970-01-01"', 0],
    ['date', '"2016-10-28"', 17_102],
    ['date', '"0018-04-01"', -712_863],
    ['date', '"0000-01-01"', -719_528],
    ['date', '"9999-12-31"', 2_932_896],
    ['date', '"-0043-03-15"', -735_160],
    ['date', '"+99999-12-31"', daysSinceEpoch(99_999, 12, 31)],
    ['date', '"0000-00-00"', bad],
    ['date', '"2000-00-01"', bad],
    ['date', '"2000-01-00"', bad],
    ['date', '"2023-02-29"', bad],
    ['date', '"2024-02-29"', daysSinceEpoch(2024, 2, 29)],
    ['date', '"infinity"', bad],
    ['date', '"2020-01-01 00:00:00"', bad],
    ['date', '17102', mismatch],
    ['date', '"2020\\u002d01-01"', daysSinceEpoch(2020, 1, 1)],
    ['time', '"18:00:22.123456"', 64_822_123_456n],
    ['time', '"00:00:00"', 0n],
    ['time', '"23:59:59.999999"', 86_399_999_999n],
    ['time', '"24:00:00"', range],
    ['time', '"-838:59:59"', range],
    ['time', '"-00:00:00.01"', range],
    ['time', '"838:59:59"', range],
    ['time', '"12:60:00"', range],
    ['timestamp', '"2016-10-28 15:30:42.5"', 1_477_668_642_500_000n],
    ['timestamp', '"2016-10-28T15:30:42.5"', 1_477_668_642_500_000n],
    ['timestamp', '"9999-12-31 23:59:59.999999"', 253_402_300_799_999_999n],
    ['timestamp', '"0001-01-01 00:00:00.1235"', -62_135_596_799_876_500n],
    ['timestamp', '"1969-12-31 23:59:59.999999"', -1n],
    ['timestamp', '"+294276-12-31 23:59:59.999999"', range],
    ['timestamp', '"+294247-01-10 04:00:54.775807"', 9_223_372_036_854_775_807n],
    ['timestamp', '"2016-10-28 15:30:42.1234567"', bad],
    ['timestamp', '"2016-10-28 15:30:42.1234560"', 1_477_668_642_123_456n],
    ['timestamp', '"2016-10-28 15:30:42Z"', bad],
    ['timestamp', '"-infinity"', bad],
    ['timestamp', '"2016-10-28 24:00:00"', bad],
    ['timestamptz', '"2024-01-01 00:00:00.5Z"', daysMicros(2024, 1, 1) + 500_000n],
    ['timestamptz', '"2038-01-19 03:14:07Z"', 2_147_483_647_000_000n],
    ['timestamptz', '"2024-01-01 00:00:00"', bad],
  ])('%s %s', (type, json, expected) => {
    expect(store(type, json)).toEqual(expected);
  });

  test('days agree with the platform calendar', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -100_000, max: 100_000 }),
        fc.integer({ min: 0, max: 11 }),
        fc.integer({ min: 1, max: 28 }),
        (year, month, day) => {
          const date = new Date(0);
          date.setUTCFullYear(year, month, day);
          expect(daysSinceEpoch(year, month + 1, day)).toBe(date.getTime() / 86_400_000);
        },
      ),
    );
  });
});

describe('texts and bytes (T20, T26, T160)', () => {
  test.each([
    ['string', '""', ''],
    ['string', '"áé€😀"', 'áé€😀'],
    ['string', '"a\\"b\\\\c\\n\\u0001\\u0000"', 'a"b\\c\n\u0001\u0000'],
    ['string', '"\\ud83d\\ude00"', '😀'],
    ['string', '"\\ud83d"', bad],
    ['string', '12345678901234567890.10', '12345678901234567890.10'],
    ['string', '{"a":[1]}', '{"a":[1]}'],
    ['string', 'true', 'true'],
    ['binary', '"AP8="', '00ff'],
    ['binary', '""', ''],
    ['binary', '"\\/\\/\\/\\/"', 'ffffff'],
    ['binary', '"AQIDBAUGBwgJCgsMDQ4PAA=="', '0102030405060708090a0b0c0d0e0f00'],
    ['binary', '"A==="', bad],
    ['binary', '"AP8"', bad],
    ['binary', '"AP9="', bad],
    ['binary', '"A P8"', bad],
    ['binary', '5', mismatch],
    ['uuid', '"651aed08-390f-4893-b2f1-36923e7b7400"', '651aed08390f4893b2f136923e7b7400'],
    ['uuid', '"651aed08"', bad],
    ['list<string>', '["a","c"]', ['a', 'c']],
    ['list<string>', '[]', []],
    ['list<int>', '[1,null,3]', [1, null, 3]],
    ['list<long>', '[9007199254740993]', [9_007_199_254_740_993n]],
    ['list<float>', '[1.0,-2.5,0.0]', [1, -2.5, 0]],
    ['list<int>', '[[1]]', mismatch],
    ['list<string>', '"a,b"', mismatch],
  ])('%s %s', (type, json, expected) => {
    expect(store(type, json)).toEqual(expected);
  });

  test('any bytes survive base64', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const buffer = Buffer.from(bytes);
        expect(store('binary', `"${buffer.toString('base64')}"`)).toBe(buffer.toString('hex'));
      }),
    );
  });
});

test('keys of neighbouring columns do not run into each other', () => {
  const keyOf = (...texts: readonly string[]): string => {
    const out = new ByteWriter(64);
    for (const text of texts) {
      const builder = buildColumn('t', { id: 1, name: 'c', required: true, type: 'string' });
      const bytes = Buffer.from(`"${text}"`);
      builder.append(bytes, 5, 1, bytes.length - 1);
      builder.writeKey(0, out);
    }
    return out.copy().toString('hex');
  };
  expect(keyOf('ab', 'c')).not.toBe(keyOf('a', 'bc'));
});

const manyRows = 1000;

test.each([
  ['int', (i: number) => String(i - 500)],
  ['long', (i: number) => (BigInt(i) * 9_007_199_254_740_993n).toString()],
  ['float', (i: number) => String(i / 4)],
  ['double', (i: number) => String(i / 4)],
  ['decimal(9, 2)', (i: number) => `${i}.25`],
  ['decimal(18, 2)', (i: number) => `${BigInt(i) * 9_007_199_254_740n}.25`],
  ['decimal(30, 2)', (i: number) => `${i}.25`],
  ['date', (i: number) => `"${1000 + i}-01-01"`],
  ['time', (i: number) => `"00:00:00.${String(i).padStart(6, '0')}"`],
  ['timestamp', (i: number) => `"${9000 + (i % 999)}-01-01 00:00:00"`],
  ['string', (i: number) => `"v${i}"`],
  ['boolean', (i: number) => String(i % 3 === 0)],
])('a %s column of many rows keeps each value in its row, nulls between them', (type, json) => {
  const builder = buildColumn('t', { id: 1, name: 'c', required: false, type });
  const expected: unknown[] = [];
  for (let i = 0; i < manyRows; i++) {
    if (i % 7 === 3) {
      builder.appendNull();
      expected.push(null);
      continue;
    }
    const bytes = Buffer.from(`{"c":${json(i)}}`, 'utf8');
    cells.read(bytes, 0, bytes.length);
    builder.append(bytes, cells.kind[0] ?? 0, cells.start[0] ?? 0, cells.end[0] ?? 0);
    expected.push(store(type, json(i)));
  }
  expect(Array.from({ length: manyRows }, (_, i) => builder.value(i))).toEqual(expected);
  const printed = (values: Iterable<unknown>): string =>
    JSON.stringify(Array.from(values, (value) => (typeof value === 'bigint' ? Number(value) : value)));
  expect(printed(builder.data())).toBe(printed(expected));
});
