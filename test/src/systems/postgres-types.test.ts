import { expect, test } from 'vitest';

import { PostgresDatabase } from '../harness/postgres-database.ts';
import { laneBatch, never, openDestination, partition0, schemaOf, tableBatch } from './postgres-lanes.ts';

/** Logical type, source type, created type, then JSON as it stands in the record and the server's text of it. */
type Case = readonly [
  type: string,
  source: string,
  created: string,
  values: readonly (readonly [json: string, text: string | null])[],
];

const nines = '9'.repeat(35);

const cases: readonly Case[] = [
  [
    'TINYINT',
    'tinyint',
    'smallint',
    [
      ['-128', '-128'],
      ['127', '127'],
      ['null', null],
    ],
  ],
  ['SMALLINT', 'tinyint unsigned', 'smallint', [['255', '255']]],
  ['INT', 'mediumint unsigned', 'integer', [['16777215', '16777215']]],
  [
    'INT',
    'year',
    'integer',
    [
      ['0', '0'],
      ['2155', '2155'],
    ],
  ],
  ['BIGINT', 'int unsigned', 'bigint', [['4294967295', '4294967295']]],
  [
    'BIGINT',
    'bigint',
    'bigint',
    [
      ['-9223372036854775808', '-9223372036854775808'],
      ['9007199254740993', '9007199254740993'],
      ['1E+2', '100'],
    ],
  ],
  [
    'DECIMAL(20, 0)',
    'bigint unsigned',
    'numeric(20,0)',
    [
      ['18446744073709551615', '18446744073709551615'],
      ['1E+2', '100'],
    ],
  ],
  [
    'DECIMAL(10, 2)',
    'decimal(10,2)',
    'numeric(10,2)',
    [
      ['99.50', '99.50'],
      ['-99999999.99', '-99999999.99'],
      ['1E+1', '10.00'],
    ],
  ],
  ['DECIMAL(38, 0)', 'decimal(38,0)', 'numeric(38,0)', [['4.5462186404924617E+17', '454621864049246170']]],
  [
    'STRING',
    'decimal(65,30)',
    'numeric(65,30)',
    [
      [`"-${nines}.${'0'.repeat(29)}1"`, `-${nines}.${'0'.repeat(29)}1`],
      ['"-1E-30"', `-0.${'0'.repeat(29)}1`],
      ['"0E-30"', `0.${'0'.repeat(30)}`],
    ],
  ],
  [
    'FLOAT',
    'float',
    'real',
    [
      ['5.61', '5.61'],
      ['1.6777216E7', '1.6777216e+07'],
      ['3.4028235E38', '3.4028235e+38'],
      ['1.0E-45', '1e-45'],
    ],
  ],
  [
    'DOUBLE',
    'double',
    'double precision',
    [
      ['1.7976931348623157E308', '1.7976931348623157e+308'],
      ['0.30000000000000004', '0.30000000000000004'],
      ['-0.0', '-0'],
      ['5.0E-324', '5e-324'],
      ['"NaN"', 'NaN'],
    ],
  ],
  [
    'BOOLEAN',
    'tinyint(1)',
    'boolean',
    [
      ['true', 't'],
      ['false', 'f'],
      ['1', 't'],
      ['"0"', 'f'],
    ],
  ],
  ['BOOLEAN', 'bit(1)', 'boolean', [['true', 't']]],
  ['BINARY(1)', 'bit(3)', 'bit(3)', [['"Aw=="', '011']]],
  [
    'BINARY(8)',
    'bit(64)',
    'bit(64)',
    [
      ['"//////////8="', '1'.repeat(64)],
      ['"BAQEBAQEBAQ="', '00000100'.repeat(8)],
    ],
  ],
  [
    'DATE',
    'date',
    'date',
    [
      ['"0018-04-01"', '0018-04-01'],
      ['"0000-01-01"', '0001-01-01 BC'],
      ['"-0043-03-15"', '0044-03-15 BC'],
      ['"9999-12-31"', '9999-12-31'],
      ['"+99999-12-31"', '99999-12-31'],
      ['"infinity"', 'infinity'],
    ],
  ],
  [
    'TIME(6)',
    'time(6)',
    'interval',
    [
      ['"-838:59:58.999999"', '-838:59:58.999999'],
      ['"-00:00:00.01"', '-00:00:00.01'],
      ['"838:59:59"', '838:59:59'],
      ['"18:00:22.123456"', '18:00:22.123456'],
      ['"00:00:00"', '00:00:00'],
    ],
  ],
  ['TIMESTAMP(0)', 'datetime', 'timestamp(0) without time zone', [['"2016-10-28 15:30:42"', '2016-10-28 15:30:42']]],
  [
    'TIMESTAMP(6)',
    'datetime(6)',
    'timestamp(6) without time zone',
    [
      ['"9999-12-31 23:59:59.999999"', '9999-12-31 23:59:59.999999'],
      ['"0001-01-01 00:00:00.1235"', '0001-01-01 00:00:00.1235'],
      ['"0000-01-01 00:00:00"', '0001-01-01 00:00:00 BC'],
      ['"+294276-12-31 23:59:59.999999"', '294276-12-31 23:59:59.999999'],
      ['"-infinity"', '-infinity'],
    ],
  ],
  [
    'TIMESTAMP_LTZ(6)',
    'timestamp(6)',
    'timestamp(6) with time zone',
    [
      ['"1970-01-01 00:00:01.000001Z"', '1970-01-01 00:00:01.000001+00'],
      ['"2038-01-19 03:14:07Z"', '2038-01-19 03:14:07+00'],
      ['"-4712-01-01 00:00:00Z"', '4713-01-01 00:00:00+00 BC'],
    ],
  ],
  ['CHAR(5)', 'char(5)', 'text', [['"ab   "', 'ab   ']]],
  [
    'VARCHAR(20)',
    'varchar(20)',
    'text',
    [
      ['""', ''],
      [String.raw`"a\"b\\c\n\u0001\u007f/\t\r\b\f áé€😀\ud83d\ude00"`, 'a"b\\c\n\u0001\u007f/\t\r\b\f áé€😀😀'],
      [String.raw`"\\N"`, '\\N'],
      [String.raw`"\\."`, '\\.'],
    ],
  ],
  [
    'STRING',
    "enum('a','b''s','')",
    'text',
    [
      [`"b's"`, "b's"],
      ['""', ''],
    ],
  ],
  [
    'ARRAY<STRING>',
    "set('a','b','c')",
    'text[]',
    [
      ['["a","c"]', '{a,c}'],
      ['[]', '{}'],
      [String.raw`["NULL","a\"b\\c","x,y{}",null,"\n"]`, '{"NULL","a\\"b\\\\c","x,y{}",NULL,"\n"}'],
    ],
  ],
  ['BINARY(16)', 'binary(16)', 'bytea', [['"QQAAAAAAAAAAAAAAAAAAAA=="', `\\x41${'0'.repeat(30)}`]]],
  [
    'BYTES',
    'longblob',
    'bytea',
    [
      ['""', '\\x'],
      ['"AP8="', '\\x00ff'],
    ],
  ],
  [
    'STRING',
    'json',
    'jsonb',
    [
      [String.raw`"{\"b\": 2, \"a\": \"x\\n\\\"y\\\\\"}"`, String.raw`{"a": "x\n\"y\\", "b": 2}`],
      ['"null"', 'null'],
      ['"[1.0, 1e15, 12345678901234567890]"', '[1.0, 1000000000000000, 12345678901234567890]'],
      ['{"nested":[1,\n2]}', '{"nested": [1, 2]}'],
    ],
  ],
  [
    'STRING',
    'point',
    'jsonb',
    [
      [
        String.raw`"{\"coordinates\":[1,1],\"type\":\"Point\",\"srid\":0}"`,
        '{"srid": 0, "type": "Point", "coordinates": [1, 1]}',
      ],
    ],
  ],
  ['ARRAY<FLOAT>', 'vector(3)', 'real[]', [['[1.0,-2.5,0.0]', '{1,-2.5,0}']]],
  ['STRING', 'uuid', 'uuid', [['"651aed08-390f-4893-b2f1-36923e7b7400"', '651aed08-390f-4893-b2f1-36923e7b7400']]],
  ['STRING', 'inet6', 'inet', [['"2001:db8::1"', '2001:db8::1']]],
];

const columns = cases.map(([type, source], index) => ({ name: `c${index}`, type, source }));
const schema = schemaOf('types', [{ name: 'id', type: 'INT', source: 'int' }, ...columns]);
const deepest = Math.max(...cases.map(([, , , values]) => values.length));

/** Row `i` holds value `i` of each column, or its last. */
function jsonRow(row: number, id: number): string {
  const fields = cases.map(([, , , values], index) => `"c${index}":${(values[row] ?? values.at(-1))?.[0]}`);
  return `{"id":${id},${fields.join(',')}}`;
}

const expected = Array.from({ length: deepest }, (_, row) =>
  cases.map(([, , , values]) => (values[row] ?? values.at(-1))?.[1]),
);

test.each([
  ['single rows', 1],
  ['a staging table', 20],
])(
  'every type and edge value reads back exactly when written by %s (T1, T2, T4, T8, T13, T18, T20, T22, T50, T156, T158, T160)',
  async (_, copies) => {
    await using database = await PostgresDatabase.create();
    await using destination = await openDestination(database);
    await using lane = await destination.openLane(0, never);
    await lane.claim([partition0], never);
    const upserts = Array.from({ length: deepest * copies }, (_, id) => jsonRow(id % deepest, id));
    await lane.commit(laneBatch(0, 1, [tableBatch(schema, { upserts })]), never);

    const types = await database.rows(
      "SELECT format_type(atttypid, atttypmod) t FROM pg_attribute WHERE attrelid = 'shop.types'::regclass AND attnum > 1 ORDER BY attnum",
    );
    expect(types.map((row) => row['t'])).toEqual(cases.map(([, , created]) => created));
    const stored = await database
      .rows(`SET TimeZone = 'UTC'; SELECT 1`)
      .then(() => database.rows('SELECT * FROM shop.types ORDER BY id'));
    expect(stored).toHaveLength(upserts.length);
    for (const [id, row] of stored.entries()) {
      expect(cases.map((_, index) => row[`c${index}`])).toEqual(expected[id % deepest]);
    }
  },
);

test('describe gives a schema whose rows go back into the same table', async () => {
  await using database = await PostgresDatabase.create();
  await using destination = await openDestination(database);
  await using lane = await destination.openLane(0, never);
  await lane.claim([partition0], never);
  const upserts = Array.from({ length: deepest }, (_, id) => jsonRow(id, id));
  await lane.commit(laneBatch(0, 1, [tableBatch(schema, { upserts })]), never);
  const before = await database.rows('SELECT * FROM shop.types ORDER BY id');

  const described = await destination.describe('shop', 'types', never);
  expect(described?.primaryKey).toEqual(['id']);
  expect(described?.columns.map((column) => column.name)).toEqual(schema.columns.map((column) => column.name));
  if (described === null) throw new Error('not described');
  await lane.commit(laneBatch(1, 2, [tableBatch(described, { upserts, truncateFirst: true })]), never);
  expect(await database.rows('SELECT * FROM shop.types ORDER BY id')).toEqual(before);
  expect(await destination.describe('shop', 'missing', never)).toBeNull();
});

const refusals: readonly (readonly [type: string, source: string, json: string, column: string | undefined])[] = [
  ['INT', 'int', '2147483648', 'v'],
  ['DECIMAL(5, 2)', 'decimal(5,2)', '1000.00', 'v'],
  ['DECIMAL(5, 2)', 'decimal(5,2)', '1.005', 'v'],
  ['FLOAT', 'float', '1e39', 'v'],
  ['BOOLEAN', 'tinyint(1)', '2', 'v'],
  ['DATE', 'date', '"2000-02-30"', 'v'],
  ['DATE', 'date', '"0000-00-00"', 'v'],
  ['TIMESTAMP(6)', 'datetime(6)', '"+294277-01-01 00:00:00"', 'v'],
  ['STRING', 'json', '"{bad"', 'v'],
  ['STRING', 'uuid', '"x"', 'v'],
  ['VARCHAR(9)', 'varchar(9)', String.raw`"\u0000"`, 'v'],
];

test.each([3, 80])(
  'a value that does not fit is refused with its column and row, without effect (%i rows; T28, T157, T158)',
  async (count) => {
    await using database = await PostgresDatabase.create();
    await using destination = await openDestination(database);
    await using lane = await destination.openLane(0, never);
    await lane.claim([partition0], never);
    for (const [index, [type, source, json]] of refusals.entries()) {
      const table = schemaOf(`r${index}`, [
        { name: 'id', type: 'INT', source: 'int' },
        { name: 'v', type, source },
      ]);
      const good = Array.from({ length: count }, (_, id) => `{"id":${id},"v":null}`);
      await lane.commit(laneBatch(index, index + 1, [tableBatch(table, { upserts: good })]), never);
      const bad = good.with(1, `{"id":1,"v":${json}}`);
      const refused = lane.commit(
        laneBatch(index + 1, index + 2, [tableBatch(table, { upserts: bad, deletes: [{ id: count - 1 }] })]),
        never,
      );
      await expect(refused, `${type} ${json}`).rejects.toMatchObject({
        code: 'DESTINATION_WRITE_REJECTED',
        details: { table: `shop.r${index}`, list: 'upserts', row: 1 },
      });
      expect(await database.rows(`SELECT count(*) c FROM shop.r${index}`)).toEqual([{ c: String(count) }]);
    }
    expect(await database.rows('SELECT next_offset n FROM millrace.offsets')).toEqual([{ n: String(refusals.length) }]);
  },
);

test.each([3, 80])('a row that breaks a rule of the target is named, without effect (%i rows)', async (count) => {
  await using database = await PostgresDatabase.create();
  await database.run(
    'CREATE SCHEMA shop; CREATE TABLE shop.t (id bigint PRIMARY KEY, v int CONSTRAINT positive CHECK (v > 0))',
  );
  await using destination = await openDestination(database);
  await using lane = await destination.openLane(0, never);
  await lane.claim([partition0], never);
  const t = schemaOf('t', [
    { name: 'id', type: 'BIGINT', source: 'bigint' },
    { name: 'v', type: 'INT', source: 'int' },
  ]);
  const upserts = Array.from({ length: count }, (_, id) => ({ id, v: id === 2 ? -1 : 1 }));
  await expect(lane.commit(laneBatch(0, 1, [tableBatch(t, { upserts })]), never)).rejects.toMatchObject({
    code: 'DESTINATION_WRITE_REJECTED',
    details: { sqlstate: '23514', table: 'shop.t', constraint: 'positive', list: 'upserts', row: 2 },
  });
  expect(await database.rows('SELECT count(*) c FROM shop.t')).toEqual([{ c: '0' }]);
  await lane.commit(laneBatch(0, 1, [tableBatch(t, { upserts: upserts.slice(3) })]), never);
  expect(await database.rows('SELECT count(*) c FROM shop.t')).toEqual([{ c: String(count - 3) }]);
});
