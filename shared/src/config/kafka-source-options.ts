import type { TableSchema } from '../event/schema.ts';
import type { KafkaClientOptions } from './kafka-client-options.ts';
import type { NamePattern } from './name-pattern.ts';
import type { TableSelectors } from './table-selectors.ts';

export type KafkaTopics =
  | { readonly kind: 'list'; readonly names: readonly string[] }
  | { readonly kind: 'pattern'; readonly pattern: NamePattern };

export interface StartOffset {
  /** Null = every topic of the source. */
  readonly topic: string | null;
  readonly partition: number;
  readonly offset: bigint;
}

/** Where to begin where the destination holds no offsets for this commit user. */
export type KafkaStartup =
  | { readonly mode: 'earliest-offset' | 'latest-offset' | 'group-offsets' }
  | { readonly mode: 'timestamp'; readonly millis: number }
  | { readonly mode: 'specific-offsets'; readonly offsets: readonly StartOffset[] };

/** Used where neither the schema log nor the record says types. */
export interface SchemaInference {
  /** `static`: types are fixed after the pre-fetch; unknown fields are counted, not stored. */
  readonly strategy: 'continuous' | 'static';
  readonly primitiveAsString: boolean;
  /** Records per partition that are read once to build first schemas. */
  readonly preFetchRecords: number;
  /** Declared by `scan.value.initial-schemas.ddls`. */
  readonly initialSchemas: readonly TableSchema[];
}

export interface KafkaSourceOptions {
  readonly kind: 'kafka';
  /** `source.name`, else `kafka`: a label. */
  readonly name: string;
  /** `client.consumer.groupId` is the consumer group. */
  readonly client: KafkaClientOptions;
  readonly topics: KafkaTopics;
  readonly startup: KafkaStartup;
  /** 0 = off. */
  readonly discoveryIntervalMs: number;
  readonly valueFormat: 'debezium-json' | 'canal-json';
  /** Allow-list on the record's own table id; everything where the document says nothing. */
  readonly tables: TableSelectors;
  /** canal-json: databases and tables to read; null = all. */
  readonly canalDatabases: NamePattern | null;
  readonly canalTables: NamePattern | null;
  /** Null = not said: as false, with a warning when a second table or partition shows up. */
  readonly distributedTables: boolean | null;
  /** True: a record without `{schema, payload}` is undecodable; false: detected per record. */
  readonly schemaRequired: boolean;
  readonly inference: SchemaInference;
}
