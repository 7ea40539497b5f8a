import { setImmediate as tick } from 'node:timers/promises';

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { Gather } from './gather.ts';
import type { PartitionLane } from './partition-lane.ts';
import { Producer } from './producer.ts';
import type { ProducerOptions } from './producer.ts';
import { latin1 } from './testing/plain-records.ts';
import { ScriptedCluster } from './testing/scripted-cluster.ts';
import type { ArrivedPart, Fate } from './testing/scripted-cluster.ts';

const defaults: ProducerOptions = {
  acks: -1,
  idempotent: true,
  compression: 'none',
  maxBatchBytes: 10_000,
  maxRequestBytes: 100_000,
  maxInFlightPerPartition: 1,
  requestTimeoutMs: 1_000,
  deliveryTimeoutMs: 5_000,
  lingerMs: 0,
};
const none = Buffer.alloc(0);
const never = new AbortController().signal;

function open(cluster: ScriptedCluster, options: Partial<ProducerOptions> = {}): Promise<Producer> {
  return Producer.open({ cluster }, { ...defaults, ...options }, never);
}

function put(lane: PartitionLane, value: string, sequence: number): void {
  const gather = new Gather();
  const bytes = latin1(value);
  gather.add(bytes, 0, bytes.length);
  lane.append(1_700_000_000_000, none, 0, -1, gather, none, 0, 0, 0, sequence);
}

async function drained(producer: Producer): Promise<void> {
  const timeout = AbortSignal.timeout(10_000);
  while (producer.firstPendingSequence() < Number.POSITIVE_INFINITY) {
    producer.flush();
    await producer.settled(timeout);
  }
}

function clusterWith(topics: Readonly<Record<string, number>>): ScriptedCluster {
  const cluster = new ScriptedCluster();
  for (const [name, partitions] of Object.entries(topics)) cluster.addTopic(name, partitions);
  return cluster;
}

/** Fates one after another, then everything is written. */
function fates(...list: readonly Fate[]): () => Fate {
  const rest = [...list];
  return () => rest.shift() ?? 'written';
}

function baseSequence({ batch }: ArrivedPart): number {
  return batch.readInt32BE(53);
}

describe('Producer', () => {
  test.each([13, 12, 9])('records reach their partition with produce version %i', async (version) => {
    const cluster = clusterWith({ a: 2, b: 1 });
    cluster.produceVersion = version;
    await using producer = await open(cluster);
    put(producer.lane('a', 0), 'a0', 1);
    put(producer.lane('a', 1), 'a1', 1);
    put(producer.lane('b', 0), 'b0', 1);
    producer.release(1);
    await drained(producer);
    expect([cluster.values('a', 0), cluster.values('a', 1), cluster.values('b', 0)]).toEqual([['a0'], ['a1'], ['b0']]);
    expect(producer.pendingBytes).toBe(0);
  });

  test('lanes of one leader share a request', async () => {
    const cluster = clusterWith({ a: 3 });
    await using producer = await open(cluster);
    for (const partition of [0, 1, 2]) put(producer.lane('a', partition), 'x', 1);
    producer.release(1);
    await drained(producer);
    expect(cluster.requests).toBe(1);
  });

  test('a request stays within its size', async () => {
    const cluster = clusterWith({ a: 8 });
    await using producer = await open(cluster, { maxRequestBytes: 5_000 });
    for (let partition = 0; partition < 8; partition++) put(producer.lane('a', partition), 'x'.repeat(2_000), 1);
    producer.release(1);
    await drained(producer);
    expect(cluster.requests).toBe(4);
  });

  test('nothing of an unreleased transaction is sent', async () => {
    const cluster = clusterWith({ a: 1 });
    await using producer = await open(cluster);
    const lane = producer.lane('a', 0);
    put(lane, 'one', 1);
    put(lane, 'two', 2);
    producer.release(1);
    producer.flush();
    while (cluster.values('a', 0).length === 0) await tick();
    producer.flush();
    await tick();
    expect(cluster.values('a', 0)).toEqual(['one']);
    expect(producer.firstPendingSequence()).toBe(2);
    producer.release(2);
    await drained(producer);
    expect(cluster.values('a', 0)).toEqual(['one', 'two']);
  });

  test('a discarded transaction is never sent and a released one cannot be discarded', async () => {
    const cluster = clusterWith({ a: 2 });
    await using producer = await open(cluster);
    put(producer.lane('a', 0), 'one', 1);
    put(producer.lane('a', 0), 'two', 2);
    put(producer.lane('a', 1), 'two', 2);
    producer.release(1);
    producer.discard(2);
    expect(() => producer.discard(1)).toThrow(expect.objectContaining({ code: 'INVARIANT_BROKEN' }));
    put(producer.lane('a', 1), 'three', 3);
    producer.release(3);
    await drained(producer);
    expect([cluster.values('a', 0), cluster.values('a', 1)]).toEqual([['one'], ['three']]);
  });

  test('while a request is under way records gather into one batch', async () => {
    const cluster = clusterWith({ a: 1 });
    const answer = Promise.withResolvers<Fate>();
    cluster.script = () => answer.promise;
    await using producer = await open(cluster);
    const lane = producer.lane('a', 0);
    put(lane, '0', 0);
    producer.release(0);
    producer.flush();
    while (cluster.arrived.length === 0) await tick();
    for (let sequence = 1; sequence <= 50; sequence++) {
      put(lane, `${sequence}`, sequence);
      producer.release(sequence);
      producer.flush();
    }
    answer.resolve('written');
    await drained(producer);
    expect(cluster.arrived.length).toBe(2);
    expect(cluster.values('a', 0)).toEqual(Array.from({ length: 51 }, (_, index) => `${index}`));
  });

  test('T132 a lost answer: the same bytes, id and sequence are sent again and held once', async () => {
    const cluster = clusterWith({ a: 1 });
    cluster.script = fates('answer lost', 'answer lost');
    await using producer = await open(cluster, { compression: 'zstd' });
    put(producer.lane('a', 0), 'once', 1);
    producer.release(1);
    await drained(producer);
    expect(cluster.values('a', 0)).toEqual(['once']);
    const sent = cluster.arrived.map(({ batch }) => batch.toString('hex'));
    expect(sent.length).toBe(3);
    expect(new Set(sent).size).toBe(1);
    expect(cluster.arrived[0]?.batch.readBigInt64BE(43)).toBe(77n);
  });

  test('a partition that the answer leaves out counts as not written', async () => {
    const cluster = clusterWith({ a: 1 });
    cluster.script = fates('absent from the answer');
    await using producer = await open(cluster);
    put(producer.lane('a', 0), 'x', 1);
    producer.release(1);
    await drained(producer);
    expect(cluster.arrived.length).toBe(2);
    expect(cluster.values('a', 0)).toEqual(['x']);
  });

  test('a new leader gets what the old one refused', async () => {
    const cluster = clusterWith({ a: 1 });
    await using producer = await open(cluster);
    put(producer.lane('a', 0), 'one', 1);
    producer.release(1);
    await drained(producer);
    cluster.partition('a', 0).leader = 2;
    put(producer.lane('a', 0), 'two', 2);
    producer.release(2);
    await drained(producer);
    expect(cluster.arrived.map(({ node }) => node)).toEqual([1, 1, 2]);
    expect(cluster.values('a', 0)).toEqual(['one', 'two']);
  });

  test('a partition in trouble does not hold up another', async () => {
    const cluster = clusterWith({ a: 2 });
    let broken = true;
    cluster.script = ({ partition }) => (partition === 0 && broken ? { errorCode: 19 } : 'written');
    await using producer = await open(cluster);
    put(producer.lane('a', 0), 'stuck', 1);
    put(producer.lane('a', 1), 'one', 1);
    producer.release(1);
    producer.flush();
    while (cluster.values('a', 1).length === 0) await tick();
    put(producer.lane('a', 1), 'two', 2);
    producer.release(2);
    producer.flush();
    while (cluster.values('a', 1).length < 2) await tick();
    expect(cluster.values('a', 0)).toEqual([]);
    expect(producer.firstPendingSequence()).toBe(1);
    broken = false;
    await drained(producer);
    expect(cluster.values('a', 0)).toEqual(['stuck']);
  });

  test('T140 a recreated topic is not written to', async () => {
    const cluster = clusterWith({ a: 1 });
    await using producer = await open(cluster);
    put(producer.lane('a', 0), 'one', 1);
    producer.release(1);
    await drained(producer);
    cluster.addTopic('a', 1, '00000000-0000-0000-0000-00000000beef');
    put(producer.lane('a', 0), 'two', 2);
    producer.release(2);
    await expect(drained(producer)).rejects.toMatchObject({
      code: 'BROKER_TOPIC_INVALID',
      message: 'the topic was recreated',
    });
    expect(cluster.values('a', 0)).toEqual([]);
  });

  test('a partition beyond the count is refused, before anything is sent', async () => {
    const cluster = clusterWith({ a: 2 });
    await using producer = await open(cluster);
    put(producer.lane('a', 2), 'x', 1);
    producer.release(1);
    await expect(drained(producer)).rejects.toMatchObject({ code: 'BROKER_TOPIC_INVALID' });
    expect(cluster.arrived).toEqual([]);
    expect(() => producer.lane('a', 5)).toThrow(expect.objectContaining({ code: 'BROKER_TOPIC_INVALID' }));
  });

  test('T139 a missing topic is never created and fails after the delivery timeout', async () => {
    const cluster = clusterWith({});
    await using producer = await open(cluster, { deliveryTimeoutMs: 50 });
    put(producer.lane('missing', 0), 'x', 1);
    producer.release(1);
    await expect(drained(producer)).rejects.toMatchObject({ code: 'BROKER_TOPIC_INVALID' });
  });

  test('T138 a batch that is too large is halved until the record is found that is', async () => {
    const cluster = clusterWith({ a: 1 });
    cluster.script = ({ batch }) => (batch.includes('TOO LARGE') ? { errorCode: 10 } : 'written');
    await using producer = await open(cluster);
    const lane = producer.lane('a', 0);
    for (let index = 0; index < 9; index++) put(lane, index === 5 ? 'TOO LARGE' : `${index}`, index);
    producer.release(8);
    await expect(drained(producer)).rejects.toMatchObject({
      code: 'BROKER_RECORD_TOO_LARGE',
      details: { topic: 'a', partition: 0, bytes: expect.any(Number) },
    });
    expect(cluster.values('a', 0)).toEqual(['0', '1', '2', '3', '4']);
    expect(producer.firstPendingSequence()).toBe(0);
  });

  test('smaller batches after a refusal for size, all records once and in order', async () => {
    const cluster = clusterWith({ a: 1 });
    cluster.script = ({ batch }) => (batch.length > 600 ? { errorCode: 10 } : 'written');
    await using producer = await open(cluster);
    const lane = producer.lane('a', 0);
    const values = Array.from({ length: 100 }, (_, index) => `value ${index}`);
    for (const [index, value] of values.entries()) put(lane, value, index);
    producer.release(100);
    await drained(producer);
    expect(cluster.values('a', 0)).toEqual(values);
    expect(producer.pendingBytes).toBe(0);
  });

  test.each([
    [29, 'BROKER_AUTH_FAILED'],
    [87, 'BROKER_TOPIC_INVALID'],
    [47, 'BROKER_UNAVAILABLE'],
    [45, 'BROKER_UNAVAILABLE'],
    [59, 'BROKER_UNAVAILABLE'],
  ])('error %i ends the producer with %s and nothing newer is sent', async (errorCode, code) => {
    const cluster = clusterWith({ a: 1 });
    cluster.script = () => ({ errorCode });
    await using producer = await open(cluster);
    put(producer.lane('a', 0), 'one', 1);
    producer.release(1);
    await expect(drained(producer)).rejects.toMatchObject({ code });
    put(producer.lane('a', 0), 'two', 2);
    producer.release(2);
    producer.flush();
    await tick();
    expect(cluster.arrived.length).toBe(1);
    await expect(producer.settled(never)).rejects.toMatchObject({ code });
  });

  test('a sequence that the broker knows already counts as held', async () => {
    const cluster = clusterWith({ a: 1 });
    cluster.script = fates({ errorCode: 46 });
    await using producer = await open(cluster);
    put(producer.lane('a', 0), 'x', 1);
    producer.release(1);
    await drained(producer);
    expect(cluster.arrived.length).toBe(1);
  });

  test('brokers that stay away end the producer after the delivery timeout', async () => {
    const cluster = clusterWith({ a: 1 });
    await using producer = await open(cluster, { deliveryTimeoutMs: 60 });
    put(producer.lane('a', 0), 'one', 1);
    producer.release(1);
    await drained(producer);
    cluster.unreachable = true;
    put(producer.lane('a', 0), 'two', 2);
    producer.release(2);
    await expect(drained(producer)).rejects.toMatchObject({ code: 'BROKER_UNAVAILABLE' });
  });

  test('several batches under way: all that follow a lost one are sent again in order', async () => {
    const cluster = clusterWith({ a: 1 });
    const second = Promise.withResolvers<Fate>();
    let count = 0;
    cluster.script = () => (count++ === 1 ? second.promise : 'written');
    await using producer = await open(cluster, { maxInFlightPerPartition: 5, maxBatchBytes: 200 });
    const lane = producer.lane('a', 0);
    for (let index = 0; index < 120; index++) put(lane, `value ${index}`, index);
    producer.release(120);
    producer.flush();
    while (cluster.arrived.length < 6) await tick();
    second.resolve('request lost');
    await drained(producer);
    expect(cluster.values('a', 0)).toEqual(Array.from({ length: 120 }, (_, index) => `value ${index}`));
  });

  test('until a first batch is held only one is under way, because a broker takes any first sequence', async () => {
    const cluster = clusterWith({ a: 1 });
    const first = Promise.withResolvers<Fate>();
    cluster.script = () => first.promise;
    await using producer = await open(cluster, { maxInFlightPerPartition: 5, maxBatchBytes: 200 });
    for (let index = 0; index < 30; index++) put(producer.lane('a', 0), `value ${index}`, index);
    producer.release(30);
    producer.flush();
    while (cluster.arrived.length === 0) await tick();
    producer.flush();
    await tick();
    expect(cluster.arrived.length).toBe(1);
    first.resolve('written');
    await drained(producer);
  });

  test('after a failure nothing newer is sent, also where several may be under way', async () => {
    const cluster = clusterWith({ a: 1 });
    cluster.script = fates('written', { errorCode: 87 });
    await using producer = await open(cluster, { maxInFlightPerPartition: 5 });
    const lane = producer.lane('a', 0);
    put(lane, 'held', 1);
    producer.release(1);
    await drained(producer);
    put(lane, 'refused', 2);
    producer.release(2);
    await expect(drained(producer)).rejects.toMatchObject({ code: 'BROKER_TOPIC_INVALID' });
    put(lane, 'newer', 3);
    producer.release(3);
    producer.flush();
    await tick();
    await tick();
    expect(cluster.arrived.length).toBe(2);
  });

  test('a batch that takes long to compress is not overtaken by the next one', async () => {
    const cluster = clusterWith({ a: 1 });
    await using producer = await open(cluster, {
      maxInFlightPerPartition: 5,
      compression: 'zstd',
      maxBatchBytes: 2_000_000,
      maxRequestBytes: 4_000_000,
    });
    const lane = producer.lane('a', 0);
    for (const [sequence, size] of [10, 1_500_000, 10].entries()) {
      put(lane, 'v'.repeat(size), sequence);
      producer.release(sequence);
      producer.flush();
      if (sequence === 0) await drained(producer);
    }
    await drained(producer);
    expect(cluster.arrived.map(baseSequence)).toEqual([0, 1, 2]);
  });

  test('several batches under way need idempotence', async () => {
    const cluster = clusterWith({ a: 1 });
    await expect(open(cluster, { idempotent: false, maxInFlightPerPartition: 2 })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
  });

  test('without idempotence batches carry no producer', async () => {
    const cluster = clusterWith({ a: 1 });
    await using producer = await open(cluster, { idempotent: false });
    put(producer.lane('a', 0), 'x', 1);
    producer.release(1);
    await drained(producer);
    const batch = cluster.arrived[0]?.batch;
    expect([batch?.readBigInt64BE(43), batch?.readInt16BE(51), batch?.readInt32BE(53)]).toEqual([-1n, -1, -1]);
  });

  test('sequences count records per partition', async () => {
    const cluster = clusterWith({ a: 2 });
    await using producer = await open(cluster);
    for (const [sequence, count] of [3, 2, 4].entries()) {
      for (let index = 0; index < count; index++) put(producer.lane('a', 0), 'x', sequence);
      put(producer.lane('a', 1), 'y', sequence);
      producer.release(sequence);
      await drained(producer);
    }
    const sequences = (partition: number): readonly number[] =>
      cluster.arrived.filter((part) => part.partition === partition).map(baseSequence);
    expect([sequences(0), sequences(1)]).toEqual([
      [0, 3, 5],
      [0, 1, 2],
    ]);
  });

  test('lingering waits for company but not for a full batch', async () => {
    const cluster = clusterWith({ a: 1 });
    await using producer = await open(cluster, { lingerMs: 40, maxBatchBytes: 300 });
    const lane = producer.lane('a', 0);
    put(lane, 'one', 1);
    producer.release(1);
    producer.flush();
    await tick();
    put(lane, 'two', 2);
    producer.release(2);
    producer.flush();
    await drained(producer);
    expect(cluster.arrived.length).toBe(1);
    for (let index = 0; index < 20; index++) put(lane, `more ${index}`, 3);
    producer.release(3);
    producer.flush();
    while (cluster.arrived.length < 2) await tick();
    await drained(producer);
    expect(cluster.values('a', 0).length).toBe(22);
  });

  const fate = fc.constantFrom<Fate>(
    'written',
    'written',
    'answer lost',
    'request lost',
    'absent from the answer',
    { errorCode: 6 },
    { errorCode: 20 },
    { errorCode: 7 },
  );

  test('T132 any faults, idempotent: every record once and in order, with one or several batches under way', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fate, { maxLength: 60 }), fc.constantFrom(1, 3, 5), async (list, inFlight) => {
        const cluster = clusterWith({ a: 3 });
        const next = fates(...list);
        cluster.script = async () => {
          const chosen = next();
          await tick();
          return chosen;
        };
        await using producer = await open(cluster, { maxInFlightPerPartition: inFlight, maxBatchBytes: 250 });
        const expected: string[][] = [[], [], []];
        for (let sequence = 0; sequence < 60; sequence++) {
          const partition = sequence % 3;
          put(producer.lane('a', partition), `value ${sequence}`, sequence);
          expected[partition]?.push(`value ${sequence}`);
          producer.release(sequence);
          producer.flush();
          if (sequence % 7 === 0) await tick();
        }
        await drained(producer);
        expect([0, 1, 2].map((partition) => cluster.values('a', partition))).toEqual(expected);
        expect(producer.pendingBytes).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  test('T132 any faults, not idempotent: nothing lost, and first appearances in order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fate, { maxLength: 40 }), async (list) => {
        const cluster = clusterWith({ a: 1 });
        cluster.script = fates(...list);
        await using producer = await open(cluster, { idempotent: false, maxBatchBytes: 250 });
        const expected: string[] = [];
        for (let sequence = 0; sequence < 40; sequence++) {
          put(producer.lane('a', 0), `value ${sequence}`, sequence);
          expected.push(`value ${sequence}`);
          producer.release(sequence);
          producer.flush();
          if (sequence % 5 === 0) await tick();
        }
        await drained(producer);
        expect([...new Set(cluster.values('a', 0))]).toEqual(expected);
      }),
      { numRuns: 40 },
    );
  });
});
