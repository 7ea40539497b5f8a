import { CdcError } from '@millrace/shared/errors/cdc-error.ts';
import { tableIdText } from '@millrace/shared/event/table-id.ts';
import type { TableId } from '@millrace/shared/event/table-id.ts';

import type { Catalogue, CatalogueTable, Query } from './catalogue.ts';
import { isDecodable } from './column-facts.ts';
import { quoteIdentifier } from './select-expression.ts';
import {
  readLogFiles,
  readLogStatus,
  readServerFacts,
  replicasStatement,
  replicaStatusStatement,
  versionAtLeast,
} from './server-facts.ts';
import type { LogStatus, ServerFacts } from './server-facts.ts';
import { quoteText } from './sql-text.ts';

/** One thing to put right, with the statement that does it. */
export interface Problem {
  readonly kind: string;
  readonly message: string;
  readonly found: string;
  readonly fix: string;
}

export interface CheckOptions {
  readonly user: string;
  readonly serverIds: { readonly first: number; readonly last: number };
  readonly captures: (id: TableId) => boolean;
  readonly chunkKeyColumn: (id: TableId) => string | null;
}

export interface CheckResult {
  readonly problems: readonly Problem[];
  readonly warnings: readonly string[];
}

const transactionalEngines: ReadonlySet<string> = new Set(['InnoDB', 'ndbcluster', 'RocksDB', 'TokuDB']);
const dayS = 86_400;

/** Looks at everything the capture needs (server settings, grants, tables); nothing is changed. */
export async function checkServer(
  query: Query,
  catalogue: Catalogue,
  options: CheckOptions,
  signal: AbortSignal,
): Promise<CheckResult> {
  const findings = new Findings(query, options, await readServerFacts(query, signal), signal);
  findings.version();
  findings.settings();
  const status = await findings.grants();
  if (status !== null) await findings.replica();
  const tables = await findings.tables(catalogue);
  if (status !== null) findings.logFilter(status, tables);
  await findings.cascades(tables);
  return findings;
}

/** Throws one `SOURCE_NOT_READY` that lists every problem. */
export function throwIfNotReady(problems: readonly Problem[]): void {
  if (problems.length === 0) return;
  throw new CdcError('SOURCE_NOT_READY', 'the source is not ready for capture', {
    details: {
      kinds: problems.map(({ kind }) => kind),
      problems: problems.map(({ kind, message, found, fix }) => `${kind}: ${message} (found: ${found}) → ${fix}`),
    },
  });
}

class Findings implements CheckResult {
  readonly problems: Problem[] = [];
  readonly warnings: string[] = [];
  readonly #query: Query;
  readonly #options: CheckOptions;
  readonly #facts: ServerFacts;
  readonly #signal: AbortSignal;

  constructor(query: Query, options: CheckOptions, facts: ServerFacts, signal: AbortSignal) {
    this.#query = query;
    this.#options = options;
    this.#facts = facts;
    this.#signal = signal;
  }

  #problem(kind: string, message: string, found: string, fix: string): void {
    this.problems.push({ kind, message, found, fix });
  }

  #setting(...names: readonly string[]): string | null {
    for (const name of names) {
      const value = this.#facts.variables.get(name);
      if (value !== undefined) return value;
    }
    return null;
  }

  version(): void {
    const { version, mariadb } = this.#facts;
    if (mariadb) {
      this.#problem('server-version', 'MariaDB is not supported yet', version, 'use a MySQL server (5.7 or newer)');
    } else if (!versionAtLeast(version, 5, 7)) {
      this.#problem('server-version', 'server version is too old for row capture', version, 'upgrade to MySQL ≥ 5.7');
    }
  }

  settings(): void {
    const logBin = this.#setting('log_bin');
    if (logBin !== 'ON') {
      this.#problem('log-bin-off', 'the binary log is off', logBin ?? 'none', 'set log_bin and restart the server');
    }
    const format = this.#setting('binlog_format') ?? 'ROW';
    if (format !== 'ROW') {
      const fix = "SET PERSIST binlog_format='ROW'; and reconnect open sessions, which keep their old value";
      this.#problem('binlog-format', 'binlog_format is not ROW', format, fix);
    }
    this.#rowSettings();
    const gtids = this.#setting('gtid_mode') ?? 'OFF';
    if (gtids !== 'ON') {
      this.warnings.push(`gtid-off: gtid_mode is ${gtids}: no failover to another server, no exact watermarks`);
    }
    const expiry = Number(this.#setting('binlog_expire_logs_seconds') ?? 0);
    const days = Number(this.#setting('expire_logs_days') ?? 0);
    const seconds = expiry > 0 ? expiry : days * dayS;
    if (seconds > 0 && seconds < dayS) {
      this.warnings.push(
        `binlog-expiry: the server keeps its log for ${seconds} s only: SET PERSIST binlog_expire_logs_seconds=604800`,
      );
    }
  }

  #rowSettings(): void {
    const image = this.#setting('binlog_row_image') ?? 'FULL';
    if (image === 'NOBLOB') {
      this.warnings.push(
        'binlog-row-image: NOBLOB leaves unchanged large columns out of the log: they are unavailable',
      );
    } else if (image !== 'FULL') {
      this.#problem('binlog-row-image', 'row images are incomplete', image, "SET PERSIST binlog_row_image='FULL'");
    }
    const metadata = this.#setting('binlog_row_metadata') ?? 'none';
    if (metadata !== 'FULL') {
      this.warnings.push(
        `binlog-row-metadata: row metadata has no column names (${metadata}): names are taken from the catalogue; ` +
          "SET PERSIST binlog_row_metadata='FULL'",
      );
    }
    const valueOptions = this.#setting('binlog_row_value_options') ?? '';
    if (valueOptions !== '') {
      const fix = "SET PERSIST binlog_row_value_options=''";
      this.#problem('binlog-row-value-options', 'partial JSON updates are on', valueOptions, fix);
    }
    if (this.#setting('binlog_transaction_compression') === 'ON') {
      const fix = 'SET PERSIST binlog_transaction_compression=OFF';
      this.#problem('binlog-transaction-compression', 'transactions are compressed', 'ON', fix);
    }
  }

  /** Each is tried; a refusal names what is missing. Returns the log status where it may be read. */
  async grants(): Promise<LogStatus | null> {
    const { version } = this.#facts;
    const account = `${quoteText(this.#options.user)}@'%'`;
    const missing: string[] = [];
    const status = await this.#allowed(() => readLogStatus(this.#query, version, this.#signal));
    const files = await this.#allowed(() => readLogFiles(this.#query, this.#signal));
    if (status === null || files === null) missing.push('REPLICATION CLIENT');
    const replicas = await this.#allowed(() => this.#query(replicasStatement(version), this.#signal));
    if (replicas === null) missing.push('REPLICATION SLAVE');
    else this.#serverIds(replicas.map((row) => Number(row['Server_Id'] ?? row['Server_id'] ?? 0)));
    if (missing.length > 0) {
      const fix = `GRANT ${missing.join(', ')} ON *.* TO ${account}`;
      this.#problem('grants', 'the capture user may not read the log', 'refused', fix);
    }
    return status;
  }

  /** null when the server refuses; anything but a refusal goes up. */
  async #allowed<T>(probe: () => Promise<T>): Promise<T | null> {
    try {
      return await probe();
    } catch (error) {
      if (error instanceof CdcError && error.code === 'SOURCE_AUTH_FAILED') return null;
      if (error instanceof CdcError && error.code === 'SOURCE_NOT_READY') return null;
      throw error;
    }
  }

  #serverIds(registered: readonly number[]): void {
    const { first, last } = this.#options.serverIds;
    const taken = new Set([...registered, this.#facts.serverId, 0]);
    // Our own dump of an earlier run may still be registered: one free id is enough, more than one id is not asked for.
    for (let id = first; id <= last; id++) if (!taken.has(id)) return;
    if (first === last && first !== this.#facts.serverId && first !== 0) return;
    const found = first === last ? String(first) : `${first}-${last}`;
    this.#problem('server-id-in-use', 'no free id in server-id', found, 'choose a range that no replica uses');
  }

  async replica(): Promise<void> {
    const rows = await this.#allowed(() => this.#query(replicaStatusStatement(this.#facts.version), this.#signal));
    if (rows === null || rows.length === 0) return;
    if (this.#setting('log_replica_updates', 'log_slave_updates') === 'OFF') {
      const fix = 'set log_replica_updates=ON and restart the server';
      this.#problem('replica-without-log', 'this replica does not log what it replicates', 'OFF', fix);
    }
    const workers = Number(this.#setting('replica_parallel_workers', 'slave_parallel_workers') ?? 0);
    if (workers > 0 && this.#setting('replica_preserve_commit_order', 'slave_preserve_commit_order') === 'OFF') {
      this.warnings.push(
        'replica-commit-order: parallel workers commit out of order: SET PERSIST replica_preserve_commit_order=ON',
      );
    }
  }

  async tables(catalogue: Catalogue): Promise<readonly CatalogueTable[]> {
    const all = await catalogue.names(this.#signal);
    const captured = all.filter(this.#options.captures);
    if (captured.length === 0) {
      const near = all.slice(0, 10).map(tableIdText).join(', ');
      const found = near === '' ? 'no table that this user may see' : `tables such as ${near}`;
      this.#problem('no-table-matched', 'no table matches', found, 'check `tables` and GRANT SELECT on the database');
      return [];
    }
    const tables = await catalogue.load(captured, this.#signal);
    for (const table of tables) this.#table(table);
    await this.#selectGrants(tables);
    return tables;
  }

  #table(table: CatalogueTable): void {
    const name = tableIdText(table.id);
    for (const column of table.columns) {
      if (isDecodable(column)) continue;
      const fix = 'exclude the table, or change the column';
      this.#problem('column-type', 'a column type cannot be read', `${name}.${column.name} ${column.columnType}`, fix);
    }
    if (table.primaryKey.length === 0 && this.#options.chunkKeyColumn(table.id) === null) {
      this.warnings.push(`no-key: table has no key: ${name}: rows have no identity, all go to one partition`);
    }
    if (!transactionalEngines.has(table.engine)) {
      this.warnings.push(`engine: ${name} is ${table.engine}: its rows are not rolled back`);
    }
  }

  async #selectGrants(tables: readonly CatalogueTable[]): Promise<void> {
    for (const [schema, group] of Map.groupBy(tables, (table) => table.id.schema)) {
      const refused: string[] = [];
      for (const { id } of group) {
        const target = `${quoteIdentifier(schema)}.${quoteIdentifier(id.table)}`;
        const seen = await this.#allowed(() => this.#query(`SELECT * FROM ${target} LIMIT 0`, this.#signal));
        if (seen === null) refused.push(tableIdText(id));
      }
      if (refused.length === 0) continue;
      const fix = `GRANT SELECT ON ${quoteIdentifier(schema)}.* TO ${quoteText(this.#options.user)}@'%'`;
      this.#problem('grants', 'the capture user may not read tables', refused.slice(0, 20).join(', '), fix);
    }
  }

  logFilter(status: LogStatus, tables: readonly CatalogueTable[]): void {
    const logged = splitNames(status.doDatabases);
    const ignored = splitNames(status.ignoredDatabases);
    const hidden = [...new Set(tables.map((table) => table.id.schema))].filter(
      (schema) => ignored.has(schema) || (logged.size > 0 && !logged.has(schema)),
    );
    if (hidden.length === 0) return;
    const fix = 'remove binlog_do_db / binlog_ignore_db for them and restart the server';
    this.#problem('binlog-filter', 'a binary log filter hides captured databases', hidden.join(', '), fix);
  }

  /** Servers before 9.6 change children inside the engine, without a log event (T40). */
  async cascades(tables: readonly CatalogueTable[]): Promise<void> {
    const native = this.#setting('innodb_native_foreign_keys');
    if (versionAtLeast(this.#facts.version, 9, 6) && native !== 'ON') return;
    for (const [schema, group] of Map.groupBy(tables, (table) => table.id.schema)) {
      const names = new Set(group.map((table) => table.id.table));
      const rows = await this.#query(
        'SELECT TABLE_NAME AS t, CONSTRAINT_NAME AS c FROM information_schema.REFERENTIAL_CONSTRAINTS ' +
          `WHERE CONSTRAINT_SCHEMA = ${quoteText(schema)} ` +
          "AND (DELETE_RULE IN ('CASCADE', 'SET NULL') OR UPDATE_RULE IN ('CASCADE', 'SET NULL'))",
        this.#signal,
      );
      const children = new Set(rows.map((row) => row['t'] ?? '').filter((name) => names.has(name)));
      for (const child of children) {
        this.warnings.push(`fk-cascade: child changes by cascade are not in the log: ${schema}.${child}`);
      }
    }
  }
}

function splitNames(list: string): ReadonlySet<string> {
  return new Set(
    list
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
  );
}
