import { describe, expect, it } from 'vitest';

import type { ValueRendering } from '../../source.ts';
import type { ColumnParts } from './row-fixture.ts';
import { binary, column, latin1, prefixed, snapshotValue, streamValue, utf8mb4 } from './row-fixture.ts';

/** What the server logs, what a snapshot SELECT returns, and the JSON that both must become. */
interface Vector {
  readonly of: ColumnParts;
  readonly cell: string | Buffer;
  /** Text protocol bytes. */
  readonly text: string | Buffer;
  readonly json: string;
  readonly values?: Partial<ValueRendering>;
}

const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const bytes = (value: string | Buffer): Buffer => (typeof value === 'string' ? hex(value) : value);

function run(vectors: readonly Vector[]): void {
  it.each(vectors)('$of.type $cell -> $json', ({ of, cell, text, json, values }) => {
    const facts = column(of);
    expect(streamValue(facts, bytes(cell), values)).toBe(json);
    expect(snapshotValue(facts, Buffer.from(text), values)).toBe(json);
  });
}

const float64 = (value: number): Buffer => {
  const cell = Buffer.alloc(8);
  cell.writeDoubleLE(value);
  return cell;
};
const float32 = (value: number): Buffer => {
  const cell = Buffer.alloc(4);
  cell.writeFloatLE(value);
  return cell;
};
const int64 = (value: bigint): Buffer => {
  const cell = Buffer.alloc(8);
  cell.writeBigUInt64LE(BigInt.asUintN(64, value));
  return cell;
};

describe('integers (T1, T2, T3)', () => {
  run([
    { of: { type: 'tiny' }, cell: '7f', text: '127', json: '127' },
    { of: { type: 'tiny' }, cell: '80', text: '-128', json: '-128' },
    { of: { type: 'tiny', unsigned: true }, cell: '80', text: '128', json: '128' },
    { of: { type: 'tiny', unsigned: true }, cell: 'ff', text: '255', json: '255' },
    { of: { type: 'short' }, cell: '0080', text: '-32768', json: '-32768' },
    { of: { type: 'short', unsigned: true }, cell: '0080', text: '32768', json: '32768' },
    { of: { type: 'int24' }, cell: '000080', text: '-8388608', json: '-8388608' },
    { of: { type: 'int24', unsigned: true }, cell: '000080', text: '8388608', json: '8388608' },
    { of: { type: 'long' }, cell: '00000080', text: '-2147483648', json: '-2147483648' },
    { of: { type: 'long', unsigned: true }, cell: '00000080', text: '2147483648', json: '2147483648' },
    { of: { type: 'long', unsigned: true }, cell: '2a000000', text: '0000000042', json: '42' },
    { of: { type: 'longlong' }, cell: int64(9007199254740993n), text: '9007199254740993', json: '9007199254740993' },
    { of: { type: 'longlong' }, cell: int64(-(2n ** 63n)), text: '-9223372036854775808', json: '-9223372036854775808' },
    { of: { type: 'longlong' }, cell: int64(-1n), text: '-1', json: '-1' },
    { of: { type: 'longlong' }, cell: int64(-4294967296n), text: '-4294967296', json: '-4294967296' },
    {
      of: { type: 'longlong', unsigned: true },
      cell: 'ffffffffffffffff',
      text: '18446744073709551615',
      json: '18446744073709551615',
    },
    { of: { type: 'longlong', unsigned: true }, cell: int64(100n), text: '100', json: '100' },
    { of: { type: 'longlong', unsigned: true }, cell: int64(0n), text: '0', json: '0' },
  ]);
  describe('with OSS decimals a BIGINT UNSIGNED is one', () => {
    const values = { decimals: 'scientific' } as const;
    run([
      { of: { type: 'longlong', unsigned: true }, cell: int64(100n), text: '100', json: '1E+2', values },
      { of: { type: 'longlong', unsigned: true }, cell: int64(0n), text: '0', json: '0', values },
      { of: { type: 'longlong', unsigned: true }, cell: int64(123n), text: '123', json: '123', values },
      { of: { type: 'longlong' }, cell: int64(100n), text: '100', json: '100', values },
    ]);
  });
  describe('big numbers as strings', () => {
    const values = { bigNumbers: 'string' } as const;
    run([
      { of: { type: 'longlong' }, cell: int64(2n ** 53n), text: '9007199254740992', json: '9007199254740992', values },
      {
        of: { type: 'longlong' },
        cell: int64(2n ** 53n + 1n),
        text: '9007199254740993',
        json: '"9007199254740993"',
        values,
      },
      {
        of: { type: 'longlong' },
        cell: int64(-(2n ** 53n) - 1n),
        text: '-9007199254740993',
        json: '"-9007199254740993"',
        values,
      },
      { of: { type: 'longlong', unsigned: true }, cell: int64(7n), text: '7', json: '"7"', values },
      { of: { type: 'decimal', meta: 4, scale: 2 }, cell: '1c9c', text: '-99.99', json: '"-99.99"', values },
    ]);
  });
});

describe('TINYINT(1) (T7)', () => {
  const of: ColumnParts = { type: 'tiny', displayWidthOne: true };
  run([
    { of, cell: '00', text: '0', json: 'false' },
    { of, cell: '01', text: '1', json: 'true' },
    { of, cell: '02', text: '2', json: '2', values: { tinyint1AsBoolean: false } },
    { of, cell: 'ff', text: '-1', json: '-1', values: { tinyint1AsBoolean: false } },
  ]);
  it.each(['02', 'ff'])('%s is refused in stream and snapshot', (cell) => {
    const refused = expect.objectContaining({
      code: 'VALUE_UNSUPPORTED',
      details: { table: 'shop.orders', column: 'v' },
    });
    expect(() => streamValue(column(of), hex(cell))).toThrow(refused);
    expect(() => snapshotValue(column(of), Buffer.from(cell === '02' ? '2' : '-1'))).toThrow(refused);
  });
});

describe('decimals (T4)', () => {
  const d = (meta: number, scale: number): ColumnParts => ({ type: 'decimal', meta, scale });
  const pi65 = '12345678901234567890123456789012345.123456789012345678901234567890';
  run([
    {
      of: d(65, 30),
      cell: '80bc614e35b7bf87350e34c02f075f79075bcd1500bc614e35b7bf87037a',
      text: pi65,
      json: `"${pi65}"`,
    },
    {
      of: d(65, 30),
      cell: `7f${'ff'.repeat(28)}fe`,
      text: '-0.000000000000000000000000000001',
      json: '"-0.000000000000000000000000000001"',
    },
    { of: d(65, 30), cell: `80${'00'.repeat(29)}`, text: `0.${'0'.repeat(30)}`, json: `"0.${'0'.repeat(30)}"` },
    { of: d(10, 0), cell: '7ef204c72d', text: '-1234567890', json: '-1234567890' },
    { of: d(4, 2), cell: '1c9c', text: '-99.99', json: '-99.99' },
    { of: d(5, 5), cell: '7ffffe', text: '-0.00001', json: '-0.00001' },
    {
      of: d(30, 30),
      cell: `85f5e100${'00'.repeat(10)}`,
      text: `0.1${'0'.repeat(29)}`,
      json: `0.1${'0'.repeat(29)}`,
    },
    {
      of: d(40, 16),
      cell: '7fff84e4ce6b05f201e1e8f8a432eafffe1dbf',
      text: '-123456234234234757655.1234567890123456',
      json: '"-123456234234234757655.1234567890123456"',
    },
    { of: d(10, 0), cell: '800000000a', text: '10', json: '10' },
    { of: d(10, 2), cell: '8000006332', text: '99.50', json: '99.50' },
    { of: d(10, 2), cell: '8000000000', text: '0.00', json: '0.00' },
    { of: d(8, 3), cell: '80000b01f4', text: '00011.500', json: '11.500' },
  ]);
  describe('plain', () => {
    const values = { decimals: 'plain' } as const;
    run([
      { of: d(10, 2), cell: '8000006332', text: '99.50', json: '99.5', values },
      { of: d(10, 2), cell: '8000000000', text: '0.00', json: '0', values },
      { of: d(10, 0), cell: '800000000a', text: '10', json: '10', values },
    ]);
  });
  describe('as OSS (scientific)', () => {
    const values = { decimals: 'scientific' } as const;
    run([
      { of: d(10, 0), cell: '800000000a', text: '10', json: '1E+1', values },
      { of: d(10, 2), cell: '8000006332', text: '99.50', json: '99.5', values },
      { of: d(10, 2), cell: '8000000000', text: '0.00', json: '0', values },
      { of: d(9, 8), cell: '8000000003', text: '0.00000003', json: '3E-8', values },
      { of: d(65, 30), cell: `80${'00'.repeat(29)}`, text: `0.${'0'.repeat(30)}`, json: '"0E-30"', values },
      {
        of: d(65, 30),
        cell: `7f${'ff'.repeat(28)}fe`,
        text: '-0.000000000000000000000000000001',
        json: '"-1E-30"',
        values,
      },
    ]);
    it('4.5462186404924617E+17', () => {
      const text = Buffer.from('454621864049246170');
      expect(snapshotValue(column(d(38, 0)), text, values)).toBe('4.5462186404924617E+17');
    });
  });
});

describe('floating point (T6)', () => {
  run([
    { of: { type: 'float', meta: 4 }, cell: '1f85b340', text: '5.610000133514404', json: '5.61' },
    { of: { type: 'float', meta: 4 }, cell: float32(16777216), text: '16777216', json: '1.6777216E7' },
    { of: { type: 'float', meta: 4 }, cell: float32(1.1), text: '1.100000023841858', json: '1.1' },
    { of: { type: 'float', meta: 4 }, cell: float32(1e-45), text: '1.401298464324817e-45', json: '1.0E-45' },
    {
      of: { type: 'float', meta: 4 },
      cell: float32(3.4028234e38),
      text: '3.4028234663852886e38',
      json: '3.4028235E38',
    },
    { of: { type: 'float', meta: 4 }, cell: float32(123.102), text: '123.10199737548828', json: '123.102' },
    { of: { type: 'double', meta: 8 }, cell: float64(1e15), text: '1e15', json: '1.0E15' },
    { of: { type: 'double', meta: 8 }, cell: float64(1e14), text: '100000000000000', json: '1.0E14' },
    { of: { type: 'double', meta: 8 }, cell: float64(1e7), text: '10000000', json: '1.0E7' },
    { of: { type: 'double', meta: 8 }, cell: float64(9999999.5), text: '9999999.5', json: '9999999.5' },
    { of: { type: 'double', meta: 8 }, cell: float64(0.0001), text: '0.0001', json: '1.0E-4' },
    { of: { type: 'double', meta: 8 }, cell: float64(0.001), text: '0.001', json: '0.001' },
    { of: { type: 'double', meta: 8 }, cell: float64(0.00000015), text: '0.00000015', json: '1.5E-7' },
    { of: { type: 'double', meta: 8 }, cell: float64(-0), text: '-0', json: '-0.0' },
    { of: { type: 'double', meta: 8 }, cell: float64(0), text: '0', json: '0.0' },
    {
      of: { type: 'double', meta: 8 },
      cell: float64(0.1 + 0.2),
      text: '0.30000000000000004',
      json: '0.30000000000000004',
    },
    { of: { type: 'double', meta: 8 }, cell: float64(5e-324), text: '5e-324', json: '5.0E-324' },
    {
      of: { type: 'double', meta: 8 },
      cell: float64(1.7976931348623157e308),
      text: '1.7976931348623157e308',
      json: '1.7976931348623157E308',
    },
    { of: { type: 'double', meta: 8 }, cell: float64(404.4443), text: '404.4443', json: '404.4443' },
    { of: { type: 'double', meta: 8 }, cell: float64(-1234567.125), text: '-1234567.125', json: '-1234567.125' },
  ]);
});

describe('bits (T8)', () => {
  run([
    { of: { type: 'bit', meta: 1 }, cell: '00', text: hex('00'), json: 'false' },
    { of: { type: 'bit', meta: 1 }, cell: '01', text: hex('01'), json: 'true' },
    { of: { type: 'bit', meta: 3 }, cell: '03', text: hex('03'), json: '"Aw=="' },
    { of: { type: 'bit', meta: 24 }, cell: 'e38e56', text: hex('e38e56'), json: '"Vo7j"' },
    { of: { type: 'bit', meta: 64 }, cell: 'ffffffffffffffff', text: hex('ffffffffffffffff'), json: '"//////////8="' },
    { of: { type: 'bit', meta: 64 }, cell: '0404040404040404', text: hex('0404040404040404'), json: '"BAQEBAQEBAQ="' },
  ]);
});

describe('years and dates (T9, T10, T11)', () => {
  const keep = { zeroDates: 'keep' } as const;
  run([
    { of: { type: 'year' }, cell: 'ff', text: '2155', json: '2155' },
    { of: { type: 'year' }, cell: '00', text: '0000', json: '0' },
    { of: { type: 'year' }, cell: '01', text: '1901', json: '1901' },
    { of: { type: 'date' }, cell: '5cc10f', text: '2016-10-28', json: '"2016-10-28"' },
    { of: { type: 'date' }, cell: '812400', text: '0018-04-01', json: '"0018-04-01"' },
    { of: { type: 'date' }, cell: '210000', text: '0000-01-01', json: '"0000-01-01"' },
    { of: { type: 'date' }, cell: '9f1f4e', text: '9999-12-31', json: '"9999-12-31"' },
    { of: { type: 'date' }, cell: '000000', text: '0000-00-00', json: 'null' },
    { of: { type: 'date' }, cell: '01a00f', text: '2000-00-01', json: 'null' },
    { of: { type: 'date' }, cell: '20a00f', text: '2000-01-00', json: 'null' },
    { of: { type: 'date' }, cell: '01a00f', text: '2000-00-01', json: '"2000-00-01"', values: keep },
    { of: { type: 'date' }, cell: '000000', text: '0000-00-00', json: '"0000-00-00"', values: keep },
  ]);
  it('zero-date.handling fail stops the table', () => {
    const refused = expect.objectContaining({ code: 'VALUE_UNSUPPORTED' });
    const values = { zeroDates: 'fail' } as const;
    expect(() => streamValue(column({ type: 'date' }), hex('000000'), values)).toThrow(refused);
    expect(() => snapshotValue(column({ type: 'date' }), Buffer.from('0000-00-00'), values)).toThrow(refused);
  });
});

describe('times (T13, T14)', () => {
  const t = (meta: number): ColumnParts => ({ type: 'time2', meta });
  run([
    { of: t(0), cell: '4b9105', text: '-838:59:59', json: '"-838:59:59"' },
    { of: t(2), cell: '7fffffff', text: '-00:00:00.01', json: '"-00:00:00.01"' },
    { of: t(2), cell: '7f0efaf4', text: '-15:04:05.12', json: '"-15:04:05.12"' },
    { of: t(4), cell: '7f0efafb2d', text: '-15:04:05.1235', json: '"-15:04:05.1235"' },
    { of: t(6), cell: '4b9105f0bdc1', text: '-838:59:58.999999', json: '"-838:59:58.999999"' },
    { of: t(6), cell: '7fffffffffff', text: '-00:00:00.000001', json: '"-00:00:00.000001"' },
    { of: t(0), cell: '7fffff', text: '-00:00:01', json: '"-00:00:01"' },
    { of: t(0), cell: '800000', text: '00:00:00', json: '"00:00:00"' },
    { of: t(3), cell: '8120160000', text: '18:00:22.000', json: '"18:00:22"' },
    { of: t(3), cell: '81201604ce', text: '18:00:22.123', json: '"18:00:22.123"' },
    { of: t(6), cell: '81201601e240', text: '18:00:22.123456', json: '"18:00:22.123456"' },
    { of: t(6), cell: '81201601e240', text: '18:00:22.123456', json: '"18:00:22"', values: { timeFraction: false } },
    { of: { type: 'timeOld' }, cell: 'a12ffd', text: '-18:44:15', json: '"-18:44:15"' },
  ]);
});

describe('DATETIME (T10, T11, T16, T18)', () => {
  const t = (meta: number): ColumnParts => ({ type: 'datetime2', meta });
  const iso = { timestampStandard: 'iso-8601' } as const;
  const keep = { zeroDates: 'keep' } as const;
  run([
    { of: t(0), cell: '999ab8f7aa', text: '2016-10-28 15:30:42', json: '"2016-10-28 15:30:42"' },
    { of: t(1), cell: '999ab8f7aa32', text: '2016-10-28 15:30:42.5', json: '"2016-10-28 15:30:42.5"' },
    { of: t(6), cell: '999ab8f7aa0186a0', text: '2016-10-28 15:30:42.100000', json: '"2016-10-28 15:30:42.1"' },
    { of: t(6), cell: 'fef3ff7efb0f423f', text: '9999-12-31 23:59:59.999999', json: '"9999-12-31 23:59:59.999999"' },
    { of: t(4), cell: '800382000004d3', text: '0001-01-01 00:00:00.1235', json: '"0001-01-01 00:00:00.1235"' },
    { of: t(2), cell: '803b82000000', text: '0018-04-01 00:00:00.00', json: '"0018-04-01 00:00:00"' },
    { of: t(0), cell: '8000000000', text: '0000-00-00 00:00:00', json: 'null' },
    { of: t(6), cell: '999838f7aa0186a0', text: '2016-00-28 15:30:42.100000', json: 'null' },
    {
      of: t(6),
      cell: '999838f7aa0186a0',
      text: '2016-00-28 15:30:42.100000',
      json: '"2016-00-28 15:30:42.100000"',
      values: keep,
    },
    {
      of: t(3),
      cell: '80000000000000',
      text: '0000-00-00 00:00:00.000',
      json: '"0000-00-00 00:00:00.000"',
      values: keep,
    },
    { of: t(1), cell: '999ab8f7aa32', text: '2016-10-28 15:30:42.5', json: '"2016-10-28T15:30:42.5"', values: iso },
    {
      of: { type: 'datetimeOld' },
      cell: int64(20161028153042n),
      text: '2016-10-28 15:30:42',
      json: '"2016-10-28 15:30:42"',
    },
  ]);
});

describe('TIMESTAMP (T15, T17)', () => {
  const t = (meta: number): ColumnParts => ({ type: 'timestamp2', meta });
  run([
    { of: t(0), cell: '7fffffff', text: '2038-01-19 03:14:07', json: '"2038-01-19 03:14:07Z"' },
    { of: t(6), cell: '7fffffff0f423f', text: '2038-01-19 03:14:07.999999', json: '"2038-01-19 03:14:07.999999Z"' },
    { of: t(3), cell: '659200801388', text: '2024-01-01 00:00:00.500', json: '"2024-01-01 00:00:00.5Z"' },
    { of: t(6), cell: '00000001000001', text: '1970-01-01 00:00:01.000001', json: '"1970-01-01 00:00:01.000001Z"' },
    { of: t(4), cell: '000000000000', text: '0000-00-00 00:00:00.0000', json: 'null' },
    {
      of: t(3),
      cell: '000000000000',
      text: '0000-00-00 00:00:00.000',
      json: '"0000-00-00 00:00:00.000"',
      values: { zeroDates: 'keep' },
    },
    {
      of: t(0),
      cell: '7fffffff',
      text: '2038-01-19 03:14:07',
      json: '"2038-01-19T03:14:07Z"',
      values: { timestampStandard: 'iso-8601' },
    },
    { of: { type: 'timestampOld' }, cell: 'ffffff7f', text: '2038-01-19 03:14:07', json: '"2038-01-19 03:14:07Z"' },
  ]);
});

describe('text (T23, T25, T27)', () => {
  const varchar = (collation: number, meta = 400): ColumnParts => ({ type: 'varchar', meta, collation });
  const text = (collation: number, raw: string, json: string): Vector => ({
    of: varchar(collation),
    cell: prefixed(2, hex(raw)),
    text: hex(raw),
    json,
  });
  const utf8 = (value: string, json: string): Vector => text(utf8mb4, Buffer.from(value).toString('hex'), json);
  run([
    utf8('áé€😀', '"áé€😀"'),
    utf8('a"b\\c\n\u0001\u001f\u007f/', '"a\\"b\\\\c\\n\\u0001\\u001F\u007f/"'),
    utf8('\b\f\r\t', '"\\b\\f\\r\\t"'),
    utf8('', '""'),
    text(latin1, '636166e9', '"café"'),
    text(latin1, '80', '"€"'),
    text(latin1, '81', '"\u0081"'),
    text(latin1, '61220a5c01ff', '"a\\"\\n\\\\\\u0001ÿ"'),
    text(28, 'c4e3bac3', '"你好"'),
    text(35, '00e9', '"é"'),
    text(54, '00e9d83dde00', '"é😀"'),
    text(56, 'e9003dd800de', '"é😀"'),
    text(60, '000000e90001f600', '"é😀"'),
    text(13, '82a0', '"あ"'),
    text(12, 'a4a2', '"あ"'),
    text(1, 'a4a4', '"中"'),
    text(19, 'c7d1', '"한"'),
    text(51, 'cff0e8', '"При"'),
    text(36, '8f', '"П"'),
    text(7, 'f0', '"П"'),
    text(9, 'b3', '"ł"'),
    text(25, 'e1', '"α"'),
    text(18, 'a1', '"ก"'),
    text(10, '5b5c5d', '"ÄÖÅ"'),
    text(11, '61', '"a"'),
    text(46, 'c3a9', '"é"'),
    text(binary, 'ff', '"/w=="'),
    { of: { type: 'string', meta: 20, collation: utf8mb4 }, cell: '026162', text: 'ab', json: '"ab"' },
    { of: { type: 'blob', meta: 2, collation: utf8mb4 }, cell: prefixed(2, 'x'), text: 'x', json: '"x"' },
    { of: { type: 'blob', meta: 3, collation: utf8mb4 }, cell: prefixed(3, 'x'), text: 'x', json: '"x"' },
    { of: { type: 'blob', meta: 4, collation: utf8mb4 }, cell: prefixed(4, 'x'), text: 'x', json: '"x"' },
    { of: varchar(utf8mb4, 255), cell: prefixed(1, 'x'), text: 'x', json: '"x"' },
  ]);
});

describe('text that its charset cannot decode (T29)', () => {
  const of = column({ type: 'varchar', meta: 400, collation: utf8mb4 });
  const damaged = hex('c328');
  it('stops the table, naming table and column', () => {
    const refused = expect.objectContaining({
      code: 'VALUE_UNSUPPORTED',
      details: { table: 'shop.orders', column: 'v' },
    });
    expect(() => streamValue(of, prefixed(2, damaged))).toThrow(refused);
    expect(() => snapshotValue(of, damaged)).toThrow(refused);
  });
  it.each([
    ['c328', utf8mb4, '"\ufffd("'],
    ['eda080', utf8mb4, '"\ufffd\ufffd\ufffd"'],
    ['41ff', 11, '"A\ufffd"'],
    ['4181', 26, '"A\ufffd"'],
    ['8140ff', 28, '"丂\ufffd"'],
    ['d83d', 54, '"\ufffd"'],
  ])('invalid-text.handling replace writes U+FFFD for %s of collation %s', (raw, collation, json) => {
    const facts = column({ type: 'varchar', meta: 400, collation });
    const values = { invalidText: 'replace' } as const;
    expect(streamValue(facts, prefixed(2, hex(raw)), values)).toBe(json);
    expect(snapshotValue(facts, hex(raw), values)).toBe(json);
  });
});

describe('binary (T26)', () => {
  const b16: ColumnParts = { type: 'string', meta: 16, collation: binary };
  run([
    {
      of: b16,
      cell: '0f0102030405060708090a0b0c0d0e0f',
      text: hex('0102030405060708090a0b0c0d0e0f00'),
      json: '"AQIDBAUGBwgJCgsMDQ4PAA=="',
    },
    { of: b16, cell: '0141', text: hex(`41${'00'.repeat(15)}`), json: '"QQAAAAAAAAAAAAAAAAAAAA=="' },
    {
      of: b16,
      cell: '10651aed08390f4893b2f136923e7b7400',
      text: hex('651aed08390f4893b2f136923e7b7400'),
      json: '"ZRrtCDkPSJOy8TaSPnt0AA=="',
    },
    { of: { type: 'varchar', meta: 4, collation: binary }, cell: '0200ff', text: hex('00ff'), json: '"AP8="' },
    { of: { type: 'blob', meta: 1, collation: binary }, cell: '0110', text: hex('10'), json: '"EA=="' },
    { of: { type: 'blob', meta: 1, collation: binary }, cell: '00', text: '', json: '""' },
  ]);
});

describe('ENUM and SET (T20, T22)', () => {
  const labels = ['a', "b's", 'c"'];
  const e: ColumnParts = { type: 'enum', meta: 1, labels, collation: utf8mb4 };
  const s: ColumnParts = { type: 'set', meta: 1, labels: ['a', 'b', 'c'], collation: utf8mb4 };
  const many = Array.from({ length: 300 }, (_, index) => `label${index}`);
  const wide = Array.from({ length: 64 }, (_, index) => `m${index}`);
  run([
    { of: e, cell: '02', text: "b's", json: '"b\'s"' },
    { of: e, cell: '03', text: 'c"', json: '"c\\""' },
    { of: e, cell: '00', text: '', json: '""' },
    { of: { ...e, meta: 2, labels: many }, cell: '2c01', text: 'label299', json: '"label299"' },
    { of: s, cell: '05', text: 'a,c', json: '["a","c"]' },
    { of: s, cell: '00', text: '', json: '[]' },
    { of: { ...s, meta: 8, labels: wide }, cell: '0100000000000080', text: 'm0,m63', json: '["m0","m63"]' },
    {
      of: { ...s, meta: 2, labels: wide.slice(0, 9) },
      cell: '0101',
      text: 'm0,m8',
      json: '["m0","m8"]',
    },
  ]);
  it('an index beyond the labels is damage, not an empty label', () => {
    const corrupt = expect.objectContaining({ code: 'SOURCE_LOG_CORRUPT' });
    expect(() => streamValue(column(e), hex('04'))).toThrow(corrupt);
    expect(() => streamValue(column(s), hex('08'))).toThrow(corrupt);
  });
});

describe('JSON (T31, T32)', () => {
  const of: ColumnParts = { type: 'json', meta: 4 };
  run([
    { of, cell: '00000000', text: 'null', json: '"null"' },
    { of, cell: prefixed(4, hex('040000')), text: 'null', json: '"null"' },
    {
      of,
      // {"a": 1, "b": "x"}
      cell: prefixed(4, hex('0002001400120001001300010005010 00c1400616201 78'.replaceAll(' ', ''))),
      text: '{"a": 1, "b": "x"}',
      json: '"{\\"a\\": 1, \\"b\\": \\"x\\"}"',
    },
    {
      of,
      cell: prefixed(4, hex('00020014001200010013000100050100 0c140061620178'.replaceAll(' ', ''))),
      text: '{"a": 1, "b": "x"}',
      json: '"{\\"a\\":1,\\"b\\":\\"x\\"}"',
      values: { compactJson: true },
    },
  ]);
  it('a blank inside a string stays when the text is compacted', () => {
    const text = Buffer.from('{"a b": "c, d\\" : e", "f": [1, 2]}');
    expect(snapshotValue(column(of), text, { compactJson: true })).toBe(
      JSON.stringify('{"a b":"c, d\\" : e","f":[1,2]}'),
    );
  });
});

describe('VECTOR and GEOMETRY (T46, T47)', () => {
  const point = 'e61000000101000000000000000000f03f000000000000f03f';
  const wkb = (type: number, ...parts: string[]): string =>
    `01${type.toString(16).padStart(2, '0')}000000${parts.join('')}`;
  const count = (n: number): string => `${n.toString(16).padStart(2, '0')}000000`;
  const xy = (x: number, y: number): string => Buffer.concat([float64(x), float64(y)]).toString('hex');
  const geometry = (raw: string, text: string): Vector => ({
    of: { type: 'geometry', meta: 4 },
    cell: prefixed(4, hex(raw)),
    text: hex(raw),
    json: JSON.stringify(text),
  });
  run([
    {
      of: { type: 'vector', meta: 4 },
      cell: prefixed(4, hex('0000803f000020c000000000')),
      text: hex('0000803f000020c000000000'),
      json: '[1.0,-2.5,0.0]',
    },
    geometry(point, '{"coordinates":[1,1],"type":"Point","srid":4326}'),
    geometry(
      `00000000${wkb(2, count(3), xy(3, 0), xy(3, 3), xy(3, 5.5))}`,
      '{"coordinates":[[3,0],[3,3],[3,5.5]],"type":"LineString","srid":0}',
    ),
    geometry(
      `00000000${wkb(3, count(1), count(4), xy(1, 1), xy(2, 1), xy(2, 2), xy(1, 1))}`,
      '{"coordinates":[[[1,1],[2,1],[2,2],[1,1]]],"type":"Polygon","srid":0}',
    ),
    geometry(
      `00000000${wkb(4, count(2), wkb(1, xy(1, 1)), wkb(1, xy(2, 2)))}`,
      '{"coordinates":[[1,1],[2,2]],"type":"MultiPoint","srid":0}',
    ),
    geometry(
      `00000000${wkb(7, count(1), wkb(1, xy(10, 10)))}`,
      '{"geometries":[{"type":"Point","coordinates":[10,10]}],"type":"GeometryCollection","srid":0}',
    ),
    geometry(`00000000${wkb(7, count(0))}`, '{"geometries":[],"type":"GeometryCollection","srid":0}'),
  ]);
  it('a geometry with bytes left over is damage', () => {
    const of = column({ type: 'geometry', meta: 4 });
    expect(() => streamValue(of, prefixed(4, hex(`${point}00`)))).toThrow(
      expect.objectContaining({ code: 'SOURCE_LOG_CORRUPT' }),
    );
  });
});
