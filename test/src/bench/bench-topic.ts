import { KafkaClient } from '@millrace/shared/kafka/kafka-client.ts';

import { kafkaOptions } from '../harness/kafka-records.ts';

/** Administration that starts no JVM beside a measurement. */
async function withClient<T>(use: (client: KafkaClient, signal: AbortSignal) => Promise<T>): Promise<T> {
  const signal = AbortSignal.timeout(60_000);
  await using client = await KafkaClient.connect(kafkaOptions(), signal);
  return await use(client, signal);
}

export function createBenchTopic(name: string, partitions: number): Promise<void> {
  return withClient((client, signal) =>
    client.createTopics([{ name, partitions, replicationFactor: -1, configs: {} }], signal),
  );
}

/** Records of a topic that was never compacted or truncated. */
export function countRecords(topic: string): Promise<number> {
  return withClient(async (client, signal) => {
    const partitions = (await client.topics([topic], signal)).get(topic)?.partitions ?? [];
    const ends = await client.listOffsets(
      partitions.map(({ index }) => ({ topic, partition: index, at: 'latest' })),
      signal,
    );
    return ends.reduce((sum, end) => sum + end, 0);
  });
}

/** Removes every topic whose name starts with `prefix`. */
export function deleteBenchTopics(prefix: string): Promise<void> {
  return withClient(async (client, signal) => {
    const names = [...(await client.allTopics(signal)).keys()].filter((name) => name.startsWith(prefix));
    await client.deleteTopics(names, signal);
  });
}
