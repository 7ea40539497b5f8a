import type { Source, SourceTable } from '@millrace/capture/source.ts';
import { expect, test } from 'vitest';

import { MysqlDatabase } from '../harness/mysql-database.ts';
import { openSource, readAllChunks } from './mysql-source-harness.ts';

const signal = AbortSignal.timeout(600_000);

async function only(source: Source): Promise<SourceTable> {
  const [table] = await source.tables(signal);
  if (table === undefined) throw new Error('no table');
  return table;
}

/** 500 different numbers in a scattered order. */
const scattered =
  'WITH RECURSIVE n AS (SELECT 0 i UNION ALL SELECT i + 1 FROM n WHERE i < 499) SELECT (i * 7919) % 1009 v FROM n';

const tables: readonly (readonly [string, string, string])[] = [
  ['integers', 'id INT PRIMARY KEY, x INT', `INSERT INTO t SELECT v - 500, v FROM (${scattered}) s`],
  [
    'T176 unsigned integers beyond 2^63',
    'id BIGINT UNSIGNED PRIMARY KEY',
    `INSERT INTO t SELECT 18446744073709551615 - v FROM (${scattered}) s`,
  ],
  ['decimals', 'id DECIMAL(40,10) PRIMARY KEY', `INSERT INTO t SELECT v * 1e20 + v / 3 FROM (${scattered}) s`],
  [
    'T127 text in a case-insensitive collation',
    'id VARCHAR(30) PRIMARY KEY, x INT',
    `INSERT INTO t SELECT CONCAT(ELT(1 + v % 6, 'a', 'B', 'é', 'Z', '', 'ß'), v), v FROM (${scattered}) s`,
  ],
  [
    'text in latin1',
    'id VARCHAR(30) CHARACTER SET latin1 PRIMARY KEY',
    `INSERT INTO t SELECT CONCAT(ELT(1 + v % 4, 'é', 'e', 'Ü', 'z'), v) FROM (${scattered}) s`,
  ],
  [
    'text with quotes and backslashes',
    'id VARCHAR(30) PRIMARY KEY',
    `INSERT INTO t SELECT CONCAT(0x275C22, v) FROM (${scattered}) s`,
  ],
  [
    'binary',
    'id BINARY(8) PRIMARY KEY',
    `INSERT INTO t SELECT UNHEX(LPAD(HEX(v * 37), 16, ELT(1 + v % 2, 'FF', '00'))) FROM (${scattered}) s`,
  ],
  [
    'times',
    'id DATETIME(6) PRIMARY KEY',
    `INSERT INTO t SELECT '2020-01-01' + INTERVAL v * 1000001 MICROSECOND FROM (${scattered}) s`,
  ],
  [
    'timestamps',
    'id TIMESTAMP(3) PRIMARY KEY',
    `INSERT INTO t SELECT '2020-03-29 00:00:00' + INTERVAL v MINUTE FROM (${scattered}) s`,
  ],
  [
    'negative times',
    'id TIME(2) PRIMARY KEY',
    `INSERT INTO t SELECT SEC_TO_TIME((v - 500) * 1000) FROM (${scattered}) s`,
  ],
  ['floats', 'id FLOAT PRIMARY KEY', `INSERT INTO t SELECT v / 7 - 50 FROM (${scattered}) s`],
  ['bits', 'id BIT(40) PRIMARY KEY', `INSERT INTO t SELECT v * 65537 FROM (${scattered}) s`],
  [
    'T127 labels',
    "id ENUM('z','a','m') NOT NULL, x INT, PRIMARY KEY (id, x)",
    `INSERT INTO t SELECT ELT(1 + v % 3, 'z', 'a', 'm'), v FROM (${scattered}) s`,
  ],
  [
    'composite keys with few first values',
    'id INT, y VARCHAR(10), z INT, PRIMARY KEY (id, y)',
    `INSERT INTO t SELECT v % 3, CONCAT('k', v), v FROM (${scattered}) s`,
  ],
  [
    'T43 invisible columns',
    'id INT PRIMARY KEY, x INT INVISIBLE',
    `INSERT INTO t (id, x) SELECT v, v FROM (${scattered}) s`,
  ],
  [
    'T173 a unique key instead of a primary key',
    'id INT NOT NULL, x INT, UNIQUE (id)',
    `INSERT INTO t SELECT v, v FROM (${scattered}) s`,
  ],
];

test.each(tables)('%s: chunks of every size hold exactly the rows of the table', async (_name, columns, fill) => {
  await using database = await MysqlDatabase.create('chunks');
  await database.run(`CREATE TABLE t (${columns}); ${fill}`);
  const { source } = await openSource(database.name, signal);
  await using _ = source;
  const table = await only(source);
  const [whole = []] = await readAllChunks(source, table, 10_000, signal);
  const [counted] = await database.rows('SELECT COUNT(*) AS n, COUNT(DISTINCT id) AS k FROM t');
  expect(String(whole.length)).toBe(counted?.['n']);
  for (const rows of [3, 100, 499, 500]) {
    const chunks = await readAllChunks(source, table, rows, signal);
    expect(chunks.flat()).toEqual(whole);
    expect(chunks.slice(0, -1).every((chunk) => chunk.length === rows)).toBe(true);
  }
});

test('a chunk key that is not unique and holds NULL loses no row', async () => {
  await using database = await MysqlDatabase.create('chunks');
  await database.run(
    `CREATE TABLE t (id INT, x INT, KEY (id)); INSERT INTO t SELECT IF(v % 5 = 0, NULL, v % 20), v FROM (${scattered}) s`,
  );
  const { source } = await openSource(database.name, signal, { chunkKeyColumn: 'id' });
  await using _ = source;
  const table = await only(source);
  const chunks = await readAllChunks(source, table, 3, signal);
  const rows = chunks.flat().sort();
  const expected = await database.rows('SELECT id, x FROM t');
  expect(rows).toEqual(expected.map(({ id, x }) => `{"id":${id},"x":${x}}`).sort());
  expect(chunks.length).toBeGreaterThan(10);
});

test('T35 a table without key is one chunk', async () => {
  await using database = await MysqlDatabase.create('chunks');
  await database.run('CREATE TABLE t (id INT); INSERT INTO t VALUES (1), (1), (2)');
  const { source } = await openSource(database.name, signal);
  await using _ = source;
  const table = await only(source);
  expect(await source.chunkEnd(table, null, 1, signal)).toBeNull();
  expect(await readAllChunks(source, table, 1, signal)).toEqual([['{"id":1}', '{"id":1}', '{"id":2}']]);
});

test('T179 an underscore in a name is no wildcard', async () => {
  await using database = await MysqlDatabase.create('chunks');
  await database.run('CREATE TABLE a_b (id INT PRIMARY KEY, one INT); CREATE TABLE axb (id INT PRIMARY KEY, two INT)');
  const { source } = await openSource(database.name, signal);
  await using _ = source;
  const tables = await source.tables(signal);
  expect(tables.map(({ schema }) => schema.columns.map((column) => column.name).join())).toEqual(['id,one', 'id,two']);
});

test('pieces arrive while the server still sends, and a chunk may be left in the middle', async () => {
  await using database = await MysqlDatabase.create('chunks');
  await database.run(
    "CREATE TABLE t (id INT PRIMARY KEY, pad TEXT); SET cte_max_recursion_depth = 100000; INSERT INTO t WITH RECURSIVE n AS (SELECT 1 i UNION ALL SELECT i + 1 FROM n WHERE i < 20000) SELECT i, REPEAT('x', 1000) FROM n",
  );
  const { source } = await openSource(database.name, signal);
  await using _ = source;
  const table = await only(source);
  let pieces = 0;
  for await (const _piece of source.readChunk(table, { from: null, to: null }, signal)) {
    pieces += 1;
    if (pieces === 3) break;
  }
  const [whole = []] = await readAllChunks(source, table, 100_000, signal);
  expect(whole).toHaveLength(20_000);
  const estimate = await source.estimateRows(table, signal);
  expect(estimate).toBeGreaterThan(1_000);
});

test('a table that changed since its definition was read is not read into the wrong columns', async () => {
  await using database = await MysqlDatabase.create('chunks');
  await database.run('CREATE TABLE t (id INT PRIMARY KEY, x INT); INSERT INTO t VALUES (1, 2)');
  const { source } = await openSource(database.name, signal);
  await using _ = source;
  const table = await only(source);
  await database.run('ALTER TABLE t DROP COLUMN x');
  await expect(readAllChunks(source, table, 10, signal)).rejects.toMatchObject({ code: 'SOURCE_SCHEMA_UNSUPPORTED' });
  await database.run('DROP TABLE t');
  await expect(readAllChunks(source, table, 10, signal)).rejects.toMatchObject({ code: 'SOURCE_SCHEMA_UNSUPPORTED' });
});

test('T126 a row has the same text in the snapshot and in the stream, and one table object in both', async () => {
  await using database = await MysqlDatabase.create('chunks');
  await database.run(
    "CREATE TABLE t (id INT UNSIGNED PRIMARY KEY, a TINYINT(1), b FLOAT, c DECIMAL(30,10), d DATETIME(3), e ENUM('ä','b'), " +
      'f SET("x","y"), g BINARY(4), h JSON, i YEAR, j BIT(9), k TEXT CHARACTER SET latin1, l TIME(6), m VARBINARY(9), n POINT, o GEOMETRY, ' +
      "p TIMESTAMP NULL, q BIGINT GENERATED ALWAYS AS (id * 2) VIRTUAL, r CHAR(3) COMMENT 'three', s VECTOR(2))",
  );
  const { source } = await openSource(database.name, signal);
  await using _ = source;
  const table = await only(source);
  const stream = await source.stream(await source.resolveStart({ kind: 'now' }, signal), signal);
  await database.run(
    "INSERT INTO t (id, a, b, c, d, e, f, g, h, i, j, k, l, m, n, p, r, s) VALUES (4294967295, 1, 16777217, -1.5, '2020-02-29 01:02:03.456', 'ä', 'x,y', 0x0100, " +
      `'{"b": 1.0, "a": [1, null]}', 2155, b'101', 'é', '-838:59:58.999999', 0xff, ST_GeomFromText('POINT(1 2)'), '2021-01-01 00:00:00', 'ab', TO_VECTOR('[1,2.5]'))`,
  );
  const { TransactionLog } = await import('./mysql-source-harness.ts');
  const log = new TransactionLog(source, stream);
  const objects = new Set<SourceTable>();
  const mark = await source.watermark(signal);
  while (!stream.hasReached(mark)) {
    for (const event of await stream.next(signal)) if (event.kind === 'rows') objects.add(event.rows.table);
  }
  expect([...objects]).toEqual([table]);
  expect(objects.has(table)).toBe(true);
  await database.run('UPDATE t SET a = 0');
  await log.catchUp(signal);
  const [whole = []] = await readAllChunks(source, table, 10, signal);
  expect(whole).toEqual(log.changes.map(({ after }) => after));
  expect(whole[0]).toContain('"b":1.6777216E7');
});
