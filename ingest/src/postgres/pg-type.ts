import { assertNever } from '@millrace/shared/errors/cdc-error.ts';
import type { ColumnSchema } from '@millrace/shared/event/schema.ts';
import type { LogicalType } from '@millrace/shared/event/logical-type.ts';

/** A PostgreSQL type taken apart. `name` is the catalogue's short name (`int4`, `timestamptz`) where it is a built-in. */
export interface PgType {
  readonly name: string;
  readonly args: readonly number[];
  readonly array: boolean;
}

const shortNames = new Map([
  ['smallint', 'int2'],
  ['integer', 'int4'],
  ['int', 'int4'],
  ['bigint', 'int8'],
  ['real', 'float4'],
  ['double precision', 'float8'],
  ['boolean', 'bool'],
  ['decimal', 'numeric'],
  ['character varying', 'varchar'],
  ['character', 'bpchar'],
  ['char', 'bpchar'],
  ['"bit"', 'bit'],
  ['bit varying', 'varbit'],
  ['timestamp without time zone', 'timestamp'],
  ['timestamp with time zone', 'timestamptz'],
  ['time without time zone', 'time'],
  ['time with time zone', 'timetz'],
]);

/** Reads what `format_type` prints and what people write in DDL. Unknown names stay as they are. */
export function parsePgType(text: string): PgType {
  let rest = text.trim();
  const array = rest.endsWith('[]');
  if (array) rest = rest.slice(0, rest.indexOf('['));
  let args: number[] = [];
  // The arguments stand after the name or inside it: timestamp(3) with time zone.
  const match = /^(.*?)\s*\(\s*(-?\d+(?:\s*,\s*-?\d+)*)\s*\)(.*)$/s.exec(rest);
  if (match !== null) {
    args = (match[2] ?? '').split(',').map(Number);
    rest = `${match[1]}${match[3]}`;
  }
  rest = rest.trim();
  if (!rest.startsWith('"') || rest === '"bit"') rest = rest.toLowerCase().replaceAll(/\s+/g, ' ');
  const short = shortNames.get(rest) ?? rest;
  // CHAR and BIT without a length mean one; VARCHAR without one has no limit.
  if (args.length === 0 && (rest === 'char' || rest === 'character' || rest === 'bit')) args = [1];
  return { name: short, args, array };
}

const longNames = new Map([
  ['int2', 'smallint'],
  ['int4', 'integer'],
  ['int8', 'bigint'],
  ['float4', 'real'],
  ['float8', 'double precision'],
  ['bool', 'boolean'],
]);

export function printPgType(type: PgType): string {
  const args = type.args.length === 0 ? '' : `(${type.args.join(',')})`;
  return `${longNames.get(type.name) ?? type.name}${args}${type.array ? '[]' : ''}`;
}

function scalar(name: string, ...args: readonly number[]): PgType {
  return { name, args, array: false };
}

/** First word of the source's type text, such as `bigint` of `bigint unsigned`. */
function sourceWord(sourceType: string | null): string {
  return sourceType === null ? '' : (/^[a-z0-9_]+/.exec(sourceType.trim().toLowerCase())?.[0] ?? '');
}

const stringTargets = new Map([
  ['json', 'jsonb'],
  ['jsonb', 'jsonb'],
  ['geometry', 'jsonb'],
  ['point', 'jsonb'],
  ['linestring', 'jsonb'],
  ['polygon', 'jsonb'],
  ['multipoint', 'jsonb'],
  ['multilinestring', 'jsonb'],
  ['multipolygon', 'jsonb'],
  ['geometrycollection', 'jsonb'],
  ['geomcollection', 'jsonb'],
  ['hstore', 'jsonb'],
  ['uuid', 'uuid'],
  ['inet', 'inet'],
  ['inet4', 'inet'],
  ['inet6', 'inet'],
  ['interval', 'interval'],
  ['timetz', 'timetz'],
]);

function stringTarget(column: ColumnSchema): PgType {
  const word = sourceWord(column.sourceType);
  if (word === 'decimal' || word === 'numeric' || word === 'dec' || word === 'fixed') {
    return scalar('numeric', ...parsePgType(column.sourceType ?? '').args.slice(0, 2));
  }
  if (/^time\b.*with time zone/.test(column.sourceType ?? '')) return scalar('timetz');
  return scalar(stringTargets.get(word) ?? 'text');
}

/** MySQL prints `time(p)` for its signed type of ±838 hours; PostgreSQL's own time of day says `without time zone`. */
function timeTarget(column: ColumnSchema, precision: number): PgType {
  const text = column.sourceType ?? '';
  return text.includes('without time zone') ? scalar('time', precision) : scalar('interval');
}

function binaryTarget(column: ColumnSchema): PgType {
  const word = sourceWord(column.sourceType);
  if (word !== 'bit' && word !== 'varbit') return scalar('bytea');
  const parsed = parsePgType(column.sourceType ?? '');
  return scalar(parsed.name === 'bit' ? 'bit' : 'varbit', ...parsed.args.slice(0, 1));
}

function scalarTarget(type: LogicalType, column: ColumnSchema): PgType {
  switch (type.kind) {
    case 'boolean':
      return scalar('bool');
    case 'tinyint':
    case 'smallint':
      return scalar('int2');
    case 'int':
      return scalar('int4');
    case 'bigint':
      return scalar('int8');
    case 'float':
      return scalar('float4');
    case 'double':
      return scalar('float8');
    case 'decimal':
      return scalar('numeric', type.precision, type.scale);
    case 'date':
      return scalar('date');
    case 'time':
      return timeTarget(column, type.precision);
    case 'timestamp':
      return scalar('timestamp', Math.min(type.precision, 6));
    case 'timestamp-ltz':
      return scalar('timestamptz', Math.min(type.precision, 6));
    case 'char':
    case 'varchar':
    case 'string':
      return stringTarget(column);
    case 'binary':
    case 'varbinary':
    case 'bytes':
      return binaryTarget(column);
    case 'array':
      return scalar('jsonb');
    default:
      return assertNever(type);
  }
}

/** The type that a created column gets (values by type: every legal value of the source fits exactly). */
export function pgTypeOf(column: ColumnSchema): PgType {
  if (column.type.kind !== 'array' || column.type.element.kind === 'array') return scalarTarget(column.type, column);
  const element = { ...column, type: column.type.element, sourceType: null };
  return { ...scalarTarget(column.type.element, element), array: true };
}
