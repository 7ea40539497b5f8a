import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { Kafka, logLevel, CompressionTypes } from 'kafkajs';
import { describe, expect, test } from 'vitest';

import { Producer } from '@millrace/shared/kafka/producer.ts';

import { stackEnvironment } from '../harness/environment.ts';
import { appendText, kafkaClient, producerDefaults, readPartition } from '../harness/kafka-records.ts';
import type { TextRecord } from '../harness/kafka-records.ts';
import { consumeTopic, createTopic } from '../harness/kafka-tools.ts';

const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

/** Some repetition, some noise, all kinds of nulls and more than one batch. */
function sampleRecords(): readonly TextRecord[] {
  const records: TextRecord[] = [
    { key: null, value: 'no key' },
    { key: 'tombstone', value: null },
    { key: '', value: '' },
    { key: 'Ünï-✓', value: '{"name":"Ünï-✓"}', headers: { 'mr.pos': '00ff', other: '' } },
  ];
  for (let index = 0; index < 3_000; index++) {
    records.push({
      key: `{"id":${index}}`,
      value: `{"id":${index},"noise":"${Math.sin(index)}","pad":"${'x'.repeat(index % 300)}"}`,
    });
  }
  return records;
}

async function produce(topic: string, compression: (typeof codecs)[number], records: readonly TextRecord[]) {
  const signal = AbortSignal.timeout(60_000);
  await using client = await kafkaClient(signal);
  const options = { ...producerDefaults, compression, maxBatchBytes: 60_000 };
  await using producer = await Producer.open(client, options, signal);
  for (const [index, record] of records.entries()) appendText(producer.lane(topic, index % 2), record, index);
  producer.release(records.length);
  producer.flush();
  while (producer.firstPendingSequence() < Number.POSITIVE_INFINITY) await producer.settled(signal);
}

function ofPartition(records: readonly TextRecord[], partition: number): readonly TextRecord[] {
  return records.filter((_, index) => index % 2 === partition);
}

describe('what we write', () => {
  test.each(codecs)('T147 the official consumer reads our %s batches byte for byte', async (codec) => {
    await using topic = await createTopic(2);
    const records = sampleRecords();
    await produce(topic.name, codec, records);
    const seen = await consumeTopic(topic.name);
    for (const partition of [0, 1]) {
      const mine = seen.filter((record) => record.partition === partition);
      expect(mine.map(({ key, value, headers }) => ({ key, value, headers }))).toEqual(
        ofPartition(records, partition).map(({ key, value, headers }) => ({ key, value, headers: headers ?? {} })),
      );
      expect(mine.map(({ offset }) => Number(offset))).toEqual(mine.map((_, index) => index));
    }
  });

  test.each(['none', 'gzip'] as const)('kafkajs reads our %s batches', async (codec) => {
    await using topic = await createTopic(2);
    const records = sampleRecords();
    await produce(topic.name, codec, records);
    const kafka = new Kafka({
      brokers: stackEnvironment().kafkaBootstrapServers.split(','),
      logLevel: logLevel.NOTHING,
    });
    const consumer = kafka.consumer({ groupId: `${topic.name}-reader` });
    const seen: { partition: number; key: string | null; value: string | null }[] = [];
    const all = Promise.withResolvers<void>();
    await consumer.connect();
    await consumer.subscribe({ topic: topic.name, fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ partition, message }) => {
        seen.push({ partition, key: message.key?.toString() ?? null, value: message.value?.toString() ?? null });
        if (seen.length === records.length) all.resolve();
        await Promise.resolve();
      },
    });
    await all.promise;
    await consumer.disconnect();
    for (const partition of [0, 1]) {
      expect(seen.filter((record) => record.partition === partition).map(({ key, value }) => ({ key, value }))).toEqual(
        ofPartition(records, partition).map(({ key, value }) => ({ key, value })),
      );
    }
  });
});

describe('what others write', () => {
  test.each([CompressionTypes.None, CompressionTypes.GZIP])(
    'we read batches of kafkajs, codec %i',
    async (compression) => {
      await using topic = await createTopic(1);
      const records = sampleRecords();
      const kafka = new Kafka({
        brokers: stackEnvironment().kafkaBootstrapServers.split(','),
        logLevel: logLevel.NOTHING,
      });
      const producer = kafka.producer();
      await producer.connect();
      await producer.send({
        topic: topic.name,
        compression,
        messages: records.map(({ key, value, headers }) => ({ key, value, headers: headers ?? {} })),
      });
      await producer.disconnect();
      const signal = AbortSignal.timeout(60_000);
      await using client = await kafkaClient(signal);
      const seen = await readPartition(client, topic.name, 0, signal);
      expect(seen.map(({ key, value }) => ({ key, value }))).toEqual(records.map(({ key, value }) => ({ key, value })));
    },
  );

  test.each(codecs)('T147 we read %s batches of the official producer', async (codec) => {
    await using topic = await createTopic(1);
    const values = Array.from(
      { length: 2_000 },
      (_, index) => `line ${index} ${'abc'.repeat(index % 50)} ${Math.cos(index)}`,
    );
    const { kafkaRunClass, kafkaBootstrapServers } = stackEnvironment();
    const [command = '', ...before] = kafkaRunClass;
    const args = ['--bootstrap-server', kafkaBootstrapServers, '--topic', topic.name];
    const child = spawn(
      command,
      [...before, 'org.apache.kafka.tools.ConsoleProducer', ...args, '--compression-codec', codec],
      { stdio: ['pipe', 'ignore', 'ignore'] },
    );
    child.stdin.end(`${values.join('\n')}\n`);
    await once(child, 'exit');
    const signal = AbortSignal.timeout(60_000);
    await using client = await kafkaClient(signal);
    expect((await readPartition(client, topic.name, 0, signal)).map(({ value }) => value)).toEqual(values);
  });

  test('T149 aborted transactions are invisible, and reading goes past their markers', async () => {
    await using topic = await createTopic(1);
    const kafka = new Kafka({
      brokers: stackEnvironment().kafkaBootstrapServers.split(','),
      logLevel: logLevel.NOTHING,
    });
    const producer = kafka.producer({ transactionalId: topic.name, maxInFlightRequests: 1, idempotent: true });
    await producer.connect();
    for (const [index, outcome] of ['commit', 'abort', 'commit', 'abort'].entries()) {
      const transaction = await producer.transaction();
      await transaction.send({ topic: topic.name, messages: [{ value: `${outcome} ${index}` }] });
      if (outcome === 'commit') await transaction.commit();
      else await transaction.abort();
    }
    await producer.disconnect();
    const signal = AbortSignal.timeout(60_000);
    await using client = await kafkaClient(signal);
    const seen = await readPartition(client, topic.name, 0, signal);
    expect(seen.map(({ value }) => value)).toEqual(['commit 0', 'commit 2']);
  });
});
