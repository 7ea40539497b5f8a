import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { sealBatch, unstamped } from './batch-seal.ts';
import { BuilderPool } from './builder-pool.ts';
import { LaneQueue } from './lane-queue.ts';
import type { PendingBatch } from './lane-queue.ts';
import { batchHeaderBytes } from './record-batch.ts';
import { gathered, latin1, readPlain } from './testing/plain-records.ts';

const none = Buffer.alloc(0);

function queueOf(maxBatchBytes = 400, maxRecordBytes = 10_000): LaneQueue {
  return new LaneQueue(maxBatchBytes, maxRecordBytes, new BuilderPool(1_000_000));
}

function put(queue: LaneQueue, value: string, sequence: number): void {
  queue.append(1_700_000_000_000, latin1('k'), 0, 1, gathered(latin1(value)), none, 0, 0, 0, sequence);
}

function valuesOf(batch: PendingBatch | null): readonly (string | null)[] {
  if (batch === null) return [];
  return readPlain(sealBatch(batch.builder, 'none', unstamped) as Buffer).map(({ value }) => value);
}

describe('LaneQueue', () => {
  test('records of an unreleased transaction stay, those before them in the same batch go', () => {
    const queue = queueOf();
    put(queue, 'one', 1);
    put(queue, 'two', 2);
    expect(queue.take(0)).toBeNull();
    expect(valuesOf(queue.take(1))).toEqual(['one']);
    expect(queue.take(1)).toBeNull();
    put(queue, 'two again', 2);
    expect(valuesOf(queue.take(2))).toEqual(['two', 'two again']);
    expect([queue.isEmpty, queue.bytes]).toEqual([true, 0]);
  });

  test('a discarded transaction leaves no record, over as many batches as it spans', () => {
    const queue = queueOf(200);
    put(queue, 'kept', 1);
    for (let index = 0; index < 20; index++) put(queue, `dropped ${index}`, 2);
    queue.discard(2);
    expect(valuesOf(queue.take(2))).toEqual(['kept']);
    expect([queue.isEmpty, queue.bytes]).toEqual([true, 0]);
  });

  test('the number of a discarded transaction may come again', () => {
    const queue = queueOf();
    put(queue, 'first try', 5);
    queue.discard(5);
    queue.discard(5);
    put(queue, 'second try', 5);
    expect(valuesOf(queue.take(5))).toEqual(['second try']);
  });

  test('T138 a record beyond the request limit is refused without effect', () => {
    const queue = queueOf(400, 1_000);
    put(queue, 'before', 1);
    expect(() => put(queue, 'x'.repeat(2_000), 1)).toThrow(
      expect.objectContaining({ code: 'BROKER_RECORD_TOO_LARGE' }),
    );
    put(queue, 'after', 1);
    expect(valuesOf(queue.take(1))).toEqual(['before', 'after']);
  });

  test('a record larger than a batch may be stands alone', () => {
    const queue = queueOf(200);
    put(queue, 'small', 1);
    put(queue, 'L'.repeat(500), 1);
    put(queue, 'small again', 1);
    expect(valuesOf(queue.take(1))).toEqual(['small']);
    expect(valuesOf(queue.take(1))).toEqual(['L'.repeat(500)]);
    expect(valuesOf(queue.take(1))).toEqual(['small again']);
  });

  test('a transaction older than the newest is an error', () => {
    const queue = queueOf();
    put(queue, 'a', 2);
    expect(() => put(queue, 'b', 1)).toThrow(expect.objectContaining({ code: 'INVARIANT_BROKEN' }));
  });

  test('any order of append, release, discard and take gives every kept record once and in order', () => {
    const step = fc.oneof(
      { weight: 8, arbitrary: fc.record({ kind: fc.constant('append' as const), size: fc.nat(120) }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('commit' as const) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('discard' as const) }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('release' as const), behind: fc.nat(2) }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('take' as const) }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const queue = queueOf(300);
        let model: { readonly value: string; readonly sequence: number }[] = [];
        const taken: (string | null)[] = [];
        let sequence = 1;
        let released = 0;
        let records = 0;
        const take = (): void => {
          const values = valuesOf(queue.take(released));
          for (const value of values) {
            const expected = model.shift();
            expect(value).toBe(expected?.value);
            expect(expected?.sequence).toBeLessThanOrEqual(released);
            taken.push(value);
          }
        };
        for (const action of steps) {
          if (action.kind === 'append') {
            const value = `${records++}-${'v'.repeat(action.size)}`;
            put(queue, value, sequence);
            model.push({ value, sequence });
          } else if (action.kind === 'commit') {
            sequence++;
          } else if (action.kind === 'discard') {
            queue.discard(sequence);
            model = model.filter((record) => record.sequence < sequence);
          } else if (action.kind === 'release') {
            released = Math.max(released, sequence - 1 - action.behind);
          } else {
            take();
          }
          expect(queue.isEmpty).toBe(model.length === 0);
          expect(queue.firstSequence).toBe(model[0]?.sequence ?? Number.POSITIVE_INFINITY);
        }
        released = sequence;
        while (!queue.isEmpty) take();
        expect(model).toEqual([]);
        expect(queue.bytes).toBe(0);
      }),
      { numRuns: 400 },
    );
  });

  test('bytes are those of the waiting records', () => {
    const queue = queueOf(200);
    let total = 0;
    for (let index = 0; index < 30; index++) put(queue, `value ${index}`, index);
    const counted = queue.bytes;
    while (!queue.isEmpty) total += (queue.take(100)?.builder.length ?? 0) - batchHeaderBytes;
    expect(counted).toBe(total);
  });
});
