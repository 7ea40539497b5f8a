import { CdcError } from '../errors/cdc-error.ts';
import { ensureCompactedTopic, readCompacted, TopicWriter } from '../kafka/compacted-topic.ts';
import type { KafkaClient } from '../kafka/kafka-client.ts';
import type { CheckpointStore } from './checkpoint-store.ts';

/**
 * One record per pipeline in a compacted topic, key `{"pipeline":"<name>"}`: the process itself keeps nothing. `save`
 * resolves when all in-sync replicas hold the record.
 */
export class KafkaCheckpointStore implements CheckpointStore {
  readonly #client: KafkaClient;
  readonly #topic: string;
  readonly #key: Buffer;
  readonly #writer: TopicWriter;

  private constructor(client: KafkaClient, topic: string, pipeline: string, writer: TopicWriter) {
    this.#client = client;
    this.#topic = topic;
    this.#key = Buffer.from(JSON.stringify({ pipeline }));
    this.#writer = writer;
  }

  static async open(
    client: KafkaClient,
    options: { readonly topic: string; readonly pipeline: string; readonly idempotent: boolean },
    signal: AbortSignal,
  ): Promise<KafkaCheckpointStore> {
    const { topic, pipeline, idempotent } = options;
    await ensureCompactedTopic(client, topic, signal);
    const writer = await TopicWriter.open(client, topic, { idempotent }, signal);
    return new KafkaCheckpointStore(client, topic, pipeline, writer);
  }

  async load(signal: AbortSignal): Promise<string | null> {
    let newest: Buffer | null = null;
    await readCompacted(
      this.#client,
      this.#topic,
      (key, value) => {
        if (key !== null && key.equals(this.#key)) newest = value;
      },
      signal,
    );
    return newest === null ? null : String(newest);
  }

  async save(text: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#writer.write(this.#key, Buffer.from(text), signal);
    } catch (error) {
      signal.throwIfAborted();
      throw new CdcError('CHECKPOINT_UNWRITABLE', 'the checkpoint topic cannot be written', {
        details: { topic: this.#topic },
        cause: error,
      });
    }
  }

  /** Removes the pipeline's checkpoint: the next start is a first start. */
  async discard(signal: AbortSignal): Promise<void> {
    await this.#writer.write(this.#key, null, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer[Symbol.asyncDispose]();
  }
}
