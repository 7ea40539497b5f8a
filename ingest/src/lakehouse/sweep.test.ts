import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { TableStore } from './iceberg/table-store.ts';
import { openLakehouseDestination } from './lakehouse-destination.ts';
import { LocalStorage } from './storage/local-storage.ts';
import { sweepTable } from './sweep.ts';
import type { SweepMemory } from './sweep.ts';
import { column, laneBatch, schemaOf, silentLog, tableBatch, testOptions } from './testing/batches.ts';
import { readTable } from './testing/read-table.ts';

const { signal } = new AbortController();
const hour = 3_600_000;
let warehouse: string;

beforeEach(async () => {
  warehouse = await mkdtemp(join(tmpdir(), 'lake-sweep-'));
});
afterEach(() => rm(warehouse, { recursive: true, force: true }));

const schema = schemaOf('orders', ['id'], [column('id', 'INT'), column('v', 'INT')]);

/** Commits of which each replaces the one before, all by one injected clock. */
async function commits(times: readonly number[], options: { retainedMin?: number } = {}): Promise<void> {
  let nowMs = times[0] ?? 0;
  const destination = await openLakehouseDestination(
    { ...testOptions(warehouse), snapshotsRetainedMin: options.retainedMin ?? 1 },
    silentLog,
    { nowMs: () => nowMs },
  );
  const lane = await destination.openLane(0, signal);
  await lane.claim([{ topic: 't', partition: 0, firstOffset: 0n }], signal);
  for (const [round, time] of times.entries()) {
    nowMs = time;
    const rows = [0, 1, 2].map((id) => ({ text: `{"id":${id},"v":${round}}`, partition: 0 }));
    await lane.commit(laneBatch([tableBatch(schema, rows)], BigInt(round), BigInt(round + 1)), signal);
  }
  await destination[Symbol.asyncDispose]();
}

async function sweep(memory: SweepMemory, nowMs: number): Promise<number> {
  const hooks = { log: silentLog, nowMs: () => nowMs, onStep: (): void => undefined };
  const store = new TableStore(new LocalStorage(), join(warehouse, 'shop/orders'), hooks);
  return sweepTable(new LocalStorage(), store, { memory, graceMs: hour, nowMs, signal });
}

test('files of thinned snapshots and of crashes go after two looks an hour apart; what is retained stays readable', async () => {
  const now = Date.now();
  await commits([now - 10 * hour, now - 9 * hour, now - 8 * hour, now]);
  const table = join(warehouse, 'shop/orders');
  const orphan = join(table, 'data/t/0-9-00000000-0000-4000-8000-000000000000.parquet');
  const foreign = join(table, 'data/t/part-00000.parquet');
  for (const path of [orphan, foreign]) {
    await writeFile(path, 'x');
    await utimes(path, new Date(now - 5 * hour), new Date(now - 5 * hour));
  }
  const before = await readTable(table);
  expect(before.metadata.snapshots.map((snapshot) => snapshot['sequence-number'])).toEqual([3, 4]);
  const memory: SweepMemory = new Map();
  expect(await sweep(memory, now)).toBe(0);
  expect(await sweep(memory, now + hour / 2)).toBe(0);
  expect(await sweep(memory, now + 2 * hour)).toBeGreaterThan(5);
  expect(await sweep(memory, now + 9 * hour)).toBe(0);
  const after = await readTable(table);
  expect(after.faults).toEqual([]);
  expect(after.rows).toEqual(before.rows);
  const left = await readdir(join(table, 'data/t'));
  expect(left.filter((name) => name.endsWith('.parquet'))).toHaveLength(3);
  expect(left).toContain('part-00000.parquet');
});

test('every retained snapshot is still readable after a sweep', async () => {
  const now = Date.now();
  await commits(
    Array.from({ length: 8 }, (_, i) => now - (8 - i) * 120_000),
    { retainedMin: 20 },
  );
  const memory: SweepMemory = new Map();
  await sweep(memory, now);
  await sweep(memory, now + 3 * hour);
  for (let sequence = 1; sequence <= 8; sequence++) {
    const { rows, faults } = await readTable(join(warehouse, 'shop/orders'), sequence);
    expect(faults).toEqual([]);
    expect(rows.map((row) => row['v'])).toEqual([sequence - 1, sequence - 1, sequence - 1]);
  }
});

test('versions of the metadata go when they are both old and far behind', async () => {
  const now = Date.now();
  await commits(Array.from({ length: 110 }, () => now));
  const metadata = join(warehouse, 'shop/orders/metadata');
  await sweep(new Map(), now);
  expect((await readdir(metadata)).filter((name) => name.endsWith('.json')).length).toBeGreaterThan(110);
  await sweep(new Map(), now + 2 * hour);
  const left = (await readdir(metadata))
    .flatMap((name) => /^v(\d+)\.metadata\.json$/.exec(name)?.[1] ?? [])
    .map(Number);
  expect(left).toHaveLength(101);
  expect(Math.min(...left)).toBe(1);
  expect((await readTable(join(warehouse, 'shop/orders'))).rows).toHaveLength(3);
});
