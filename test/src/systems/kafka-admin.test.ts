import { expect, test } from 'vitest';

import { ensureCompactedTopic, readCompacted, TopicWriter } from '@millrace/shared/kafka/compacted-topic.ts';
import { PartitionReader } from '@millrace/shared/kafka/fetch.ts';
import { Producer } from '@millrace/shared/kafka/producer.ts';

import { appendText, kafkaClient, producerDefaults } from '../harness/kafka-records.ts';
import { createTopic, runKafkaClass } from '../harness/kafka-tools.ts';
import { uniqueName } from '../harness/unique-name.ts';

const signal = AbortSignal.timeout(110_000);

async function written(producer: Producer, sequence: number): Promise<void> {
  producer.release(sequence);
  producer.flush();
  while (producer.firstPendingSequence() <= sequence) await producer.settled(signal);
}

test('a created topic has its partitions and settings, creating it again leaves it alone, deleting it twice is fine', async () => {
  await using client = await kafkaClient(signal);
  const name = uniqueName('admin');
  const spec = { name, partitions: 3, replicationFactor: 1, configs: { 'max.message.bytes': '12345' } };
  await client.createTopics([spec], signal);
  await client.createTopics([{ ...spec, partitions: 7 }], signal);
  const topic = (await client.topics([name, 'no-such-topic'], signal)).get(name);
  expect(topic?.partitions.map(({ index }) => index)).toEqual([0, 1, 2]);
  expect((await client.topics(['no-such-topic'], signal)).size).toBe(0);
  expect((await client.topicConfig(name, signal)).get('max.message.bytes')).toBe('12345');
  expect((await client.allTopics(signal)).has(name)).toBe(true);
  await client.deleteTopics([name], signal);
  await client.deleteTopics([name], signal);
  expect((await client.topics([name], signal)).size).toBe(0);
});

test('a topic that the brokers refuse is an error with their reason', async () => {
  await using client = await kafkaClient(signal);
  const spec = { name: 'not a topic name', partitions: 1, replicationFactor: 1, configs: {} };
  await expect(client.createTopics([spec], signal)).rejects.toMatchObject({
    code: 'BROKER_TOPIC_INVALID',
    details: { topic: 'not a topic name', kafkaError: 'INVALID_TOPIC_EXCEPTION' },
  });
  await expect(client.topicConfig('no-such-topic', signal)).rejects.toMatchObject({ code: 'BROKER_TOPIC_INVALID' });
});

test('offsets are listed by place and by time', async () => {
  await using topic = await createTopic(2);
  await using client = await kafkaClient(signal);
  await using producer = await Producer.open(client, producerDefaults, signal);
  const lane = producer.lane(topic.name, 1);
  appendText(lane, { key: null, value: 'early' }, 1);
  await written(producer, 1);
  await new Promise((resolve) => void setTimeout(resolve, 20));
  const between = Date.now();
  await new Promise((resolve) => void setTimeout(resolve, 20));
  appendText(lane, { key: null, value: 'late' }, 2);
  await written(producer, 2);
  const at = (partition: number, at: 'earliest' | 'latest' | { timestampMs: number }) => ({
    topic: topic.name,
    partition,
    at,
  });
  const requests = [
    at(1, 'latest'),
    at(0, 'latest'),
    at(1, 'earliest'),
    at(1, { timestampMs: between }),
    at(1, { timestampMs: between + 1_000_000 }),
    at(0, { timestampMs: between }),
  ];
  expect(await client.listOffsets(requests, signal)).toEqual([2, 0, 0, 1, 2, 0]);
  await expect(client.listOffsets([at(9, 'latest')], signal)).rejects.toMatchObject({ code: 'BROKER_TOPIC_INVALID' });
});

test('group offsets are stored for the official tools to see', async () => {
  await using topic = await createTopic(2);
  await using client = await kafkaClient(signal);
  const group = uniqueName('group');
  expect(await client.groupOffsets(group, [topic.name], signal)).toEqual([]);
  const offsets = [
    { topic: topic.name, partition: 0, offset: 7 },
    { topic: topic.name, partition: 1, offset: 9 },
  ];
  expect(await client.commitGroupOffsets(group, null, offsets, signal)).toBe(true);
  expect(await client.groupOffsets(group, [topic.name], signal)).toEqual(offsets);
  const shown = await runKafkaClass('org.apache.kafka.tools.consumer.group.ConsumerGroupCommand', [
    '--describe',
    '--group',
    group,
  ]);
  expect(shown).toMatch(new RegExp(String.raw`${topic.name}\s+1\s+9`));
  expect((await client.describeGroup(group, signal)).state).toBe('Empty');
});

test('a compacted topic keeps its records in order, deletions included', async () => {
  await using client = await kafkaClient(signal);
  const name = uniqueName('compacted');
  await ensureCompactedTopic(client, name, signal);
  await ensureCompactedTopic(client, name, signal);
  const config = await client.topicConfig(name, signal);
  expect([config.get('cleanup.policy'), config.get('retention.ms')]).toEqual(['compact', '-1']);
  await using writer = await TopicWriter.open(client, name, { idempotent: true }, signal);
  await writer.write(Buffer.from('a'), Buffer.from('1'), signal);
  await Promise.all([
    writer.write(Buffer.from('b'), Buffer.from('2'), signal),
    writer.write(Buffer.from('a'), null, signal),
    writer.write(Buffer.from('a'), Buffer.from('3'), signal),
  ]);
  const seen: (readonly [string | undefined, string | null])[] = [];
  await readCompacted(client, name, (key, value) => seen.push([key?.toString(), value?.toString() ?? null]), signal);
  expect(seen).toEqual([
    ['a', '1'],
    ['b', '2'],
    ['a', null],
    ['a', '3'],
  ]);
  await client.deleteTopics([name], signal);
});

test('T140 a topic that would lose state is not taken for it', async () => {
  await using topic = await createTopic(2);
  await using client = await kafkaClient(signal);
  await expect(ensureCompactedTopic(client, topic.name, signal)).rejects.toMatchObject({
    code: 'BROKER_TOPIC_INVALID',
    details: { topic: topic.name, partitions: 2, cleanupPolicy: 'delete' },
  });
});

test('T140 a recreated topic stops writer and reader', async () => {
  await using client = await kafkaClient(signal);
  const name = uniqueName('recreated');
  const spec = { name, partitions: 1, replicationFactor: 1, configs: {} };
  await client.createTopics([spec], signal);
  await using producer = await Producer.open(client, producerDefaults, signal);
  appendText(producer.lane(name, 0), { key: null, value: 'one' }, 1);
  await written(producer, 1);
  const options = { isolationLevel: 'read_committed', minBytes: 1, maxWaitMs: 200, maxBytes: 100_000 } as const;
  await using reader = await PartitionReader.open(
    client,
    { topic: name, topicId: null, partition: 0, offset: 1, ...options },
    signal,
  );
  await client.deleteTopics([name], signal);
  // Another client recreates it, so that ours has not seen the new topic.
  await using other = await kafkaClient(signal);
  await other.createTopics([spec], signal);
  appendText(producer.lane(name, 0), { key: null, value: 'two' }, 2);
  const recreated = { code: 'BROKER_TOPIC_INVALID', message: 'the topic was recreated' };
  await expect(written(producer, 2)).rejects.toMatchObject(recreated);
  await expect(reader.next(signal)).rejects.toMatchObject(recreated);
  expect(await other.listOffsets([{ topic: name, partition: 0, at: 'latest' }], signal)).toEqual([0]);
  await other.deleteTopics([name], signal);
});

test('T140 records that retention removed are an error, not a gap', async () => {
  await using topic = await createTopic(1);
  await using client = await kafkaClient(signal);
  const options = { isolationLevel: 'read_committed', minBytes: 1, maxWaitMs: 200, maxBytes: 100_000 } as const;
  await using reader = await PartitionReader.open(
    client,
    { topic: topic.name, topicId: null, partition: 0, offset: 5, ...options },
    signal,
  );
  await expect(reader.next(signal)).rejects.toMatchObject({
    code: 'BROKER_TOPIC_INVALID',
    message: 'the offset is not in the topic any more',
  });
});

test("T138 a record above the topic's limit is named with its size, records before it are written", async () => {
  await using topic = await createTopic(1, { config: { 'max.message.bytes': '20000' } });
  await using client = await kafkaClient(signal);
  await using producer = await Producer.open(client, producerDefaults, signal);
  const lane = producer.lane(topic.name, 0);
  for (let index = 0; index < 20; index++) {
    appendText(
      lane,
      { key: null, value: index === 13 ? 'L'.repeat(30_000) : `value ${index} ${'x'.repeat(3_000)}` },
      index,
    );
  }
  await expect(written(producer, 19)).rejects.toMatchObject({
    code: 'BROKER_RECORD_TOO_LARGE',
    details: { topic: topic.name, partition: 0 },
  });
  expect(await client.listOffsets([{ topic: topic.name, partition: 0, at: 'latest' }], signal)).toEqual([13]);
});

test('an unreachable cluster fails with the reason, and an abort is heard', async () => {
  await expect(kafkaClient(signal, {}, 1)).rejects.toMatchObject({
    code: 'BROKER_UNAVAILABLE',
    details: { reason: expect.stringContaining('ECONNREFUSED') },
  });
  const aborted = AbortSignal.abort(new Error('enough'));
  await expect(kafkaClient(aborted)).rejects.toThrow('enough');
});
