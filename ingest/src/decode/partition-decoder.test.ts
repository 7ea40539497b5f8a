import { CdcError } from '@millrace/shared/errors/cdc-error.ts';
import { tableSchema } from '@millrace/shared/event/schema.ts';
import type { TableSchema } from '@millrace/shared/event/schema.ts';
import { tableIdText } from '@millrace/shared/event/table-id.ts';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { LaneFold } from '../merge/lane-fold.ts';
import type { SchemaSources, TableRules } from '../project/source-table.ts';
import { SourceTables } from '../project/source-tables.ts';
import { CopiedTables } from '../testing/copied-table.ts';
import { fetchedRecords } from '../testing/fetched-records.ts';
import type { TestRecord } from '../testing/fetched-records.ts';
import { PartitionDecoder } from './partition-decoder.ts';
import type { PartitionDecoderOptions } from './partition-decoder.ts';

const signal = new AbortController().signal;

const customers = tableSchema({
  id: { namespace: '', schema: 'shop', table: 'customers' },
  columns: ['id', 'name'].map((name) => ({
    name,
    type: name === 'id' ? ({ kind: 'int' } as const) : ({ kind: 'varchar', length: 20 } as const),
    nullable: name !== 'id',
    sourceType: null,
    comment: null,
    defaultValue: null,
    generated: false,
  })),
  primaryKey: ['id'],
  comment: null,
});

interface Setup {
  readonly schemas?: readonly TableSchema[];
  readonly rules?: Partial<TableRules>;
  readonly options?: Partial<PartitionDecoderOptions>;
}

class Bench {
  readonly tables: SourceTables;
  readonly copied = new CopiedTables();
  readonly decoder: PartitionDecoder;
  fold = new LaneFold();
  lookups = 0;
  readonly marks = new Map<string, string>();
  readonly #sources: SchemaSources;

  constructor(setup: Setup = {}) {
    const rules: TableRules = { included: true, columns: null, primaryKeys: null, initialSchema: null, ...setup.rules };
    this.tables = new SourceTables({
      rulesFor: () => rules,
      route: (id) => [id],
      inference: { strategy: 'continuous', primitiveAsString: false, preFetchRecords: 50 },
    });
    const schemas = setup.schemas ?? [customers];
    this.#sources = {
      schemaFor: (fingerprint, table) => {
        this.lookups++;
        const found = schemas.find((schema) => schema.fingerprint === fingerprint && tableIdText(schema.id) === table);
        return Promise.resolve(found ?? null);
      },
      describe: () => Promise.resolve(null),
    };
    this.decoder = new PartitionDecoder(this.tables, {
      topic: 't',
      partition: 0,
      nextOffset: 0,
      marks: new Map(),
      tableOffsets: new Map(),
      value: { format: 'auto', envelopeRequired: false },
      applyTruncate: true,
      onTable: () => undefined,
      ...setup.options,
    });
  }

  async take(records: readonly TestRecord[], maxRows = Number.MAX_SAFE_INTEGER): Promise<void> {
    this.decoder.open(fetchedRecords('t', 0, this.decoder.position, records));
    for (;;) {
      const outcome = this.decoder.run(this.fold, maxRows);
      if (outcome === 'done') return;
      if (outcome === 'full') this.commit();
      else await outcome.table.resolve(outcome.fingerprint, outcome.hints, this.#sources, signal);
    }
  }

  commit(): void {
    const batch = this.fold.close();
    this.copied.apply(batch);
    for (const range of batch.partitions) for (const [name, token] of range.marks) this.marks.set(name, token);
    this.fold = new LaneFold();
  }

  async rowsAfter(records: readonly TestRecord[]): Promise<readonly object[]> {
    await this.take(records);
    this.commit();
    return this.copied.rows('shop.customers');
  }
}

type Row = Readonly<Record<string, unknown>>;

let nextPosition = 1;

function change(op: string, before: Row | null, after: Row | null, headers: Record<string, string> = {}): TestRecord {
  const key = after ?? before ?? {};
  return {
    key: `{"TableId":"shop.customers","id":${JSON.stringify(key['id'] ?? null)}}`,
    value: JSON.stringify({ before, after, op, source: { db: 'shop', table: 'customers', ts_ms: 5000 } }),
    headers: {
      'mr.src': 'shop',
      'mr.pos': `0001.00000001.${(nextPosition++).toString(16).padStart(16, '0')}.00000000`,
      'mr.schema': customers.fingerprint,
      ...headers,
    },
  };
}

function withoutHeaders(record: TestRecord): TestRecord {
  return { key: record.key, value: record.value };
}

async function refusal(bench: Bench, records: readonly TestRecord[]): Promise<unknown> {
  try {
    await bench.take(records);
  } catch (error) {
    return error instanceof CdcError ? error.details : error;
  }
  return null;
}

interface Step {
  readonly op: 'set' | 'delete' | 'move' | 'truncate' | 'tombstone' | 'repeat';
  readonly id: number;
  readonly to: number;
}

/** Records of a history and what a row-by-row replay of it leaves. */
function history(steps: readonly Step[]): { readonly records: TestRecord[]; readonly rows: Map<number, Row> } {
  const records: TestRecord[] = [];
  const rows = new Map<number, Row>();
  let version = 0;
  for (const { op, id, to } of steps) {
    const before = rows.get(id) ?? null;
    const after = { id, name: `v${version++}` };
    if (op === 'set') {
      records.push(change(before === null ? 'c' : 'u', before, after));
      rows.set(id, after);
    } else if (op === 'delete' && before !== null) {
      records.push(change('d', before, null));
      rows.delete(id);
    } else if (op === 'move' && before !== null && !rows.has(to)) {
      const moved = { ...after, id: to };
      records.push(change('d', before, null), change('c', null, moved));
      rows.delete(id);
      rows.set(to, moved);
    } else if (op === 'truncate') {
      records.push(change('t', null, null));
      rows.clear();
    } else if (op === 'tombstone') {
      records.push({ ...change('d', { id }, null), value: null });
      rows.delete(id);
    } else if (op === 'repeat') {
      // A capture that was killed sends the last records again, with the same tokens (T148).
      const streamed = records.slice(-to).filter((record) => record.value !== null);
      records.push(...streamed);
    }
  }
  return { records, rows };
}

const step = fc.record({
  op: fc.constantFrom<Step['op'][]>('set', 'set', 'set', 'delete', 'move', 'truncate', 'tombstone', 'repeat'),
  id: fc.integer({ min: -2, max: 4 }),
  to: fc.integer({ min: -2, max: 4 }),
});

describe('folding', () => {
  it('leaves what a row-by-row replay leaves, wherever the batches are cut (T33, T34, T148, T150, T162)', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 60 }),
        fc.integer({ min: 1, max: 8 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 20 })),
        async (steps, maxRows, sizes) => {
          const { records, rows } = history(steps);
          const bench = new Bench();
          for (let at = 0; at < records.length;) {
            const size = sizes.next().value as number;
            await bench.take(records.slice(at, at + size), maxRows);
            if (size % 2 === 0) bench.commit();
            at += size;
          }
          bench.commit();
          const byId = (a: object, b: object): number => Number((a as Row)['id']) - Number((b as Row)['id']);
          const copied = bench.copied.rows('shop.customers').toSorted(byId);
          expect(copied).toStrictEqual([...rows.values()].toSorted(byId));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('keeps the chain of a key swap in order (T34)', async () => {
    const bench = new Bench();
    await bench.rowsAfter([change('c', null, { id: 1, name: 'a' }), change('c', null, { id: 2, name: 'b' })]);
    const rows = await bench.rowsAfter([
      change('d', { id: 1, name: 'a' }, null),
      change('c', null, { id: -1, name: 'a' }),
      change('d', { id: 2, name: 'b' }, null),
      change('c', null, { id: 1, name: 'b' }),
      change('d', { id: -1, name: 'a' }, null),
      change('c', null, { id: 2, name: 'a' }),
    ]);
    expect(rows.toSorted((a, b) => Number((a as Row)['id']) - Number((b as Row)['id']))).toStrictEqual([
      { id: 1, name: 'b' },
      { id: 2, name: 'a' },
    ]);
  });

  it('takes a change of key in one update of another producer as a delete and an upsert (T33)', async () => {
    const bench = new Bench({ rules: { primaryKeys: ['id'] } });
    const record = change('u', { id: 1, name: 'a' }, { id: 2, name: 'a' });
    const value = record.value;
    const rows = await bench.rowsAfter([
      { key: null, value: withoutHeaders(change('c', null, { id: 1, name: 'a' })).value },
      { key: '{"id":2}', value },
    ]);
    expect(rows).toStrictEqual([{ id: 2, name: 'a' }]);
  });

  it('does the same where the declared key is another one than the record key', async () => {
    const bench = new Bench({ rules: { primaryKeys: ['name'] } });
    const rows = await bench.rowsAfter([
      change('c', null, { id: 1, name: 'a' }),
      change('u', { id: 1, name: 'a' }, { id: 1, name: 'b' }),
    ]);
    expect(rows).toStrictEqual([{ id: 1, name: 'b' }]);
  });

  it('knows one key in all its spellings', async () => {
    const bench = new Bench({ rules: { primaryKeys: ['id'] } });
    const row = (id: string, name: string): TestRecord => ({
      key: null,
      value: `{"before":null,"after":{"id":${id},"name":"${name}"},"op":"c","source":{"db":"shop","table":"customers"}}`,
    });
    await bench.take([row('10', 'a'), row('1E+1', 'b'), row('10.0', 'c'), row('100e-1', 'd'), row('"10"', 'e')]);
    expect(bench.fold.survivors()).toBe(1);
    await bench.take([row('"a"', 'a'), row('"\\u0061"', 'b'), row('"A"', 'c')]);
    expect(bench.fold.survivors()).toBe(3);
  });
});

describe('repeated records', () => {
  it('are skipped by their token, u2 u3 u2 u3 (T148)', async () => {
    const bench = new Bench();
    const [u2, u3] = [change('u', { id: 1 }, { id: 1, name: '2' }), change('u', { id: 1 }, { id: 1, name: '3' })];
    await bench.take([u2, u3, u2, u3]);
    expect(bench.decoder.takeCounts().duplicates).toBe(2);
    expect(bench.fold.rows).toBe(2);
  });

  it('are skipped by the mark of the last commit, per source and table', async () => {
    const first = new Bench();
    const record = change('c', null, { id: 1, name: 'a' });
    await first.rowsAfter([record]);
    expect([...first.marks]).toStrictEqual([['shop\u0000shop.customers', record.headers?.['mr.pos']]]);
    const second = new Bench({ options: { marks: first.marks } });
    await second.take([record, { ...record, headers: { ...record.headers, 'mr.src': 'other' } }]);
    expect(second.decoder.takeCounts().duplicates).toBe(1);
    expect(second.fold.rows).toBe(1);
  });

  it('of a snapshot are taken again: chunks are not in the order of their tokens', async () => {
    const bench = new Bench();
    const record = change('c', null, { id: 1, name: 'a' }, { 'mr.snap': 'initial' });
    await bench.take([record, record]);
    expect(bench.decoder.takeCounts().duplicates).toBe(0);
    expect(bench.fold.rows).toBe(2);
    bench.commit();
    expect(bench.marks.size).toBe(0);
  });

  it('know the insert of a key change from its delete', async () => {
    const bench = new Bench();
    const removed = change('d', { id: 1, name: 'a' }, null);
    const position = removed.headers?.['mr.pos'] ?? '';
    await bench.take([removed, change('c', null, { id: 2, name: 'a' }, { 'mr.pos': `${position}.1` })]);
    expect(bench.fold.rows).toBe(2);
  });

  it('without tokens are told by offsets alone', async () => {
    const bench = new Bench({ rules: { primaryKeys: ['id'] } });
    const record = withoutHeaders(change('c', null, { id: 1, name: 'a' }));
    await bench.take([record, record]);
    expect(bench.fold.rows).toBe(2);
  });
});

describe('a compacted topic', () => {
  it('may hold an update without its create: it is an upsert (T137)', async () => {
    const bench = new Bench();
    const rows = await bench.rowsAfter([change('u', { id: 1, name: 'a' }, { id: 1, name: 'b' })]);
    expect(rows).toStrictEqual([{ id: 1, name: 'b' }]);
  });
});

describe('a tombstone', () => {
  it('deletes by its key and does nothing after a delete (T136)', async () => {
    const bench = new Bench();
    const tombstone = { ...change('d', { id: 1 }, null), value: null };
    const created = change('c', null, { id: 1, name: 'a' });
    expect(await bench.rowsAfter([created, tombstone])).toStrictEqual([]);
    expect(await bench.rowsAfter([tombstone])).toStrictEqual([]);
  });

  it('that names no table or not the whole key is skipped and counted', async () => {
    const bench = new Bench();
    await bench.take([change('c', null, { id: 1, name: 'a' })]);
    await bench.take([
      { key: '{"id":1}', value: null },
      { key: null, value: null },
      { key: 'x', value: '' },
      { key: '{"TableId":"shop.customers","other":1}', value: null },
    ]);
    expect(bench.decoder.takeCounts().tombstonesSkipped).toBe(4);
    expect(bench.fold.rows).toBe(1);
  });
});

describe('schemas', () => {
  it('come from the schema log once per version, named by each record (T146)', async () => {
    const bench = new Bench();
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
    const bench = new Bench({ schemas: [customers, wider] });
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
    const bench = new Bench({ rules: { primaryKeys: ['id'] } });
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
    const bench = new Bench({ schemas: [customers, other] });
    const keyless = { ...change('c', null, { id: 1, name: 'a' }, { 'mr.schema': other.fingerprint }), key: null };
    const details = await refusal(bench, [change('c', null, { id: 1, name: 'a' }), keyless]);
    expect(details).toMatchObject({ reason: 'primary-key-changed', now: ['name'] });
  });
});

describe('a record that cannot be applied', () => {
  it('stops before itself, with its place, and leaves what stands before it in the batch (T144)', async () => {
    const bench = new Bench();
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
    expect(await refusal(new Bench(), [record])).toMatchObject({ reason, offset: 0 });
  });

  it('is taken in whole or not at all', async () => {
    const bench = new Bench({ rules: { primaryKeys: ['id'] } });
    const value =
      '{"old":null,"data":[{"id":1,"name":"a"},{"id":null,"name":"b"}],"type":"INSERT","database":"shop","table":"customers","pkNames":["id"]}';
    expect(await refusal(bench, [{ key: null, value }])).toMatchObject({ reason: 'null-primary-key' });
    expect(bench.fold.close()).toMatchObject({ partitions: [], tables: [] });
  });

  it('has no mark yet when it comes again', async () => {
    const bench = new Bench();
    const record = change('c', null, { id: null, name: 'a' });
    await refusal(bench, [record]);
    expect(bench.fold.close().partitions).toStrictEqual([]);
  });

  it('is one of a table without any key', async () => {
    const record = { ...withoutHeaders(change('c', null, { id: 1 })), key: null };
    expect(await refusal(new Bench(), [record])).toMatchObject({ reason: 'missing-primary-key', offset: 0 });
  });

  it('is one with a placeholder of a Debezium connector (T131)', async () => {
    const value =
      '{"before":null,"after":{"id":1,"name":"__debezium_unavailable_value"},"op":"u","source":{"connector":"postgresql","db":"d","schema":"shop","table":"customers"}}';
    expect(await refusal(new Bench(), [{ key: '{"id":1}', value }])).toMatchObject({ reason: 'unavailable-value' });
  });
});

describe('records that bring no rows', () => {
  it('move the offset and are counted', async () => {
    const bench = new Bench({ rules: { included: false } });
    await bench.take([change('c', null, { id: 1 }), { key: null, value: '{"ts_ms":1}' }]);
    expect(bench.decoder.takeCounts()).toMatchObject({ records: 2, filtered: 1, rowless: 1 });
    expect(bench.fold.close()).toMatchObject({ partitions: [{ from: 0n, to: 2n }], tables: [] });
  });

  it('are those that a table of the lake holds already', async () => {
    const bench = new Bench({ options: { tableOffsets: new Map([['shop.customers', 2n]]) } });
    await bench.take([1, 2, 3].map((id) => change('c', null, { id, name: 'a' })));
    expect(bench.decoder.takeCounts().alreadyApplied).toBe(2);
    expect(bench.fold.rows).toBe(1);
  });

  it('are truncates that the document does not let through', async () => {
    const bench = new Bench({ options: { applyTruncate: false } });
    await bench.take([change('c', null, { id: 1, name: 'a' }), change('t', null, null)]);
    expect(bench.decoder.takeCounts().truncatesIgnored).toBe(1);
    expect(bench.fold.close().tables[0]).toMatchObject({ truncateFirst: false, upserts: { count: 1 } });
  });
});
