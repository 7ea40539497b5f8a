import { CdcError } from '@millrace/shared/errors/cdc-error.ts';

import type { Query } from './catalogue.ts';
import type { SqlRow } from './connection.ts';

/** What one look at a server tells. */
export interface ServerFacts {
  readonly version: string;
  readonly mariadb: boolean;
  /** Global variables that exist on this server, by lower-case name. */
  readonly variables: ReadonlyMap<string, string>;
  readonly serverUuid: string;
  readonly serverId: number;
  /** Every transaction has a GTID. */
  readonly gtids: boolean;
  readonly checksums: boolean;
  readonly lowerCaseTableNames: number;
}

const names = [
  'server_uuid',
  'server_id',
  'gtid_mode',
  'binlog_checksum',
  'lower_case_table_names',
  'log_bin',
  'binlog_format',
  'binlog_row_image',
  'binlog_row_metadata',
  'binlog_row_value_options',
  'binlog_transaction_compression',
  'log_replica_updates',
  'log_slave_updates',
  'replica_parallel_workers',
  'slave_parallel_workers',
  'replica_preserve_commit_order',
  'slave_preserve_commit_order',
  'binlog_expire_logs_seconds',
  'expire_logs_days',
  'innodb_native_foreign_keys',
];

export async function readServerFacts(query: Query, signal: AbortSignal): Promise<ServerFacts> {
  const [hello] = await query('SELECT VERSION() AS version', signal, 'reading the server version');
  const rows = await query(
    `SHOW GLOBAL VARIABLES WHERE Variable_name IN (${names.map((name) => `'${name}'`).join(', ')})`,
    signal,
    'reading server settings',
  );
  const variables = new Map(
    rows.map((row) => [(row['Variable_name'] ?? '').toLowerCase(), row['Value'] ?? ''] as const),
  );
  const version = hello?.['version'] ?? '';
  return {
    version,
    mariadb: /mariadb/i.test(version),
    variables,
    serverUuid: variables.get('server_uuid') ?? '',
    serverId: Number(variables.get('server_id') ?? 0),
    gtids: variables.get('gtid_mode') === 'ON',
    checksums: variables.get('binlog_checksum') === 'CRC32',
    lowerCaseTableNames: Number(variables.get('lower_case_table_names') ?? 0),
  };
}

export function versionAtLeast(version: string, major: number, minor: number, patch = 0): boolean {
  const [a = 0, b = 0, c = 0] = version.split(/[.-]/).map(Number);
  if (a !== major) return a > major;
  if (b !== minor) return b > minor;
  return c >= patch;
}

/** Statements whose names changed over the versions. */
export function logStatusStatement(version: string): string {
  return versionAtLeast(version, 8, 2) ? 'SHOW BINARY LOG STATUS' : 'SHOW MASTER STATUS';
}

export function replicaStatusStatement(version: string): string {
  return versionAtLeast(version, 8, 0, 22) ? 'SHOW REPLICA STATUS' : 'SHOW SLAVE STATUS';
}

export function replicasStatement(version: string): string {
  return versionAtLeast(version, 8, 0, 22) ? 'SHOW REPLICAS' : 'SHOW SLAVE HOSTS';
}

export interface LogStatus {
  readonly file: string;
  readonly position: number;
  /** Visible to queries: a transaction is put into it after its commit in the engine. */
  readonly executed: string;
  readonly doDatabases: string;
  readonly ignoredDatabases: string;
}

/** One statement, so that set and position belong together: the server takes the set first, the position right after. */
export async function readLogStatus(query: Query, version: string, signal: AbortSignal): Promise<LogStatus> {
  const [row] = await query(logStatusStatement(version), signal, 'reading the log position');
  if (row === undefined) {
    throw new CdcError('SOURCE_NOT_READY', 'the binary log is off', {
      hint: 'Start the server with log_bin set.',
    });
  }
  return {
    file: row['File'] ?? '',
    position: Number(row['Position'] ?? 0),
    executed: row['Executed_Gtid_Set'] ?? '',
    doDatabases: row['Binlog_Do_DB'] ?? '',
    ignoredDatabases: row['Binlog_Ignore_DB'] ?? '',
  };
}

export interface LogFile {
  readonly name: string;
  readonly bytes: number;
}

/** Oldest first. */
export async function readLogFiles(query: Query, signal: AbortSignal): Promise<readonly LogFile[]> {
  const rows = await query('SHOW BINARY LOGS', signal, 'listing the log files');
  return rows.map((row: SqlRow) => ({ name: row['Log_name'] ?? '', bytes: Number(row['File_size'] ?? 0) }));
}
