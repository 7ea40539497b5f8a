import { Gather } from '@millrace/shared/kafka/gather.ts';
import { KafkaClient } from '@millrace/shared/kafka/kafka-client.ts';
import type { KafkaOptions } from '@millrace/shared/kafka/kafka-options.ts';
import { PartitionReader } from '@millrace/shared/kafka/fetch.ts';
import type { PartitionLane } from '@millrace/shared/kafka/partition-lane.ts';
import type { ProducerOptions } from '@millrace/shared/kafka/producer.ts';
import { RecordCursor } from '@millrace/shared/kafka/record-cursor.ts';
import { encodeHeaders } from '@millrace/shared/kafka/record-headers.ts';

import { stackEnvironment } from './environment.ts';

/** Of the stack's Kafka, or of the port given. */
export function kafkaOptions(overrides: Partial<KafkaOptions> = {}, port?: number): KafkaOptions {
  const [host = '', stackPort = ''] = (stackEnvironment().kafkaBootstrapServers.split(',')[0] ?? '').split(':');
  const address = port === undefined ? { host, port: Number(stackPort) } : { host: '127.0.0.1', port };
  return {
    bootstrapServers: [address],
    clientId: 'system-test',
    tls: null,
    sasl: null,
    requestTimeoutMs: 10_000,
    metadataMaxAgeMs: 60_000,
    retryBackoffMs: 50,
    ...overrides,
  };
}

export function kafkaClient(
  signal: AbortSignal,
  overrides: Partial<KafkaOptions> = {},
  port?: number,
): Promise<KafkaClient> {
  return KafkaClient.connect(kafkaOptions(overrides, port), signal);
}

export const producerDefaults: ProducerOptions = {
  acks: -1,
  idempotent: true,
  compression: 'none',
  maxBatchBytes: 500_000,
  maxRequestBytes: 8_000_000,
  maxInFlightPerPartition: 1,
  requestTimeoutMs: 10_000,
  deliveryTimeoutMs: 60_000,
  lingerMs: 0,
};

export interface TextRecord {
  readonly key: string | null;
  readonly value: string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Appends a record given as text; in system tests convenience counts, not speed. */
export function appendText(lane: PartitionLane, record: TextRecord, sequence: number): void {
  const headers = Object.entries(record.headers ?? {});
  const block = encodeHeaders(headers.map(([name, value]) => ({ name, value: Buffer.from(value) })));
  const key = Buffer.from(record.key ?? '');
  const keyEnd = record.key === null ? -1 : key.length;
  const value = new Gather();
  const bytes = Buffer.from(record.value ?? '');
  value.add(bytes, 0, bytes.length);
  const given = record.value === null ? null : value;
  lane.append(Date.now(), key, 0, keyEnd, given, block, 0, block.length, headers.length, sequence);
}

/** Every record of a partition up to its present end, by our own reader. */
export async function readPartition(
  client: KafkaClient,
  topic: string,
  partition: number,
  signal: AbortSignal,
): Promise<readonly (TextRecord & { readonly offset: number })[]> {
  const [offset = 0, end = 0] = await client.listOffsets(
    [
      { topic, partition, at: 'earliest' },
      { topic, partition, at: 'latest' },
    ],
    signal,
  );
  await using reader = await PartitionReader.open(
    client,
    {
      topic,
      topicId: null,
      partition,
      offset,
      isolationLevel: 'read_committed',
      minBytes: 1,
      maxWaitMs: 500,
      maxBytes: 1_000_000,
    },
    signal,
  );
  const cursor = new RecordCursor();
  const records: (TextRecord & { readonly offset: number })[] = [];
  while (reader.position < end) {
    for (const batch of await reader.next(signal)) {
      cursor.open(batch);
      while (cursor.next()) {
        records.push({
          offset: cursor.offset,
          key: text(cursor.bytes, cursor.keyStart, cursor.keyEnd),
          value: text(cursor.bytes, cursor.valueStart, cursor.valueEnd),
        });
      }
    }
  }
  return records;
}

function text(bytes: Buffer, start: number, end: number): string | null {
  return start < 0 ? null : bytes.toString('utf8', start, end);
}
