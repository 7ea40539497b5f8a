import type { Block } from '../declare/block.ts';
import { boolean, duration, grammar, integer, list, oneOf, text } from '../declare/option-type.ts';
import { defaulted, notYet, optional, required } from '../declare/option.ts';
import { regex, selectors } from '../declare/selector-type.ts';
import { parseInitialSchemas } from '../initial-schemas.ts';
import { parseStartOffsets } from '../start-offsets.ts';
import { kafkaClientDeclarations } from './kafka-client-declarations.ts';

const otherFormat = { as: 'refused', reason: `${notYet}; debezium-json and canal-json are` } as const;

const distributed = optional(boolean, {
  doc: 'One table in several partitions, several tables in one topic; a table without key is then refused',
  status: 'D',
});
const ignoreErrors = optional(boolean, {
  doc: 'false: a record that does not decode stops the pipeline',
  status: 'D',
  notes: {
    true: { as: 'refused', reason: `dead letters: ${notYet}; a record that does not decode stops the pipeline` },
  },
});
const primitiveAsString = defaulted(boolean, 'false', { doc: 'All scalars as text' });
const alibabaCanal = `records of alibaba/canal: ${notYet}; those of Millrace and Flink CDC hold neither mysqlType nor sqlType`;
const flatJson = `value.format json: ${notYet}`;

export const kafkaSourceDeclarations = {
  type: required(oneOf(['kafka']), { doc: 'Kind of source' }),
  name: optional(text(), { doc: 'Label' }),
  topic: optional(list(';', ','), { doc: 'Topics, separated by ;' }),
  'topic-pattern': optional(regex, { doc: 'Topics by name; exactly one of the two' }),
  'scan.check.duplicated.group.id': defaulted(boolean, 'false', {
    doc: 'Refuse to start while the group has a member',
    status: 'D',
    later: notYet,
  }),
  'scan.startup.mode': defaulted(
    oneOf(['earliest-offset', 'latest-offset', 'group-offsets', 'timestamp', 'specific-offsets']),
    'group-offsets',
    { doc: 'Only where the destination holds no offsets for this commit.user' },
  ),
  'scan.startup.specific-offsets': optional(grammar('partition:0,offset:42;…', parseStartOffsets), {
    doc: 'For specific-offsets; topic:<t>, may stand in front',
  }),
  'scan.startup.timestamp-millis': optional(integer({ min: 0 }), { doc: 'For timestamp' }),
  'scan.topic-partition-discovery.interval': defaulted(duration({}), '5min', {
    doc: 'New partitions and topics; 0 or less = off',
  }),
  'value.format': defaulted(oneOf(['debezium-json', 'canal-json']), 'debezium-json', {
    doc: 'Family of record values; dialects are detected per record',
    notes: { json: otherFormat, 'maxwell-json': otherFormat, 'ogg-json': otherFormat, auto: otherFormat },
  }),
  tables: optional(selectors(1), { doc: "Allow-list on the record's own table id", own: true }),
  'tables.exclude': optional(selectors(1), { doc: 'Subtracted from it', own: true }),
  'key.format': optional(oneOf(['json']), { doc: 'Keys that are JSON objects are read in any case' }),
  'key.fields-prefix': defaulted(text({ allowEmpty: true }), '', { doc: 'Key fields as columns', later: notYet }),
  'value.fields-prefix': defaulted(text({ allowEmpty: true }), '', { doc: 'Prefix of columns', later: notYet }),
  'debezium-json.distributed-tables': distributed,
  'canal-json.distributed-tables': distributed,
  'debezium-json.schema-include': optional(boolean, {
    doc: 'true: a record without {schema, payload} does not decode; else detected',
    status: 'D',
  }),
  'debezium-json.ignore-parse-errors': ignoreErrors,
  'canal-json.ignore-parse-errors': ignoreErrors,
  'ingestion.ignore-errors': ignoreErrors,
  'ingestion.error-tolerance.max-count': defaulted(integer({ min: -1 }), '-1', {
    doc: 'Limit of dead letters',
    status: 'D',
    later: `dead letters: ${notYet}`,
  }),
  'schema.inference.strategy': defaulted(oneOf(['continuous', 'static']), 'continuous', {
    doc: 'static: types are fixed after the pre-fetch',
  }),
  'debezium-json.infer-schema.primitive-as-string': primitiveAsString,
  'canal-json.infer-schema.primitive-as-string': primitiveAsString,
  'scan.max.pre.fetch.records': defaulted(integer({ min: 0 }), '50', {
    doc: 'Records per partition read once to build first schemas',
  }),
  'scan.value.initial-schemas.ddls': optional(grammar('CREATE TABLE …;…', parseInitialSchemas), {
    doc: 'Column types in Flink SQL',
  }),
  'metadata.list': optional(list(), { doc: 'Record metadata as columns', later: notYet }),
  'canal-json.database.include': optional(regex, { doc: 'Databases to read; others are counted' }),
  'canal-json.table.include': optional(regex, { doc: 'Tables to read; others are counted' }),
  'canal-json.infer-schema.strategy': defaulted(oneOf(['AUTO', 'SQL_TYPE', 'MYSQL_TYPE']), 'AUTO', {
    doc: 'AUTO: inference, for records of this format name no types',
    status: 'D',
    later: alibabaCanal,
  }),
  'canal-json.mysql.treat-mysql-timestamp-as-datetime-enabled': defaulted(boolean, 'true', {
    doc: 'TIMESTAMP of alibaba/canal without a zone',
    later: alibabaCanal,
  }),
  'canal-json.mysql.treat-tinyint1-as-boolean.enabled': defaulted(boolean, 'true', {
    doc: 'tinyint(1) of alibaba/canal as boolean',
    later: alibabaCanal,
  }),
  'json.timestamp-format.standard': defaulted(oneOf(['SQL', 'ISO-8601']), 'SQL', { doc: 'Flat JSON', later: flatJson }),
  'json.infer-schema.flatten-nested-columns.enable': defaulted(boolean, 'false', { doc: 'Flat JSON', later: flatJson }),
  'json.infer-schema.primitive-as-string': defaulted(boolean, 'false', { doc: 'Flat JSON', later: flatJson }),
  'json.decode.parser-table-id.fields': optional(text(), { doc: 'Flat JSON', later: flatJson }),
  'json.infer-schema.fixed-types': optional(text(), { doc: 'Flat JSON', later: flatJson }),
  'json.ignore-parse-errors': optional(boolean, { doc: 'Flat JSON', later: flatJson }),
  ...kafkaClientDeclarations,
};

export type KafkaSourceBlock = Block<typeof kafkaSourceDeclarations>;
