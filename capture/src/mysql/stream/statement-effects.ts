import { CdcError } from '@millrace/shared/errors/cdc-error.ts';
import { tableIdText } from '@millrace/shared/event/table-id.ts';
import type { TableId } from '@millrace/shared/event/table-id.ts';

import type { SourceEvent } from '../../source.ts';
import { decodeText } from '../charset.ts';
import type { TokenPool } from '../position-token.ts';
import { refusedRows } from '../refused-rows.ts';
import type { TableVersions } from '../table-versions.ts';
import { queryTextStart, readQueryContext } from '../binlog/query-event.ts';
import type { QueryContext } from '../binlog/query-event.ts';
import { SqlTokens } from '../binlog/sql-tokens.ts';
import { readStatement } from '../binlog/statement.ts';
import type { Statement, TableChange } from '../binlog/statement.ts';

/** A collation of utf8mb4: what the text of an event without charset is taken for. */
const utf8mb4Collation = 45;

export interface LoggedStatement {
  readonly statement: Statement;
  readonly context: QueryContext;
  readonly text: string;
}

/** Reads the text of a QUERY event in its client charset (T192), a trailing NUL cut (T71). */
export function readLoggedStatement(bytes: Buffer, body: number, end: number, extraBytes: number): LoggedStatement {
  const context = readQueryContext(bytes, body, end, extraBytes);
  const start = queryTextStart(bytes, body, end, extraBytes);
  const stop = end > start && bytes[end - 1] === 0 ? end - 1 : end;
  const text = decodeText(bytes, start, stop, context.clientCollation ?? utf8mb4Collation);
  return { statement: readStatement(text, context, context.schema), context, text };
}

/** Where a statement stands in the log, and where its events go. */
export interface StatementPlace {
  readonly tokens: TokenPool;
  readonly position: number;
  readonly events: SourceEvent[];
  readonly gtid: string;
  /** When it was committed at the server that is read. */
  readonly committedMicros: number;
}

/** What logged statements mean for captured tables: events, an outdated catalogue, or a stop. */
export class StatementEffects {
  readonly #versions: TableVersions;
  readonly #captures: (id: TableId) => boolean;
  readonly #normalise: (id: TableId) => TableId;

  constructor(versions: TableVersions, captures: (id: TableId) => boolean, normalise: (id: TableId) => TableId) {
    this.#versions = versions;
    this.#captures = captures;
    this.#normalise = normalise;
  }

  /** Only remembers that definitions changed. */
  note(logged: LoggedStatement): void {
    for (const change of this.#changes(logged.statement)) this.#markStale(change);
  }

  apply(logged: LoggedStatement, place: StatementPlace): void {
    const { statement } = logged;
    if (statement.kind === 'dml') return this.#refuseDml(statement.tables, logged.context, place.gtid);
    if (statement.kind === 'unknown') return this.#refuseUnknown(logged, place.gtid);
    for (const change of this.#changes(statement)) {
      const { table, renamedFrom } = change;
      const capturedBefore = this.#captures(renamedFrom ?? table);
      if (capturedBefore) this.#checkNames(renamedFrom ?? table, place);
      const nothingNew = change.ifNotExists && this.#versions.isKnown(table);
      this.#markStale(change);
      if (nothingNew || (!capturedBefore && !this.#captures(table))) continue;
      const position = place.tokens.token(place.position);
      place.events.push({
        kind: 'schema-change',
        change: change.change,
        table,
        renamedFrom,
        ddl: logged.text,
        position,
      });
      if (change.rowsReplaced) this.#refuseTable(table, rowsReplaced(table), place);
    }
  }

  /** Without names in the log, rows before this statement may have got names from after it (T62, T195). */
  #checkNames(id: TableId, place: StatementPlace): void {
    if (this.#versions.wasNamedAhead(id, place.committedMicros)) this.#refuseTable(id, namedAhead(id), place);
  }

  #refuseTable(id: TableId, error: CdcError, place: StatementPlace): void {
    const table = this.#versions.latest(id);
    if (table === null) throw error;
    const position = place.tokens.token(place.position);
    place.events.push({ kind: 'rows', op: 'delete', rows: refusedRows(table, error), position });
  }

  #changes(statement: Statement): readonly TableChange[] {
    if (statement.kind === 'ddl') {
      return statement.changes.map((change) => ({
        ...change,
        table: this.#normalise(change.table),
        renamedFrom: change.renamedFrom === null ? null : this.#normalise(change.renamedFrom),
      }));
    }
    if (statement.kind !== 'drop-database') return [];
    const { schema } = this.#normalise({ namespace: '', schema: statement.database, table: '' });
    return this.#versions
      .idsIn(schema)
      .map((table) => ({ change: 'drop', table, renamedFrom: null, rowsReplaced: false, ifNotExists: false }) as const);
  }

  #markStale(change: TableChange): void {
    if (change.change === 'drop') this.#versions.markDropped(change.table);
    else this.#versions.markStale(change.table);
    if (change.renamedFrom !== null) this.#versions.markDropped(change.renamedFrom);
  }

  #refuseDml(tables: readonly TableId[], context: QueryContext, gtid: string): void {
    const named = tables.map(this.#normalise);
    const captured = named.find(this.#captures);
    const databases = new Set(named.map((id) => id.schema));
    // A trigger may have written elsewhere: the event lists the databases, not the tables.
    const elsewhere = (context.updatedDatabases ?? []).find(
      (database) => !databases.has(database) && this.#versions.databases.has(database),
    );
    if (captured === undefined && elsewhere === undefined) return;
    throw new CdcError('SOURCE_STATEMENT_EVENT', 'a session wrote in statement format', {
      details: { table: captured === undefined ? `${elsewhere ?? ''}.*` : tableIdText(captured), gtid },
    });
  }

  #refuseUnknown(logged: LoggedStatement, gtid: string): void {
    const { context, text } = logged;
    const databases = (context.updatedDatabases ?? [context.schema]).filter((name) =>
      this.#versions.databases.has(name),
    );
    const names = new Set(databases.flatMap((database) => this.#versions.idsIn(database)).map((id) => id.table));
    if (names.size === 0) return;
    const tokens = new SqlTokens(text, context);
    for (let token = tokens.next(); token.kind !== 'end'; token = tokens.next()) {
      if ((token.kind !== 'word' && token.kind !== 'name') || !names.has(token.text)) continue;
      throw new CdcError(
        'SOURCE_SCHEMA_UNSUPPORTED',
        'a statement that may change a captured table is not understood',
        {
          details: { tables: [...names].slice(0, 20), gtid },
          hint: 'Start again from a position after the statement, with a snapshot of the table (resync).',
        },
      );
    }
  }
}

/** Rows of partitions and tablespaces come and go without row events (T70): the table must be read again. */
function rowsReplaced(id: TableId): CdcError {
  return new CdcError('SOURCE_SCHEMA_UNSUPPORTED', 'rows of a table were replaced without row events', {
    details: { table: tableIdText(id) },
    hint: 'A partition or tablespace was dropped, exchanged or imported: snapshot the table again (resync).',
  });
}

function namedAhead(id: TableId): CdcError {
  return new CdcError('SOURCE_SCHEMA_UNSUPPORTED', 'rows cannot be told apart by column', {
    details: { table: tableIdText(id), why: 'the catalogue is ahead of a change of the table' },
    hint: "Run SET PERSIST binlog_row_metadata='FULL' at the source, then snapshot the table again (resync).",
  });
}
