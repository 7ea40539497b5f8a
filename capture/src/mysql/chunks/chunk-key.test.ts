import { describe, expect, test } from 'vitest';

import type { ChunkBound } from '../../source.ts';
import { wireType } from '../column.ts';
import type { MysqlColumn, MysqlTable } from '../column.ts';
import { ChunkKey } from './chunk-key.ts';

const collations = new Map([
  [255, { charset: 'utf8mb4', collation: 'utf8mb4_0900_ai_ci' }],
  [8, { charset: 'latin1', collation: 'latin1_swedish_ci' }],
]);

function table(...columns: readonly Partial<MysqlColumn>[]): MysqlTable {
  return {
    schema: { id: { namespace: '', schema: 'd', table: 't' } },
    columns: columns.map((column, index) => ({
      name: `c${index}`,
      wireType: wireType.long,
      collation: null,
      schema: { nullable: false },
      ...column,
    })),
  } as unknown as MysqlTable;
}

function where(key: ChunkKey, from: string | null, to: string | null): string {
  const range = { from: from as ChunkBound | null, to: to as ChunkBound | null };
  return key.selectRange(['x'], range).replace('SELECT x FROM `d`.`t`', '').trim();
}

describe('ranges are the server’s own comparison', () => {
  test('T176 numbers of any size', () => {
    const key = new ChunkKey(table({ wireType: wireType.longlong, unsigned: true }), ['c0'], collations);
    expect(where(key, '["18446744073709551614"]', '["18446744073709551615"]')).toBe(
      'WHERE ((`c0` >= 18446744073709551614)) AND ((`c0` < 18446744073709551615)) ORDER BY `c0`',
    );
  });

  test('T127 text in the collation of its column', () => {
    const key = new ChunkKey(table({ wireType: wireType.varchar, collation: 8 }), ['c0'], collations);
    expect(where(key, '["E9"]', null)).toBe("WHERE ((`c0` >= _latin1 x'E9' COLLATE latin1_swedish_ci)) ORDER BY `c0`");
  });

  test('binary keys are bytes', () => {
    const key = new ChunkKey(table({ wireType: wireType.string, collation: 63 }), ['c0'], collations);
    expect(where(key, null, '["00FF"]')).toBe("WHERE ((`c0` < x'00FF')) ORDER BY `c0`");
  });

  test('T127 labels compare by number', () => {
    const key = new ChunkKey(table({ wireType: wireType.enum, collation: 255 }), ['c0'], collations);
    expect(where(key, '["2"]', null)).toBe('WHERE (((`c0` + 0) >= 2)) ORDER BY `c0`');
  });

  test('composite keys compare as a whole', () => {
    const key = new ChunkKey(table({}, { wireType: wireType.datetime2 }), ['c0', 'c1'], collations);
    expect(where(key, '["7","2020-01-01 00:00:00"]', null)).toBe(
      "WHERE ((`c0` > 7) OR (`c0` = 7 AND `c1` >= '2020-01-01 00:00:00')) ORDER BY `c0`, `c1`",
    );
  });

  test('rows without a key value stand in the first chunk', () => {
    const key = new ChunkKey(table({ schema: { nullable: true } as MysqlColumn['schema'] }), ['c0'], collations);
    expect(where(key, null, '["7"]')).toBe('WHERE ((`c0` < 7) OR `c0` IS NULL) ORDER BY `c0`');
    expect(where(key, '["7"]', '["9"]')).toBe('WHERE ((`c0` >= 7)) AND ((`c0` < 9)) ORDER BY `c0`');
    expect(key.selectBound(null, 3)).toContain('WHERE `c0` IS NOT NULL ORDER BY');
  });

  test('a table without key is one chunk', () => {
    const key = new ChunkKey(table({}), [], collations);
    expect(key.isEmpty).toBe(true);
    expect(where(key, null, null)).toBe('');
  });
});

describe('bounds of a checkpoint are checked before they become SQL', () => {
  test.each(['', '[]', '["1","2"]', '[1]', '["1 OR 1=1"]', '["x"]', 'null'])('%j', (bound) => {
    const key = new ChunkKey(table({}), ['c0'], collations);
    expect(() => where(key, bound, null)).toThrow(expect.objectContaining({ code: 'CHECKPOINT_UNREADABLE' }));
  });

  test('quotes in temporal bounds stay inside their literal', () => {
    const key = new ChunkKey(table({ wireType: wireType.date }), ['c0'], collations);
    expect(where(key, JSON.stringify(["2020' OR '1"]), null)).toContain("'2020'' OR ''1'");
  });

  test('hex only for text', () => {
    const key = new ChunkKey(table({ wireType: wireType.varchar, collation: 255 }), ['c0'], collations);
    expect(() => where(key, `["61' OR 1"]`, null)).toThrow(expect.objectContaining({ code: 'CHECKPOINT_UNREADABLE' }));
  });
});

test('names with backticks are quoted', () => {
  const key = new ChunkKey(table({ name: 'a`b' }), ['a`b'], collations);
  expect(where(key, null, '["1"]')).toBe('WHERE ((`a``b` < 1)) ORDER BY `a``b`');
});

test('a configured chunk key that the table lacks is named', () => {
  expect(() => new ChunkKey(table({}), ['missing'], collations)).toThrow(
    expect.objectContaining({ code: 'SOURCE_SCHEMA_UNSUPPORTED', details: { table: 'd.t', column: 'missing' } }),
  );
});
