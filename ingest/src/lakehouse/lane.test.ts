import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { CdcError } from '@millrace/shared/errors/cdc-error.ts';

import type { ClaimedPartition, Destination, DestinationLane } from '../destination.ts';
import { openLakehouseDestination } from './lakehouse-destination.ts';
import type { CommitStep, LakehouseHooks, LakehouseOptions } from './options.ts';
import { column, laneBatch, schemaOf, silentLog, tableBatch, testOptions } from './testing/batches.ts';
import { readTable } from './testing/read-table.ts';

const { signal } = new AbortController();
let root: string;
let counter = 0;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'lake-lane-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

interface Member {
  readonly destination: Destination;
  readonly lane: DestinationLane;
  readonly claimed: readonly ClaimedPartition[];
}

async function member(
  warehouse: string,
  partitions: readonly number[] = [0],
  hooks: Partial<LakehouseHooks> = {},
  options: Partial<LakehouseOptions> = {},
): Promise<Member> {
  const destination = await openLakehouseDestination({ ...testOptions(warehouse), ...options }, silentLog, hooks);
  const lane = await destination.openLane(0, signal);
  const claimed = await lane.claim(
    partitions.map((partition) => ({ topic: 't', partition, firstOffset: 0n })),
    signal,
  );
  return { destination, lane, claimed };
}

function freshWarehouse(): string {
  counter++;
  return join(root, `w${counter}`);
}

const orders = schemaOf('orders', ['id'], [column('id', 'BIGINT'), column('v', 'STRING')]);
const items = schemaOf('items', ['id'], [column('id', 'BIGINT'), column('v', 'STRING')]);

function row(id: number, v = 'x', partition = 0) {
  return { text: JSON.stringify({ id, v }), partition };
}

async function valuesOf(warehouse: string, table = 'orders'): Promise<Record<string, string>> {
  const { rows, faults } = await readTable(join(warehouse, 'shop', table));
  expect(faults).toEqual([]);
  return Object.fromEntries(rows.map((member) => [String(member['id']), String(member['v'])]));
}

async function versionOf(warehouse: string, table = 'orders'): Promise<number> {
  return (await readTable(join(warehouse, 'shop', table))).version;
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'none';
  } catch (error) {
    return error instanceof CdcError ? error.code : String(error);
  }
}

describe('offsets travel with the rows (T142)', () => {
  test('a new owner goes on where the last commit ended, with its marks', async () => {
    const warehouse = freshWarehouse();
    const first = await member(warehouse);
    expect(first.claimed[0]?.nextOffset).toBeNull();
    const marks = new Map([['db\u0000shop.orders', '0001']]);
    await first.lane.commit(laneBatch([tableBatch(orders, [row(1)])], 0n, 7n, 1, marks), signal);
    const second = await member(warehouse);
    expect(second.claimed[0]).toMatchObject({ nextOffset: 7n, epoch: 2n, marks });
    expect(second.claimed[0]?.tableOffsets).toEqual(new Map([['shop.orders', 7n]]));
  });

  test('a partition that has fed no table yet keeps its first offset', async () => {
    const warehouse = freshWarehouse();
    const first = await member(warehouse);
    await first.lane.commit(laneBatch([], 0n, 9n), signal);
    await first.destination[Symbol.asyncDispose]();
    expect((await member(warehouse)).claimed[0]?.nextOffset).toBe(9n);
  });

  test('the same batch again changes nothing (T148)', async () => {
    const warehouse = freshWarehouse();
    const { lane } = await member(warehouse);
    const batch = laneBatch([tableBatch(orders, [row(1), row(2)])], 0n, 5n);
    await lane.commit(batch, signal);
    const version = await versionOf(warehouse);
    await lane.commit(batch, signal);
    expect(await versionOf(warehouse)).toBe(version);
    expect(await valuesOf(warehouse)).toEqual({ 1: 'x', 2: 'x' });
  });

  test('a crash between the commits of two new tables loses neither', async () => {
    const warehouse = freshWarehouse();
    let linked = 0;
    const dying = await member(warehouse, [0], {
      onStep: (step: CommitStep) => {
        // Versions 1 of both tables, then the first table's rows: die before the second table's.
        if (step === 'linked') linked++;
        if (linked === 3 && step === 'hint-replaced') throw new Error('killed here');
      },
    });
    const batch = laneBatch([tableBatch(orders, [row(1)]), tableBatch(items, [row(2)])], 3n, 8n);
    await expect(dying.lane.commit(batch, signal)).rejects.toThrow('killed here');
    const next = await member(warehouse);
    expect(next.claimed[0]?.nextOffset).toBe(0n);
    expect(next.claimed[0]?.tableOffsets).toEqual(
      new Map([
        ['shop.orders', 8n],
        ['shop.items', 0n],
      ]),
    );
    await next.lane.commit(batch, signal);
    expect(await valuesOf(warehouse)).toEqual({ 1: 'x' });
    expect(await valuesOf(warehouse, 'items')).toEqual({ 2: 'x' });
  });

  test('an idle table gets its offsets when the lane closes, without a snapshot', async () => {
    const warehouse = freshWarehouse();
    const { lane, destination } = await member(warehouse);
    await lane.commit(laneBatch([tableBatch(orders, [row(1)]), tableBatch(items, [row(1)])], 0n, 5n), signal);
    await lane.commit(laneBatch([tableBatch(orders, [row(2)])], 5n, 50n), signal);
    await destination[Symbol.asyncDispose]();
    expect((await member(warehouse)).claimed[0]?.nextOffset).toBe(50n);
    expect((await readTable(join(warehouse, 'shop/items'))).metadata.snapshots).toHaveLength(1);
  });

  test('an idle table gets its offsets after the interval', async () => {
    const warehouse = freshWarehouse();
    let nowMs = 1_800_000_000_000;
    const { lane } = await member(warehouse, [0], { nowMs: () => nowMs });
    await lane.commit(laneBatch([tableBatch(orders, [row(1)]), tableBatch(items, [row(1)])], 0n, 5n), signal);
    const version = await versionOf(warehouse, 'items');
    await lane.commit(laneBatch([tableBatch(orders, [row(2)])], 5n, 50n), signal);
    expect(await versionOf(warehouse, 'items')).toBe(version);
    nowMs += 300_001;
    await lane.commit(laneBatch([tableBatch(orders, [row(3)])], 50n, 60n), signal);
    expect((await member(warehouse)).claimed[0]?.nextOffset).toBe(60n);
  });
});

describe('a stale owner cannot write (T141)', () => {
  test('after a takeover the old owner fails without effect, however often it tries', async () => {
    const warehouse = freshWarehouse();
    const zombie = await member(warehouse);
    await zombie.lane.commit(laneBatch([tableBatch(orders, [row(1)])], 0n, 5n), signal);
    const owner = await member(warehouse);
    const late = laneBatch([tableBatch(orders, [row(1, 'zombie')])], 5n, 6n);
    expect(await codeOf(zombie.lane.commit(late, signal))).toBe('DESTINATION_FENCED');
    expect(await codeOf(zombie.lane.commit(late, signal))).toBe('DESTINATION_FENCED');
    await owner.lane.commit(laneBatch([tableBatch(orders, [row(1, 'owner')])], 5n, 6n), signal);
    expect(await codeOf(zombie.lane.commit(late, signal))).toBe('DESTINATION_FENCED');
    expect(await valuesOf(warehouse)).toEqual({ 1: 'owner' });
  });

  test('a table that the old owner made after the takeover is taken over at first touch', async () => {
    const warehouse = freshWarehouse();
    const zombie = await member(warehouse);
    const owner = await member(warehouse);
    await zombie.lane.commit(laneBatch([tableBatch(orders, [row(1, 'zombie'), row(2)])], 0n, 9n), signal);
    await owner.lane.commit(laneBatch([tableBatch(orders, [row(1, 'owner')])], 0n, 5n), signal);
    expect(await codeOf(zombie.lane.commit(laneBatch([tableBatch(orders, [row(3)])], 9n, 10n), signal))).toBe(
      'DESTINATION_FENCED',
    );
    await owner.lane.commit(laneBatch([tableBatch(orders, [row(1, 'owner'), row(2)])], 5n, 12n), signal);
    expect(await valuesOf(warehouse)).toEqual({ 1: 'owner', 2: 'x' });
  });

  test('claims raise the epoch even before there is a table', async () => {
    const warehouse = freshWarehouse();
    expect((await member(warehouse)).claimed[0]?.epoch).toBe(1n);
    expect((await member(warehouse)).claimed[0]?.epoch).toBe(2n);
  });
});

describe('several members commit to one table', () => {
  test('racing commits are rebased: both take effect, vectors are united', async () => {
    const warehouse = freshWarehouse();
    const left = await member(warehouse, [0]);
    await left.lane.commit(laneBatch([tableBatch(orders, [row(0), row(2), row(4)])], 0n, 1n), signal);
    const right = await member(warehouse, [1]);
    const rightBatch = (from: number, rows: readonly ReturnType<typeof row>[]) => ({
      partitions: [
        { topic: 't', partition: 1, from: BigInt(from), to: BigInt(from + 1), marks: new Map<string, string>() },
      ],
      tables: [tableBatch(orders, rows)],
      sourceTimeMicros: 0,
    });
    for (let round = 1; round <= 10; round++) {
      await Promise.all([
        left.lane.commit(
          laneBatch([tableBatch(orders, [row(0, `l${round}`), row(2, `l${round}`)])], BigInt(round), BigInt(round + 1)),
          signal,
        ),
        right.lane.commit(rightBatch(round, [row(1, `r${round}`), row(3, `r${round}`)]), signal),
      ]);
    }
    expect(await valuesOf(warehouse)).toEqual({ 0: 'l10', 1: 'r10', 2: 'l10', 3: 'r10', 4: 'x' });
  });

  test('a partition that moves from one member to another and back keeps its rows apart', async () => {
    const warehouse = freshWarehouse();
    const first = await member(warehouse, [0, 1]);
    await first.lane.commit(laneBatch([tableBatch(orders, [row(0), row(1, 'x', 1)])], 0n, 5n, 2), signal);
    first.lane.release([{ topic: 't', partition: 1 }]);
    const second = await member(warehouse, [1]);
    const ofSecond = (from: bigint, rows: readonly ReturnType<typeof row>[]) => ({
      partitions: [{ topic: 't', partition: 1, from, to: from + 1n, marks: new Map<string, string>() }],
      tables: [tableBatch(orders, rows)],
      sourceTimeMicros: 0,
    });
    await second.lane.commit(ofSecond(5n, [row(1, 'second')]), signal);
    await first.lane.commit(laneBatch([tableBatch(orders, [row(0, 'first')])], 5n, 6n), signal);
    second.lane.release([{ topic: 't', partition: 1 }]);
    const back = await first.lane.claim([{ topic: 't', partition: 1, firstOffset: 0n }], signal);
    expect(back[0]?.nextOffset).toBe(6n);
    await first.lane.commit(ofSecond(6n, [row(1, 'back')]), signal);
    expect(await valuesOf(warehouse)).toEqual({ 0: 'first', 1: 'back' });
  });

  test('another commit user with the same topic keeps offsets of its own', async () => {
    const warehouse = freshWarehouse();
    const one = await member(warehouse);
    await one.lane.commit(laneBatch([tableBatch(orders, [row(1)])], 0n, 5n), signal);
    const other = await member(warehouse, [0], {}, { commitUser: 'other' });
    expect(other.claimed[0]?.nextOffset).toBeNull();
    await other.lane.commit(laneBatch([tableBatch(orders, [row(1, 'other')])], 0n, 3n), signal);
    await one.lane.commit(laneBatch([tableBatch(orders, [row(2)])], 5n, 6n), signal);
    expect(await valuesOf(warehouse)).toEqual({ 1: 'other', 2: 'x' });
  });
});

describe('schemas follow the stream', () => {
  async function evolve(...schemas: readonly ReturnType<typeof schemaOf>[]) {
    const warehouse = freshWarehouse();
    const { lane } = await member(warehouse);
    const texts = ['{"id":1,"v":"a"}', '{"id":2,"v":"b","w":5}', '{"id":3,"v":"c","w":6}'];
    for (const [i, schema] of schemas.entries()) {
      const batch = tableBatch(schema, [{ text: texts[i] ?? '{}', partition: 0 }]);
      await lane.commit(laneBatch([batch], BigInt(i), BigInt(i + 1)), signal);
    }
    return readTable(join(warehouse, 'shop/orders'));
  }

  test('a new column is optional, gets a new id and arrives with its first snapshot', async () => {
    const { metadata, rows, faults } = await evolve(
      orders,
      schemaOf(
        'orders',
        ['id'],
        [column('id', 'BIGINT'), column('v', 'STRING'), column('w', 'INT', { nullable: false })],
      ),
    );
    expect(faults).toEqual([]);
    expect(metadata.schemas.at(-1)?.fields.at(-1)).toEqual({ id: 3, name: 'w', required: false, type: 'int' });
    expect(metadata.snapshots.map((snapshot) => snapshot['schema-id'])).toEqual([0, 1]);
    expect(new Set(rows.map((member) => member['w']))).toEqual(new Set([5, null]));
  });

  test('int grows to long in place; old files stay readable, their keys too (T77)', async () => {
    const warehouse = freshWarehouse();
    const first = await member(warehouse);
    const narrow = schemaOf('orders', ['id'], [column('id', 'INT'), column('v', 'STRING')]);
    await first.lane.commit(laneBatch([tableBatch(narrow, [row(-1), row(2)])], 0n, 1n), signal);
    await first.destination[Symbol.asyncDispose]();
    const second = await member(warehouse);
    await second.lane.commit(laneBatch([tableBatch(orders, [row(-1, 'long')], [row(2)])], 1n, 2n), signal);
    expect(await valuesOf(warehouse)).toEqual({ '-1': 'long' });
  });

  test('a type that cannot grow goes on in a second column; the old one keeps what it has', async () => {
    const warehouse = freshWarehouse();
    const { lane } = await member(warehouse);
    const before = schemaOf('orders', ['id'], [column('id', 'BIGINT'), column('v', 'BIGINT', { nullable: false })]);
    const after = schemaOf(
      'orders',
      ['id'],
      [column('id', 'BIGINT'), column('v', 'DECIMAL(20, 0)', { nullable: false })],
    );
    await lane.commit(laneBatch([tableBatch(before, [{ text: '{"id":1,"v":7}', partition: 0 }])], 0n, 1n), signal);
    const grown = [{ text: '{"id":2,"v":18446744073709551615}', partition: 0 }];
    await lane.commit(laneBatch([tableBatch(after, grown)], 1n, 2n), signal);
    await lane.commit(laneBatch([tableBatch(after, [{ text: '{"id":3,"v":8}', partition: 0 }])], 2n, 3n), signal);
    const { metadata, rows } = await readTable(join(warehouse, 'shop/orders'));
    expect(metadata.schemas.at(-1)?.fields.map((field) => field.name)).toEqual(['id', 'v', 'v__decimal_20_0']);
    expect(metadata.schemas).toHaveLength(2);
    expect(rows.find((member) => member['id'] === 1n)).toMatchObject({ v: 7n, v__decimal_20_0: null });
    expect(rows.find((member) => member['id'] === 3n)).toMatchObject({ v: null });
  });

  test('a dropped NOT NULL column stays and takes nulls (T78)', async () => {
    const withRequired = schemaOf(
      'orders',
      ['id'],
      [column('id', 'BIGINT'), column('v', 'STRING', { nullable: false })],
    );
    const { metadata, rows } = await evolve(
      withRequired,
      schemaOf('orders', ['id'], [column('id', 'BIGINT'), column('w', 'INT')]),
    );
    expect(metadata.schemas.at(-1)?.fields.map((field) => [field.name, field.required])).toEqual([
      ['id', true],
      ['v', false],
      ['w', false],
    ]);
    expect(rows.find((member) => Number(member['id']) === 2)).toMatchObject({ v: null, w: 5 });
  });

  test('another key stops the table', async () => {
    const other = schemaOf('orders', ['v'], [column('id', 'BIGINT'), column('v', 'STRING')]);
    expect(await codeOf(evolve(orders, other))).toBe('DESTINATION_SCHEMA_INCOMPATIBLE');
  });
});

describe('what stands in the directory', () => {
  test('a hint that a crash left behind is repaired at start', async () => {
    const warehouse = freshWarehouse();
    const first = await member(warehouse);
    await first.lane.commit(laneBatch([tableBatch(orders, [row(1)])], 0n, 1n), signal);
    const hint = join(warehouse, 'shop/orders/metadata/version-hint.text');
    for (const damaged of ['1', '', '\n', 'x']) {
      await writeFile(hint, damaged);
      await member(warehouse);
      expect(await readFile(hint, 'latin1')).toBe(String(await versionOf(warehouse)));
    }
  });

  test('a truncation drops every file (T162)', async () => {
    const warehouse = freshWarehouse();
    const { lane } = await member(warehouse);
    await lane.commit(laneBatch([tableBatch(orders, [row(1), row(2)])], 0n, 1n), signal);
    await lane.commit(laneBatch([tableBatch(orders, [row(3)], [], true)], 1n, 2n), signal);
    expect(await valuesOf(warehouse)).toEqual({ 3: 'x' });
    await lane.commit(laneBatch([tableBatch(orders, [], [], true)], 2n, 3n), signal);
    expect(await valuesOf(warehouse)).toEqual({});
  });

  test('deletes of unknown rows write nothing (T161)', async () => {
    const warehouse = freshWarehouse();
    const { lane } = await member(warehouse);
    await lane.commit(laneBatch([tableBatch(orders, [row(1)])], 0n, 1n), signal);
    const version = await versionOf(warehouse);
    await lane.commit(laneBatch([tableBatch(orders, [], [row(9)])], 1n, 2n), signal);
    expect(await versionOf(warehouse)).toBe(version);
  });

  test('keys that swap in one batch end where they should (T34)', async () => {
    const warehouse = freshWarehouse();
    const { lane } = await member(warehouse);
    await lane.commit(laneBatch([tableBatch(orders, [row(1, 'a'), row(2, 'b')])], 0n, 1n), signal);
    await lane.commit(laneBatch([tableBatch(orders, [row(1, 'b'), row(2, 'a')])], 1n, 2n), signal);
    expect(await valuesOf(warehouse)).toEqual({ 1: 'b', 2: 'a' });
  });

  test('names with blanks, slashes, dots and letters of any script are tables of their own (T74)', async () => {
    const warehouse = freshWarehouse();
    const { lane } = await member(warehouse);
    const names = ['a b', 'a/b', '..', 'größe', 'a%2Fb', '.hidden', 'a~20b'];
    const tables = names.map((name) =>
      tableBatch(schemaOf(name, ['id'], [column('id', 'INT')]), [{ text: '{"id":1}', partition: 0 }]),
    );
    await lane.commit(laneBatch(tables, 0n, 1n), signal);
    const next = await member(warehouse);
    expect([...(next.claimed[0]?.tableOffsets.keys() ?? [])].sort()).toEqual(
      names.map((name) => `shop.${name}`).sort(),
    );
    expect(await readdir(join(warehouse, 'shop'))).toHaveLength(names.length);
  });

  test('tables of others in the warehouse are left alone', async () => {
    const warehouse = freshWarehouse();
    await mkdir(join(warehouse, 'foreign/t/metadata'), { recursive: true });
    await writeFile(join(warehouse, 'foreign/t/metadata/v1.metadata.json'), '{"format-version":1,"properties":{}}');
    expect((await member(warehouse)).claimed).toHaveLength(1);
  });

  test('describe gives back what the table holds', async () => {
    const warehouse = freshWarehouse();
    const { lane, destination } = await member(warehouse);
    expect(await destination.describe('shop', 'orders', signal)).toBeNull();
    await lane.commit(laneBatch([tableBatch(orders, [row(1)])], 0n, 1n), signal);
    const schema = await destination.describe('shop', 'orders', signal);
    expect(schema?.primaryKey).toEqual(['id']);
    expect(schema?.columns.map((member) => [member.name, member.type.kind, member.nullable])).toEqual([
      ['id', 'bigint', false],
      ['v', 'string', true],
    ]);
  });

  test('a refused value names table, column and row and leaves no trace', async () => {
    const warehouse = freshWarehouse();
    const { lane } = await member(warehouse);
    await lane.commit(laneBatch([tableBatch(orders, [row(1)])], 0n, 1n), signal);
    const version = await versionOf(warehouse);
    const bad = tableBatch(orders, [row(2), { text: '{"id":99999999999999999999,"v":"secret"}', partition: 0 }]);
    const failure = lane.commit(laneBatch([bad], 1n, 2n), signal);
    await expect(failure).rejects.toMatchObject({
      code: 'DESTINATION_WRITE_REJECTED',
      details: { table: 'shop.orders', column: 'id', reason: 'value-out-of-range', list: 'upserts', row: 1 },
    });
    expect(await versionOf(warehouse)).toBe(version);
    await lane.commit(laneBatch([tableBatch(orders, [row(2)])], 1n, 2n), signal);
    expect(await valuesOf(warehouse)).toEqual({ 1: 'x', 2: 'x' });
  });

  test('a row that is no JSON is named too', async () => {
    const { lane } = await member(freshWarehouse());
    const bad = tableBatch(orders, [row(2), { text: '{"id":3,broken}', partition: 0 }]);
    await expect(lane.commit(laneBatch([bad], 0n, 1n), signal)).rejects.toMatchObject({
      code: 'RECORD_UNDECODABLE',
      details: { table: 'shop.orders', reason: 'bad-json', list: 'upserts', row: 1 },
    });
  });
});
