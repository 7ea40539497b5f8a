import type { KafkaSinkOptions } from './kafka-sink-options.ts';
import type { KafkaSourceOptions } from './kafka-source-options.ts';
import type { LakehouseSinkOptions } from './lakehouse-sink-options.ts';
import type { MysqlSourceOptions } from './mysql-source-options.ts';
import type { PostgresSinkOptions } from './postgres-sink-options.ts';
import type { RouteRule } from './route-table.ts';
import type { RuntimeOptions } from './runtime-options.ts';
import type { TransformRule } from './transform-rule.ts';

/** A document with a database as source and Kafka as sink. Immutable; every default filled in. */
export interface CapturePipeline {
  readonly kind: 'capture';
  /** Identity of checkpoint, group and commit user. */
  readonly name: string;
  readonly source: MysqlSourceOptions;
  readonly sink: KafkaSinkOptions;
  readonly transform: readonly TransformRule[];
  readonly route: readonly RouteRule[];
  readonly runtime: RuntimeOptions;
}

/** A document with Kafka as source. Immutable; every default filled in. */
export interface IngestPipeline {
  readonly kind: 'ingest';
  readonly name: string;
  readonly source: KafkaSourceOptions;
  readonly sink: PostgresSinkOptions | LakehouseSinkOptions;
  readonly transform: readonly TransformRule[];
  readonly route: readonly RouteRule[];
  readonly runtime: RuntimeOptions;
}

export type Pipeline = CapturePipeline | IngestPipeline;
