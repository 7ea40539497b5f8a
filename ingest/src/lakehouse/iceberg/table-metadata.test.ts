import { describe, expect, test } from 'vitest';

import { encodeBound } from './bounds.ts';
import type { IcebergSchema } from './schema.ts';
import { retainedSnapshots, thinSnapshots } from './snapshot-retention.ts';
import { addSnapshot, createTable, currentSchema, parseMetadata, printMetadata, revise } from './table-metadata.ts';
import type { Snapshot, TableMetadata } from './table-metadata.ts';

const schema: IcebergSchema = {
  type: 'struct',
  'schema-id': 0,
  fields: [{ id: 1, name: 'id', required: true, type: 'long' }],
};

const empty = createTable({ uuid: 'u', location: 'file:///t', schema, lastColumnId: 1, properties: {}, nowMs: 1000 });

function snapshot(sequence: number, timestampMs: number, parent: number | null): Snapshot {
  return {
    'snapshot-id': sequence,
    ...(parent === null ? {} : { 'parent-snapshot-id': parent }),
    'sequence-number': sequence,
    'timestamp-ms': timestampMs,
    'manifest-list': `file:///t/${sequence}`,
    'schema-id': 0,
    'first-row-id': 0,
    'added-rows': 0,
    summary: { operation: 'append' },
  };
}

function withSnapshots(times: readonly number[]): TableMetadata {
  let metadata: TableMetadata = empty;
  times.forEach((time, i) => {
    metadata = addSnapshot(metadata, snapshot(i + 1, time, i === 0 ? null : i));
  });
  return metadata;
}

test('an empty table has no current snapshot and the ids that the specification wants', () => {
  const json = JSON.parse(printMetadata(empty).toString('utf8')) as Record<string, unknown>;
  expect(json).toMatchObject({
    'format-version': 3,
    'last-partition-id': 999,
    'next-row-id': 0,
    'last-sequence-number': 0,
  });
  expect(json).not.toHaveProperty('current-snapshot-id');
});

test('63-bit ids and members of other writers survive reading and writing', () => {
  const foreign = printMetadata(withSnapshots([5]))
    .toString('utf8')
    .replaceAll('"snapshot-id":1', '"snapshot-id":9223372036854775807')
    .replace('"next-row-id":0', '"next-row-id":0,"statistics":[{"snapshot-id":9007199254740993}]');
  const printed = printMetadata(parseMetadata(Buffer.from(foreign))).toString('utf8');
  expect(printed).toContain('"snapshot-id":9223372036854775807');
  expect(printed).toContain('"statistics":[{"snapshot-id":9007199254740993}]');
});

test('other format versions and partitioned tables are refused', () => {
  const text = printMetadata(empty).toString('utf8');
  expect(() => parseMetadata(Buffer.from(text.replace('"format-version":3', '"format-version":2')))).toThrow(
    'cannot be written',
  );
  const partitioned = text.replace('{"spec-id":0,"fields":[]}', '{"spec-id":0,"fields":[{"source-id":1}]}');
  expect(() => parseMetadata(Buffer.from(partitioned))).toThrow('cannot be written');
});

test('a clock that jumps back does not move the table back', () => {
  const revision = { previousFile: 'file:///t/v1', properties: {}, schema: null, lastColumnId: 0 };
  const later = revise(empty, { ...revision, nowMs: 5000 });
  expect(revise(later, { ...revision, nowMs: 10 })['last-updated-ms']).toBe(5000);
});

test('a new schema gets the next id and the column ids never fall', () => {
  const wider = { ...schema, fields: [...schema.fields, { id: 2, name: 'x', required: false, type: 'int' }] };
  const revised = revise(empty, { nowMs: 1, previousFile: 'f', properties: {}, schema: wider, lastColumnId: 2 });
  expect(currentSchema(revised)['schema-id']).toBe(1);
  const again = revise(revised, { nowMs: 1, previousFile: 'f', properties: {}, schema: null, lastColumnId: 0 });
  expect(again['last-column-id']).toBe(2);
  expect(again['metadata-log']).toHaveLength(2);
});

describe('thinning of snapshots', () => {
  const minute = 60_000;
  const now = 1_000 * minute;
  const retention = { timeRetainedMs: 60 * minute, retainedMin: 2 };
  const every2s = Array.from({ length: 3600 }, (_, i) => now - 120 * minute + i * 2000);

  test('keeps all of the last 15 minutes, one per minute of the hour, none older', () => {
    const kept = retainedSnapshots(withSnapshots(every2s), retention, now);
    expect(kept.filter((member) => now - member['timestamp-ms'] < 15 * minute)).toHaveLength(449);
    expect(kept.length).toBeLessThan(449 + 48);
    expect(Math.max(...kept.map((member) => now - member['timestamp-ms']))).toBeLessThanOrEqual(60 * minute);
  });

  test('keeps the least number, the current one and whatever a tag names', () => {
    const old = withSnapshots([1000, 2000, 3000, 4000]);
    const tagged = { ...old, refs: { ...old.refs, audit: { 'snapshot-id': 1, type: 'tag' } } };
    expect(retainedSnapshots(tagged, retention, now).map((member) => member['sequence-number'])).toEqual([1, 3, 4]);
  });

  test('names no parent that is gone and no log entry before a gap', () => {
    const thinned = thinSnapshots(withSnapshots([1000, 2000, 3000, 4000]), retention, now);
    expect(thinned.snapshots.map((member) => member['parent-snapshot-id'])).toEqual([undefined, 3]);
    expect(thinned['snapshot-log'].map((member) => member['snapshot-id'])).toEqual([3, 4]);
  });
});

describe('bounds', () => {
  const bound = (type: string, value: unknown, upper = false): string | undefined =>
    encodeBound({ id: 1, name: 'c', required: false, type }, value, upper)?.toString('hex');

  test.each([
    ['long', 1n, '0100000000000000'],
    ['int', -1, 'ffffffff'],
    ['decimal(9, 2)', 1420n, '058c'],
    ['decimal(9, 2)', -1n, 'ff'],
    ['decimal(38, 0)', 128n, '0080'],
    ['string', 'ab', '6162'],
    ['boolean', true, '01'],
    ['double', Number.NaN, undefined],
  ] as const)('%s %s', (type, value, hex) => {
    expect(bound(type, value)).toBe(hex);
  });

  test('a long text is cut below and raised above', () => {
    const text = `${'a'.repeat(15)}zzzz`;
    expect(bound('string', text)).toBe(Buffer.from(text.slice(0, 16)).toString('hex'));
    expect(bound('string', text, true)).toBe(Buffer.from(`${'a'.repeat(15)}{`).toString('hex'));
    expect(bound('string', '\u{10ffff}'.repeat(20), true)).toBeUndefined();
    expect(bound('string', `${'b'.repeat(15)}\u{10ffff}x`, true)).toBe(
      Buffer.from(`${'b'.repeat(14)}c`).toString('hex'),
    );
    expect(bound('binary', Buffer.alloc(20, 0xff), true)).toBeUndefined();
  });
});
