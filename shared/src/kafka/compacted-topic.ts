import { CdcError } from '../errors/cdc-error.ts';
import { PartitionReader } from './fetch.ts';
import { Gather } from './gather.ts';
import type { KafkaClient } from './kafka-client.ts';
import type { PartitionLane } from './partition-lane.ts';
import { Producer } from './producer.ts';
import { RecordCursor } from './record-cursor.ts';

/** A record of a compacted topic; a null value deletes the key. The buffers are the callee's to keep. */
export type CompactedRecord = (key: Buffer | null, value: Buffer | null, offset: number) => void;

const compacted = { 'cleanup.policy': 'compact', 'retention.ms': '-1', 'retention.bytes': '-1' } as const;
const readOptions = {
  isolationLevel: 'read_committed',
  minBytes: 1,
  maxWaitMs: 500,
  maxBytes: 4 * 1024 * 1024,
} as const;

/**
 * Creates the topic with one partition, compaction and no time limit, unless it exists. Throws `BROKER_TOPIC_INVALID`
 * where an existing one would lose or reorder records.
 */
export async function ensureCompactedTopic(client: KafkaClient, name: string, signal: AbortSignal): Promise<void> {
  await client.createTopics([{ name, partitions: 1, replicationFactor: -1, configs: compacted }], signal);
  const partitions = (await client.topics([name], signal)).get(name)?.partitions.length;
  const policy = (await client.topicConfig(name, signal)).get('cleanup.policy');
  if (partitions === 1 && policy === 'compact') return;
  throw new CdcError('BROKER_TOPIC_INVALID', 'the topic is not fit to keep state', {
    details: { topic: name, partitions: partitions ?? 0, cleanupPolicy: policy ?? 'unknown' },
    hint: 'The topic needs one partition and cleanup.policy=compact: change it, or name another topic.',
  });
}

/** Hands over every record from the first to the end as it stands at the call, in order, superseded ones included. */
export async function readCompacted(
  client: KafkaClient,
  topic: string,
  onRecord: CompactedRecord,
  signal: AbortSignal,
): Promise<void> {
  const partition = 0;
  const ends = await client.listOffsets(
    [
      { topic, partition, at: 'earliest' },
      { topic, partition, at: 'latest' },
    ],
    signal,
  );
  const [offset = 0, end = 0] = ends;
  await using reader = await PartitionReader.open(
    client,
    { topic, topicId: null, partition, offset, ...readOptions },
    signal,
  );
  const cursor = new RecordCursor();
  while (reader.position < end) {
    for (const batch of await reader.next(signal)) {
      cursor.open(batch);
      while (cursor.next()) {
        if (cursor.offset >= end) break;
        onRecord(
          cut(cursor.bytes, cursor.keyStart, cursor.keyEnd),
          cut(cursor.bytes, cursor.valueStart, cursor.valueEnd),
          cursor.offset,
        );
      }
    }
  }
}

function cut(bytes: Buffer, start: number, end: number): Buffer | null {
  return start < 0 ? null : Buffer.from(bytes.subarray(start, end));
}

const noHeaders = Buffer.alloc(0);

/** Writes rare records to partition 0 of a topic, each durable before the call resolves. Calls may overlap; they keep their order. */
export class TopicWriter implements AsyncDisposable {
  readonly #producer: Producer;
  readonly #lane: PartitionLane;
  readonly #value = new Gather();
  #sequence = 0;

  private constructor(producer: Producer, topic: string) {
    this.#producer = producer;
    this.#lane = producer.lane(topic, 0);
  }

  /** `idempotent` false for brokers that know no producer ids: a record may then be written twice, which compaction mends. */
  static async open(
    client: KafkaClient,
    topic: string,
    { idempotent }: { readonly idempotent: boolean },
    signal: AbortSignal,
  ): Promise<TopicWriter> {
    const { requestTimeoutMs } = client.options;
    const options = {
      acks: -1,
      idempotent,
      compression: 'none',
      maxBatchBytes: 512 * 1024,
      maxRequestBytes: 32 * 1024 * 1024,
      maxInFlightPerPartition: 1,
      requestTimeoutMs,
      deliveryTimeoutMs: 2 * requestTimeoutMs,
      lingerMs: 0,
    } as const;
    return new TopicWriter(await Producer.open(client, options, signal), topic);
  }

  /** Resolves when all in-sync replicas hold the record; a null value deletes the key at compaction. */
  async write(key: Uint8Array, value: Uint8Array | null, signal: AbortSignal): Promise<void> {
    const sequence = ++this.#sequence;
    this.#append(key, value, sequence);
    this.#producer.release(sequence);
    this.#producer.flush();
    while (this.#producer.firstPendingSequence() <= sequence) await this.#producer.settled(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#producer[Symbol.asyncDispose]();
  }

  #append(key: Uint8Array, value: Uint8Array | null, sequence: number): void {
    const keyBytes = viewOf(key);
    this.#value.clear();
    if (value !== null) this.#value.add(viewOf(value), 0, value.length);
    this.#lane.append(
      Date.now(),
      keyBytes,
      0,
      keyBytes.length,
      value === null ? null : this.#value,
      noHeaders,
      0,
      0,
      0,
      sequence,
    );
  }
}

function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
