import type { ChangeFormatOptions, DecimalForm, KafkaSinkOptions, TopicMapping } from '../kafka-sink-options.ts';
import { safeIdentity } from './context.ts';
import type { BuildContext } from './context.ts';
import { buildKafkaClient } from './kafka-client.ts';
import { kafkaSinkDeclarations } from './kafka-sink-declarations.ts';
import type { KafkaSinkBlock } from './kafka-sink-declarations.ts';

type Values = NonNullable<KafkaSinkBlock['complete']>;

const optionNames = Object.keys(kafkaSinkDeclarations) as (keyof typeof kafkaSinkDeclarations)[];

/** Options of `<format>.` that is not the chosen one. */
function warnOtherFormat(block: KafkaSinkBlock): void {
  const chosen = block.values['value.format'] ?? 'debezium-json';
  const other = chosen === 'debezium-json' ? 'canal-json.' : 'debezium-json.';
  for (const name of optionNames) {
    if (name.startsWith(other) && block.given(name)) block.warning(name, `has no effect: value.format is ${chosen}`);
  }
}

function decimalForm(asPlainNumber: boolean | null, flavour: 'vvr' | 'oss'): DecimalForm {
  if (asPlainNumber === null) return flavour === 'oss' ? 'scientific' : 'scale';
  return asPlainNumber ? 'plain' : 'scientific';
}

function buildFormat(values: Values): ChangeFormatOptions {
  const format = values['value.format'];
  const flavour = values[`${format}.flavour`];
  const decimals = decimalForm(values[`${format}.encode.decimal-as-plain-number`], flavour);
  return {
    format,
    flavour,
    timestampStandard: values[`${format}.timestamp-format.standard`] === 'SQL' ? 'sql' : 'iso-8601',
    decimals,
    bigNumbers: values[`${format}.encode.big-number`],
    ignoreNullFields: values[`${format}.encode.ignore-null-fields`],
    timeFraction: values[`${format}.encode.time-fraction`] ?? flavour !== 'oss',
    snapshotOp: values['debezium-json.snapshot-op'],
    emitFullTableId: values['debezium-json.emit.full-table-id.enabled'],
    canalOld: values['canal-json.old'],
  };
}

/** What a source block may say about the sink. */
export interface FromSource {
  readonly topicMapping: readonly TopicMapping[] | null;
  readonly topicPrefix: string | null;
}

function sameMapping(a: readonly TopicMapping[], b: readonly TopicMapping[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function checkTopics(block: KafkaSinkBlock, fromSource: FromSource): void {
  const mapping = block.values['sink.tableId-to-topic.mapping'] ?? null;
  if (mapping !== null && fromSource.topicMapping !== null && !sameMapping(mapping, fromSource.topicMapping)) {
    block.problem('conflict', 'sink.tableId-to-topic.mapping', 'source gives another mapping');
  }
  if (mapping !== null && block.given('topic')) {
    block.warning('sink.tableId-to-topic.mapping', 'has no effect: topic takes everything');
  }
  for (const name of ['topic.creation.default.partitions', 'topic.creation.default.replication.factor'] as const) {
    if (block.values[name] === 0) block.problem('range', name, 'expected -1 or an integer of at least 1');
  }
}

function orBrokerDefault(count: number): number | null {
  return count === -1 ? null : count;
}

/** Null after a problem, which is reported. */
export function buildKafkaSink(
  block: KafkaSinkBlock,
  fromSource: FromSource,
  context: BuildContext,
): KafkaSinkOptions | null {
  warnOtherFormat(block);
  checkTopics(block, fromSource);
  const defaultGroupId = `millrace-${safeIdentity(context.pipelineName)}`;
  const client = buildKafkaClient(block, { side: 'sink', defaultGroupId }, context);
  const values = block.complete;
  if (values === null || client === null) return null;
  return {
    kind: 'kafka',
    name: values.name ?? 'kafka',
    client,
    topic: values.topic,
    topicMapping: values['sink.tableId-to-topic.mapping'] ?? fromSource.topicMapping ?? [],
    topicPrefix: values['topic.prefix'] ?? fromSource.topicPrefix,
    partitionStrategy: values['partition.strategy'],
    partitionOverrides: values['partition.strategy.overrides'] ?? [],
    keyFormat: values['key.format'],
    value: buildFormat(values),
    tableIdHeaders: values['sink.add-tableId-to-header-enabled'],
    positionHeaders: values['sink.position-headers.enabled'],
    customHeaders: values['sink.custom-header'] ?? [],
    tombstonesOnDelete: values['sink.tombstones-on-delete.enabled'],
    truncateEvents: values['sink.truncate-events.enabled'],
    schemaTopic: values['sink.schema.topic'] === '' ? null : values['sink.schema.topic'],
    topicCreation: {
      enabled: values['topic.creation.enabled'],
      partitions: orBrokerDefault(values['topic.creation.default.partitions']),
      replicationFactor: orBrokerDefault(values['topic.creation.default.replication.factor']),
    },
  };
}
