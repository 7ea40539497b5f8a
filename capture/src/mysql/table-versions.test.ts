import { readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import { readTableMap, readTableMapName } from './binlog/table-map.ts';
import type { CatalogueColumn, CatalogueTable } from './catalogue.ts';
import { isDecodable, parseLabels } from './column-facts.ts';
import { TableVersions } from './table-versions.ts';

const id = { namespace: '', schema: 'd', table: 'a' };

function column(name: string, fields: Partial<CatalogueColumn> = {}): CatalogueColumn {
  return {
    name,
    dataType: 'int',
    columnType: 'int',
    nullable: false,
    defaultValue: null,
    generated: false,
    comment: '',
    octetLength: 0,
    precision: 10,
    scale: 0,
    fraction: 0,
    collation: null,
    ...fields,
  };
}

function catalogue(columns: readonly CatalogueColumn[], fields: Partial<CatalogueTable> = {}): CatalogueTable {
  return { id, engine: 'InnoDB', comment: '', createdSeconds: 0, columns, primaryKey: ['id'], ...fields };
}

/** TABLE_MAP of INT columns; every column name in `names` may be left out (metadata MINIMAL). */
function tableMap(tableId: number, count: number, names: readonly string[] | null): Buffer {
  const list = Buffer.concat((names ?? []).map((name) => Buffer.from([name.length, ...Buffer.from(name)])));
  return Buffer.concat([
    Buffer.from([tableId, 0, 0, 0, 0, 0, 1, 0, 1]),
    Buffer.from('d\0\x01a\0'),
    Buffer.from([count, ...Array.from({ length: count }, () => 3), 0, 0, 1, 1, 0]),
    names === null ? Buffer.alloc(0) : Buffer.concat([Buffer.from([4, list.length]), list, Buffer.from([8, 1, 0])]),
  ]);
}

function resolve(versions: TableVersions, bytes: Buffer, immediateMicros = 0): ReturnType<TableVersions['resolve']> {
  const { columnsAt } = readTableMapName(bytes, 0, bytes.length);
  return versions.resolve(id, bytes, 0, columnsAt, bytes.length, immediateMicros);
}

function names(resolution: ReturnType<TableVersions['resolve']>): string {
  if (resolution.kind === 'load') return 'load';
  if (resolution.kind === 'refused') return `refused: ${String(resolution.error.details['why'])}`;
  return resolution.table.columns.map((each) => each.name).join();
}

const options = { tinyint1AsBoolean: true };

test('the catalogue is asked for once, and again after a DDL statement', () => {
  const versions = new TableVersions(options);
  expect(names(resolve(versions, tableMap(1, 1, ['id'])))).toBe('load');
  versions.adopt(id, catalogue([column('id')]), 0);
  expect(names(resolve(versions, tableMap(1, 1, ['id'])))).toBe('id');
  versions.markStale(id);
  expect(names(resolve(versions, tableMap(2, 1, ['id'])))).toBe('load');
});

test('one definition is one object, whether it comes from the catalogue or from the log, under any table id', () => {
  const versions = new TableVersions(options);
  const definition = catalogue([column('id', { comment: 'the key' })]);
  versions.adopt(id, definition, 0);
  const table = versions.fromCatalogue(definition);
  const first = resolve(versions, tableMap(1, 1, ['id']));
  versions.adopt(id, definition, 0);
  const second = resolve(versions, tableMap(9, 1, ['id']));
  expect(first).toMatchObject({ kind: 'table', table });
  expect(first.kind === 'table' && first.table).toBe(table);
  expect(second.kind === 'table' && second.table).toBe(table);
});

test('T62 with names in the event, columns are told apart by name, not by place', () => {
  const versions = new TableVersions(options);
  versions.adopt(id, catalogue([column('id'), column('a', { comment: 'A' }), column('b', { comment: 'B' })]), 0);
  const swapped = resolve(versions, tableMap(1, 3, ['id', 'b', 'a']));
  expect(swapped.kind === 'table' && swapped.table.columns.map((each) => each.schema.comment)).toEqual([
    null,
    'B',
    'A',
  ]);
});

test('a catalogue column of another type tells nothing about the event', () => {
  const versions = new TableVersions(options);
  versions.adopt(id, catalogue([column('id', { dataType: 'bigint', columnType: 'bigint', comment: 'new' })]), 0);
  const old = resolve(versions, tableMap(1, 1, ['id']));
  expect(old.kind === 'table' && old.table.columns[0]?.schema).toMatchObject({
    comment: null,
    sourceType: 'int',
    type: { kind: 'int' },
  });
});

test('T66 without names the catalogue names columns if count, types, signs and nullability agree', () => {
  const versions = new TableVersions(options);
  const unnamed = tableMap(1, 2, null);
  const cases: readonly (readonly [readonly CatalogueColumn[], string])[] = [
    [[column('id'), column('b')], 'id,b'],
    [[column('id')], 'refused: the catalogue has other columns than these rows'],
    [[column('id'), column('b', { nullable: true })], 'refused: the catalogue has other columns than these rows'],
    [
      [column('id'), column('b', { columnType: 'int unsigned' })],
      'refused: the catalogue has other columns than these rows',
    ],
    [
      [column('id'), column('b', { dataType: 'bigint', columnType: 'bigint' })],
      'refused: the catalogue has other columns than these rows',
    ],
  ];
  for (const [columns, expected] of cases) {
    versions.adopt(id, catalogue(columns), 0);
    expect(names(resolve(versions, unnamed))).toBe(expected);
  }
});

test('T195 rows from before the table was rebuilt, or of a table that is gone, are not named by guess', () => {
  const versions = new TableVersions(options);
  const unnamed = tableMap(1, 1, null);
  versions.adopt(id, catalogue([column('id')], { createdSeconds: 2_000 }), 0);
  expect(names(resolve(versions, unnamed, 1_000_000_000))).toBe(
    'refused: the table was rebuilt after these rows were written',
  );
  expect(names(resolve(versions, unnamed, 2_000_000_000))).toBe('id');
  versions.adopt(id, null, 0);
  expect(names(resolve(versions, tableMap(2, 1, null)))).toBe('refused: the table is gone from the catalogue');
});

test('T62 without names, a change that the catalogue already had tells that rows before it were named ahead', () => {
  const versions = new TableVersions(options);
  versions.adopt(id, catalogue([column('id')]), 1_000);
  expect(versions.wasNamedAhead(id, 500)).toBe(false);
  resolve(versions, tableMap(1, 1, null));
  expect([versions.wasNamedAhead(id, 500), versions.wasNamedAhead(id, 1_500)]).toEqual([true, false]);
  versions.adopt(id, catalogue([column('id')]), 2_000);
  expect(versions.wasNamedAhead(id, 500)).toBe(false);
});

test('T81 a table that had names and lost them is refused', () => {
  const versions = new TableVersions(options);
  versions.adopt(id, catalogue([column('id')]), 0);
  expect(names(resolve(versions, tableMap(1, 1, ['id'])))).toBe('id');
  expect(names(resolve(versions, tableMap(2, 1, null)))).toBe('refused: row metadata turned from FULL to MINIMAL');
});

test('T23 labels are decoded by the charset of their column', () => {
  const log = readFileSync(new URL('stream/golden/rich.binlog', import.meta.url));
  const at = log.indexOf(Buffer.from('fix\0\x04rich\0')) - 9;
  const end = at - 19 + log.readUInt32LE(at - 19 + 9) - 4;
  const bytes = log.subarray(at, end);
  expect(readTableMap(bytes, 0, bytes.length).columns).toHaveLength(18);
  const versions = new TableVersions(options);
  const rich = { namespace: '', schema: 'fix', table: 'rich' };
  versions.adopt(rich, null, 0);
  const { columnsAt } = readTableMapName(bytes, 0, bytes.length);
  const resolution = versions.resolve(rich, bytes, 0, columnsAt, bytes.length, 0);
  const e = resolution.kind === 'table' ? resolution.table.columns.find((each) => each.name === 'e') : undefined;
  expect(e?.labels).toEqual(['ä', 'b']);
});

test('labels of COLUMN_TYPE with quotes, commas and brackets', () => {
  expect(parseLabels("enum('a','b''c','d,e','(f)','')")).toEqual(['a', "b'c", 'd,e', '(f)', '']);
});

test('T53 compressed columns are not decodable', () => {
  expect(isDecodable(column('c', { dataType: 'varchar', columnType: 'varchar(10) /*M!100301 COMPRESSED*/' }))).toBe(
    false,
  );
  expect(isDecodable(column('c', { dataType: 'inet6', columnType: 'inet6' }))).toBe(false);
  expect(isDecodable(column('c'))).toBe(true);
});
