import type { KafkaClientOptions } from './kafka-client-options.ts';
import type { TableSelectors } from './table-selectors.ts';

export type PartitionStrategy = 'all-to-zero' | 'hash-by-key' | 'hash-by-table';

/** The first entry that matches the routed table id applies. */
export interface TopicMapping {
  readonly tables: TableSelectors;
  readonly topic: string;
}

export interface PartitionOverride {
  readonly tables: TableSelectors;
  readonly strategy: PartitionStrategy;
}

export interface KafkaHeader {
  readonly name: string;
  readonly value: string;
}

/** `scale`: digits as declared (`99.50`); `plain`: trailing zeros cut; `scientific`: as the OSS default (`1E+1`). */
export type DecimalForm = 'scale' | 'plain' | 'scientific';

/** Value bytes of the chosen `value.format`, with the flavour's defaults filled in. */
export interface ChangeFormatOptions {
  readonly format: 'debezium-json' | 'canal-json';
  readonly flavour: 'vvr' | 'oss';
  readonly timestampStandard: 'sql' | 'iso-8601';
  /** In record keys `scale` counts as `plain`, so that 1.00 and 1.0 are one key. */
  readonly decimals: DecimalForm;
  readonly bigNumbers: 'number' | 'string';
  readonly ignoreNullFields: boolean;
  readonly timeFraction: boolean;
  /** debezium-json: op letter of snapshot rows. */
  readonly snapshotOp: 'c' | 'r';
  /** debezium-json: `source` has db, schema and table where the id has three parts. */
  readonly emitFullTableId: boolean;
  /** canal-json: the old row whole, or the changed columns only. */
  readonly canalOld: 'full' | 'changed';
}

export interface TopicCreation {
  readonly enabled: boolean;
  /** Null = broker default. */
  readonly partitions: number | null;
  readonly replicationFactor: number | null;
}

export interface KafkaSinkOptions {
  readonly kind: 'kafka';
  /** `sink.name`, else `kafka`: a label. */
  readonly name: string;
  readonly client: KafkaClientOptions;
  /** One topic for everything; wins over the mapping. */
  readonly topic: string | null;
  readonly topicMapping: readonly TopicMapping[];
  readonly topicPrefix: string | null;
  readonly partitionStrategy: PartitionStrategy;
  readonly partitionOverrides: readonly PartitionOverride[];
  readonly keyFormat: 'json' | 'csv';
  readonly value: ChangeFormatOptions;
  /** Headers `namespace`, `schemaName`, `tableName`. */
  readonly tableIdHeaders: boolean;
  /** Headers `mr.*`. */
  readonly positionHeaders: boolean;
  readonly customHeaders: readonly KafkaHeader[];
  readonly tombstonesOnDelete: boolean;
  readonly truncateEvents: boolean;
  /** The schema log; null = off. */
  readonly schemaTopic: string | null;
  readonly topicCreation: TopicCreation;
}
