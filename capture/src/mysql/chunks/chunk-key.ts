import { CdcError } from '@millrace/shared/errors/cdc-error.ts';
import { tableIdText } from '@millrace/shared/event/table-id.ts';

import type { ChunkBound, ChunkRange } from '../../source.ts';
import { binaryCollation } from '../charset.ts';
import { wireType } from '../column.ts';
import type { MysqlColumn, MysqlTable } from '../column.ts';
import { quoteIdentifier } from '../select-expression.ts';
import { quoteText } from '../sql-text.ts';

/** Names of a collation id: `utf8mb4` and `utf8mb4_0900_ai_ci`. */
export interface CollationName {
  readonly charset: string;
  readonly collation: string;
}

export type CollationNames = ReadonlyMap<number, CollationName>;

/** How a key column is fetched as bound text, and how a bound becomes a literal that compares as the column does. */
interface KeyPart {
  /** What the server compares and orders by. */
  readonly operand: string;
  /** What a bound is fetched as. */
  readonly fetched: string;
  readonly literal: (bound: string) => string;
}

const numberPattern = /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i;
const hexPattern = /^(?:[0-9A-F]{2})*$/i;

function badBound(): CdcError {
  return new CdcError('CHECKPOINT_UNREADABLE', 'a chunk bound of a MySQL source cannot be read');
}

function numberLiteral(bound: string): string {
  if (!numberPattern.test(bound)) throw badBound();
  return bound;
}

function hexOf(bound: string): string {
  if (!hexPattern.test(bound)) throw badBound();
  return `x'${bound}'`;
}

function stringPart(name: string, column: MysqlColumn, collations: CollationNames): KeyPart {
  const fetched = `HEX(${name})`;
  if (column.collation === null || column.collation === binaryCollation) {
    return { operand: name, fetched, literal: hexOf };
  }
  const known = collations.get(column.collation);
  if (known === undefined) {
    throw new CdcError('SOURCE_SCHEMA_UNSUPPORTED', 'character set is not known', {
      details: { column: column.name, collation: column.collation },
    });
  }
  // HEX gives the bytes of the column's own charset: nothing is converted on the way to the bound and back.
  return {
    operand: name,
    fetched,
    literal: (bound) => `_${known.charset} ${hexOf(bound)} COLLATE ${known.collation}`,
  };
}

/** Bounds and order are the server's own comparison, by type (T127, T176). */
function keyPart(column: MysqlColumn, collations: CollationNames): KeyPart {
  const name = quoteIdentifier(column.name);
  switch (column.wireType) {
    case wireType.tiny:
    case wireType.short:
    case wireType.int24:
    case wireType.long:
    case wireType.longlong:
    case wireType.year:
    case wireType.decimal:
      return { operand: name, fetched: `CAST(${name} AS CHAR)`, literal: numberLiteral };
    case wireType.float:
    case wireType.double:
      return { operand: name, fetched: `CAST(${name} * 1e0 AS CHAR)`, literal: numberLiteral };
    // Compared by number, not by label: an index cannot serve that, its order still does.
    case wireType.enum:
    case wireType.set:
    case wireType.bit:
      return { operand: `(${name} + 0)`, fetched: `CAST(${name} + 0 AS CHAR)`, literal: numberLiteral };
    case wireType.string:
    case wireType.varchar:
    case wireType.varString:
    case wireType.blob:
      return stringPart(name, column, collations);
    case wireType.date:
    case wireType.newDate:
    case wireType.time2:
    case wireType.datetime2:
    case wireType.timestamp2:
    case wireType.timeOld:
    case wireType.datetimeOld:
    case wireType.timestampOld:
      return { operand: name, fetched: `CAST(${name} AS CHAR)`, literal: quoteText };
    default:
      throw new CdcError('SOURCE_SCHEMA_UNSUPPORTED', 'a column cannot be split into chunks', {
        details: { column: column.name, type: column.schema.sourceType },
      });
  }
}

/** The columns by which a table is cut, compiled to SQL. */
export class ChunkKey {
  readonly #table: string;
  readonly #parts: readonly KeyPart[];
  readonly #order: string;
  readonly #mayBeNull: boolean;

  /** Empty `columns`: the table is one chunk. */
  constructor(table: MysqlTable, columns: readonly string[], collations: CollationNames) {
    const { id } = table.schema;
    this.#table = `${quoteIdentifier(id.schema)}.${quoteIdentifier(id.table)}`;
    const used = columns.map((name) => {
      const column = table.columns.find((candidate) => candidate.name === name);
      if (column !== undefined) return column;
      throw new CdcError('SOURCE_SCHEMA_UNSUPPORTED', 'the chunk key column is not in the table', {
        details: { table: tableIdText(id), column: name },
      });
    });
    this.#parts = used.map((column) => keyPart(column, collations));
    this.#order = used.length === 0 ? '' : ` ORDER BY ${used.map((column) => quoteIdentifier(column.name)).join(', ')}`;
    this.#mayBeNull = used.some((column) => column.schema.nullable);
  }

  get isEmpty(): boolean {
    return this.#parts.length === 0;
  }

  /** `(a > x) OR (a = x AND b > y)…`; inclusive in the last column when `inclusive`. */
  #after(bound: ChunkBound, inclusive: boolean): string {
    const literals = this.#literals(bound);
    const alternatives = this.#parts.map((part, at) => {
      const equal = this.#parts.slice(0, at).map((before, index) => `${before.operand} = ${literals[index] ?? ''}`);
      const last = at === this.#parts.length - 1;
      const operator = last && inclusive ? '>=' : '>';
      return `(${[...equal, `${part.operand} ${operator} ${literals[at] ?? ''}`].join(' AND ')})`;
    });
    return `(${alternatives.join(' OR ')})`;
  }

  #before(bound: ChunkBound): string {
    const literals = this.#literals(bound);
    const alternatives = this.#parts.map((part, at) => {
      const equal = this.#parts.slice(0, at).map((before, index) => `${before.operand} = ${literals[index] ?? ''}`);
      return `(${[...equal, `${part.operand} < ${literals[at] ?? ''}`].join(' AND ')})`;
    });
    return alternatives.join(' OR ');
  }

  #literals(bound: ChunkBound): readonly string[] {
    let values: unknown;
    try {
      values = JSON.parse(bound);
    } catch {
      throw badBound();
    }
    if (!Array.isArray(values) || values.length !== this.#parts.length) throw badBound();
    return this.#parts.map((part, index) => {
      const value: unknown = values[index];
      if (typeof value !== 'string') throw badBound();
      return part.literal(value);
    });
  }

  /** Rows of a chunk in key order; rows whose key is NULL stand in the first one. */
  selectRange(expressions: readonly string[], range: ChunkRange): string {
    const conditions: string[] = [];
    if (range.from !== null) conditions.push(this.#after(range.from, true));
    if (range.to !== null) {
      const nulls = this.#mayBeNull && range.from === null ? ` OR ${this.#anyNull()}` : '';
      conditions.push(`(${this.#before(range.to)}${nulls})`);
    }
    const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
    return `SELECT ${expressions.join(', ')} FROM ${this.#table}${where}${this.#order}`;
  }

  #anyNull(): string {
    return this.#parts.map((part) => `${part.operand} IS NULL`).join(' OR ');
  }

  /**
   * The bound `rows` rows after `from`, in column `ahead` whether it lies beyond it: keys that are equal under the
   * collation, or not unique, may stretch over more rows than that.
   */
  selectBound(from: ChunkBound | null, rows: number): string {
    const ahead = from === null ? '1' : `IF(${this.#after(from, false)}, 1, 0)`;
    return this.#select(`, ${ahead} AS ahead`, from === null ? null : this.#after(from, true), rows);
  }

  /** The next key after `from`. */
  selectNext(from: ChunkBound): string {
    return this.#select('', this.#after(from, false), 0);
  }

  #select(extra: string, condition: string | null, offset: number): string {
    const fetched = this.#parts.map((part, index) => `${part.fetched} AS k${index}`).join(', ');
    const conditions = [
      ...(condition === null ? [] : [condition]),
      ...(this.#mayBeNull ? this.#parts.map((part) => `${part.operand} IS NOT NULL`) : []),
    ];
    const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
    return `SELECT ${fetched}${extra} FROM ${this.#table}${where}${this.#order} LIMIT 1 OFFSET ${offset}`;
  }

  bound(row: Readonly<Record<string, string | null>>): ChunkBound {
    return JSON.stringify(this.#parts.map((_, index) => row[`k${index}`] ?? '')) as ChunkBound;
  }
}
