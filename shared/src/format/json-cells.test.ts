import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { CdcError } from '../errors/cdc-error.ts';
import { cellKind, RowCells } from './json-cells.ts';

const columns = ['id', 'name', 'päivä', '__proto__', 'quo"te', 'new\nline', '', 'a', 'ab', 'abc'];
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads `bytes` in the middle of a larger buffer, so that reading past either end would be seen. */
function readInside(cells: RowCells, bytes: Uint8Array): Buffer {
  const around = Buffer.concat([Buffer.from('"{'), bytes, Buffer.from('"}1')]);
  cells.read(around, 2, 2 + bytes.length);
  return around;
}

function textAt(cells: RowCells, bytes: Buffer, column: number): string {
  return bytes.toString('utf8', cells.start[column], cells.end[column]);
}

function valueAt(cells: RowCells, bytes: Buffer, column: number): unknown {
  const text = textAt(cells, bytes, column);
  switch (cells.kind[column]) {
    case cellKind.absent:
      return undefined;
    case cellKind.string:
      return text;
    case cellKind.escapedString:
      return JSON.parse(`"${text}"`);
    default:
      return JSON.parse(text);
  }
}

function kindOf(value: unknown, text: string): number {
  if (value === undefined) return cellKind.absent;
  if (value === null) return cellKind.null;
  if (value === true) return cellKind.true;
  if (value === false) return cellKind.false;
  if (typeof value === 'number') return cellKind.number;
  if (typeof value === 'string') return text.includes('\\') ? cellKind.escapedString : cellKind.string;
  return Array.isArray(value) ? cellKind.array : cellKind.object;
}

function reasonOf(act: () => void): unknown {
  try {
    act();
  } catch (error) {
    if (!(error instanceof CdcError) || error.code !== 'RECORD_UNDECODABLE') throw error;
    return error.details['reason'];
  }
  return null;
}

/** What JSON.parse says, or null when the bytes are not one JSON object in valid UTF-8. */
function parsed(bytes: Uint8Array): object | null {
  try {
    const value: unknown = JSON.parse(decoder.decode(bytes));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

/** `[kind, value]` of every column, then the number of other fields: as read, and as JSON.parse has it. */
function asRead(cells: RowCells, bytes: Buffer): unknown[] {
  const read = columns.map((_, index) => [cells.kind[index], valueAt(cells, bytes, index)]);
  return [...read, cells.unknownFields];
}

function asParsed(cells: RowCells, bytes: Buffer, row: object): unknown[] {
  const expected = columns.map((name, index) => {
    const value: unknown = Object.hasOwn(row, name) ? (row as Record<string, unknown>)[name] : undefined;
    return [kindOf(value, textAt(cells, bytes, index)), value];
  });
  return [...expected, Object.keys(row).filter((name) => !columns.includes(name)).length];
}

function nested(levels: number): Buffer {
  return Buffer.from(`{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`);
}

const field = fc.oneof(fc.constantFrom(...columns), fc.string({ unit: 'binary', maxLength: 6 }));
const row = fc
  .array(fc.tuple(field, fc.jsonValue({ noUnicodeString: false })), { maxLength: 12 })
  .map((entries) => Object.fromEntries(entries));

/** JSON text of a value with blanks and needless escapes where the grammar allows them. */
function spaced(value: unknown, blank: () => string): string {
  const w = blank;
  if (Array.isArray(value)) return `${w()}[${value.map((item) => spaced(item, w)).join(',') || w()}]${w()}`;
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).map(
      ([name, item]) => `${w()}${JSON.stringify(name)}${w()}:${spaced(item, w)}`,
    );
    return `${w()}{${fields.join(',') || w()}}${w()}`;
  }
  return `${w()}${JSON.stringify(value)}${w()}`;
}

describe('RowCells', () => {
  it('gives the cells of every object as JSON.parse does', () => {
    const cells = new RowCells(columns);
    fc.assert(
      fc.property(row, (value) => {
        const text = JSON.stringify(value);
        const bytes = readInside(cells, Buffer.from(text));
        expect(asRead(cells, bytes)).toStrictEqual(asParsed(cells, bytes, JSON.parse(text) as object));
      }),
      { numRuns: 2000 },
    );
  });

  it('accepts blanks wherever the grammar does', () => {
    const cells = new RowCells(columns);
    fc.assert(
      fc.property(row, fc.infiniteStream(fc.constantFrom('', '', ' ', '\n', '\t \r')), (value, blanks) => {
        const text = spaced(value, () => (blanks.next().value as string | undefined) ?? '');
        const bytes = readInside(cells, Buffer.from(text));
        expect(asRead(cells, bytes)).toStrictEqual(asParsed(cells, bytes, JSON.parse(text) as object));
      }),
      { numRuns: 1000 },
    );
  });

  it('accepts a mutated object exactly when JSON.parse does, and with the same cells', () => {
    const cells = new RowCells(columns);
    const pieces = '{}[]",:\\/u0019-+.eEtrufalsn\u0000\u001f \n\u007f\u0080\u00e4\u20ac';
    const mutation = fc.tuple(
      fc.nat(),
      fc.nat({ max: 2 }),
      fc.oneof(fc.constantFrom(...pieces.split('')), fc.nat({ max: 255 })),
    );
    fc.assert(
      fc.property(row, fc.array(mutation, { minLength: 1, maxLength: 4 }), (value, mutations) => {
        let bytes = Buffer.from(JSON.stringify(value));
        for (const [where, drop, put] of mutations) {
          const at = where % (bytes.length + 1);
          const insert = typeof put === 'string' ? Buffer.from(put) : Buffer.from([put]);
          bytes = Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at + drop)]);
        }
        const expected = parsed(bytes);
        let around: Buffer = bytes;
        const reason = reasonOf(() => {
          around = readInside(cells, bytes);
        });
        if (reason === 'duplicate-field') return;
        const read = reason === null ? asRead(cells, around) : null;
        expect(read).toStrictEqual(expected === null ? null : asParsed(cells, around, expected));
      }),
      { numRuns: 5000 },
    );
  }, 60_000);

  it.each([
    ['', 'bad-json'],
    [' ', 'bad-json'],
    ['{', 'bad-json'],
    ['{"id":1', 'bad-json'],
    ['{"id":1,}', 'bad-json'],
    ['{"id":01}', 'bad-json'],
    ['{"id":1.}', 'bad-json'],
    ['{"id":-}', 'bad-json'],
    ['{"id":+1}', 'bad-json'],
    ['{"id":1e}', 'bad-json'],
    ['{"id":NaN}', 'bad-json'],
    ['{"id":"\u0001"}', 'bad-json'],
    ['{"id":"\\x"}', 'bad-json'],
    ['{"id":"\\u12g4"}', 'bad-json'],
    ['{"id":1} {', 'bad-json'],
    ['{"id":1}}', 'bad-json'],
    ['{"id" 1}', 'bad-json'],
    ['{id:1}', 'bad-json'],
    ['\ufeff{"id":1}', 'bad-json'],
    ['[1]', 'not-object'],
    ['"text"', 'not-object'],
    ['12', 'not-object'],
    ['null', 'not-object'],
    ['{"id":1,"id":2}', 'duplicate-field'],
    ['{"other":1,"id":2,"other":3}', 'duplicate-field'],
    ['{"id":1,"\\u0069d":2}', 'duplicate-field'],
  ])('refuses %j as %s', (text, reason) => {
    expect(reasonOf(() => readInside(new RowCells(columns), Buffer.from(text)))).toBe(reason);
  });

  it('refuses bytes that are not UTF-8, in values and in names (T29)', () => {
    const cells = new RowCells(columns);
    expect(reasonOf(() => readInside(cells, Buffer.from([...Buffer.from('{"id":"'), 0xc3, 0x28, 0x22, 0x7d])))).toBe(
      'bad-utf8',
    );
    expect(reasonOf(() => readInside(cells, Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])))).toBe('bad-utf8');
  });

  it('reads 64 levels and refuses the 65th', () => {
    const cells = new RowCells(['a']);
    expect(reasonOf(() => readInside(cells, nested(64)))).toBe(null);
    expect(reasonOf(() => readInside(cells, nested(65)))).toBe('too-deep');
    expect(reasonOf(() => readInside(cells, Buffer.from(`{"a":${'['.repeat(100_000)}`)))).toBe('too-deep');
  });

  it('leaves numbers as their text, also beyond doubles (T1, T2, T170)', () => {
    const cells = new RowCells(['a', 'b']);
    const bytes = readInside(cells, Buffer.from('{"a":18446744073709551615,"b":-0.10e+400}'));
    expect([textAt(cells, bytes, 0), textAt(cells, bytes, 1)]).toStrictEqual(['18446744073709551615', '-0.10e+400']);
  });

  it('forgets the cells of the object before, also after an error', () => {
    const cells = new RowCells(['a', 'b']);
    readInside(cells, Buffer.from('{"a":1,"b":2,"c":3}'));
    expect(reasonOf(() => readInside(cells, Buffer.from('{"b":1,"a":')))).toBe('bad-json');
    readInside(cells, Buffer.from('{"b":7}'));
    expect([...cells.kind]).toStrictEqual([cellKind.absent, cellKind.number]);
    expect(cells.unknownFields).toBe(0);
  });

  it('finds columns among ever new unknown names', () => {
    const cells = new RowCells(['a']);
    for (let i = 0; i < 10_000; i++) {
      const bytes = readInside(cells, Buffer.from(`{"x${i}":0,"a":${i}}`));
      expect(textAt(cells, bytes, 0)).toBe(String(i));
    }
  });
});
