import { parseLogicalType, printLogicalType } from '@millrace/shared/event/logical-type.ts';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { evolveColumns } from './merge-schemas.ts';
import { mergeTypes } from './merge-types.ts';

const types = [
  'BOOLEAN',
  'TINYINT',
  'SMALLINT',
  'INT',
  'BIGINT',
  'FLOAT',
  'DOUBLE',
  'DECIMAL(10, 2)',
  'DECIMAL(38, 0)',
  'DATE',
  'TIME(3)',
  'TIMESTAMP(0)',
  'TIMESTAMP(6)',
  'TIMESTAMP_LTZ(3)',
  'CHAR(3)',
  'VARCHAR(20)',
  'STRING',
  'BINARY(4)',
  'VARBINARY(9)',
  'BYTES',
  'ARRAY<INT>',
  'ARRAY<STRING>',
];

function merged(a: string, b: string): string {
  return printLogicalType(mergeTypes(parseLogicalType(a), parseLogicalType(b)));
}

describe('mergeTypes', () => {
  it.each([
    ['TINYINT', 'BIGINT', 'BIGINT'],
    ['SMALLINT', 'FLOAT', 'FLOAT'],
    ['INT', 'FLOAT', 'DOUBLE'],
    ['FLOAT', 'DOUBLE', 'DOUBLE'],
    ['BIGINT', 'DECIMAL(10, 2)', 'DECIMAL(21, 2)'],
    ['DECIMAL(10, 2)', 'DECIMAL(8, 6)', 'DECIMAL(14, 6)'],
    ['DECIMAL(38, 0)', 'DECIMAL(10, 2)', 'STRING'],
    ['DECIMAL(10, 2)', 'DOUBLE', 'STRING'],
    ['DATE', 'TIMESTAMP(3)', 'TIMESTAMP(3)'],
    ['TIMESTAMP(6)', 'TIMESTAMP_LTZ(3)', 'TIMESTAMP_LTZ(6)'],
    ['TIME(0)', 'TIME(6)', 'TIME(6)'],
    ['TIME(0)', 'DATE', 'STRING'],
    ['CHAR(3)', 'VARCHAR(20)', 'VARCHAR(20)'],
    ['VARCHAR(20)', 'STRING', 'STRING'],
    ['BINARY(4)', 'BYTES', 'BYTES'],
    ['BINARY(4)', 'STRING', 'STRING'],
    ['BOOLEAN', 'INT', 'STRING'],
    ['ARRAY<INT>', 'ARRAY<BIGINT>', 'ARRAY<BIGINT>'],
    ['ARRAY<INT>', 'INT', 'STRING'],
  ])('%s and %s give %s', (a, b, expected) => {
    expect(merged(a, b)).toBe(expected);
  });

  it('is commutative, and merging again changes nothing', () => {
    const type = fc.constantFrom(...types);
    fc.assert(
      fc.property(type, type, (a, b) => {
        const once = merged(a, b);
        expect(merged(b, a)).toBe(once);
        expect(merged(once, a)).toBe(once);
      }),
    );
  });
});

describe('evolveColumns', () => {
  const column = (
    name: string,
    type: string,
    sourceType: string | null,
    nullable = false,
  ): Parameters<typeof evolveColumns>[0][number] => ({
    name,
    type: parseLogicalType(type),
    nullable,
    sourceType,
    comment: null,
    defaultValue: null,
    generated: false,
  });

  it('adds columns last and nullable, keeps dropped ones nullable, and never loosens the key', () => {
    const old = [column('id', 'INT', 'int'), column('gone', 'INT', 'int'), column('kept', 'INT', 'int')];
    const added = [column('new', 'DATE', 'date'), column('kept', 'INT', 'int'), column('id', 'BIGINT', 'bigint', true)];
    const evolved = evolveColumns(old, added, ['id']);
    expect(evolved.map(({ name, type, nullable }) => [name, printLogicalType(type), nullable])).toStrictEqual([
      ['id', 'BIGINT', false],
      ['gone', 'INT', true],
      ['kept', 'INT', false],
      ['new', 'DATE', true],
    ]);
  });

  it.each([
    ['VARCHAR(20)', 'varchar(20)', 'VARCHAR(40)', 'varchar(40)', 'varchar(40)'],
    ['BIGINT', 'int unsigned', 'INT', 'int', 'int unsigned'],
    ['STRING', 'json', 'STRING', 'longtext', null],
    ['STRING', "enum('a')", 'STRING', "enum('a','b')", "enum('a','b')"],
    ['INT', 'int', 'DECIMAL(10, 2)', 'decimal(10,2)', null],
    ['TINYINT', 'tinyint', 'DECIMAL(10, 2)', 'decimal(10,2)', 'decimal(10,2)'],
    ['BOOLEAN', 'tinyint(1)', 'INT', 'int', null],
  ])('names %s %s with %s %s as %s', (a, aSource, b, bSource, expected) => {
    const [evolved] = evolveColumns([column('c', a, aSource)], [column('c', b, bSource)], []);
    expect(evolved?.sourceType).toBe(expected);
  });
});
