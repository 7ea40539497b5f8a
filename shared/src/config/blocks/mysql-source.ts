import { createHash } from 'node:crypto';

import type { MysqlSourceOptions, MysqlTls, MysqlTlsMode, NewTables, ServerIds } from '../mysql-source-options.ts';
import { allTables, excluding, intersecting } from '../table-selectors.ts';
import type { TableSelectors } from '../table-selectors.ts';
import type { BuildContext } from './context.ts';
import type { MysqlSourceBlock } from './mysql-source-declarations.ts';
import { buildMysqlStartup } from './mysql-startup.ts';
import { pemOption } from './pem-option.ts';

const knownMetadata = new Set(['op_ts', 'es_ts', 'table_name', 'database_name', 'row_kind']);

function checkMetadata(block: MysqlSourceBlock): void {
  for (const name of block.values['metadata.list'] ?? []) {
    if (name === 'op_ts' || name === 'es_ts') continue;
    if (!knownMetadata.has(name)) {
      block.problem('enum', 'metadata.list', 'expected op_ts, es_ts, table_name or database_name');
    } else if (name === 'row_kind') {
      block.problem('unsupported', 'metadata.list', 'row_kind: the kind of change is the op of the record');
    } else {
      block.problem('unsupported', 'metadata.list', `${name} is not in this version; op_ts and es_ts are`);
    }
  }
}

/** Null after a problem. */
function buildTables(block: MysqlSourceBlock): TableSelectors | null {
  const { values } = block;
  const debezium = values['table.include.list'] ?? values['database.include.list'] ?? null;
  if (block.given('tables') && debezium !== null) {
    block.problem('conflict', 'tables', 'give either tables or the include lists of Debezium');
  }
  if (!block.given('tables') && !block.given('table.include.list') && !block.given('database.include.list')) {
    block.problem('missing', 'tables', 'required: tables to capture');
  }
  let tables = values.tables ?? values['table.include.list'] ?? allTables;
  const databases = values['database.include.list'] ?? null;
  if (databases !== null) tables = intersecting(tables, databases);
  for (const excluded of [values['tables.exclude'], values['table.exclude.list'], values['database.exclude.list']]) {
    if (excluded !== null && excluded !== undefined) tables = excluding(tables, excluded);
  }
  return block.complete === null ? null : tables;
}

function buildServerIds(block: MysqlSourceBlock, context: BuildContext): ServerIds {
  const given = block.values['server-id'] ?? null;
  if (given !== null) return { ...given, derived: false };
  const digest = createHash('sha256').update(context.pipelineName).digest();
  const id = 5400 + (digest.readUInt32BE(0) % 1001);
  if (!block.given('server-id')) {
    block.warning('server-id', `not given: ${id} is derived from the pipeline name; it must be unique at the server`);
  }
  return { first: id, last: id, derived: true };
}

function buildTls(block: MysqlSourceBlock, context: BuildContext): MysqlTls {
  const useSsl = block.values['jdbc.properties.useSSL'] ?? null;
  let mode: MysqlTlsMode = block.values['ssl.mode'] ?? 'preferred';
  if (useSsl !== null) {
    if (block.given('ssl.mode') && useSsl === (mode === 'disabled')) {
      block.problem('conflict', 'jdbc.properties.useSSL', 'says the opposite of ssl.mode');
    }
    if (!block.given('ssl.mode')) mode = useSsl ? 'required' : 'disabled';
  }
  const cert = pemOption(block, 'ssl.cert', context);
  const key = pemOption(block, 'ssl.key', context);
  if (block.given('ssl.cert') !== block.given('ssl.key')) {
    const absent = block.given('ssl.cert') ? 'ssl.key' : 'ssl.cert';
    block.problem('missing', absent, 'certificate and key are given together');
  }
  const ca = pemOption(block, 'ssl.ca', context);
  return { mode, ca, cert, key, allowPublicKeyRetrieval: block.values['ssl.allow-public-key-retrieval'] ?? false };
}

function newTables(block: MysqlSourceBlock): NewTables {
  const snapshot = block.values['scan.newly-added-table.enabled'] ?? false;
  const stream = block.values['scan.binlog.newly-added-table.enabled'] ?? false;
  if (snapshot && stream) {
    const rule = 'excludes scan.newly-added-table.enabled: a new table is either snapshotted or not';
    block.problem('conflict', 'scan.binlog.newly-added-table.enabled', rule);
  }
  if (snapshot) return 'snapshot';
  return stream ? 'stream-from-create' : 'ignore';
}

/** Null after a problem, which is reported. */
export function buildMysqlSource(block: MysqlSourceBlock, context: BuildContext): MysqlSourceOptions | null {
  checkMetadata(block);
  if (block.values.hostname?.includes(',') === true) {
    block.problem('unsupported', 'hostname', 'one host: a list would hide which server the position belongs to');
  }
  if (block.given('server-time-zone')) {
    block.warning(
      'server-time-zone',
      'no value depends on it: sessions run in UTC; it is only compared with the server',
    );
  }
  if (block.given('sink.tableId-to-topic.mapping')) {
    block.warning('sink.tableId-to-topic.mapping', 'belongs to sink; taken from here all the same');
  }
  if (block.given('heartbeat.action.query') && block.values['heartbeat.interval'] === 0) {
    block.warning('heartbeat.action.query', 'has no effect: heartbeat.interval is 0s');
  }
  const serverIds = buildServerIds(block, context);
  const tls = buildTls(block, context);
  const startup = buildMysqlStartup(block);
  const added = newTables(block);
  const tables = buildTables(block);
  const values = block.complete;
  if (values === null || tables === null || startup === null) return null;
  const poolSize = values['connection.pool.size'];
  return {
    kind: 'mysql',
    server: values.type,
    name: values.name ?? values['topic.prefix'] ?? context.pipelineName,
    hostname: values.hostname,
    port: values.port,
    username: values.username,
    password: values.password,
    tables,
    serverIds,
    tls,
    connectTimeoutMs: values['connect.timeout'],
    socketTimeoutMs: values['jdbc.properties.socketTimeout'],
    connectMaxRetries: values['connect.max-retries'],
    heartbeatIntervalMs: values['heartbeat.interval'],
    heartbeatQuery: values['heartbeat.action.query'],
    serverTimeZone: values['server-time-zone'],
    startup,
    snapshot: {
      chunkRows: values['scan.incremental.snapshot.chunk.size'],
      parallelism: Math.min(values['scan.snapshot.parallelism'] ?? context.parallelism ?? 4, poolSize),
      chunkKeyColumns: values['scan.incremental.snapshot.chunk.key-column'] ?? [],
      skipBackfill: values['scan.incremental.snapshot.backfill.skip'],
      rateLimitRows: values['scan.snapshot.rate-limit'],
    },
    newTables: added,
    tableDiscoveryIntervalMs: values['scan.table-discovery.interval'],
    executeTimes: values['metadata.list']?.includes('es_ts') ?? false,
    includeComments: values['include-comments.enabled'],
    tinyint1AsBoolean: values['treat-tinyint1-as-boolean.enabled'],
    compactJson: values['use.legacy.json.format'] ?? false,
    zeroDates: values['zero-date.handling'],
    invalidText: values['invalid-text.handling'],
    transactionMaxBufferBytes: values['scan.transaction.max-buffer'],
  };
}
