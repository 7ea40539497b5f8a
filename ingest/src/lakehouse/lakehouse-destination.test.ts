import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { Destination, DestinationLane } from '../destination.ts';
import { openLakehouseDestination } from './lakehouse-destination.ts';
import type { CommitStep } from './options.ts';
import { column, laneBatch, schemaOf, silentLog, tableBatch, testOptions } from './testing/batches.ts';
import { readTable } from './testing/read-table.ts';

const { signal } = new AbortController();
let root: string;
let counter = 0;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'lake-unit-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

function freshWarehouse(): string {
  counter++;
  return join(root, `w${counter}`);
}

const partitions = 2;

function open(warehouse: string, onStep: (step: CommitStep) => void = () => undefined): Promise<Destination> {
  return openLakehouseDestination(testOptions(warehouse), silentLog, { onStep });
}

async function openLane(destination: Destination): Promise<DestinationLane> {
  const lane = await destination.openLane(0, signal);
  await claim(lane);
  return lane;
}

function claim(lane: DestinationLane) {
  const all = Array.from({ length: partitions }, (_, partition) => ({ topic: 't', partition, firstOffset: 0n }));
  return lane.claim(all, signal);
}

interface KeyShape {
  readonly primaryKey: readonly string[];
  readonly columns: readonly ReturnType<typeof column>[];
  /** JSON members of the key with number `n`. */
  readonly key: (n: number) => string;
}

const shapes: Readonly<Record<string, KeyShape>> = {
  bigint: {
    primaryKey: ['id'],
    columns: [column('id', 'BIGINT')],
    key: (n) => `"id":${BigInt(n) * 1_234_567_890_123n - 9_007_199_254_740_993n}`,
  },
  int: {
    primaryKey: ['id'],
    columns: [column('id', 'INT')],
    key: (n) => `"id":${n - 20}`,
  },
  text: {
    primaryKey: ['id'],
    columns: [column('id', 'VARCHAR(40)')],
    key: (n) => `"id":${JSON.stringify(['', 'a', 'A', 'a ', 'é😀', '\u0000'][n % 6] + String(n))}`,
  },
  composite: {
    primaryKey: ['tenant', 'at', 'amount'],
    columns: [column('tenant', 'INT'), column('at', 'TIMESTAMP(6)'), column('amount', 'DECIMAL(30,2)')],
    key: (n) => `"tenant":${n % 3},"at":"2020-01-0${(n % 5) + 1} 00:00:00","amount":${n}.50`,
  },
};

interface Step {
  readonly upserts: readonly number[];
  readonly deletes: readonly number[];
  readonly after: 'nothing' | 'reopen' | 'takeover' | 'crash';
  readonly truncate: boolean;
}

const steps = fc.array(
  fc.record({
    upserts: fc.uniqueArray(fc.integer({ min: 0, max: 60 }), { maxLength: 25 }),
    deletes: fc.uniqueArray(fc.integer({ min: 0, max: 60 }), { maxLength: 10 }),
    after: fc.oneof(
      { weight: 5, arbitrary: fc.constant('nothing' as const) },
      { weight: 2, arbitrary: fc.constantFrom('reopen' as const, 'takeover' as const, 'crash' as const) },
    ),
    truncate: fc.boolean(),
  }),
  { minLength: 1, maxLength: 12 },
);

/** Runs random batches against the table and a plain map; after each, both must hold the same. */
async function replay(shape: KeyShape, script: readonly Step[]): Promise<void> {
  const warehouse = freshWarehouse();
  const schema = schemaOf('orders', shape.primaryKey, [...shape.columns, column('n', 'INT'), column('version', 'INT')]);
  const model = new Map<number, number>();
  let failAt: CommitStep | null = null;
  const onStep = (step: CommitStep): void => {
    if (step === failAt) throw new Error('killed here');
  };
  let destination = await open(warehouse, onStep);
  let lane = await openLane(destination);
  const abandoned: Destination[] = [];
  for (const [index, { upserts, deletes, after, truncate }] of script.entries()) {
    const gone = deletes.filter((n) => !upserts.includes(n));
    const wipe = truncate && index % 4 === 3;
    const batch = laneBatch(
      [
        tableBatch(
          schema,
          upserts.map((n) => ({ text: `{${shape.key(n)},"n":${n},"version":${index}}`, partition: n % partitions })),
          gone.map((n) => ({ text: `{${shape.key(n)}}`, partition: n % partitions })),
          wipe,
        ),
      ],
      BigInt(index * 10),
      BigInt(index * 10 + 10),
      partitions,
    );
    if (after === 'crash') {
      failAt =
        (['data-written', 'puffin-written', 'manifests-written', 'temporary-written', 'linked'] as const)[index % 5] ??
        null;
      await lane.commit(batch, signal).catch(() => undefined);
      failAt = null;
      abandoned.push(destination);
      destination = await open(warehouse, onStep);
      lane = await openLane(destination);
    }
    await lane.commit(batch, signal);
    if (wipe) model.clear();
    for (const n of upserts) model.set(n, index);
    for (const n of gone) model.delete(n);
    if (after === 'reopen') {
      await destination[Symbol.asyncDispose]();
      destination = await open(warehouse, onStep);
      lane = await openLane(destination);
    } else if (after === 'takeover') {
      abandoned.push(destination);
      destination = await open(warehouse, onStep);
      lane = await openLane(destination);
    }
    const { rows, faults } = await readTable(join(warehouse, 'shop/orders'));
    expect(faults).toEqual([]);
    const found = rows.map((row) => [Number(row['n']), Number(row['version'])] as const);
    expect(found.sort((a, b) => a[0] - b[0])).toEqual([...model].sort((a, b) => a[0] - b[0]));
  }
  await destination[Symbol.asyncDispose]();
}

describe('any sequence of batches, restarts, takeovers and crashes leaves what a map would hold', () => {
  test.each(Object.keys(shapes))('%s keys', { timeout: 60_000 }, async (name) => {
    const shape = shapes[name];
    if (shape === undefined) throw new Error('no such shape');
    const property = fc.asyncProperty(steps, (script) => replay(shape, script));
    await expect(fc.assert(property, { numRuns: 6 })).resolves.toBeUndefined();
  });
});
