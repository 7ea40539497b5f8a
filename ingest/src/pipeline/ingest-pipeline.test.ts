import { setTimeout as sleep } from 'node:timers/promises';

import { abortable } from '@millrace/shared/async/delay.ts';
import { CdcError } from '@millrace/shared/errors/cdc-error.ts';
import type { TableSchema } from '@millrace/shared/event/schema.ts';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { TopicPartition } from '../destination.ts';
import type { SchemaSources } from '../project/source-table.ts';
import { SourceTables } from '../project/source-tables.ts';
import { CustomerHistory, customers, sortedById } from '../testing/customer-history.ts';
import { MemoryDestination, MemoryStore } from '../testing/memory-destination.ts';
import { MemoryLog, MemoryRecordSource } from '../testing/memory-log.ts';
import { runIngest } from './ingest-pipeline.ts';
import type { IngestPipelineOptions } from './ingest-pipeline.ts';
import { readWholeAfterBrokenRow } from './second-reading.ts';

const partitions: readonly TopicPartition[] = [0, 1, 2].map((partition) => ({ topic: 'shop.customers', partition }));

function partitionOf(id: number): TopicPartition {
  return partitions[Math.abs(id) % partitions.length] ?? { topic: '', partition: 0 };
}

class World {
  readonly log = new MemoryLog(partitions);
  readonly store = new MemoryStore();
  readonly histories = partitions.map(() => new CustomerHistory());
  commits = 0;

  set(id: number, name: string): void {
    this.log.append(partitionOf(id), [this.#history(id).set(id, name)]);
  }

  remove(id: number): void {
    this.log.append(partitionOf(id), this.#history(id).remove(id));
  }

  get rows(): readonly object[] {
    return sortedById(this.histories.flatMap((history) => [...history.rows.values()]));
  }

  get copied(): readonly object[] {
    return sortedById(this.store.copied.rows('shop.customers'));
  }

  options(overrides: Partial<IngestPipelineOptions> = {}): IngestPipelineOptions {
    return {
      source: new MemoryRecordSource(this.log, 7),
      destination: new MemoryDestination(this.store, 2),
      tables: new SourceTables({
        rulesFor: () => ({ included: true, columns: null, primaryKeys: null, initialSchema: null }),
        route: (id) => [id],
        inference: { strategy: 'continuous', primitiveAsString: false, preFetchRecords: 50 },
      }),
      schemas: { schemaFor: () => Promise.resolve(customers), describe: () => Promise.resolve(null) },
      value: { format: 'debezium-json', envelopeRequired: false },
      applyTruncate: false,
      flush: { maxRows: 50, maxBytes: 100_000, delayMs: 0, offsetsDelayMs: 5 },
      memoryLimitBytes: 1_000_000,
      untilIdle: true,
      observer: {
        onFetch: () => undefined,
        onCommit: () => {
          this.commits++;
        },
        onBacklog: () => undefined,
        onAssigned: () => undefined,
        onRevoked: () => undefined,
        onTable: () => undefined,
      },
      ...overrides,
    };
  }

  #history(id: number): CustomerHistory {
    return this.histories[partitionOf(id).partition] ?? new CustomerHistory();
  }
}

async function until(condition: () => boolean): Promise<void> {
  for (let left = 2000; !condition(); left--) {
    if (left === 0) throw new Error('the condition was not met');
    await sleep(2);
  }
}

const never = new AbortController().signal;

async function failureOf(running: Promise<void>): Promise<string> {
  try {
    await running;
  } catch (error) {
    return error instanceof CdcError ? error.code : String(error);
  }
  return 'none';
}

describe('an ingest', () => {
  it('copies what is there and ends when idle', async () => {
    const world = new World();
    for (let id = 0; id < 200; id++) world.set(id % 60, `v${id}`);
    for (let id = 0; id < 20; id++) world.remove(id);
    const options = world.options();
    await runIngest(options, never);
    expect(world.copied).toStrictEqual(world.rows);
    const ends = partitions.map((partition) => BigInt(world.log.end(partition)));
    expect(
      partitions.map(({ topic, partition }) => world.store.offsets.get(`${topic}/${partition}`)?.next),
    ).toStrictEqual(ends);
  });

  it('commits a lone change at once, and gathers while a commit is under way', async () => {
    const world = new World();
    world.store.latencyMs = 40;
    const stop = new AbortController();
    const running = runIngest(
      world.options({ untilIdle: false, destination: new MemoryDestination(world.store, 1) }),
      stop.signal,
    );
    world.set(1, 'a');
    await until(() => world.store.commits === 1);
    world.set(1, 'b');
    await sleep(15);
    for (let id = 0; id < 30; id++) {
      world.set(id, 'c');
      await sleep(0);
    }
    await until(() => world.copied.length === 30);
    expect(world.store.commits).toBeLessThanOrEqual(4);
    stop.abort();
    await running;
  });

  it('waits for more changes where the policy says so', async () => {
    const world = new World();
    const stop = new AbortController();
    const flush = { maxRows: 1000, maxBytes: 1_000_000, delayMs: 150, offsetsDelayMs: 150 };
    const running = runIngest(world.options({ untilIdle: false, flush }), stop.signal);
    for (let id = 0; id < 30; id++) {
      world.set(id, 'a');
      await sleep(1);
    }
    await until(() => world.copied.length === 30);
    expect(world.store.commits).toBeLessThanOrEqual(4);
    stop.abort();
    await running;
  });

  it('drains and commits at a clean stop', async () => {
    const world = new World();
    const stop = new AbortController();
    const flush = { maxRows: 1000, maxBytes: 1_000_000, delayMs: 60_000, offsetsDelayMs: 60_000 };
    const options = world.options({ untilIdle: false, flush });
    let consumed = 0;
    const observer = {
      ...options.observer,
      onFetch: (report: { counts: { records: number } }) => (consumed += report.counts.records),
    };
    const running = runIngest(
      { ...options, observer: { ...options.observer, onFetch: observer.onFetch } },
      stop.signal,
    );
    for (let id = 0; id < 30; id++) world.set(id, 'a');
    await until(() => consumed === 30);
    expect(world.store.commits).toBe(0);
    stop.abort();
    await running;
    expect(world.copied).toStrictEqual(world.rows);
  });

  it('goes on exactly where the last commit ended, whatever failed before (T142)', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 20 }), fc.boolean()), { minLength: 1, maxLength: 150 }),
        fc.infiniteStream(fc.constantFrom('none', 'none', 'before', 'after')),
        fc.integer({ min: 1, max: 40 }),
        async (steps, faults, maxRows) => {
          const world = new World();
          for (const [index, [id, remove]] of steps.entries()) {
            if (remove) world.remove(id);
            else world.set(id, `v${index}`);
          }
          let attempts = 0;
          world.store.fault = () => (attempts > 30 ? 'none' : (faults.next().value as 'none' | 'before' | 'after'));
          const flush = { maxRows, maxBytes: 100_000, delayMs: 0, offsetsDelayMs: 1 };
          while ((await failureOf(runIngest(world.options({ flush }), never))) !== 'none') attempts++;
          expect(world.copied).toStrictEqual(world.rows);
        },
      ),
      { numRuns: 40 },
    );
  }, 60_000);

  it('stops before a record that does not decode, with everything before it durable (T144)', async () => {
    const world = new World();
    world.set(3, 'a');
    world.log.append(partitionOf(3), [{ key: null, value: '{"broken' }]);
    world.set(6, 'b');
    const flush = { maxRows: 1000, maxBytes: 1_000_000, delayMs: 60_000, offsetsDelayMs: 60_000 };
    expect(await failureOf(runIngest(world.options({ flush }), never))).toBe('RECORD_UNDECODABLE');
    expect(world.copied).toStrictEqual([{ id: 3, name: 'a' }]);
    expect(world.store.offsets.get('shop.customers/0')?.next).toBe(1n);
  });

  it('stops before a record with a broken row in a known frame, with everything before it durable (T144)', async () => {
    const world = new World();
    world.set(3, 'a');
    world.set(6, 'b');
    const next = world.histories[0]?.set(9, 'c') ?? { key: null, value: null };
    world.log.append(partitionOf(9), [{ ...next, value: next.value?.replace('"c"', 'c') ?? null }]);
    world.set(0, 'd');
    const flush = { maxRows: 1000, maxBytes: 1_000_000, delayMs: 60_000, offsetsDelayMs: 60_000 };
    const attempts: boolean[] = [];
    const running = readWholeAfterBrokenRow((wholeValues) => {
      attempts.push(wholeValues);
      const value = { format: 'debezium-json', envelopeRequired: false, wholeValues } as const;
      return runIngest(world.options({ flush, value }), never);
    });
    expect([await failureOf(running), attempts]).toStrictEqual(['RECORD_UNDECODABLE', [false, true]]);
    expect(world.copied).toStrictEqual([
      { id: 3, name: 'a' },
      { id: 6, name: 'b' },
    ]);
    expect(world.store.offsets.get('shop.customers/0')?.next).toBe(2n);
  });

  it('stops where the stored offset is not in the topic, and never starts elsewhere (T140)', async () => {
    const world = new World();
    world.set(3, 'a');
    await runIngest(world.options(), never);
    const recreated = new World();
    recreated.set(3, 'other');
    const stored = world.store.offsets.get('shop.customers/0');
    if (stored !== undefined) stored.next = 9n;
    const options = world.options({ source: new MemoryRecordSource(recreated.log, 7) });
    expect(await failureOf(runIngest(options, never))).toBe('BROKER_TOPIC_INVALID');
    expect(world.copied).toStrictEqual([{ id: 3, name: 'a' }]);
    expect(world.store.offsets.get('shop.customers/0')?.next).toBe(9n);
  });

  it('hands partitions over without losing or doubling a change', async () => {
    const world = new World();
    const [first, second, third] = partitions;
    if (first === undefined || second === undefined || third === undefined) throw new Error('no partitions');
    world.store.latencyMs = 3;
    const one = new MemoryRecordSource(world.log, 5, partitions);
    const two = new MemoryRecordSource(world.log, 5, []);
    const stop = new AbortController();
    const running = [one, two].map((source) => runIngest(world.options({ source, untilIdle: false }), stop.signal));
    for (let round = 0; round < 6; round++) {
      for (let id = 0; id < 100; id++) world.set(id, `v${round}`);
      await sleep(5);
      const toTwo = round % 2 === 0 ? [second, third] : [first];
      await one.rebalance([]);
      await two.rebalance(toTwo);
      await one.rebalance(partitions.filter((partition) => !toTwo.includes(partition)));
    }
    const ends = (): boolean =>
      partitions.every((p) => world.store.offsets.get(`${p.topic}/${p.partition}`)?.next === BigInt(world.log.end(p)));
    await until(ends);
    stop.abort();
    await Promise.all(running);
    expect(world.copied).toStrictEqual(world.rows);
  });

  it('finishes a look-up of a table version that a lost partition began', async () => {
    const world = new World();
    const [first, second] = partitions;
    if (first === undefined || second === undefined) throw new Error('no partitions');
    const found = Promise.withResolvers<TableSchema>();
    let asked = 0;
    const schemas: SchemaSources = {
      schemaFor: (_fingerprint, _table, signal) => {
        asked++;
        return abortable(found.promise, signal);
      },
      describe: () => Promise.resolve(null),
    };
    for (let id = 0; id < 6; id++) world.set(id, 'a');
    const source = new MemoryRecordSource(world.log, 5, [first, second]);
    const stop = new AbortController();
    const running = runIngest(world.options({ source, schemas, untilIdle: false }), stop.signal);
    await until(() => asked === 1);
    await source.rebalance([second]);
    found.resolve(customers);
    await until(() => world.copied.length === 2);
    stop.abort();
    await running;
    expect(asked).toBe(1);
  });

  it('ends as fenced when another owner took its partitions, and changes nothing more (T141)', async () => {
    const world = new World();
    const running = runIngest(world.options({ untilIdle: false }), never);
    world.set(3, 'a');
    await until(() => world.copied.length === 1);
    world.store.claim(partitionOf(3), 0n);
    world.set(6, 'b');
    expect(await failureOf(running)).toBe('DESTINATION_FENCED');
    expect(world.copied).toStrictEqual([{ id: 3, name: 'a' }]);
  });

  it('holds no more than the memory limit and one fetch per partition', async () => {
    const world = new World();
    for (let id = 0; id < 3000; id++) world.set(id, 'x'.repeat(18));
    world.store.latencyMs = 1;
    const flush = { maxRows: 100_000, maxBytes: 100_000_000, delayMs: 60_000, offsetsDelayMs: 60_000 };
    await runIngest(world.options({ flush, memoryLimitBytes: 20_000 }), never);
    expect(world.copied).toStrictEqual(world.rows);
    // Commits are forced by the limit alone: 3000 records of some 250 bytes by 20 kB.
    expect(world.store.commits).toBeGreaterThan(20);
  });

  it('names the record of a row that the destination refuses', async () => {
    const world = new World();
    for (let id = 0; id < 30; id++) world.set(id, 'a');
    world.store.refuseRow = { table: 'shop.customers', list: 'upserts', name: 'bad' };
    world.set(12, 'bad');
    world.set(12, 'bad');
    world.set(15, 'after');
    const failure = await runIngest(world.options(), never).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: 'DESTINATION_WRITE_REJECTED',
      details: { reason: 'bad-value', topic: 'shop.customers', partition: 0, offset: 11 },
    });
  });

  it('tells the group what is durable', async () => {
    const world = new World();
    for (let id = 0; id < 30; id++) world.set(id, 'a');
    const source = new MemoryRecordSource(world.log, 7);
    await runIngest(world.options({ source }), never);
    expect([...source.published.values()]).toStrictEqual([10n, 10n, 10n]);
  });
});
