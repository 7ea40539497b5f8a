import { tableSchema } from '@millrace/shared/event/schema.ts';
import { describe, expect, it } from 'vitest';

import { customers } from '../testing/customer-history.ts';
import { change, DecodeBench, refusal, withoutHeaders } from '../testing/decode-bench.ts';
import type { TestRecord } from '../testing/fetched-records.ts';

describe('schemas', () => {
  it('come from the schema log once per version, named by each record (T146)', async () => {
    const bench = new DecodeBench();
    await bench.take([1, 2, 3].map((id) => change('c', null, { id, name: 'a' })));
    expect(bench.lookups).toBe(1);
    expect(bench.fold.close().tables[0]?.target.schema).toStrictEqual(customers);
  });

  it('grow with later versions: new columns last and nullable, dropped ones kept', async () => {
    const wider = tableSchema({
      ...customers,
      columns: [
        ...customers.columns.slice(0, 1).map((column) => ({ ...column, type: { kind: 'bigint' } as const })),
        ...customers.columns.slice(1).map((column) => ({ ...column, name: 'nick', nullable: false })),
      ],
    });
    const bench = new DecodeBench({ schemas: [customers, wider] });
    await bench.take([
      change('c', null, { id: 1, name: 'a' }),
      change('c', null, { id: 2, nick: 'b' }, { 'mr.schema': wider.fingerprint }),
      change('c', null, { id: 3, name: 'c' }),
    ]);
    const [batch] = bench.fold.close().tables;
    expect(
      batch?.target.schema.columns.map((column) => [column.name, column.type.kind, column.nullable]),
    ).toStrictEqual([
      ['id', 'bigint', false],
      ['name', 'varchar', true],
      ['nick', 'varchar', true],
    ]);
    expect(bench.lookups).toBe(2);
  });

  it('are inferred where the stream has none, and grow row by row', async () => {
    const bench = new DecodeBench({ rules: { primaryKeys: ['id'] } });
    const after = (row: string): TestRecord => ({
      key: null,
      value: `{"before":null,"after":${row},"op":"c","source":{"db":"shop","table":"customers"}}`,
    });
    await bench.take([
      after('{"id":1,"n":null,"flag":true,"doc":{"a":1},"t":"2020-01-01"}'),
      after('{"id":2,"n":5,"flag":false,"doc":[]}'),
      after('{"id":9223372036854775808,"n":1.25,"__proto__":7}'),
    ]);
    const columns = bench.fold.close().tables[0]?.target.schema.columns ?? [];
    const decimal = (precision: number, scale: number): object => ({ kind: 'decimal', precision, scale });
    expect(Object.fromEntries(columns.map((column) => [column.name, column.type]))).toStrictEqual(
      Object.fromEntries([
        ['id', decimal(19, 0)],
        ['flag', { kind: 'boolean' }],
        ['doc', { kind: 'string' }],
        ['t', { kind: 'string' }],
        ['n', decimal(21, 2)],
        ['__proto__', { kind: 'bigint' }],
      ]),
    );
  });

  it('with a changed key stop the table', async () => {
    const other = tableSchema({ ...customers, primaryKey: ['name'] });
    const bench = new DecodeBench({ schemas: [customers, other] });
    const keyless = { ...change('c', null, { id: 1, name: 'a' }, { 'mr.schema': other.fingerprint }), key: null };
    const details = await refusal(bench, [change('c', null, { id: 1, name: 'a' }), keyless]);
    expect(details).toMatchObject({ reason: 'primary-key-changed', now: ['name'] });
  });
});

describe('a record that cannot be applied', () => {
  it('stops before itself, with its place, and leaves what stands before it in the batch (T144)', async () => {
    const bench = new DecodeBench();
    const broken = { ...change('c', null, { id: 2 }), value: '{"before":null' };
    const details = await refusal(bench, [
      change('c', null, { id: 1, name: 'a' }),
      broken,
      change('c', null, { id: 3 }),
    ]);
    expect(details).toStrictEqual({ reason: 'bad-json', at: 14, topic: 't', partition: 0, offset: 1 });
    const batch = bench.fold.close();
    expect(batch.partitions).toMatchObject([{ topic: 't', partition: 0, from: 0n, to: 1n }]);
    expect(batch.tables[0]?.upserts.count).toBe(1);
  });

  it.each([
    ['null-primary-key', { ...change('c', null, { id: null, name: 'a' }) }],
    ['null-primary-key', { ...change('c', null, { name: 'a' }) }],
    ['missing-before', { ...change('d', null, null), key: null }],
    ['unavailable-value', change('u', null, { id: 1 }, { 'mr.unavailable': '["name"]' })],
  ])('is refused as %s', async (reason, record) => {
    expect(await refusal(new DecodeBench(), [record])).toMatchObject({ reason, offset: 0 });
  });

  it('is taken in whole or not at all', async () => {
    const bench = new DecodeBench({ rules: { primaryKeys: ['id'] } });
    const value =
      '{"old":null,"data":[{"id":1,"name":"a"},{"id":null,"name":"b"}],"type":"INSERT","database":"shop","table":"customers","pkNames":["id"]}';
    expect(await refusal(bench, [{ key: null, value }])).toMatchObject({ reason: 'null-primary-key' });
    expect(bench.fold.close()).toMatchObject({ partitions: [], tables: [] });
  });

  it('has no mark yet when it comes again', async () => {
    const bench = new DecodeBench();
    const record = change('c', null, { id: null, name: 'a' });
    await refusal(bench, [record]);
    expect(bench.fold.close().partitions).toStrictEqual([]);
  });

  it('is one of a table without any key', async () => {
    const record = { ...withoutHeaders(change('c', null, { id: 1 })), key: null };
    expect(await refusal(new DecodeBench(), [record])).toMatchObject({ reason: 'missing-primary-key', offset: 0 });
  });

  it('is one with a placeholder of a Debezium connector (T131)', async () => {
    const value =
      '{"before":null,"after":{"id":1,"name":"__debezium_unavailable_value"},"op":"u","source":{"connector":"postgresql","db":"d","schema":"shop","table":"customers"}}';
    expect(await refusal(new DecodeBench(), [{ key: '{"id":1}', value }])).toMatchObject({
      reason: 'unavailable-value',
    });
  });
});

describe('records that bring no rows', () => {
  it('move the offset and are counted', async () => {
    const bench = new DecodeBench({ rules: { included: false } });
    await bench.take([change('c', null, { id: 1 }), { key: null, value: '{"ts_ms":1}' }]);
    expect(bench.decoder.takeCounts()).toMatchObject({ records: 2, filtered: 1, rowless: 1 });
    expect(bench.fold.close()).toMatchObject({ partitions: [{ from: 0n, to: 2n }], tables: [] });
  });

  it('are those that a table of the lake holds already', async () => {
    const bench = new DecodeBench({ options: { tableOffsets: new Map([['shop.customers', 2n]]) } });
    await bench.take([1, 2, 3].map((id) => change('c', null, { id, name: 'a' })));
    expect(bench.decoder.takeCounts().alreadyApplied).toBe(2);
    expect(bench.fold.rows).toBe(1);
  });

  it('are truncates that the document does not let through', async () => {
    const bench = new DecodeBench({ options: { applyTruncate: false } });
    await bench.take([change('c', null, { id: 1, name: 'a' }), change('t', null, null)]);
    expect(bench.decoder.takeCounts().truncatesIgnored).toBe(1);
    expect(bench.fold.close().tables[0]).toMatchObject({ truncateFirst: false, upserts: { count: 1 } });
  });
});
