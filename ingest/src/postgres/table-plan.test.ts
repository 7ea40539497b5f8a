import { describe, expect, test } from 'vitest';

import { parseLogicalType } from '@millrace/shared/event/logical-type.ts';
import { tableSchema } from '@millrace/shared/event/schema.ts';
import type { TableSchema } from '@millrace/shared/event/schema.ts';

import type { CatalogColumn, CatalogIndex, CatalogTable } from './catalog.ts';
import { targetName } from './identifier.ts';
import { parsePgType } from './pg-type.ts';
import { checkTable, creationStatements, planTable } from './table-plan.ts';
import type { PlanRules, TableCheck } from './table-plan.ts';

const rules: PlanRules = {
  createTables: true,
  evolveTables: true,
  rewriteLimitBytes: 1000,
  typeOverrides: new Map(),
  tableProperties: new Map(),
};
const target = targetName('s', 't');

type Column = readonly [name: string, type: string, sourceType: string | null];

function stream(columns: readonly Column[], primaryKey: readonly string[] = ['id']): TableSchema {
  return tableSchema({
    id: { namespace: '', schema: 's', table: 't' },
    columns: columns.map(([name, type, sourceType]) => ({
      name,
      type: parseLogicalType(type),
      sourceType,
      nullable: !primaryKey.includes(name),
      comment: null,
      defaultValue: null,
      generated: false,
    })),
    primaryKey,
    comment: null,
  });
}

function column(name: string, typeText: string, changes: Partial<CatalogColumn> = {}): CatalogColumn {
  return {
    name,
    typeText,
    castText: typeText,
    type: parsePgType(typeText),
    notNull: name === 'id',
    generated: false,
    identityAlways: false,
    hasDefault: false,
    isEnum: false,
    comment: null,
    ...changes,
  };
}

function index(columns: readonly string[], changes: Partial<CatalogIndex> = {}): CatalogIndex {
  return { name: 'i', columns, primary: false, partial: false, immediate: true, initiallyDeferred: false, ...changes };
}

const primary = index(['id'], { primary: true });

function existing(columns: readonly CatalogColumn[], changes: Partial<CatalogTable> = {}): CatalogTable {
  return {
    columns,
    uniqueIndexes: [primary],
    deletesHaveEffects: false,
    sizeBytes: 0,
    comment: null,
    relationKind: 'r',
    ...changes,
  };
}

function checkColumn(type: string, sourceType: string | null, targetType: string, sizeBytes = 0): TableCheck {
  const table = existing([column('id', 'bigint'), column('c', targetType)], { sizeBytes });
  return checkTable(
    stream([
      ['id', 'BIGINT', 'bigint'],
      ['c', type, sourceType],
    ]),
    target,
    table,
    rules,
  );
}

test('a created table has exact types, the primary key in its order and nothing else', () => {
  const schema = stream(
    [
      ['b', 'VARCHAR(3)', 'varchar(3)'],
      ['a', 'INT', 'int'],
      ['c', 'STRING', 'json'],
    ],
    ['a', 'b'],
  );
  const properties = new Map([['fillfactor', '80']]);
  expect(creationStatements(schema, target, { ...rules, tableProperties: properties })).toEqual([
    'CREATE TABLE IF NOT EXISTS "s"."t" (\n  "b" text NOT NULL,\n  "a" integer NOT NULL,\n  "c" jsonb,\n' +
      '  PRIMARY KEY ("a", "b")\n) WITH (fillfactor = \'80\')',
  ]);
});

test('an override names the type of a created column', () => {
  const schema = stream([
    ['id', 'BIGINT', 'bigint'],
    ['doc', 'STRING', 'json'],
  ]);
  const [sql] = creationStatements(schema, target, { ...rules, typeOverrides: new Map([['s.t.doc', 'json']]) });
  expect(sql).toContain('"doc" json,');
});

describe('an existing column', () => {
  test.each([
    ['INT', 'int', 'bigint'],
    ['INT', 'int', 'text'],
    ['BIGINT', 'bigint', 'numeric(20,0)'],
    ['DECIMAL(10,2)', 'decimal(10,2)', 'numeric(12,3)'],
    ['DECIMAL(10,2)', 'decimal(10,2)', 'numeric'],
    ['VARCHAR(20)', 'varchar(20)', 'character varying(20)'],
    ['STRING', 'json', 'json'],
    ['STRING', 'longtext', 'text'],
    ['FLOAT', 'float', 'double precision'],
    ['TIME(6)', 'time(6)', 'time without time zone'],
    ['TIMESTAMP(3)', 'datetime(3)', 'timestamp without time zone'],
    ['STRING', null, 'date'],
    ['ARRAY<STRING>', "set('a')", 'text[]'],
    ['BINARY(1)', 'bit(3)', 'bit(3)'],
  ])('takes %s (%s) as %s', (type, sourceType, targetType) => {
    expect(checkColumn(type, sourceType, targetType)).toEqual({ statements: [], mismatches: [] });
  });

  test.each([
    ['BIGINT', 'bigint', 'integer', 'bigint'],
    ['DECIMAL(20,0)', 'bigint unsigned', 'bigint', 'numeric(20,0)'],
    ['DECIMAL(12,2)', 'decimal(12,2)', 'numeric(10,4)', 'numeric(14,4)'],
    ['VARCHAR(40)', 'varchar(40)', 'character varying(20)', 'text'],
    ['TIMESTAMP(6)', 'datetime(6)', 'timestamp(3) without time zone', 'timestamp(6)'],
    ['DOUBLE', 'double', 'real', 'double precision'],
    ['STRING', null, 'integer', 'text'],
    ['BIGINT', 'bigint', 'numeric(5,2)', 'numeric(21,2)'],
    ['DOUBLE', 'double', 'numeric(5,2)', 'numeric'],
    ['STRING', 'json', 'character varying(20)', 'text'],
  ])('is widened for %s (%s) from %s to %s (T77, T157)', (type, sourceType, targetType, wider) => {
    expect(checkColumn(type, sourceType, targetType)).toEqual({
      statements: [`ALTER TABLE "s"."t" ALTER COLUMN "c" TYPE ${wider}`],
      mismatches: [],
    });
  });

  test.each([
    ['BYTES', 'blob', 'text'],
    ['TIMESTAMP_LTZ(6)', 'timestamp(6)', 'timestamp without time zone'],
    ['DATE', 'date', 'timestamp without time zone'],
    ['BIGINT', 'bigint', 'double precision'],
    ['INT', 'int', 'boolean'],
    ['STRING', 'longtext', 'bytea'],
    ['BINARY(1)', 'bit(3)', 'bit(4)'],
    ['BYTES', 'bit varying(8)', 'bit varying(8)'],
    ['ARRAY<STRING>', "set('a')", 'integer[]'],
  ])('does not take %s (%s) as %s', (type, sourceType, targetType) => {
    const { statements, mismatches } = checkColumn(type, sourceType, targetType);
    expect(statements).toEqual([]);
    expect(mismatches).toHaveLength(1);
  });

  test('of a large table is widened only where no row is rewritten', () => {
    expect(checkColumn('VARCHAR(40)', 'varchar(40)', 'character varying(20)', 2000).statements).toHaveLength(1);
    expect(checkColumn('DECIMAL(12,2)', 'decimal(12,2)', 'numeric(10,2)', 2000).statements).toHaveLength(1);
    expect(checkColumn('BIGINT', 'bigint', 'integer', 2000)).toEqual({
      statements: [],
      mismatches: ['c: is integer, the stream needs bigint: ALTER TABLE "s"."t" ALTER COLUMN "c" TYPE bigint'],
    });
  });
});

test('new columns come last and nullable, NOT NULL is relaxed where the stream gives no value (T78)', () => {
  const table = existing([
    column('id', 'bigint'),
    column('was', 'integer', { notNull: true }),
    column('gone', 'text', { notNull: true }),
    column('filled', 'text', { notNull: true, hasDefault: true }),
    column('computed', 'integer', { notNull: true, generated: true }),
  ]);
  const schema = stream([
    ['id', 'BIGINT', 'bigint'],
    ['was', 'INT', 'int'],
    ['computed', 'INT', 'int'],
    ['fresh', 'DATE', 'date'],
  ]);
  expect(checkTable(schema, target, table, rules)).toEqual({
    statements: [
      'ALTER TABLE "s"."t" ALTER COLUMN "was" DROP NOT NULL',
      'ALTER TABLE "s"."t" ADD COLUMN "fresh" date',
      'ALTER TABLE "s"."t" ALTER COLUMN "gone" DROP NOT NULL',
    ],
    mismatches: [],
  });
});

test('everything that does not fit is listed at once', () => {
  const table = existing([column('id', 'integer'), column('c', 'bytea')], { uniqueIndexes: [] });
  const schema = stream([
    ['id', 'BIGINT', 'bigint'],
    ['c', 'STRING', 'longtext'],
    ['d', 'INT', 'int'],
  ]);
  const { mismatches } = checkTable(schema, target, table, { ...rules, evolveTables: false });
  expect(mismatches.map((line) => line.replace(/:.*/, ''))).toEqual([
    'id',
    'c',
    'd',
    'no unique index over exactly the key',
  ]);
});

describe('rows are applied', () => {
  const schema = stream([
    ['id', 'BIGINT', 'bigint'],
    ['u', 'INT', 'int'],
  ]);
  const columns = [column('id', 'bigint'), column('u', 'integer')];
  const modeOf = (table: Partial<CatalogTable>, own: readonly CatalogColumn[] = []): string =>
    planTable(schema, target, existing([...columns, ...own], table)).mode;

  test('by upsert where the key is the only unique constraint', () => {
    expect(modeOf({})).toBe('upsert');
  });

  test('by delete and insert where rows may trade unique values (T151)', () => {
    expect(modeOf({ uniqueIndexes: [primary, index(['u'])] })).toBe('delete-insert');
    expect(modeOf({ uniqueIndexes: [primary, index(['u'], { partial: true })] })).toBe('delete-insert');
  });

  test('by upsert where the other constraint is deferred, deletes have effects or columns would be lost', () => {
    const uniqueIndexes = [primary, index(['u'])];
    expect(modeOf({ uniqueIndexes: [primary, index(['u'], { initiallyDeferred: true })] })).toBe('upsert');
    expect(modeOf({ uniqueIndexes, deletesHaveEffects: true })).toBe('upsert');
    expect(modeOf({ uniqueIndexes }, [column('own', 'text')])).toBe('upsert');
  });

  test('by delete and insert where the primary key is deferrable and can be no conflict target', () => {
    expect(modeOf({ uniqueIndexes: [index(['id'], { immediate: false })] })).toBe('delete-insert');
  });

  test('by appending where there is no key', () => {
    const keyless = stream(
      [
        ['id', 'BIGINT', 'bigint'],
        ['u', 'INT', 'int'],
      ],
      [],
    );
    expect(planTable(keyless, target, existing(columns, { uniqueIndexes: [] })).mode).toBe('append');
  });

  test('without the columns that the target generates (T42, T155)', () => {
    const table = existing([column('id', 'bigint'), column('u', 'integer', { generated: true })]);
    expect(planTable(schema, target, table).columns.map((pair) => pair.target.name)).toEqual(['id']);
  });
});
