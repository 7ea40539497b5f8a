import { printLogicalType } from '@millrace/shared/event/logical-type.ts';
import { describe, expect, it } from 'vitest';

import { wireType } from './column.ts';
import { logicalType, sourceTypeText } from './logical-column.ts';
import type { ColumnFacts } from './logical-column.ts';

function facts(type: keyof typeof wireType, parts: Partial<ColumnFacts> = {}): ColumnFacts {
  return {
    name: 'c',
    wireType: wireType[type],
    meta: 0,
    scale: 0,
    unsigned: false,
    collation: null,
    labels: null,
    displayWidthOne: false,
    ...parts,
  };
}

const utf8mb4 = 255;
const binary = 63;

describe('logical types', () => {
  it.each([
    ['tinyint', facts('tiny'), 'TINYINT'],
    ['tinyint(1)', facts('tiny', { displayWidthOne: true }), 'BOOLEAN'],
    ['tinyint(1) unsigned', facts('tiny', { displayWidthOne: true, unsigned: true }), 'SMALLINT'],
    ['tinyint unsigned', facts('tiny', { unsigned: true }), 'SMALLINT'],
    ['smallint', facts('short'), 'SMALLINT'],
    ['smallint unsigned', facts('short', { unsigned: true }), 'INT'],
    ['mediumint', facts('int24'), 'INT'],
    ['mediumint unsigned', facts('int24', { unsigned: true }), 'INT'],
    ['int', facts('long'), 'INT'],
    ['int unsigned', facts('long', { unsigned: true }), 'BIGINT'],
    ['bigint', facts('longlong'), 'BIGINT'],
    ['bigint unsigned', facts('longlong', { unsigned: true }), 'DECIMAL(20, 0)'],
    ['decimal(38,10)', facts('decimal', { meta: 38, scale: 10 }), 'DECIMAL(38, 10)'],
    ['decimal(39,10)', facts('decimal', { meta: 39, scale: 10 }), 'STRING'],
    ['float', facts('float', { meta: 4 }), 'FLOAT'],
    ['float(10,2)', facts('float', { meta: 4 }), 'DOUBLE'],
    ['double', facts('double', { meta: 8 }), 'DOUBLE'],
    ['bit(1)', facts('bit', { meta: 1 }), 'BOOLEAN'],
    ['bit(9)', facts('bit', { meta: 9 }), 'BINARY(2)'],
    ['year', facts('year', { unsigned: true }), 'INT'],
    ['date', facts('date'), 'DATE'],
    ['time(3)', facts('time2', { meta: 3 }), 'TIME(3)'],
    ['datetime(6)', facts('datetime2', { meta: 6 }), 'TIMESTAMP(6)'],
    ['timestamp', facts('timestamp2'), 'TIMESTAMP_LTZ(0)'],
    ['char(5)', facts('string', { meta: 20, collation: utf8mb4 }), 'CHAR(5)'],
    ['char(0)', facts('string', { meta: 0, collation: utf8mb4 }), 'STRING'],
    ['binary(16)', facts('string', { meta: 16, collation: binary }), 'BINARY(16)'],
    ['varchar(100)', facts('varchar', { meta: 400, collation: utf8mb4 }), 'VARCHAR(100)'],
    [null, facts('varchar', { meta: 400, collation: utf8mb4 }), 'VARCHAR(100)'],
    [null, facts('varchar', { meta: 300, collation: 33 }), 'VARCHAR(100)'],
    ['varbinary(100)', facts('varchar', { meta: 100, collation: binary }), 'VARBINARY(100)'],
    ['longtext', facts('blob', { meta: 4, collation: utf8mb4 }), 'STRING'],
    ['blob', facts('blob', { meta: 2, collation: binary }), 'BYTES'],
    ["enum('a')", facts('enum', { meta: 1, labels: ['a'], collation: utf8mb4 }), 'STRING'],
    ["set('a')", facts('set', { meta: 1, labels: ['a'], collation: utf8mb4 }), 'ARRAY<STRING>'],
    ['json', facts('json', { meta: 4 }), 'STRING'],
    ['point', facts('geometry', { meta: 4 }), 'STRING'],
    ['vector(3)', facts('vector', { meta: 4, collation: binary }), 'ARRAY<FLOAT>'],
    ['uuid', facts('string', { meta: 16, collation: binary }), 'STRING'],
  ])('%s is %#', (columnType, column, expected) => {
    expect(printLogicalType(logicalType(column, columnType, { tinyint1AsBoolean: true }))).toBe(expected);
  });

  it('TINYINT(1) is a number when it is not to be a boolean (T7)', () => {
    const column = facts('tiny', { displayWidthOne: true });
    expect(logicalType(column, 'tinyint(1)', { tinyint1AsBoolean: false })).toEqual({ kind: 'tinyint' });
  });

  it('an unknown wire type is refused, naming the column', () => {
    expect(() => logicalType({ ...facts('tiny'), wireType: 140 }, null, { tinyint1AsBoolean: true })).toThrow(
      expect.objectContaining({ code: 'SOURCE_SCHEMA_UNSUPPORTED', details: { column: 'c', type: 140 } }),
    );
  });
});

describe('source type text without a catalogue', () => {
  it.each([
    [facts('long', { unsigned: true }), 'int unsigned'],
    [facts('tiny', { displayWidthOne: true }), 'tinyint(1)'],
    [facts('decimal', { meta: 10, scale: 2, unsigned: true }), 'decimal(10,2) unsigned'],
    [facts('bit', { meta: 3 }), 'bit(3)'],
    [facts('datetime2', { meta: 6 }), 'datetime(6)'],
    [facts('time2'), 'time'],
    [facts('varchar', { meta: 400, collation: utf8mb4 }), 'varchar(100)'],
    [facts('varchar', { meta: 400, collation: binary }), 'varbinary(400)'],
    [facts('string', { meta: 20, collation: utf8mb4 }), 'char(5)'],
    [facts('blob', { meta: 3, collation: utf8mb4 }), 'mediumtext'],
    [facts('blob', { meta: 2, collation: binary }), 'blob'],
    [facts('enum', { meta: 1, labels: ['a', "b's"] }), "enum('a','b''s')"],
    [facts('json', { meta: 4 }), 'json'],
    [facts('year', { unsigned: true }), 'year'],
  ])('%#: %s', (column, expected) => {
    expect(sourceTypeText(column)).toBe(expected);
  });
});
