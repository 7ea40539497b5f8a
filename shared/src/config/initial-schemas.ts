import { CdcError } from '../errors/cdc-error.ts';
import { parseLogicalType } from '../event/logical-type.ts';
import type { LogicalType } from '../event/logical-type.ts';
import { tableSchema } from '../event/schema.ts';
import type { ColumnSchema, TableSchema } from '../event/schema.ts';
import type { TableId } from '../event/table-id.ts';
import { parsed, unparsable } from './parsed.ts';
import type { Parsed } from './parsed.ts';

const token = /\s+|--[^\n]*|`((?:[^`]|``)+)`|'((?:[^']|'')*)'|[\p{L}_][\p{L}\p{N}_$]*|\d+|[(),.;=<>]/uy;

interface Token {
  /** A name without its backticks, a text with its quotes, or a sign. */
  readonly text: string;
  readonly kind: 'word' | 'quoted-name' | 'text' | 'sign';
  readonly column: number;
}

/** Where a statement does not parse; caught at the entry of this file. */
function fault(rule: string, column: number): CdcError {
  return new CdcError('CONFIG_INVALID', rule, { details: { column } });
}

function tokenise(sql: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < sql.length) {
    token.lastIndex = at;
    const match = token.exec(sql);
    if (match === null) throw fault('Flink SQL: an unexpected character', at + 1);
    const [text, name, literal] = match;
    const column = at + 1;
    at += text.length;
    if (name !== undefined) tokens.push({ kind: 'quoted-name', text: name.replaceAll('``', '`'), column });
    else if (literal !== undefined) tokens.push({ kind: 'text', text: literal.replaceAll("''", "'"), column });
    else if (/^[(),.;=<>]$/.test(text)) tokens.push({ kind: 'sign', text, column });
    else if (!/^(\s|--)/.test(text)) tokens.push({ kind: 'word', text, column });
  }
  return tokens;
}

class Statements {
  readonly #tokens: readonly Token[];
  readonly #end: number;
  #next = 0;

  constructor(sql: string) {
    this.#tokens = tokenise(sql);
    this.#end = sql.length + 1;
  }

  get atEnd(): boolean {
    return this.#next >= this.#tokens.length;
  }

  peek(): Token | undefined {
    return this.#tokens[this.#next];
  }

  /** Takes the words or signs if they stand here, in any case. */
  take(...texts: readonly string[]): boolean {
    const here = texts.every((text, index) => {
      const found = this.#tokens[this.#next + index];
      return found !== undefined && found.kind !== 'text' && found.text.toUpperCase() === text;
    });
    if (here) this.#next += texts.length;
    return here;
  }

  expect(...texts: readonly string[]): void {
    if (!this.take(...texts)) throw this.fault(`Flink SQL: ${texts.join(' ')}`);
  }

  name(): string {
    const found = this.peek();
    if (found === undefined || (found.kind !== 'word' && found.kind !== 'quoted-name')) {
      throw this.fault('Flink SQL: a name');
    }
    this.#next += 1;
    return found.text;
  }

  text(): string {
    const found = this.peek();
    if (found?.kind !== 'text') throw this.fault('Flink SQL: a text in single quotes');
    this.#next += 1;
    return found.text;
  }

  any(): Token {
    const found = this.peek();
    if (found === undefined) throw this.fault('Flink SQL: the statement ends early');
    this.#next += 1;
    return found;
  }

  fault(rule: string): CdcError {
    return fault(rule, this.peek()?.column ?? this.#end);
  }
}

function readTableId(sql: Statements): TableId {
  const parts = [sql.name()];
  while (sql.take('.')) parts.push(sql.name());
  if (parts.length > 3) throw sql.fault('Flink SQL: a table of at most three parts');
  const [table = '', schema = '', namespace = ''] = parts.toReversed();
  return { namespace, schema, table };
}

function readNames(sql: Statements): readonly string[] {
  sql.expect('(');
  const names = [sql.name()];
  while (sql.take(',')) names.push(sql.name());
  sql.expect(')');
  return names;
}

/** The words of a type up to what may follow it, with whatever stands in brackets. */
function readType(sql: Statements): LogicalType {
  const unreadable = sql.fault('Flink SQL: a column type');
  let text = sql.name();
  for (const [open, close] of [
    ['(', ')'],
    ['<', '>'],
  ] as const) {
    if (!sql.take(open)) continue;
    text += open;
    for (let depth = 1; depth > 0;) {
      const next = sql.any();
      if (next.text === open) depth += 1;
      if (next.text === close) depth -= 1;
      text += next.text;
    }
  }
  try {
    return parseLogicalType(text);
  } catch {
    throw unreadable;
  }
}

function readColumn(sql: Statements): ColumnSchema {
  const name = sql.name();
  const type = readType(sql);
  const notNull = sql.take('NOT', 'NULL');
  if (!notNull) sql.take('NULL');
  const comment = sql.take('COMMENT') ? sql.text() : null;
  return { name, type, nullable: !notNull, sourceType: null, comment, defaultValue: null, generated: false };
}

function skipOptions(sql: Statements): void {
  if (!sql.take('WITH')) return;
  sql.expect('(');
  for (let depth = 1; depth > 0;) {
    const next = sql.any();
    if (next.kind !== 'sign') continue;
    if (next.text === '(') depth += 1;
    if (next.text === ')') depth -= 1;
  }
}

function readTable(sql: Statements): TableSchema {
  sql.expect('CREATE', 'TABLE');
  sql.take('IF', 'NOT', 'EXISTS');
  const id = readTableId(sql);
  const columns: ColumnSchema[] = [];
  let primaryKey: readonly string[] = [];
  sql.expect('(');
  do {
    if (sql.take('PRIMARY', 'KEY')) {
      primaryKey = readNames(sql);
      sql.take('NOT', 'ENFORCED');
    } else {
      columns.push(readColumn(sql));
    }
  } while (sql.take(','));
  sql.expect(')');
  const comment = sql.take('COMMENT') ? sql.text() : null;
  skipOptions(sql);
  if (primaryKey.some((name) => !columns.some((column) => column.name === name))) {
    throw sql.fault('Flink SQL: a primary key of columns of the table');
  }
  const keyed = columns.map((column) => (primaryKey.includes(column.name) ? { ...column, nullable: false } : column));
  return tableSchema({ id, columns: keyed, primaryKey, comment });
}

/** `CREATE TABLE …;…` in Flink SQL, for column types that records do not tell. Connector options are skipped. */
export function parseInitialSchemas(text: string): Parsed<readonly TableSchema[]> {
  try {
    const sql = new Statements(text);
    const tables: TableSchema[] = [];
    while (!sql.atEnd) {
      tables.push(readTable(sql));
      if (!sql.take(';') && !sql.atEnd) throw sql.fault('Flink SQL: ; between statements');
    }
    return parsed(tables);
  } catch (error) {
    if (error instanceof CdcError) return unparsable(error.message, Number(error.details['column']));
    throw error;
  }
}
