import type { Block } from '../declare/block.ts';
import { boolean, grammar, integer, oneOf, text } from '../declare/option-type.ts';
import type { OptionType } from '../declare/option-type.ts';
import { collected, defaulted, notYet, optional, required, withoutEffect } from '../declare/option.ts';
import type { KafkaHeader, PartitionOverride } from '../kafka-sink-options.ts';
import { parseMappingTo, relaxedEntries } from '../mapping.ts';
import { parsed, unparsable } from '../parsed.ts';
import type { Parsed } from '../parsed.ts';
import { kafkaClientDeclarations } from './kafka-client-declarations.ts';
import { isTopicName, topicMapping, topicRule } from './topic-mapping.ts';

const strategies = ['all-to-zero', 'hash-by-key', 'hash-by-table'] as const;

function parseOverrides(given: string): Parsed<readonly PartitionOverride[]> {
  const target = { name: 'strategy', rule: `one of ${strategies.join(', ')}` };
  return parseMappingTo(given, target, ({ tables, target: name }) => {
    const strategy = strategies.find((known) => known === name);
    return strategy === undefined ? null : { tables, strategy };
  });
}

/** OSS documents `,` between headers and splits at `;`: a `;` anywhere is the separator, else `,` is. */
function parseHeaders(given: string): Parsed<readonly KafkaHeader[]> {
  const headers: KafkaHeader[] = [];
  const separator = given.includes(';') ? ';' : ',';
  let column = 1;
  for (const entry of given.split(separator)) {
    const [name, value, surplus] = entry.split(':');
    if (name === undefined || name.trim() === '' || value === undefined || surplus !== undefined) {
      return unparsable('one name:value per entry, entries separated by ; or ,', column);
    }
    headers.push({ name: name.trim(), value: value.trim() });
    column += entry.length + 1;
  }
  return parsed(headers);
}

const topicName: OptionType<string> = grammar('topic', (given) =>
  isTopicName(given) ? parsed(given) : unparsable(topicRule),
);
const topicOrOff: OptionType<string> = grammar('topic or empty', (given) =>
  given === '' || isTopicName(given) ? parsed(given) : unparsable(topicRule),
);
const brokerDefault = integer({ min: -1 });

const timestampStandard = defaulted(oneOf(['SQL', 'ISO-8601']), 'SQL', { doc: 'Timestamps as text' });
const decimalAsPlain = optional(boolean, {
  doc: 'Unset: plain digits with the scale of the column; true: trailing zeros cut; false: as OSS, 1E+1 for 10',
  status: 'D',
});
const ignoreNullFields = defaulted(boolean, 'false', { doc: 'Leave null fields out' });
const timeFraction = optional(boolean, { doc: 'Fractions in TIME; default true, false in flavour oss', own: true });
const bigNumber = defaulted(oneOf(['number', 'string']), 'number', {
  doc: 'BIGINT beyond ±2^53, BIGINT UNSIGNED and DECIMAL as exact literal or as string',
  own: true,
});
const mapNullKey = withoutEffect('no column of a MySQL source is a map');

export const kafkaSinkDeclarations = {
  type: required(oneOf(['kafka']), { doc: 'Kind of sink' }),
  name: optional(text(), { doc: 'Label' }),
  topic: optional(topicName, { doc: 'Everything to this topic; wins over the mapping' }),
  'sink.tableId-to-topic.mapping': optional(topicMapping, {
    doc: 'Topic per table after route, first match wins; others go to db.table',
  }),
  'topic.prefix': optional(text({ pattern: /^[A-Za-z0-9._-]{1,200}$/, expected: 'characters A-Z a-z 0-9 . _ -' }), {
    doc: 'Default topics become <prefix>.<id>',
    status: 'D',
  }),
  'partition.strategy': defaulted(oneOf(['all-to-zero', 'hash-by-key']), 'all-to-zero', {
    doc: 'Partition 0, or murmur2 of the key bytes',
  }),
  'partition.strategy.overrides': optional(
    grammar('sel:strategy;…', parseOverrides, { remarks: (value) => relaxedEntries(value) }),
    {
      doc: 'Per table; also hash-by-table',
      own: true,
    },
  ),
  'key.format': defaulted(oneOf(['json', 'csv']), 'json', { doc: 'Record keys' }),
  'value.format': defaulted(oneOf(['debezium-json', 'canal-json']), 'debezium-json', {
    doc: 'Record values',
    notes: {
      json: { as: 'refused', reason: `flat rows: ${notYet}; use debezium-json or canal-json` },
      'canal-protobuf': { as: 'refused', reason: 'use canal-json' },
    },
  }),
  'debezium-json.timestamp-format.standard': timestampStandard,
  'canal-json.timestamp-format.standard': timestampStandard,
  'debezium-json.encode.decimal-as-plain-number': decimalAsPlain,
  'canal-json.encode.decimal-as-plain-number': decimalAsPlain,
  'debezium-json.encode.ignore-null-fields': ignoreNullFields,
  'canal-json.encode.ignore-null-fields': ignoreNullFields,
  'debezium-json.encode.time-fraction': timeFraction,
  'canal-json.encode.time-fraction': timeFraction,
  'debezium-json.encode.big-number': bigNumber,
  'canal-json.encode.big-number': bigNumber,
  'debezium-json.map-null-key.mode': mapNullKey,
  'canal-json.map-null-key.mode': mapNullKey,
  'debezium-json.map-null-key.literal': mapNullKey,
  'canal-json.map-null-key.literal': mapNullKey,
  'debezium-json.include-schema.enabled': defaulted(boolean, 'false', {
    doc: 'Values as {schema, payload}',
    later: `inline schemas: ${notYet}; readers find types in the schema log`,
  }),
  'debezium-json.emit.full-table-id.enabled': defaulted(boolean, 'false', {
    doc: '`source` has db, schema and table where the id has three parts',
  }),
  'debezium-json.flavour': defaulted(oneOf(['vvr', 'oss']), 'vvr', {
    doc: 'Shape of values and keys',
    own: true,
    notes: { debezium: { as: 'refused', reason: `${notYet}; use vvr or oss` } },
  }),
  'debezium-json.snapshot-op': defaulted(oneOf(['c', 'r']), 'c', { doc: 'op of snapshot rows', own: true }),
  'canal-json.flavour': defaulted(oneOf(['vvr', 'oss']), 'vvr', {
    doc: 'Shape of values and keys',
    own: true,
    notes: { canal: { as: 'refused', reason: `${notYet}; use vvr or oss` } },
  }),
  'canal-json.old': defaulted(oneOf(['full', 'changed']), 'full', { doc: '`old` in updates', own: true }),
  'sink.add-tableId-to-header-enabled': defaulted(boolean, 'false', {
    doc: 'Headers namespace, schemaName, tableName',
  }),
  'sink.position-headers.enabled': defaulted(boolean, 'true', {
    doc: 'Headers mr.*, by which ingest recognises repeats',
    own: true,
  }),
  'sink.custom-header': optional(grammar('k:v;k:v', parseHeaders), { doc: 'Further headers' }),
  'sink.delivery-guarantee': defaulted(oneOf(['at-least-once']), 'at-least-once', {
    doc: 'Enough for ingest, which removes duplicates by source position',
    notes: {
      none: { as: 'ignored', reason: 'acknowledgements are always awaited before a position is stored' },
      'exactly-once': { as: 'refused', reason: `${notYet}; ingest removes the repeats of at-least-once` },
    },
  }),
  'sink.tombstones-on-delete.enabled': defaulted(boolean, 'false', { doc: 'Null record after a delete', own: true }),
  'sink.truncate-events.enabled': defaulted(boolean, 'false', { doc: 'TRUNCATE as a record', own: true }),
  'sink.schema.topic': defaulted(topicOrOff, 'millrace.schema', {
    doc: 'The schema log, a compacted topic of table schemas; empty = off',
    own: true,
  }),
  'sink.heartbeat.topic': defaulted(topicOrOff, '', {
    doc: 'Heartbeat records',
    status: 'D',
    own: true,
    later: notYet,
  }),
  'sink.transaction.topic': defaulted(topicOrOff, '', {
    doc: 'Transaction records',
    status: 'D',
    own: true,
    later: notYet,
  }),
  'sink.large-record': defaulted(oneOf(['stop']), 'stop', {
    doc: 'Record above properties.max.request.size or the limit of the topic',
    own: true,
    notes: { 'dead-letter': { as: 'refused', reason: `${notYet}; raise the limits instead` } },
  }),
  'topic.creation.enabled': defaulted(boolean, 'true', {
    doc: 'Missing topics are created, never one that was known and vanished',
    status: 'D',
  }),
  'topic.creation.default.partitions': defaulted(brokerDefault, '-1', { doc: '-1 = broker default', status: 'D' }),
  'topic.creation.default.replication.factor': defaulted(brokerDefault, '-1', {
    doc: '-1 = broker default',
    status: 'D',
  }),
  'outbox.*': collected({ doc: 'Outbox tables', status: 'D', own: true, later: `outbox tables: ${notYet}` }),
  ...kafkaClientDeclarations,
};

export type KafkaSinkBlock = Block<typeof kafkaSinkDeclarations>;
