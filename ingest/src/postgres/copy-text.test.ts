import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { ByteWriter } from '@millrace/shared/bytes/byte-writer.ts';
import { CdcError } from '@millrace/shared/errors/cdc-error.ts';
import { parseLogicalType } from '@millrace/shared/event/logical-type.ts';
import type { ColumnSchema } from '@millrace/shared/event/schema.ts';

import { rowSpans } from '../testing/row-spans.ts';
import { cellFor } from './cell-for-type.ts';
import { CopyText } from './copy-text.ts';
import type { InvalidTextPolicy } from './options.ts';
import { parsePgType } from './pg-type.ts';

interface Column {
  readonly name: string;
  readonly logical: string;
  readonly target: string;
  readonly source?: string;
}

function schemaOf({ name, logical, source }: Column): ColumnSchema {
  return {
    name,
    type: parseLogicalType(logical),
    nullable: true,
    sourceType: source ?? null,
    comment: null,
    defaultValue: null,
    generated: false,
  };
}

function transcoder(columns: readonly Column[], invalidText: InvalidTextPolicy = 'dead-letter'): CopyText {
  const context = { invalidText, repairs: { count: 0 } };
  return new CopyText(
    columns.map((column) => ({
      field: column.name,
      cell: cellFor(parsePgType(column.target), schemaOf(column), context),
      isKey: false,
      nullable: true,
    })),
  );
}

function transcode(copyText: CopyText, ...rows: (string | Buffer)[]): string {
  const out = new ByteWriter(16);
  copyText.write(rowSpans(rows), 0, out, Number.POSITIVE_INFINITY);
  return out.copy().toString('utf8');
}

/** What the server reads: fields of rows, null for `\N`. Written from the documentation of COPY, not from our code. */
function readCopyText(text: string): (string | null)[][] {
  expect(text.endsWith('\n')).toBe(true);
  const meaning: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };
  return text
    .slice(0, -1)
    .split('\n')
    .map((line) =>
      line
        .split('\t')
        .map((field) =>
          field === '\\N' ? null : field.replaceAll(/\\(.)/gs, (_, byte: string) => meaning[byte] ?? byte),
        ),
    );
}

function oneCell(target: string, logical: string, json: string, source?: string): string | null | undefined {
  const column = { name: 'c', logical, target, ...(source === undefined ? {} : { source }) };
  return readCopyText(transcode(transcoder([column]), `{"c":${json}}`))[0]?.[0];
}

function reasonOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error instanceof CdcError ? error.details['reason'] : error;
  }
  return 'accepted';
}

describe('a cell', () => {
  test.each([
    ['bigint', 'BIGINT', '9007199254740993', '9007199254740993'],
    ['bigint', 'BIGINT', '-9223372036854775808', '-9223372036854775808'],
    ['bigint', 'BIGINT', '1E+2', '100'],
    ['integer', 'INT', '12.50e1', '125'],
    ['integer', 'INT', '0E-30', '0'],
    ['smallint', 'TINYINT', 'true', '1'],
    ['bigint', 'BIGINT', '"12"', '12'],
    ['numeric(20,0)', 'DECIMAL(20,0)', '18446744073709551615', '18446744073709551615'],
    ['numeric(65,30)', 'STRING', '"-0.000000000000000000000000000001"', '-0.000000000000000000000000000001'],
    ['numeric(10,2)', 'DECIMAL(10,2)', '99.50', '99.50'],
    ['numeric(10,2)', 'DECIMAL(10,2)', '99.500', '99.500'],
    ['numeric(10,2)', 'DECIMAL(10,2)', '3E-2', '3E-2'],
    ['numeric(38,0)', 'DECIMAL(38,0)', '4.5462186404924617E+17', '4.5462186404924617E+17'],
    ['numeric', 'STRING', '"NaN"', 'NaN'],
    ['double precision', 'DOUBLE', '-0.0', '-0.0'],
    ['double precision', 'DOUBLE', '1.7976931348623157E308', '1.7976931348623157E308'],
    ['real', 'FLOAT', '"-Infinity"', '-Infinity'],
    ['boolean', 'BOOLEAN', 'true', 't'],
    ['boolean', 'BOOLEAN', '0', 'f'],
    ['boolean', 'BOOLEAN', '"1"', 't'],
    ['text', 'STRING', '""', ''],
    ['text', 'STRING', String.raw`"\\N"`, '\\N'],
    ['text', 'STRING', String.raw`"\\."`, '\\.'],
    [
      'text',
      'STRING',
      String.raw`"a\"b\\c\n\t\r\b\f\/\u0001\u007f\ud83d\ude00\u00e9\u000a\u0009\u005c"`,
      'a"b\\c\n\t\r\b\f/\u0001\u007f😀é\n\t\\',
    ],
    ['text', 'STRING', '12.50', '12.50'],
    ['text', 'STRING', '{"a":\n "x\\n\\t"}', '{"a":\n "x\\n\\t"}'],
    ['jsonb', 'STRING', String.raw`"{\"a\": \"b\\\\c\\n\"}"`, String.raw`{"a": "b\\c\n"}`],
    ['jsonb', 'STRING', String.raw`"\"\\\\u0000\""`, String.raw`"\\u0000"`],
    ['jsonb', 'STRING', '"null"', 'null'],
    ['date', 'DATE', '"2016-10-28"', '2016-10-28'],
    ['date', 'DATE', '"0018-04-01"', '0018-04-01'],
    ['date', 'DATE', '"-0043-03-15"', '0044-03-15 BC'],
    ['date', 'DATE', '"0000-01-01"', '0001-01-01 BC'],
    ['date', 'DATE', '"+99999-12-31"', '99999-12-31'],
    ['date', 'DATE', '"infinity"', 'infinity'],
    ['date', 'DATE', '17102', '2016-10-28'],
    ['date', 'DATE', '-719528', '0001-01-01 BC'],
    ['date', 'DATE', '-712863', '0018-04-01'],
    ['date', 'DATE', '2932896', '9999-12-31'],
    ['timestamp(6)', 'TIMESTAMP(6)', '"2016-10-28 15:30:42.1"', '2016-10-28 15:30:42.1'],
    ['timestamp(3)', 'TIMESTAMP(3)', '"2016-10-28T15:30:42.1000"', '2016-10-28 15:30:42.1000'],
    ['timestamp(6)', 'TIMESTAMP(6)', '"0000-01-01 00:00:00"', '0001-01-01 00:00:00 BC'],
    ['timestamp(6)', 'TIMESTAMP(6)', '"+294276-12-31 23:59:59.999999"', '294276-12-31 23:59:59.999999'],
    ['timestamptz(6)', 'TIMESTAMP_LTZ(6)', '"2038-01-19 03:14:07Z"', '2038-01-19 03:14:07+00'],
    ['timestamptz(6)', 'TIMESTAMP_LTZ(6)', '"-4712-01-01 00:00:00Z"', '4713-01-01 00:00:00+00 BC'],
    ['timestamptz(6)', 'TIMESTAMP_LTZ(6)', '"2024-01-01T00:00:00.5+05:30"', '2024-01-01 00:00:00.5+05:30'],
    ['interval', 'TIME(0)', '"-838:59:59"', '-838:59:59'],
    ['interval', 'TIME(2)', '"-00:00:00.01"', '-00:00:00.01'],
    ['interval', 'TIME(6)', '-3020398999999', '-838:59:58.999999'],
    ['time(6)', 'TIME(6)', '"24:00:00"', '24:00:00'],
    ['bytea', 'BYTES', '"AP8="', '\\x00ff'],
    ['bytea', 'BYTES', '"AP8"', '\\x00ff'],
    ['bytea', 'BYTES', '""', '\\x'],
    ['bytea', 'BYTES', String.raw`"\/w=="`, '\\xff'],
    ['bit(3)', 'BINARY(1)', '"Aw=="', '011'],
    ['bit(24)', 'BINARY(3)', '"Vo7j"', '111000111000111001010110'],
    ['bit(64)', 'BINARY(8)', '"BAQEBAQEBAQ="', '00000100'.repeat(8)],
    ['bit(1)', 'BOOLEAN', 'true', '1'],
    ['text[]', 'ARRAY<STRING>', '["a","c"]', '{"a","c"}'],
    ['text[]', 'ARRAY<STRING>', '[ ]', '{}'],
    ['text[]', 'ARRAY<STRING>', String.raw`["", null, "NULL", "a\"b\\c\n,}" ]`, '{"",NULL,"NULL","a\\"b\\\\c\n,}"}'],
    ['real[]', 'ARRAY<FLOAT>', '[1.0,-2.5,0.0]', '{"1.0","-2.5","0.0"}'],
    ['bytea[]', 'ARRAY<BYTES>', '["AP8=",""]', String.raw`{"\\x00ff","\\x"}`],
    ['uuid', 'STRING', '"651aed08-390f-4893-b2f1-36923e7b7400"', '651aed08-390f-4893-b2f1-36923e7b7400'],
    ['text', 'STRING', 'null', null],
  ])('of %s %s %s reads back as %s', (target, logical, json, expected) => {
    expect(oneCell(target, logical, json)).toBe(expected);
  });

  test('of a number of a timestamp follows the declared unit and floors before 1970 (T193)', () => {
    expect(oneCell('timestamp(3)', 'TIMESTAMP(3)', '1477668642500', 'datetime(3)')).toBe('2016-10-28 15:30:42.500000');
    expect(oneCell('timestamp(6)', 'TIMESTAMP(6)', '253402300799999999', 'datetime(6)')).toBe(
      '9999-12-31 23:59:59.999999',
    );
    expect(oneCell('timestamp(4)', 'TIMESTAMP(4)', '-62135596799876500', 'datetime(4)')).toBe(
      '0001-01-01 00:00:00.123500',
    );
    expect(oneCell('timestamptz(6)', 'TIMESTAMP_LTZ(6)', '-1', 'timestamp(6)')).toBe('1969-12-31 23:59:59.999999+00');
  });

  test.each([
    ['bigint', 'BIGINT', '1.5', 'not-an-integer'],
    ['bigint', 'BIGINT', '1e30', 'out-of-range'],
    ['bigint', 'BIGINT', '"0x1F"', 'not-a-number'],
    ['bigint', 'BIGINT', '"1_000"', 'not-a-number'],
    ['bigint', 'BIGINT', '""', 'not-a-number'],
    ['bigint', 'BIGINT', '"-"', 'not-a-number'],
    ['bigint', 'BIGINT', String.raw`"1\t2"`, 'not-a-number'],
    ['bigint', 'BIGINT', '[1]', 'kind-of-value'],
    ['numeric(5,2)', 'DECIMAL(5,2)', '1.005', 'scale'],
    ['numeric(5,2)', 'DECIMAL(5,2)', '5E-3', 'scale'],
    ['numeric(5,2)', 'DECIMAL(5,2)', '"1."', 'not-a-number'],
    ['numeric', 'STRING', '"inf"', 'not-a-number'],
    ['double precision', 'DOUBLE', '"1 "', 'not-a-number'],
    ['boolean', 'BOOLEAN', '2', 'not-a-boolean'],
    ['boolean', 'BOOLEAN', '-1', 'not-a-boolean'],
    ['boolean', 'BOOLEAN', '"yes"', 'not-a-boolean'],
    ['text', 'STRING', String.raw`"a\u0000"`, 'invalid-text'],
    ['text', 'STRING', String.raw`"\ud800"`, 'invalid-text'],
    ['text', 'STRING', String.raw`"\ude00\ud83d"`, 'invalid-text'],
    ['jsonb', 'STRING', String.raw`"\"\\u0000\""`, 'invalid-text'],
    ['jsonb', 'STRING', String.raw`{"a":"\u0000"}`, 'invalid-text'],
    ['date', 'DATE', '"0000-00-00"', 'zero-date'],
    ['date', 'DATE', '"2000-01-00"', 'zero-date'],
    ['date', 'DATE', '"now"', 'not-a-date'],
    ['date', 'DATE', '"2000-1-1"', 'not-a-date'],
    ['date', 'DATE', '"2000-01-01 "', 'not-a-date'],
    ['timestamp(6)', 'TIMESTAMP(6)', '"2000-01-01 23:59:60"', 'not-a-time'],
    ['timestamp(6)', 'TIMESTAMP(6)', '"2000-01-01 24:00:00"', 'not-a-time'],
    ['timestamp(3)', 'TIMESTAMP(3)', '"2000-01-01 00:00:00.1234"', 'scale'],
    ['timestamp(6)', 'TIMESTAMP(6)', '"2000-01-01 00:00:00Z"', 'time-zone'],
    ['timestamptz(6)', 'TIMESTAMP_LTZ(6)', '"2000-01-01 00:00:00"', 'time-zone'],
    ['timestamp(6)', 'TIMESTAMP(6)', '5', 'unit-unknown'],
    ['timestamp(6)', 'TIMESTAMP(6)', '"epoch"', 'not-a-date'],
    ['interval', 'TIME(0)', '"1 day"', 'not-a-time'],
    ['bytea', 'BYTES', '"A"', 'not-base64'],
    ['bytea', 'BYTES', '"A=AA"', 'not-base64'],
    ['bytea', 'BYTES', '"AA A"', 'not-base64'],
    ['bit(3)', 'BINARY(1)', '"CA=="', 'bits'],
    ['text[]', 'ARRAY<STRING>', '[["a"]]', 'nested-array'],
    ['text[]', 'ARRAY<STRING>', '"a"', 'kind-of-value'],
  ])('of %s %s %s is refused (%s)', (target, logical, json, reason) => {
    expect(reasonOf(() => oneCell(target, logical, json))).toBe(reason);
  });

  test.each([
    ['replace', 'a\ufffdb\ufffd', '"\ufffd"'],
    ['strip', 'ab', '""'],
  ] as const)('with text that cannot be stored is changed where the policy says %s (T28)', (policy, text, json) => {
    const columns = [
      { name: 't', logical: 'STRING', target: 'text' },
      { name: 'j', logical: 'STRING', target: 'jsonb' },
    ];
    const row = String.raw`{"t":"a\u0000b\udfff","j":"\"\\u0000\""}`;
    expect(readCopyText(transcode(transcoder(columns, policy), row))).toEqual([[text, json]]);
  });
});

test('a refused row is named with its column and index, without its value', () => {
  const copyText = transcoder([
    { name: 'a', logical: 'INT', target: 'integer' },
    { name: 'b', logical: 'DATE', target: 'date' },
  ]);
  const work = (): string => transcode(copyText, '{"a":1,"b":null}', '{"a":2,"b":"secret"}');
  expect(work).toThrow(
    expect.objectContaining({
      code: 'DESTINATION_WRITE_REJECTED',
      details: { reason: 'not-a-date', column: 'b', row: 1 },
    }) as Error,
  );
});

test('a field that the row lacks is NULL only where the column is nullable, and a key never is (T41)', () => {
  const cell = cellFor(parsePgType('integer'), schemaOf({ name: 'a', logical: 'INT', target: 'integer' }), {
    invalidText: 'dead-letter',
    repairs: { count: 0 },
  });
  const of = (isKey: boolean, nullable: boolean): CopyText => new CopyText([{ field: 'a', cell, isKey, nullable }]);
  expect(transcode(of(false, true), '{}')).toBe('\\N\n');
  expect(reasonOf(() => transcode(of(false, false), '{}'))).toBe('absent');
  expect(reasonOf(() => transcode(of(true, true), '{"a":null}'))).toBe('null-key');
});

test('writing stops at the limit and goes on with the next row', () => {
  const copyText = transcoder([{ name: 'a', logical: 'STRING', target: 'text' }]);
  const rows = rowSpans(['{"a":"one"}', '{"a":"two"}', '{"a":"three"}']);
  const out = new ByteWriter();
  expect(copyText.write(rows, 0, out, 5)).toBe(2);
  expect(copyText.write(rows, 2, out, 100)).toBe(3);
  expect(out.copy().toString()).toBe('one\ntwo\nthree\n');
});

const columns: readonly Column[] = [
  { name: 'whole', logical: 'BIGINT', target: 'bigint' },
  { name: 'amount', logical: 'DECIMAL(38,4)', target: 'numeric(38,4)' },
  { name: 'ratio', logical: 'DOUBLE', target: 'double precision' },
  { name: 'flag', logical: 'BOOLEAN', target: 'boolean' },
  { name: 'title', logical: 'STRING', target: 'text' },
  { name: 'binary', logical: 'BYTES', target: 'bytea' },
  { name: 'labels', logical: 'ARRAY<STRING>', target: 'text[]' },
];

const refused = Symbol('refused');

/** Value and, for numbers, the digits as they stood; the second path to the same answer. */
interface Parsed {
  readonly value: unknown;
  readonly digits: string;
}

type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;
const parseWithSource = JSON.parse as (text: string, reviver: Reviver) => unknown;

function parseSlowly(text: string): Readonly<Record<string, Parsed>> | typeof refused {
  try {
    const fields: Record<string, Parsed> = {};
    const row = parseWithSource(text, (key, value, context) => {
      fields[key] ??= { value, digits: context.source ?? '' };
      return value;
    });
    if (typeof row !== 'object' || row === null || Array.isArray(row)) return refused;
    const top: Record<string, Parsed> = {};
    for (const [name, value] of Object.entries(row)) top[name] = { value, digits: fields[name]?.digits ?? '' };
    return top;
  } catch {
    return refused;
  }
}

function storable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}

/** Whole number and scale of a JSON number without trailing zeros; null for other texts and absurd exponents. */
function exactNumber(text: string): { readonly unscaled: bigint; readonly scale: number } | null {
  const match = /^(-?\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text);
  if (match === null) return null;
  let unscaled = BigInt(`${match[1]}${match[2] ?? ''}`);
  let scale = (match[2] ?? '').length - Number(match[3] ?? 0);
  if (unscaled === 0n) return { unscaled, scale: 0 };
  if (Math.abs(Number(match[3] ?? 0)) > 1000) return null;
  while (unscaled % 10n === 0n) {
    unscaled /= 10n;
    scale--;
  }
  return { unscaled, scale };
}

function slowInteger(text: string): string | typeof refused {
  if (/^-?\d+$/.test(text)) return text;
  const exact = exactNumber(text);
  if (exact === null || exact.scale > 0) return refused;
  const whole = String(exact.unscaled * 10n ** BigInt(-exact.scale));
  return whole.replace('-', '').length > 20 ? refused : whole;
}

function slowCell(column: Column, { value, digits }: Parsed): string | null | typeof refused {
  if (value === null) return null;
  const isText = typeof value === 'string';
  const number = typeof value === 'number' ? digits : isText ? value : null;
  switch (column.name) {
    case 'whole':
      if (typeof value === 'boolean') return value ? '1' : '0';
      return number === null ? refused : slowInteger(number);
    case 'amount':
      return number !== null && (exactNumber(number)?.scale ?? 5) <= 4 ? number : refused;
    case 'ratio':
      return number !== null && /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(number) ? number : refused;
    case 'flag':
      if (['true', '1', 't'].includes(number ?? JSON.stringify(value))) return 't';
      return ['false', '0', 'f'].includes(number ?? JSON.stringify(value)) ? 'f' : refused;
    case 'binary':
      if (!isText || !/^(?:[\w+/-]{4})*(?:[\w+/-]{2}(?:==)?|[\w+/-]{3}=?)?$/.test(value)) return refused;
      return `\\x${Buffer.from(value, 'base64').toString('hex')}`;
    case 'labels': {
      if (!Array.isArray(value)) return refused;
      const labels = value as unknown[];
      if (!labels.every((label) => label === null || (typeof label === 'string' && storable(label)))) return refused;
      const quoted = labels.map((label) =>
        label === null ? 'NULL' : `"${(label as string).replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`,
      );
      return `{${quoted.join(',')}}`;
    }
    default:
      return isText && storable(value) ? value : refused;
  }
}

/** A row as another producer would write it: blanks and escapes where JSON allows them. */
const jsonRow = fc
  .record({
    whole: fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
    amount: fc.option(fc.tuple(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), fc.nat(99_999))),
    exponent: fc.constantFrom('', '', '', 'e0', 'E+3', 'e-1', 'E5'),
    ratio: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })),
    flag: fc.option(fc.boolean()),
    title: fc.option(fc.string({ unit: 'binary' })),
    binary: fc.option(fc.uint8Array()),
    labels: fc.option(fc.array(fc.option(fc.string({ unit: 'grapheme' })))),
    escaping: fc.infiniteStream(fc.nat(9)),
    blank: fc.constantFrom('', ' ', '\n', '\t\r '),
  })
  .map((row) => {
    // Unit by unit: what cannot stand alone is escaped, the rest now and then.
    const escape = (text: string): string => {
      const units = Array.from({ length: text.length }, (_, at) => {
        const unit = text.charCodeAt(at);
        const alone = unit < 0xd800 || unit > 0xdfff;
        if (alone && unit > 0 && row.escaping.next().value !== 0) return JSON.stringify(text[at]).slice(1, -1);
        return `\\u${unit.toString(16).padStart(4, '0')}`;
      });
      return `"${units.join('')}"`;
    };
    const { whole, amount, ratio, flag, title, binary, labels, blank } = row;
    const fields = [
      ['whole', whole === null ? 'null' : `${whole}${row.exponent}`],
      ['amount', amount === null ? 'null' : `${amount[0]}.${String(amount[1]).padStart(4, '0')}${row.exponent}`],
      ['ratio', ratio === null ? 'null' : Object.is(ratio, -0) ? '-0.0' : String(ratio)],
      ['flag', String(flag)],
      ['title', title === null ? 'null' : escape(title)],
      ['binary', binary === null ? 'null' : `"${Buffer.from(binary).toString('base64')}"`],
      [
        'labels',
        labels === null
          ? 'null'
          : `[${labels.map((label) => (label === null ? 'null' : escape(label))).join(`${blank},`)}]`,
      ],
    ];
    return `{${blank}${fields.map(([name, value]) => `"${name}"${blank}:${value}`).join(`,${blank}`)}}`;
  });

function expected(text: string): (string | null)[] | typeof refused {
  const parsed = parseSlowly(text);
  if (parsed === refused) return refused;
  const fields: (string | null)[] = [];
  for (const column of columns) {
    const cell = slowCell(column, parsed[column.name] ?? { value: null, digits: '' });
    if (cell === refused) return refused;
    fields.push(cell);
  }
  return fields;
}

function actual(copyText: CopyText, row: Buffer): (string | null)[] | typeof refused {
  let text: string;
  try {
    text = transcode(copyText, row);
  } catch (error) {
    if (error instanceof CdcError) return refused;
    throw error;
  }
  const rows = readCopyText(text);
  expect(rows).toHaveLength(1);
  return rows[0] ?? refused;
}

test('rows read back as a JSON parser sees them (T1)', () => {
  const copyText = transcoder(columns);
  fc.assert(
    fc.property(jsonRow, (row) => {
      expect(actual(copyText, Buffer.from(row))).toEqual(expected(row));
    }),
    { numRuns: 2000 },
  );
});

test('damaged rows are refused exactly where a JSON parser refuses them, and forge no field', () => {
  const copyText = transcoder(columns);
  const byte = fc.constantFrom(...Buffer.from('\t\n\r\0"\\,:{}[]019.-+eEtfnu \u007f'), 0xff, 0xc3);
  const damage = fc.record({
    row: jsonRow,
    at: fc.nat(),
    kind: fc.constantFrom('replace', 'insert', 'delete', 'cut'),
    byte,
  });
  fc.assert(
    fc.property(damage, ({ row, at, kind, byte }) => {
      const bytes = Buffer.from(row);
      const place = at % bytes.length;
      const kept = kind === 'insert' ? place : place + 1;
      const middle = kind === 'replace' || kind === 'insert' ? Buffer.of(byte) : Buffer.alloc(0);
      const rest = kind === 'cut' ? Buffer.alloc(0) : bytes.subarray(kept);
      const damaged = Buffer.concat([bytes.subarray(0, place), middle, rest]);
      const text = damaged.toString('utf8');
      const wellFormed = Buffer.from(text).equals(damaged);
      expect(actual(copyText, damaged)).toEqual(wellFormed ? expected(text) : refused);
    }),
    { numRuns: 5000 },
  );
});
