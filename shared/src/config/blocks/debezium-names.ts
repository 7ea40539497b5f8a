import { tableIdText } from '../../event/table-id.ts';
import type { TableId } from '../../event/table-id.ts';
import { boolean, grammar, oneOf, text } from '../declare/option-type.ts';
import type { OptionType } from '../declare/option-type.ts';
import { defaulted, notYet, optional, refused, withoutEffect } from '../declare/option.ts';
import { parseNamePattern } from '../name-pattern.ts';
import type { NamePattern } from '../name-pattern.ts';
import { parsed, unparsable } from '../parsed.ts';
import type { Parsed } from '../parsed.ts';
import { splitList } from '../split-outside-brackets.ts';
import type { TableSelectors } from '../table-selectors.ts';

/** Names that Debezium's connectors give to options of a MySQL source. */

function parseIncludeList(given: string, nameOf: (id: TableId) => string): Parsed<TableSelectors> {
  const patterns: NamePattern[] = [];
  for (const piece of splitList(given, ',')) {
    const pattern = parseNamePattern(piece.text);
    if (piece.text === '') return unparsable('a pattern on each side of every comma', piece.start + 1);
    if (!pattern.ok) return unparsable(pattern.rule, piece.start + 1);
    patterns.push(pattern.value);
  }
  return parsed({
    text: given,
    normalised: patterns.map((pattern) => pattern.text),
    relaxed: [],
    // Debezium compares without case.
    matches: (id) => patterns.some((pattern) => pattern.matches(nameOf(id), false)),
  });
}

const tableList: OptionType<TableSelectors> = grammar('regexes on db.table', (given) =>
  parseIncludeList(given, tableIdText),
);
const databaseList: OptionType<TableSelectors> = grammar('regexes on the database', (given) =>
  parseIncludeList(given, (id) => id.schema),
);

const notTaken = (value: string) => ({
  [value]: { as: 'refused', reason: 'use initial, or a start without a snapshot' } as const,
});
const recovery = { as: 'ignored', reason: 'no schema history is needed, so none has to be recovered' } as const;
const silentLoss = { as: 'refused', reason: 'rows would be lost in silence; leave the option out' } as const;

export const snapshotModes = optional(oneOf(['initial', 'initial_only', 'no_data', 'schema_only', 'never']), {
  doc: 'As Debezium; becomes scan.startup.mode',
  aliases: ['debezium.snapshot.mode'],
  notes: {
    when_needed: { as: 'refused', reason: `a new snapshot by itself: ${notYet}; use initial` },
    recovery,
    schema_only_recovery: recovery,
    ...notTaken('always'),
    ...notTaken('configuration_based'),
    ...notTaken('custom'),
  },
});

/** A rendering of Debezium's own is refused until it is honoured. */
const valueHandling = (name: string) =>
  optional(text(), {
    doc: 'Rendering of values as Debezium',
    status: 'D',
    aliases: [`debezium.${name}`],
    later: `renderings of Debezium: ${notYet}; leave the option out for exact values`,
  });

const failureHandling = (name: string) =>
  defaulted(oneOf(['fail']), 'fail', {
    doc: 'Only fail',
    status: 'D',
    aliases: [`debezium.${name}`],
    notes: { warn: silentLoss, skip: silentLoss, ignore: silentLoss },
  });

const noHistory = 'each pipeline keeps its own schema history';
const noQueue = 'memory is bounded by pipeline.memory.limit';
const otherConverter = { doc: 'Only JsonConverter', status: 'D' } as const;
const jsonConverter = oneOf(['org.apache.kafka.connect.json.JsonConverter']);
const schemasEnabled = defaulted(boolean, 'false', {
  doc: 'Records with an inline schema',
  status: 'D',
  later: `inline schemas: ${notYet}; readers find types in the schema log`,
});

export const debeziumDeclarations = {
  'table.include.list': optional(tableList, { doc: '`tables`, in the reading of Debezium' }),
  'table.exclude.list': optional(tableList, { doc: '`tables.exclude`, in the reading of Debezium' }),
  'database.include.list': optional(databaseList, { doc: 'Databases to capture' }),
  'database.exclude.list': optional(databaseList, { doc: 'Databases to leave out' }),
  'topic.prefix': optional(text(), { doc: 'Source name and sink.topic.prefix', aliases: ['database.server.name'] }),
  'connector.class': withoutEffect('see type'),
  'column.include.list': optional(text(), {
    doc: 'Columns',
    status: 'D',
    later: `${notYet}; use transform.projection`,
  }),
  'column.exclude.list': optional(text(), {
    doc: 'Columns',
    status: 'D',
    later: `${notYet}; use transform.projection`,
  }),
  'message.key.columns': optional(text(), { doc: 'Keys', status: 'D', later: `${notYet}; use transform.primary-keys` }),
  'skipped.operations': optional(text(), { doc: 'Operations to leave out', status: 'D', later: notYet }),
  'tombstones.on.delete': optional(boolean, {
    doc: 'Null record after a delete',
    status: 'D',
    later: `${notYet} by this name; use sink.tombstones-on-delete.enabled`,
  }),
  'provide.transaction.metadata': defaulted(boolean, 'false', { doc: 'Transaction topic', later: notYet }),
  'snapshot.locking.mode': withoutEffect('no lock is ever taken'),
  'decimal.handling.mode': valueHandling('decimal.handling.mode'),
  'bigint.unsigned.handling.mode': valueHandling('bigint.unsigned.handling.mode'),
  'time.precision.mode': valueHandling('time.precision.mode'),
  'binary.handling.mode': valueHandling('binary.handling.mode'),
  'enable.time.adjuster': valueHandling('enable.time.adjuster'),
  'interval.handling.mode': valueHandling('interval.handling.mode'),
  'hstore.handling.mode': valueHandling('hstore.handling.mode'),
  'event.processing.failure.handling.mode': failureHandling('event.processing.failure.handling.mode'),
  'event.deserialization.failure.handling.mode': failureHandling('event.deserialization.failure.handling.mode'),
  'event.converting.failure.handling.mode': failureHandling('event.converting.failure.handling.mode'),
  'inconsistent.schema.handling.mode': failureHandling('inconsistent.schema.handling.mode'),
  'schema.history.internal.*': withoutEffect(noHistory),
  'signal.*': withoutEffect('signals are verbs of the command line'),
  'max.batch.size': withoutEffect(noQueue),
  'max.queue.size*': withoutEffect(noQueue),
  'poll.interval.ms': withoutEffect('the log is read as it grows'),
  'tasks.max': withoutEffect('one log is read by one reader'),
  'errors.*': withoutEffect('see pipeline.retry and pipeline.dead-letter'),
  'heartbeat.topics.prefix': withoutEffect('heartbeats need no topic'),
  'key.converter': optional(jsonConverter, otherConverter),
  'value.converter': optional(jsonConverter, otherConverter),
  'key.converter.schemas.enable': schemasEnabled,
  'value.converter.schemas.enable': schemasEnabled,
  transforms: optional(text(), { doc: 'Single message transforms', status: 'D', later: notYet }),
  'transforms.*': refused(`single message transforms: ${notYet}`),
  'include.query': refused('query text may hold secrets'),
  'gtid.source.*': refused('filtered GTID sets lose transactions'),
  'snapshot.select.statement.overrides': refused('use tables and transform'),
  'debezium.*': withoutEffect('no Debezium engine runs here'),
};
