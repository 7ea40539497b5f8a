import type { KafkaSourceOptions, KafkaStartup, KafkaTopics, SchemaInference } from '../kafka-source-options.ts';
import { allTables, excluding } from '../table-selectors.ts';
import type { BuildContext } from './context.ts';
import { buildKafkaClient } from './kafka-client.ts';
import { kafkaSourceDeclarations } from './kafka-source-declarations.ts';
import type { KafkaSourceBlock } from './kafka-source-declarations.ts';
import { isTopicName, topicRule } from './topic-mapping.ts';

type Values = NonNullable<KafkaSourceBlock['complete']>;

const optionNames = Object.keys(kafkaSourceDeclarations) as (keyof typeof kafkaSourceDeclarations)[];

function warnOtherFormat(block: KafkaSourceBlock): void {
  const chosen = block.values['value.format'] ?? 'debezium-json';
  const other = chosen === 'debezium-json' ? 'canal-json.' : 'debezium-json.';
  for (const name of optionNames) {
    if (name.startsWith(other) && block.given(name)) block.warning(name, `has no effect: value.format is ${chosen}`);
  }
}

function buildTopics(block: KafkaSourceBlock): KafkaTopics | null {
  if (block.given('topic') && block.given('topic-pattern')) {
    block.problem('conflict', 'topic-pattern', 'excludes topic');
  }
  if (!block.given('topic') && !block.given('topic-pattern')) {
    block.problem('missing', 'topic', 'required, or topic-pattern');
  }
  const names = block.values.topic ?? null;
  const pattern = block.values['topic-pattern'] ?? null;
  if (names?.every(isTopicName) === false) block.problem('syntax', 'topic', `expected ${topicRule}`);
  if (names !== null) return { kind: 'list', names: [...new Set(names)] };
  return pattern === null ? null : { kind: 'pattern', pattern };
}

const startupNeeds = {
  timestamp: 'scan.startup.timestamp-millis',
  'specific-offsets': 'scan.startup.specific-offsets',
} as const;

function buildStartup(block: KafkaSourceBlock): KafkaStartup | null {
  const mode = block.values['scan.startup.mode'] ?? 'group-offsets';
  for (const [needing, option] of Object.entries(startupNeeds)) {
    if (needing !== mode && block.given(option)) {
      block.warning(option, `has no effect: scan.startup.mode is not ${needing}`);
    } else if (needing === mode && !block.given(option)) {
      block.problem('missing', option, `required for ${mode}`);
    }
  }
  if (mode === 'timestamp') {
    const millis = block.values[startupNeeds.timestamp] ?? null;
    return millis === null ? null : { mode, millis };
  }
  if (mode === 'specific-offsets') {
    const offsets = block.values[startupNeeds[mode]] ?? null;
    return offsets === null ? null : { mode, offsets };
  }
  return { mode };
}

function buildInference(values: Values): SchemaInference {
  return {
    strategy: values['schema.inference.strategy'],
    primitiveAsString: values[`${values['value.format']}.infer-schema.primitive-as-string`],
    preFetchRecords: values['scan.max.pre.fetch.records'],
    initialSchemas: values['scan.value.initial-schemas.ddls'] ?? [],
  };
}

/** Null after a problem, which is reported. */
export function buildKafkaSource(
  block: KafkaSourceBlock,
  commitUser: string,
  context: BuildContext,
): KafkaSourceOptions | null {
  warnOtherFormat(block);
  const topics = buildTopics(block);
  const startup = buildStartup(block);
  const client = buildKafkaClient(block, { side: 'source', defaultGroupId: `millrace-${commitUser}` }, context);
  const values = block.complete;
  if (values === null || topics === null || startup === null || client === null) return null;
  const included = values.tables ?? allTables;
  const excluded = values['tables.exclude'];
  return {
    kind: 'kafka',
    name: values.name ?? 'kafka',
    client,
    topics,
    startup,
    discoveryIntervalMs: Math.max(0, values['scan.topic-partition-discovery.interval']),
    valueFormat: values['value.format'],
    tables: excluded === null ? included : excluding(included, excluded),
    canalDatabases: values['canal-json.database.include'],
    canalTables: values['canal-json.table.include'],
    distributedTables: values[`${values['value.format']}.distributed-tables`],
    schemaRequired: values['debezium-json.schema-include'] ?? false,
    inference: buildInference(values),
  };
}
