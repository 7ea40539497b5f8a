import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Row } from '../testing/customer-history.ts';
import { change, DecodeBench, withoutHeaders } from '../testing/decode-bench.ts';
import type { TestRecord } from '../testing/fetched-records.ts';

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
          const bench = new DecodeBench();
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
    const bench = new DecodeBench();
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
    const bench = new DecodeBench({ rules: { primaryKeys: ['id'] } });
    const record = change('u', { id: 1, name: 'a' }, { id: 2, name: 'a' });
    const value = record.value;
    const rows = await bench.rowsAfter([
      { key: null, value: withoutHeaders(change('c', null, { id: 1, name: 'a' })).value },
      { key: '{"id":2}', value },
    ]);
    expect(rows).toStrictEqual([{ id: 2, name: 'a' }]);
  });

  it('does the same where the declared key is another one than the record key', async () => {
    const bench = new DecodeBench({ rules: { primaryKeys: ['name'] } });
    const rows = await bench.rowsAfter([
      change('c', null, { id: 1, name: 'a' }),
      change('u', { id: 1, name: 'a' }, { id: 1, name: 'b' }),
    ]);
    expect(rows).toStrictEqual([{ id: 1, name: 'b' }]);
  });

  it('knows one key in all its spellings', async () => {
    const bench = new DecodeBench({ rules: { primaryKeys: ['id'] } });
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
    const bench = new DecodeBench();
    const [u2, u3] = [change('u', { id: 1 }, { id: 1, name: '2' }), change('u', { id: 1 }, { id: 1, name: '3' })];
    await bench.take([u2, u3, u2, u3]);
    expect(bench.decoder.takeCounts().duplicates).toBe(2);
    expect(bench.fold.rows).toBe(2);
  });

  it('are skipped by the mark of the last commit, per source and table', async () => {
    const first = new DecodeBench();
    const record = change('c', null, { id: 1, name: 'a' });
    await first.rowsAfter([record]);
    expect([...first.marks]).toStrictEqual([['shop\u0000shop.customers', record.headers?.['mr.pos']]]);
    const second = new DecodeBench({ options: { marks: first.marks } });
    await second.take([record, { ...record, headers: { ...record.headers, 'mr.src': 'other' } }]);
    expect(second.decoder.takeCounts().duplicates).toBe(1);
    expect(second.fold.rows).toBe(1);
  });

  it('of a snapshot are taken again: chunks are not in the order of their tokens', async () => {
    const bench = new DecodeBench();
    const record = change('c', null, { id: 1, name: 'a' }, { 'mr.snap': 'initial' });
    await bench.take([record, record]);
    expect(bench.decoder.takeCounts().duplicates).toBe(0);
    expect(bench.fold.rows).toBe(2);
    bench.commit();
    expect(bench.marks.size).toBe(0);
  });

  it('know the insert of a key change from its delete', async () => {
    const bench = new DecodeBench();
    const removed = change('d', { id: 1, name: 'a' }, null);
    const position = removed.headers?.['mr.pos'] ?? '';
    await bench.take([removed, change('c', null, { id: 2, name: 'a' }, { 'mr.pos': `${position}.1` })]);
    expect(bench.fold.rows).toBe(2);
  });

  it('without tokens are told by offsets alone', async () => {
    const bench = new DecodeBench({ rules: { primaryKeys: ['id'] } });
    const record = withoutHeaders(change('c', null, { id: 1, name: 'a' }));
    await bench.take([record, record]);
    expect(bench.fold.rows).toBe(2);
  });
});

describe('a compacted topic', () => {
  it('may hold an update without its create: it is an upsert (T137)', async () => {
    const bench = new DecodeBench();
    const rows = await bench.rowsAfter([change('u', { id: 1, name: 'a' }, { id: 1, name: 'b' })]);
    expect(rows).toStrictEqual([{ id: 1, name: 'b' }]);
  });
});

describe('a tombstone', () => {
  it('deletes by its key and does nothing after a delete (T136)', async () => {
    const bench = new DecodeBench();
    const tombstone = { ...change('d', { id: 1 }, null), value: null };
    const created = change('c', null, { id: 1, name: 'a' });
    expect(await bench.rowsAfter([created, tombstone])).toStrictEqual([]);
    expect(await bench.rowsAfter([tombstone])).toStrictEqual([]);
  });

  it('that names no table or not the whole key is skipped and counted', async () => {
    const bench = new DecodeBench();
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
