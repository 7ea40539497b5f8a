import { ensureCompactedTopic, TopicWriter } from '../kafka/compacted-topic.ts';
import type { KafkaClient } from '../kafka/kafka-client.ts';
import { encodeSchemaRecord, schemaRecordKey } from './schema-record.ts';
import type { SchemaRecord } from './schema-record.ts';

/** Writes table versions into the schema log. */
export class SchemaLogWriter implements AsyncDisposable {
  readonly #writer: TopicWriter;

  private constructor(writer: TopicWriter) {
    this.#writer = writer;
  }

  static async open(
    client: KafkaClient,
    options: { readonly topic: string; readonly idempotent: boolean },
    signal: AbortSignal,
  ): Promise<SchemaLogWriter> {
    await ensureCompactedTopic(client, options.topic, signal);
    return new SchemaLogWriter(
      await TopicWriter.open(client, options.topic, { idempotent: options.idempotent }, signal),
    );
  }

  /** Resolves when all in-sync replicas hold the record; writing a version again only repeats it. */
  async write(record: SchemaRecord, signal: AbortSignal): Promise<void> {
    const key = schemaRecordKey(record.schema.id, record.schema.fingerprint);
    await this.#writer.write(Buffer.from(key), Buffer.from(encodeSchemaRecord(record)), signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer[Symbol.asyncDispose]();
  }
}
