import { expect, test } from 'vitest';

import { parseLogicalType } from '@millrace/shared/event/logical-type.ts';

import { parsePgType, pgTypeOf, printPgType } from './pg-type.ts';

function created(type: string, sourceType: string | null): string {
  const column = { name: 'c', nullable: true, comment: null, defaultValue: null, generated: false };
  return printPgType(pgTypeOf({ ...column, type: parseLogicalType(type), sourceType }));
}

test.each([
  ['TINYINT', 'tinyint', 'smallint'],
  ['BOOLEAN', 'tinyint(1)', 'boolean'],
  ['SMALLINT', 'tinyint unsigned', 'smallint'],
  ['INT', 'smallint unsigned', 'integer'],
  ['INT', 'mediumint unsigned', 'integer'],
  ['INT', 'year', 'integer'],
  ['BIGINT', 'int unsigned', 'bigint'],
  ['BIGINT', 'bigint', 'bigint'],
  ['DECIMAL(20,0)', 'bigint unsigned', 'numeric(20,0)'],
  ['DECIMAL(10,2)', 'decimal(10,2)', 'numeric(10,2)'],
  ['STRING', 'decimal(65,30) unsigned', 'numeric(65,30)'],
  ['FLOAT', 'float', 'real'],
  ['DOUBLE', 'double', 'double precision'],
  ['BOOLEAN', 'bit(1)', 'boolean'],
  ['BINARY(1)', 'bit(3)', 'bit(3)'],
  ['BINARY(8)', 'bit(64)', 'bit(64)'],
  ['DATE', 'date', 'date'],
  ['TIME(6)', 'time(6)', 'interval'],
  ['TIMESTAMP(0)', 'datetime', 'timestamp(0)'],
  ['TIMESTAMP(6)', 'datetime(6)', 'timestamp(6)'],
  ['TIMESTAMP_LTZ(3)', 'timestamp(3)', 'timestamptz(3)'],
  ['CHAR(5)', 'char(5)', 'text'],
  ['VARCHAR(255)', 'varchar(255)', 'text'],
  ['STRING', 'longtext', 'text'],
  ['BINARY(16)', 'binary(16)', 'bytea'],
  ['VARBINARY(9)', 'varbinary(9)', 'bytea'],
  ['BYTES', 'longblob', 'bytea'],
  ['STRING', "enum('a','b''s')", 'text'],
  ['ARRAY<STRING>', "set('a','b')", 'text[]'],
  ['STRING', 'json', 'jsonb'],
  ['STRING', 'point', 'jsonb'],
  ['STRING', 'geometrycollection', 'jsonb'],
  ['ARRAY<FLOAT>', 'vector(3)', 'real[]'],
  ['STRING', 'uuid', 'uuid'],
  ['STRING', 'inet6', 'inet'],
  ['STRING', 'numeric', 'numeric'],
  ['TIME(3)', 'time(3) without time zone', 'time(3)'],
  ['STRING', 'interval', 'interval'],
  ['ARRAY<TIMESTAMP(3)>', 'timestamp(3) without time zone[]', 'timestamp(3)[]'],
  ['ARRAY<ARRAY<INT>>', null, 'jsonb'],
  ['STRING', null, 'text'],
])('%s from %s becomes %s (T2, T3, T8, T13, T156)', (type, sourceType, expected) => {
  expect(created(type, sourceType)).toBe(expected);
});

test.each([
  ['character varying(20)', { name: 'varchar', args: [20], array: false }],
  ['timestamp(3) with time zone', { name: 'timestamptz', args: [3], array: false }],
  ['numeric(10,2)[]', { name: 'numeric', args: [10, 2], array: true }],
  ['"bit"', { name: 'bit', args: [], array: false }],
  ['bit', { name: 'bit', args: [1], array: false }],
  ['public."My Type"', { name: 'public."my type"', args: [], array: false }],
])('the catalogue text %s is read', (text, expected) => {
  expect(parsePgType(text)).toEqual(expected);
});
