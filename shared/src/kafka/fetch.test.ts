import { describe, expect, test } from 'vitest';

import { PartitionReader } from './fetch.ts';
import type { PartitionReaderOptions } from './fetch.ts';
import { plainBatch, plainRecords } from './testing/plain-records.ts';
import { ScriptedCluster } from './testing/scripted-cluster.ts';

const never = new AbortController().signal;
const defaults: PartitionReaderOptions = {
  topic: 'a',
  topicId: null,
  partition: 0,
  offset: 0,
  isolationLevel: 'read_committed',
  minBytes: 1,
  maxWaitMs: 10,
  maxBytes: 1_000_000,
};

async function clusterWith(...batches: readonly (readonly string[])[]): Promise<ScriptedCluster> {
  const cluster = new ScriptedCluster();
  cluster.addTopic('a', 2);
  for (const values of batches) {
    const records = values.map((value) => ({ timestampMs: 1, key: null, value, headers: [] }));
    cluster.partition('a', 0).append(await plainBatch(records));
  }
  return cluster;
}

function open(cluster: ScriptedCluster, options: Partial<PartitionReaderOptions> = {}): Promise<PartitionReader> {
  return PartitionReader.open({ cluster }, { ...defaults, ...options }, never);
}

async function nextValues(reader: PartitionReader): Promise<readonly (string | null)[]> {
  const batches = await reader.next(never);
  return batches.flatMap((batch) => plainRecords(batch).map(({ value }) => value));
}

describe('PartitionReader', () => {
  test('reads from an offset inside a batch and goes on behind it', async () => {
    const cluster = await clusterWith(['0', '1', '2'], ['3']);
    await using reader = await open(cluster, { offset: 1 });
    expect(await nextValues(reader)).toEqual(['1', '2', '3']);
    expect([reader.position, reader.highWatermark]).toEqual([4, 4]);
    expect(await nextValues(reader)).toEqual([]);
  });

  test('what was fetched ahead is dropped by a seek', async () => {
    const cluster = await clusterWith(['0', '1'], ['2']);
    await using reader = await open(cluster);
    expect(await nextValues(reader)).toEqual(['0', '1', '2']);
    reader.seek(1);
    expect(await nextValues(reader)).toEqual(['1', '2']);
  });

  test('a caller that gives up loses no record', async () => {
    const cluster = await clusterWith(['0']);
    await using reader = await open(cluster);
    const impatient = new AbortController();
    const given = reader.next(impatient.signal);
    impatient.abort(new Error('enough'));
    await expect(given).rejects.toThrow('enough');
    expect(await nextValues(reader)).toEqual(['0']);
    expect(cluster.fetches.filter(({ offset }) => offset === 0).length).toBe(1);
  });

  test('a new leader is found', async () => {
    const cluster = await clusterWith(['0']);
    await using reader = await open(cluster);
    cluster.partition('a', 0).leader = 2;
    expect(await nextValues(reader)).toEqual(['0']);
    expect(cluster.fetches.slice(0, 2).map(({ node }) => node)).toEqual([1, 2]);
  });

  test('T140 an offset that is out of range stops the reader, it is never reset', async () => {
    const cluster = await clusterWith(['0']);
    await using reader = await open(cluster, { offset: 7 });
    await expect(reader.next(never)).rejects.toMatchObject({
      code: 'BROKER_TOPIC_INVALID',
      message: 'the offset is not in the topic any more',
      details: { topic: 'a', partition: 0, offset: 7 },
    });
    expect(reader.position).toBe(7);
  });

  test('T140 a recreated topic stops the reader', async () => {
    const cluster = await clusterWith(['0']);
    await using reader = await open(cluster);
    cluster.addTopic('a', 2, '00000000-0000-0000-0000-00000000beef');
    await expect(reader.next(never)).rejects.toMatchObject({
      code: 'BROKER_TOPIC_INVALID',
      message: 'the topic was recreated',
    });
  });

  test('T140 a topic that is not the expected one is not opened', async () => {
    const cluster = await clusterWith();
    await expect(open(cluster, { topicId: '00000000-0000-0000-0000-00000000beef' })).rejects.toMatchObject({
      code: 'BROKER_TOPIC_INVALID',
    });
    await expect(open(cluster, { partition: 2 })).rejects.toMatchObject({ code: 'BROKER_TOPIC_INVALID' });
  });

  test.each([
    [29, 'BROKER_AUTH_FAILED'],
    [2, 'BROKER_BATCH_CORRUPT'],
  ])('error %i is %s', async (errorCode, code) => {
    const cluster = await clusterWith(['0']);
    cluster.fetchScript = () => errorCode;
    await using reader = await open(cluster);
    await expect(reader.next(never)).rejects.toMatchObject({ code });
  });

  test('brokers that stay away fail the call after the request timeout, a later call goes on', async () => {
    const cluster = await clusterWith(['0']);
    await using reader = await open(cluster);
    cluster.unreachable = true;
    await expect(reader.next(never)).rejects.toMatchObject({ code: 'BROKER_UNAVAILABLE' });
    cluster.unreachable = false;
    expect(await nextValues(reader)).toEqual(['0']);
  });

  test('a closed reader rejects', async () => {
    const cluster = await clusterWith(['0']);
    const reader = await open(cluster);
    await reader[Symbol.asyncDispose]();
    await expect(reader.next(never)).rejects.toMatchObject({ code: 'BROKER_UNAVAILABLE' });
  });
});
