import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { ByteWriter } from '@millrace/shared/bytes/byte-writer.ts';
import { CdcError } from '@millrace/shared/errors/cdc-error.ts';
import { parseLogicalType } from '@millrace/shared/event/logical-type.ts';

import type { RowSpans } from '../destination.ts';
import { rowSpans } from '../testing/row-spans.ts';
import { cellFor } from './cell-for-type.ts';
import { CopyText } from './copy-text.ts';
import type { CopyColumn } from './copy-column.ts';
import { parsePgType } from './pg-type.ts';
import { PlainRows } from './plain-rows.ts';

const types = [
  ['id', 'bigint', 'BIGINT'],
  ['amount', 'numeric(10,2)', 'DECIMAL(10,2)'],
  ['ratio', 'double precision', 'DOUBLE'],
  ['flag', 'boolean', 'BOOLEAN'],
  ['ti"tle\n', 'text', 'STRING'],
  ['json', 'jsonb', 'STRING'],
  ['day', 'date', 'DATE'],
  ['at', 'timestamp(3)', 'TIMESTAMP(3)'],
  ['since', 'timestamptz(6)', 'TIMESTAMP_LTZ(6)'],
  ['token', 'bytea', 'BYTES'],
  ['length', 'interval', 'TIME(6)'],
  ['bits', 'bit(3)', 'BINARY(1)'],
  ['last', 'text', 'STRING'],
] as const;

const columns: readonly CopyColumn[] = types.map(([field, target, logical]) => ({
  field,
  cell: cellFor(
    parsePgType(target),
    {
      name: field,
      type: parseLogicalType(logical),
      nullable: true,
      sourceType: 'any',
      comment: null,
      defaultValue: null,
      generated: false,
    },
    { invalidText: 'dead-letter', repairs: { count: 0 } },
  ),
  isKey: field === 'id',
  nullable: true,
}));

function rowOf(values: readonly string[]): string {
  return `{${types.map(([field], index) => `${JSON.stringify(field)}:${values[index] ?? 'null'}`).join(',')}}`;
}

function outcome(...rows: Buffer[]): unknown {
  return outcomeOf(rowSpans(rows));
}

/** Of a row with only eight more bytes behind it. */
function outcomeAtEnd(row: Buffer, filler: string): unknown {
  const buffers = [Buffer.concat([row, Buffer.from(filler.repeat(8))])];
  const at = { bufferIndex: Int32Array.of(0), start: Int32Array.of(0), end: Int32Array.of(row.length) };
  return outcomeOf({ count: 1, buffers, ...at });
}

/** COPY text, or why it is refused. */
function outcomeOf(rows: RowSpans): unknown {
  const out = new ByteWriter(16);
  try {
    new CopyText(columns).write(rows, 0, out, Number.POSITIVE_INFINITY);
  } catch (error) {
    if (!(error instanceof CdcError)) throw error;
    return [error.code, error.details['reason'], error.details['column'], error.details['row']];
  }
  return out.copy().toString('latin1');
}

/** The other way: a blank before the row is legal, but nothing that a plain row has. */
function outcomeCellByCell(row: Buffer): unknown {
  return outcome(Buffer.concat([Buffer.from(' '), row]));
}

function isPlain(row: string): boolean {
  const spans = rowSpans([row]);
  const [source = Buffer.alloc(0)] = spans.buffers;
  return new PlainRows(columns).append(source, spans.start[0] ?? 0, spans.end[0] ?? 0, new ByteWriter(16));
}

const usual = [
  '9007199254740993',
  '-12.50',
  '1.5E-7',
  'true',
  '"a \\"quoted\\" line\\n of täxt \\\\ \\/"',
  '"{\\"k\\": [1, {\\"a\\": null}]}"',
  '"2024-02-29"',
  '"2024-02-29 23:59:59.123"',
  '"0001-01-01 00:00:00Z"',
  '"AP8="',
  '"-838:59:59.5"',
  '"Aw=="',
  '""',
];

const digits = fc.oneof(
  fc.bigInt().map(String),
  fc.constantFrom('0', '-0', '01', '-', '1.', '.5', '1.50', '1.005', '1e5', '1E+', '0.00'),
);
const text = fc
  .string({
    unit: fc.oneof(
      fc.constantFrom('a', '"', '\\', 'é', '😀', '\u0000', '\t', '\\u0000', '/'),
      fc.string({ maxLength: 1 }),
    ),
  })
  .map((value) => JSON.stringify(value));
const two = fc.oneof(
  fc.nat(99).map((n) => String(n).padStart(2, '0')),
  fc.constantFrom('1', ':', '0x'),
);
const date = fc
  .tuple(
    fc.oneof(
      fc.nat(9999).map((n) => String(n).padStart(4, '0')),
      fc.constantFrom('-0044', '+12345'),
    ),
    two,
    two,
  )
  .map((parts) => parts.join('-'));
const fraction = fc.oneof(
  fc.constant(''),
  fc.nat().map((n) => `.${n}`),
  fc.constantFrom('.', '.1230', '.123000'),
);
const stamp = fc
  .tuple(
    date,
    fc.constantFrom(' ', ' ', 'T'),
    fc.tuple(two, two, two).map((parts) => parts.join(':')),
    fraction,
    fc.constantFrom('', 'Z', 'Z', '+01:00'),
  )
  .map((parts) => `"${parts.join('')}"`);
const base64 = fc.oneof(
  fc.uint8Array({ maxLength: 12 }).map((bytes) => `"${Buffer.from(bytes).toString('base64')}"`),
  fc.constantFrom(
    '"A"',
    '"AA"',
    '"AAA"',
    '"AA="',
    '"AAA=="',
    '"AAA""',
    '"AAAx"',
    '"A==="',
    '"="',
    '"AA=="',
    '"-_=="',
    '"AAAA="',
    '"AAAA"',
  ),
);
const odd = fc.oneof(digits, text, stamp, base64, fc.constantFrom('null', 'true', 'false', '[]', '{}', '"true"', '1'));
const values = fc.tuple(
  ...types.map(([, target], index) => {
    const plain = fc.constant(usual[index] ?? '');
    const own =
      index < 3
        ? digits
        : target.startsWith('timestamp')
          ? stamp
          : target === 'date'
            ? date.map((day) => `"${day}"`)
            : target === 'bytea'
              ? base64
              : target === 'boolean'
                ? fc.constantFrom('true', 'false', '0')
                : text;
    return fc.oneof({ weight: 12, arbitrary: plain }, { weight: 3, arbitrary: own }, { weight: 1, arbitrary: odd });
  }),
);
const pieces = [
  '"',
  '\\',
  ',',
  '}',
  '{',
  ':',
  ' ',
  '0',
  '9',
  '-',
  '.',
  'e',
  'Z',
  '=',
  '\t',
  '\n',
  '\u0000',
  'null',
  ',"x":1',
  '"}',
];
const damage = fc.tuple(fc.nat(), fc.nat({ max: 2 }), fc.oneof(fc.constantFrom(...pieces), fc.nat({ max: 255 })));

describe('a plain row', () => {
  it('becomes what it becomes cell by cell, whatever is wrong with it', () => {
    fc.assert(
      fc.property(values, fc.array(damage, { maxLength: 2 }), (parts, damages) => {
        let row = Buffer.from(rowOf(parts));
        for (const [where, drop, put] of damages) {
          const at = where % (row.length + 1);
          const piece = typeof put === 'string' ? Buffer.from(put) : Buffer.of(put);
          row = Buffer.concat([row.subarray(0, at), piece, row.subarray(at + drop)]);
        }
        expect(outcome(row)).toStrictEqual(outcomeCellByCell(row));
      }),
      { numRuns: 20_000 },
    );
  }, 60_000);

  it('is read no further than the record goes, wherever it is cut', () => {
    const row = Buffer.from(rowOf(usual));
    for (const filler of ['', 'A', '0', '"', '\\', '}', ',', 'e']) {
      for (let length = 0; length < row.length; length++) {
        const cut = row.subarray(0, length);
        expect(outcomeAtEnd(cut, filler)).toStrictEqual(outcomeCellByCell(cut));
      }
    }
  });

  it('is one whose values have their usual form', () => {
    expect(isPlain(rowOf(usual))).toBe(true);
    expect(isPlain(rowOf(['1']))).toBe(true);
  });

  it.each([
    ['a key that is null', rowOf([])],
    ['a column less', '{"id":1}'],
    ['a column more', rowOf(usual).replace('}', ',"more":1}')],
    ['blanks', rowOf(usual).replace(':', ': ')],
    ['an escape by number', rowOf(usual).replace('täxt', '\\u0001')],
    ['NUL in a JSON document', rowOf(usual).replace('null}', '\\"\\\\u0000\\"}')],
    ['a date before the year 1', rowOf(usual).replace('2024-02-29"', '0000-02-29"')],
    ['digits beyond the scale', rowOf(usual).replace('12.50', '12.500')],
  ])('is none with %s', (_, row) => {
    expect(isPlain(row)).toBe(false);
  });

  it('of bytes that are not UTF-8 is named among others (T29)', () => {
    const good = Buffer.from(rowOf(usual));
    const bad = Buffer.from(good);
    bad[bad.indexOf('ä') + 1] = 0x28;
    expect(outcome(good, bad, good)).toStrictEqual(['RECORD_UNDECODABLE', 'bad-utf8', undefined, 1]);
  });

  it('is tried again some time after a run of others', () => {
    const plain = new PlainRows(columns);
    const spans = rowSpans([rowOf(usual), '{}']);
    const append = (row: number): boolean =>
      plain.append(
        spans.buffers[row] ?? Buffer.alloc(0),
        spans.start[row] ?? 0,
        spans.end[row] ?? 0,
        new ByteWriter(16),
      );
    const taken = [append(0)];
    for (let count = 0; count < 16; count++) append(1);
    taken.push(append(0));
    for (let count = 0; count < 1000; count++) append(0);
    taken.push(append(0));
    expect(taken).toStrictEqual([true, false, true]);
  });
});
