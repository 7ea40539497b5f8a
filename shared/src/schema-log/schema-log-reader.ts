import type { TableSchema } from '../event/schema.ts';
import { readCompacted } from '../kafka/compacted-topic.ts';
import type { KafkaClient } from '../kafka/kafka-client.ts';
import { decodeSchemaRecord } from './schema-record.ts';
import type { SchemaRecord } from './schema-record.ts';

const keyText = (table: string, fingerprint: string): string => `${table}\0${fingerprint}`;

/**
 * Table versions by table id text and fingerprint. The log is read when a version is asked for that is not known yet:
 * capture writes a version before the first row that names it, so that one reading is enough.
 */
export class SchemaLogReader {
  readonly #client: KafkaClient;
  readonly #topic: string;
  readonly #records = new Map<string, SchemaRecord>();
  /** Record keys carry the table's id text; it is kept because the id inside cannot be split safely. */
  readonly #newest = new Map<string, SchemaRecord>();
  #reading: Promise<void> | null = null;

  constructor(client: KafkaClient, topic: string) {
    this.#client = client;
    this.#topic = topic;
  }

  /** Null when the log does not exist or does not hold the version. */
  async schemaFor(fingerprint: string, table: string, signal: AbortSignal): Promise<TableSchema | null> {
    const key = keyText(table, fingerprint);
    if (!this.#records.has(key)) await this.#readOnce(signal);
    return this.#records.get(key)?.schema ?? null;
  }

  /** The version written last per table id text, as the log stands now. */
  async newest(signal: AbortSignal): Promise<ReadonlyMap<string, SchemaRecord>> {
    await this.#readOnce(signal);
    return this.#newest;
  }

  /** Concurrent callers share one reading. */
  #readOnce(signal: AbortSignal): Promise<void> {
    this.#reading ??= this.#read(signal).finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  async #read(signal: AbortSignal): Promise<void> {
    if (!(await this.#client.topics([this.#topic], signal)).has(this.#topic)) return;
    await readCompacted(
      this.#client,
      this.#topic,
      (_key, value) => {
        if (value === null) return;
        const text = value.toString();
        const record = decodeSchemaRecord(text);
        const { TableId: table } = JSON.parse(text) as { readonly TableId: string };
        this.#records.set(keyText(table, record.schema.fingerprint), record);
        this.#newest.set(table, record);
      },
      signal,
    );
  }
}
