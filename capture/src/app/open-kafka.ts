import type { CheckpointStore } from '@millrace/shared/checkpoint/checkpoint-store.ts';
import { FileCheckpointStore } from '@millrace/shared/checkpoint/file-checkpoint-store.ts';
import { KafkaCheckpointStore } from '@millrace/shared/checkpoint/kafka-checkpoint-store.ts';
import type { CapturePipeline as Document } from '@millrace/shared/config/pipeline.ts';
import type { KafkaClient } from '@millrace/shared/kafka/kafka-client.ts';
import type { ProducerObserver } from '@millrace/shared/kafka/producer-observer.ts';
import { Producer } from '@millrace/shared/kafka/producer.ts';

const batchOverheadBytes = 1024;

/** Opens the store that the document names. */
export async function openCheckpoints(
  document: Document,
  client: KafkaClient,
  signal: AbortSignal,
): Promise<CheckpointStore> {
  const { checkpoint, stateDir } = document.runtime;
  if (checkpoint.store === 'file') return new FileCheckpointStore(stateDir, document.name);
  const idempotent = document.sink.client.producer.idempotence;
  return await KafkaCheckpointStore.open(
    client,
    { topic: checkpoint.topic, pipeline: document.name, idempotent },
    signal,
  );
}

export function openProducer(
  document: Document,
  client: KafkaClient,
  observer: ProducerObserver,
  signal: AbortSignal,
): Promise<Producer> {
  const { producer, requestTimeoutMs } = document.sink.client;
  return Producer.open(
    client,
    {
      acks: -1,
      idempotent: producer.idempotence,
      compression: producer.compression,
      maxBatchBytes: Math.min(producer.batchSizeBytes, producer.maxRequestSizeBytes - batchOverheadBytes),
      maxRequestBytes: producer.maxRequestSizeBytes,
      maxInFlightPerPartition: producer.maxInFlightRequests,
      requestTimeoutMs,
      deliveryTimeoutMs: producer.deliveryTimeoutMs,
      lingerMs: producer.lingerMs,
      observer,
    },
    signal,
  );
}
