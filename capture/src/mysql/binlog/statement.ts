import type { TableId } from '@millrace/shared/event/table-id.ts';

import { SqlTokens } from './sql-tokens.ts';
import type { TokenRules } from './sql-tokens.ts';

/** What a DDL statement does to one table, as far as its first words say. */
export interface TableChange {
  readonly change: 'create' | 'alter' | 'rename' | 'truncate' | 'drop';
  readonly table: TableId;
  /** The old name, for `rename`. */
  readonly renamedFrom: TableId | null;
  /** Rows change without row events (partitions dropped or exchanged, tablespaces imported, T70). */
  readonly rowsReplaced: boolean;
  /** `CREATE TABLE IF NOT EXISTS`, which is logged for a table that exists, too. */
  readonly ifNotExists: boolean;
}

export type Statement =
  | { readonly kind: 'begin' | 'commit' | 'rollback' | 'savepoint' | 'ignored' | 'unknown' }
  | {
      readonly kind: 'xa';
      readonly action: 'start' | 'end' | 'prepare' | 'commit' | 'rollback' | 'other';
      readonly xid: string;
    }
  | { readonly kind: 'ddl'; readonly changes: readonly TableChange[] }
  | { readonly kind: 'drop-database'; readonly database: string }
  /** Data changed by statement text; `tables` as far as the text names them. */
  | { readonly kind: 'dml'; readonly tables: readonly TableId[] };

const ignored: Statement = { kind: 'ignored' };
const unknown: Statement = { kind: 'unknown' };

const harmlessWords: ReadonlySet<string> = new Set(
  (
    'FLUSH ANALYZE OPTIMIZE REPAIR GRANT REVOKE SET CHECK CHECKSUM INSTALL UNINSTALL RESET CHANGE USE LOCK UNLOCK ' +
    'CACHE HANDLER SHOW START STOP PURGE KILL HELP EXPLAIN DESCRIBE DEALLOCATE BINLOG CLONE IMPORT SHUTDOWN RESTART'
  ).split(' '),
);

/** Kinds of objects whose CREATE, ALTER and DROP change no rows or columns of a table, and words that lead to them. */
const harmlessObjects: ReadonlySet<string> = new Set(
  (
    'VIEW TRIGGER PROCEDURE FUNCTION EVENT USER ROLE SERVER TABLESPACE UNDO LOGFILE RESOURCE AGGREGATE ALGORITHM ' +
    'DEFINER SQL LIBRARY INSTANCE PREPARE MATERIALIZED JSON MASKING PACKAGE SEQUENCE'
  ).split(' '),
);

/** The one form in which the server logs an XA identifier. */
const xidPattern = /X'[0-9a-f]*',X'[0-9a-f]*',-?\d+/i;

/**
 * Reads as much of a statement as decides what it means for captured tables (T71, T72, T76): its first words and its
 * table names. Everything else is left to row metadata.
 */
export function readStatement(text: string, rules: TokenRules, schema: string): Statement {
  const statement = new StatementReader(new SqlTokens(text, rules), schema).read();
  if (statement.kind !== 'xa') return statement;
  const xid = xidPattern.exec(text)?.[0].toLowerCase().replaceAll("x'", "X'");
  return { ...statement, xid: xid ?? '' };
}

class StatementReader {
  readonly #tokens: SqlTokens;
  readonly #schema: string;

  constructor(tokens: SqlTokens, schema: string) {
    this.#tokens = tokens;
    this.#schema = schema;
  }

  read(): Statement {
    const tokens = this.#tokens;
    while (tokens.acceptMark('(') || tokens.acceptMark(';'));
    const first = tokens.next();
    switch (first.keyword) {
      case 'BEGIN':
        return { kind: 'begin' };
      case 'COMMIT':
        return { kind: 'commit' };
      case 'ROLLBACK':
        tokens.accept('WORK');
        return { kind: tokens.accept('TO') ? 'savepoint' : 'rollback' };
      case 'SAVEPOINT':
      case 'RELEASE':
        return { kind: 'savepoint' };
      case 'XA':
        return this.#xa();
      case 'START':
        return tokens.accept('TRANSACTION') ? { kind: 'begin' } : ignored;
      case 'SET':
        return this.#set();
      case 'CREATE':
        return this.#create();
      case 'ALTER':
        return this.#alter();
      case 'DROP':
        return this.#drop();
      case 'RENAME':
        return this.#rename();
      case 'TRUNCATE':
        tokens.accept('TABLE');
        return this.#one('truncate', this.#tableName());
      case 'INSERT':
      case 'REPLACE':
      case 'UPDATE':
      case 'DELETE':
      case 'LOAD':
      case 'WITH':
      case 'CALL':
      case 'SELECT':
      case 'DO':
        return { kind: 'dml', tables: this.#namedTables(first.keyword) };
      default:
        return first.kind === 'end' || harmlessWords.has(first.keyword) ? ignored : unknown;
    }
  }

  #one(change: TableChange['change'], table: TableId | null, ifNotExists = false): Statement {
    if (table === null) return unknown;
    return { kind: 'ddl', changes: [{ change, table, renamedFrom: null, rowsReplaced: false, ifNotExists }] };
  }

  /** `SET STATEMENT v=1, … FOR statement` wraps another statement (MariaDB). */
  #set(): Statement {
    const tokens = this.#tokens;
    if (!tokens.accept('STATEMENT')) return ignored;
    for (;;) {
      const token = tokens.next();
      if (token.kind === 'end') return unknown;
      if (token.keyword === 'FOR') return this.read();
    }
  }

  #xa(): Statement {
    const tokens = this.#tokens;
    const verb = tokens.next().keyword.toLowerCase();
    const action = ((): 'start' | 'end' | 'prepare' | 'commit' | 'rollback' | 'other' => {
      if (verb === 'start' || verb === 'begin') return 'start';
      if (verb === 'end' || verb === 'prepare' || verb === 'commit' || verb === 'rollback') return verb;
      return 'other';
    })();
    return { kind: 'xa', action, xid: '' };
  }

  #create(): Statement {
    const tokens = this.#tokens;
    if (tokens.accept('OR')) tokens.accept('REPLACE');
    if (tokens.accept('TEMPORARY', 'DATABASE', 'SCHEMA')) return ignored;
    if (tokens.accept('TABLE')) {
      const conditional = this.#ifExists();
      return this.#one('create', this.#tableName(), conditional);
    }
    const spatial = tokens.accept('SPATIAL');
    if (spatial && tokens.accept('REFERENCE')) return ignored;
    tokens.accept('UNIQUE', 'FULLTEXT', 'VECTOR', 'ONLINE', 'OFFLINE');
    if (tokens.accept('INDEX')) return this.#indexOn();
    return harmlessObjects.has(tokens.peek().keyword) ? ignored : unknown;
  }

  /** `[name] [USING …] ON table` of CREATE and DROP INDEX. */
  #indexOn(): Statement {
    const tokens = this.#tokens;
    for (;;) {
      const token = tokens.next();
      if (token.kind === 'end') return unknown;
      if (token.keyword === 'ON') return this.#one('alter', this.#tableName());
    }
  }

  #drop(): Statement {
    const tokens = this.#tokens;
    tokens.accept('ONLINE', 'OFFLINE');
    if (tokens.accept('TEMPORARY')) return ignored;
    if (tokens.accept('DATABASE', 'SCHEMA')) {
      this.#ifExists();
      const database = this.#identifier();
      return database === null ? unknown : { kind: 'drop-database', database };
    }
    if (tokens.accept('INDEX')) return this.#indexOn();
    if (tokens.accept('SPATIAL')) return ignored;
    if (!tokens.accept('TABLE', 'TABLES')) return harmlessObjects.has(tokens.peek().keyword) ? ignored : unknown;
    this.#ifExists();
    const changes: TableChange[] = [];
    do {
      const table = this.#tableName();
      if (table === null) return unknown;
      changes.push({ change: 'drop', table, renamedFrom: null, rowsReplaced: false, ifNotExists: false });
    } while (tokens.acceptMark(','));
    return { kind: 'ddl', changes };
  }

  /** Left to right (T65). */
  #rename(): Statement {
    const tokens = this.#tokens;
    if (tokens.accept('USER')) return ignored;
    if (!tokens.accept('TABLE', 'TABLES')) return unknown;
    const changes: TableChange[] = [];
    do {
      this.#ifExists();
      const from = this.#tableName();
      if (tokens.accept('WAIT', 'NOWAIT')) tokens.next();
      if (!tokens.accept('TO')) return unknown;
      const to = this.#tableName();
      if (from === null || to === null) return unknown;
      changes.push({ change: 'rename', table: to, renamedFrom: from, rowsReplaced: false, ifNotExists: false });
    } while (tokens.acceptMark(','));
    return { kind: 'ddl', changes };
  }

  #alter(): Statement {
    const tokens = this.#tokens;
    while (tokens.accept('ONLINE', 'OFFLINE', 'IGNORE'));
    if (tokens.accept('DATABASE', 'SCHEMA')) return ignored;
    if (!tokens.accept('TABLE')) return harmlessObjects.has(tokens.peek().keyword) ? ignored : unknown;
    this.#ifExists();
    const table = this.#tableName();
    if (table === null) return unknown;
    const options = this.#alterOptions();
    const changes: TableChange[] = [
      { change: 'alter', table, renamedFrom: null, rowsReplaced: options.rowsReplaced, ifNotExists: false },
    ];
    if (options.newName !== null) {
      changes.push({
        change: 'rename',
        table: options.newName,
        renamedFrom: table,
        rowsReplaced: false,
        ifNotExists: false,
      });
    }
    return { kind: 'ddl', changes };
  }

  /** Walks the comma-separated parts of ALTER TABLE, looking at the first word of each only. */
  #alterOptions(): { readonly newName: TableId | null; readonly rowsReplaced: boolean } {
    const tokens = this.#tokens;
    let newName: TableId | null = null;
    let rowsReplaced = false;
    let depth = 0;
    let first = true;
    for (;;) {
      if (first && tokens.accept('RENAME')) {
        if (!tokens.accept('COLUMN', 'INDEX', 'KEY')) {
          if (!tokens.accept('TO', 'AS')) tokens.acceptMark('=');
          newName = this.#tableName() ?? newName;
        }
      } else if (first && tokens.accept('TRUNCATE', 'DROP', 'EXCHANGE')) {
        rowsReplaced ||= tokens.accept('PARTITION');
      } else if (first && tokens.accept('DISCARD', 'IMPORT')) {
        rowsReplaced = true;
      }
      const token = tokens.next();
      if (token.kind === 'end') return { newName, rowsReplaced };
      first = false;
      if (token.kind !== 'mark') continue;
      if (token.text === '(') depth += 1;
      else if (token.text === ')') depth -= 1;
      else if (token.text === ',') first = depth === 0;
    }
  }

  #ifExists(): boolean {
    const tokens = this.#tokens;
    if (!tokens.accept('IF')) return false;
    tokens.accept('NOT');
    return tokens.accept('EXISTS');
  }

  #identifier(): string | null {
    const token = this.#tokens.peek();
    if (token.kind !== 'word' && token.kind !== 'name') return null;
    return this.#tokens.next().text;
  }

  /** `table`, `database.table` or `.table`. */
  #tableName(): TableId | null {
    const tokens = this.#tokens;
    const bare = tokens.acceptMark('.');
    const first = this.#identifier();
    if (first === null) return null;
    if (bare || !tokens.acceptMark('.')) return { namespace: '', schema: this.#schema, table: first };
    const second = this.#identifier();
    return second === null ? null : { namespace: '', schema: first, table: second };
  }

  /** Tables where a statement may name one: what it changes, and too much rather than too little (T96). */
  #namedTables(verb: string): readonly TableId[] {
    const tokens = this.#tokens;
    const tables: TableId[] = [];
    const take = (): void => {
      while (tokens.accept('LOW_PRIORITY', 'DELAYED', 'HIGH_PRIORITY', 'QUICK', 'IGNORE', 'INTO', 'TABLE', 'ONLY'));
      while (tokens.acceptMark('('));
      const table = this.#tableName();
      if (table !== null) tables.push(table);
    };
    if (verb === 'INSERT' || verb === 'REPLACE') {
      take();
      return tables;
    }
    let listing = verb === 'UPDATE';
    if (listing) take();
    for (let token = tokens.next(); token.kind !== 'end'; token = tokens.next()) {
      if (['FROM', 'JOIN', 'STRAIGHT_JOIN', 'USING', 'INTO', 'UPDATE', 'TABLE'].includes(token.keyword)) {
        listing = true;
        take();
      } else if (['SET', 'WHERE', 'ON', 'VALUES', 'SELECT'].includes(token.keyword)) {
        listing = false;
      } else if (listing && token.kind === 'mark' && token.text === ',') {
        take();
      }
    }
    return tables;
  }
}
