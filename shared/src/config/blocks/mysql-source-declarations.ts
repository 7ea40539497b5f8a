import type { Block } from '../declare/block.ts';
import { boolean, duration, grammar, integer, list, oneOf, secret, size, text } from '../declare/option-type.ts';
import { defaulted, notYet, optional, required, withoutEffect } from '../declare/option.ts';
import { selectors } from '../declare/selector-type.ts';
import { parseMappingTo, relaxedEntries } from '../mapping.ts';
import type { ChunkKeyColumn } from '../mysql-source-options.ts';
import { parsed, unparsable } from '../parsed.ts';
import type { Parsed } from '../parsed.ts';
import { debeziumDeclarations, snapshotModes } from './debezium-names.ts';
import { topicMapping } from './topic-mapping.ts';

const greatestServerId = 4_294_967_295;

function parseServerIds(given: string): Parsed<{ readonly first: number; readonly last: number }> {
  const match = /^(\d+)(?:\s*-\s*(\d+))?$/.exec(given.trim());
  if (match?.[1] === undefined) return unparsable('an id such as 8601 or a range such as 8601-8604');
  const first = Number(match[1]);
  const last = Number(match[2] ?? match[1]);
  const fits = first >= 1 && last <= greatestServerId && first <= last;
  if (fits) return parsed({ first, last });
  return { ...unparsable(`ids from 1 to ${greatestServerId}, the lower one first`), kind: 'range' };
}

function parseZone(given: string): Parsed<string> {
  try {
    return parsed(new Intl.DateTimeFormat('en', { timeZone: given }).resolvedOptions().timeZone);
  } catch {
    return { ...unparsable('a time zone such as UTC, Europe/Rome or +02:00'), kind: 'type' };
  }
}

function parseChunkKeyColumns(given: string): Parsed<readonly ChunkKeyColumn[]> {
  const target = { name: 'column', rule: 'a column name', minimumParts: 2 };
  return parseMappingTo(given, target, ({ tables, target: column }) => ({ tables, column }));
}

const streamedChunks = 'a chunk is streamed in pieces, whose bytes are bounded whatever its size';
const noReaders = 'there are no reader processes here';
const noArithmetic = 'chunks are cut along the key, not by arithmetic';

/** `source` with type mysql or mariadb. */
export const mysqlSourceDeclarations = {
  type: required(oneOf(['mysql', 'mariadb']), { doc: 'Kind of source' }),
  name: optional(text(), { doc: 'Label in logs, metrics and header `mr.src`; default the pipeline name' }),
  hostname: required(text(), { doc: 'The server, one host', aliases: ['database.hostname'] }),
  port: defaulted(integer({ min: 1, max: 65_535 }), '3306', { doc: 'TCP port', aliases: ['database.port'] }),
  username: required(text(), { doc: 'User', aliases: ['database.user'] }),
  password: required(secret, { doc: 'Password; may be empty', aliases: ['database.password'] }),
  tables: optional(selectors(2), { doc: 'Tables to capture; required' }),
  'tables.exclude': optional(selectors(2), { doc: 'Subtracted from `tables`' }),
  'server-id': optional(grammar('int or a-b', parseServerIds), {
    doc: 'Replica ids that may be taken; default an id in 5400-6400 derived from the pipeline name',
    aliases: ['database.server.id'],
  }),
  'server-time-zone': optional(grammar('time zone', parseZone), {
    doc: 'No value depends on it: sessions run in UTC; a server more than 30 min off is warned of',
    status: 'N',
  }),
  'ssl.mode': defaulted(oneOf(['disabled', 'preferred', 'required', 'verify-ca', 'verify-identity']), 'preferred', {
    doc: 'TLS to the server; `preferred` that ends in plaintext off loopback is shown as a warning state',
    own: true,
    aliases: ['database.ssl.mode', 'jdbc.properties.sslMode'],
  }),
  'ssl.ca': optional(text({ label: 'PEM file' }), { doc: 'Certificates to trust', own: true }),
  'ssl.cert': optional(text({ label: 'PEM file' }), { doc: 'Own certificate', own: true }),
  'ssl.key': optional(text({ label: 'PEM file' }), { doc: 'Own private key', own: true }),
  'ssl.allow-public-key-retrieval': defaulted(boolean, 'false', {
    doc: "Ask for the server's RSA key over plaintext",
    own: true,
    aliases: ['jdbc.properties.allowPublicKeyRetrieval'],
  }),
  'connect.timeout': defaulted(duration({ min: 250 }), '30s', {
    doc: 'Per connection attempt',
    aliases: ['connect.timeout.ms', 'jdbc.properties.connectTimeout'],
  }),
  'connect.max-retries': defaulted(integer({ min: 1 }), '3', {
    doc: 'Attempts per connect; the pipeline retries by `pipeline.retry.*` after them',
  }),
  'connection.pool.size': defaulted(integer({ min: 2 }), '20', {
    doc: 'Upper bound of snapshot connections',
    status: 'D',
  }),
  'jdbc.properties.useSSL': optional(boolean, { doc: 'true = ssl.mode required, false = disabled', status: 'D' }),
  'jdbc.properties.socketTimeout': optional(duration({ min: 1 }), {
    doc: 'Silence of the server that ends the read of a chunk; default 5 min',
    status: 'D',
  }),
  'jdbc.properties.*': withoutEffect('no JDBC driver is used'),
  'heartbeat.interval': defaulted(duration(), '30s', {
    doc: 'Saves the position while captured tables are idle; 0s = off',
    aliases: ['heartbeat.interval.ms'],
  }),
  'heartbeat.action.query': optional(text({ label: 'SQL' }), {
    doc: 'Run at the source each heartbeat interval, in a session that may write',
    status: 'D',
    own: true,
  }),

  'scan.startup.mode': optional(
    oneOf(['initial', 'snapshot', 'earliest-offset', 'latest-offset', 'specific-offset', 'timestamp']),
    { doc: 'Where to begin without a checkpoint; default initial' },
  ),
  'scan.startup.specific-offset.gtid-set': optional(text({ label: 'GTID set' }), { doc: 'Transactions done already' }),
  'scan.startup.specific-offset.file': optional(text(), { doc: 'Binary log file' }),
  'scan.startup.specific-offset.pos': optional(integer({ min: 4 }), { doc: 'Offset in the file' }),
  'scan.startup.specific-offset.skip-events': optional(integer({ min: 0 }), { doc: 'Events to skip there' }),
  'scan.startup.specific-offset.skip-rows': optional(integer({ min: 0 }), { doc: 'Rows to skip in the next event' }),
  'scan.startup.timestamp-millis': optional(integer({ min: 0 }), { doc: 'For timestamp; one-second granularity' }),
  'scan.position-lost': defaulted(oneOf(['fail', 'snapshot']), 'fail', {
    doc: 'When the log that the checkpoint needs is gone',
    own: true,
    later: `snapshot: ${notYet}; after SOURCE_POSITION_LOST start again with --from-scratch`,
  }),

  'scan.incremental.snapshot.enabled': defaulted(boolean, 'true', {
    doc: 'Always in chunks, without a lock',
    status: 'D',
    notes: { false: { as: 'refused', reason: 'there is no locking snapshot; leave the option out' } },
  }),
  'scan.incremental.snapshot.chunk.size': defaulted(integer({ min: 2 }), '8096', {
    doc: 'Rows per chunk',
    aliases: ['incremental.snapshot.chunk.size'],
  }),
  'scan.incremental.snapshot.chunk.max-size': withoutEffect(streamedChunks),
  'scan.snapshot.fetch.size': withoutEffect(streamedChunks),
  'scan.snapshot.parallelism': optional(integer({ min: 1, max: 64 }), {
    doc: 'Chunks read side by side; default pipeline.parallelism, else 4',
    own: true,
  }),
  'scan.incremental.snapshot.chunk.key-column': optional(
    grammar('sel:col;…', parseChunkKeyColumns, { remarks: (value) => relaxedEntries(value) }),
    {
      doc: 'Indexed column to split by, needed for tables without a key',
    },
  ),
  'scan.incremental.snapshot.unbounded-chunk-first.enabled': defaulted(boolean, 'false', {
    doc: 'Read the tail chunk first',
    status: 'N',
    notes: { true: { as: 'ignored', reason: `the last chunk needs no precedence: ${streamedChunks}` } },
  }),
  'scan.incremental.snapshot.backfill.skip': defaulted(boolean, 'false', {
    doc: 'Rows of a chunk do not wait for the log: changes may repeat after them, the end state is the same',
    status: 'D',
  }),
  'scan.incremental.close-idle-reader.enabled': withoutEffect(noReaders),
  'chunk-meta.group.size': withoutEffect(noReaders),
  'chunk-key.even-distribution.factor.*': withoutEffect(noArithmetic),
  'split-key.even-distribution.factor.*': withoutEffect(noArithmetic),
  'scan.newly-added-table.enabled': defaulted(boolean, 'false', {
    doc: 'Matching tables that appear later are snapshotted and then streamed, at restart and while running',
    status: 'D',
  }),
  'scan.table-discovery.interval': defaulted(duration({ min: 1000 }), '1min', {
    doc: 'How often new tables are looked for',
    own: true,
  }),
  'scan.binlog.newly-added-table.enabled': defaulted(boolean, 'false', {
    doc: 'New tables from their CREATE TABLE in the log, without a snapshot',
  }),
  'scan.only.deserialize.captured.tables.changelog.enabled': defaulted(boolean, 'true', {
    doc: 'Rows of other tables are skipped undecoded',
    status: 'D',
    notes: { false: { as: 'ignored', reason: 'rows of other tables are always skipped undecoded' } },
  }),
  'scan.parallel-deserialize-changelog.enabled': withoutEffect('decoding is scheduled internally'),
  'scan.read-changelog-as-append-only.enabled': defaulted(boolean, 'false', {
    doc: 'Only false',
    status: 'R',
    notes: { true: { as: 'refused', reason: 'it would hide deletes from the reading side' } },
  }),
  'schema-change.enabled': defaulted(boolean, 'true', {
    doc: 'Publish DDL as schema records',
    aliases: ['include.schema.changes'],
    later: `false: ${notYet}; readers may ignore the schema log`,
  }),
  'scan.parse.online.schema.changes.enabled': defaulted(boolean, 'false', {
    doc: 'Publish the final rename of online DDL tools as ALTERs',
    status: 'D',
    later: notYet,
  }),
  'include-comments.enabled': defaulted(boolean, 'false', { doc: 'Table and column comments in schema records' }),
  'metadata.list': optional(list(), {
    doc: '`op_ts` is always sent as `ts_ms`; `es_ts` also fills `es` of canal-json',
    status: 'D',
    aliases: ['metadata-column.include-list'],
  }),
  'treat-tinyint1-as-boolean.enabled': defaulted(boolean, 'true', {
    doc: 'TINYINT(1) 0 and 1 become false and true; any other value stops the table',
    status: 'D',
  }),
  'use.legacy.json.format': optional(boolean, {
    doc: 'true: JSON without blanks; else as the server prints it',
    status: 'D',
  }),
  'zero-date.handling': defaulted(oneOf(['null', 'keep', 'fail']), 'null', {
    doc: 'Dates with a zero part; in keys always kept as text',
    own: true,
  }),
  'invalid-text.handling': defaulted(oneOf(['fail', 'replace']), 'fail', {
    doc: 'Text that its charset cannot decode',
    own: true,
  }),
  'scan.snapshot.rate-limit': defaulted(integer({ min: 0 }), '0', {
    doc: 'Rows per second of all chunks together; 0 = no limit',
    status: 'D',
    own: true,
  }),
  'scan.transaction.max-buffer': defaulted(size(), '256mb', {
    doc: 'A larger transaction is emitted in parts',
    own: true,
  }),
  'snapshot.mode': snapshotModes,
  ...debeziumDeclarations,
  'sink.tableId-to-topic.mapping': optional(topicMapping, { doc: 'Belongs to `sink`; accepted here with a warning' }),
};

export type MysqlSourceBlock = Block<typeof mysqlSourceDeclarations>;
