import { expect, test } from 'vitest';

import { tableSchema } from '../event/schema.ts';
import { decodeSchemaRecord, encodeSchemaRecord, schemaRecordKey } from './schema-record.ts';

const schema = tableSchema({
  id: { namespace: '', schema: 'kafka_test', table: 'customers' },
  columns: [
    {
      name: 'id',
      type: { kind: 'bigint' },
      nullable: false,
      sourceType: 'int unsigned',
      comment: null,
      defaultValue: null,
      generated: false,
    },
    {
      name: 'tags',
      type: { kind: 'array', element: { kind: 'string' } },
      nullable: true,
      sourceType: "set('a','b')",
      comment: 'labels',
      defaultValue: 'a',
      generated: false,
    },
    {
      name: 'amount',
      type: { kind: 'decimal', precision: 18, scale: 4 },
      nullable: true,
      sourceType: 'decimal(18,4)',
      comment: null,
      defaultValue: null,
      generated: true,
    },
  ],
  primaryKey: ['id'],
  comment: 'people',
});

test('a schema record has the documented field order', () => {
  const text = encodeSchemaRecord({
    schema: { ...schema, columns: schema.columns.slice(0, 1), comment: null },
    source: 'shop',
    position: '0001.00000012.0000000000004a10.00000000',
    change: { type: 'ALTER', ddl: 'ALTER TABLE …' },
  });
  expect(text).toBe(
    `{"TableId":"kafka_test.customers","fingerprint":"${schema.fingerprint}","source":"shop","position":"0001.00000012.0000000000004a10.00000000","primaryKeys":["id"],"columns":[{"name":"id","type":"BIGINT NOT NULL","sourceType":"int unsigned","comment":null,"default":null,"generated":false}],"comment":null,"change":{"type":"ALTER","ddl":"ALTER TABLE …"}}`,
  );
  expect(schemaRecordKey(schema.id, schema.fingerprint)).toBe(
    `{"TableId":"kafka_test.customers","fingerprint":"${schema.fingerprint}"}`,
  );
});

test('a schema record reads back as it was written', () => {
  const record = { schema, source: 'shop', position: 'p', change: { type: 'RENAME', ddl: 'x', from: 'a.b' } } as const;
  expect(decodeSchemaRecord(encodeSchemaRecord(record))).toEqual(record);
});

test('garbage in the schema log is named, not skipped', () => {
  expect(() => decodeSchemaRecord('{"TableId":1}')).toThrow('a record of the schema log does not parse');
});

test('the fingerprint changes with names, types, nullability and key, not with comments', () => {
  const [first, ...rest] = schema.columns;
  if (first === undefined) throw new Error('no column');
  const again = tableSchema({ ...schema, comment: 'other', columns: [{ ...first, comment: 'x' }, ...rest] });
  expect(again.fingerprint).toBe(schema.fingerprint);
  expect(tableSchema({ ...schema, columns: [{ ...first, nullable: true }, ...rest] }).fingerprint).not.toBe(
    schema.fingerprint,
  );
  expect(tableSchema({ ...schema, primaryKey: ['id', 'tags'] }).fingerprint).not.toBe(schema.fingerprint);
});
