import { assertNever } from '@millrace/shared/errors/cdc-error.ts';
import type { ColumnSchema } from '@millrace/shared/event/schema.ts';
import type { LogicalType } from '@millrace/shared/event/logical-type.ts';

import type { CatalogColumn } from './catalog.ts';
import { pgTypeOf } from './pg-type.ts';
import type { PgType } from './pg-type.ts';

/** Whether every legal value of a stream's column goes into a target column unchanged. */
export type TypeFit = 'fits' | 'too-narrow' | 'unrelated';

const integerDigits: Readonly<Record<string, number>> = { int2: 4, int4: 9, int8: 18 };
const integerRank: Readonly<Record<string, number>> = { int2: 1, int4: 2, int8: 3 };
const kindRank: Readonly<Record<string, number>> = { boolean: 0, tinyint: 1, smallint: 1, int: 2, bigint: 3 };
const kindDigits: Readonly<Record<string, number>> = { boolean: 1, tinyint: 3, smallint: 5, int: 10, bigint: 19 };
const textTargets = new Set(['text', 'citext', 'name']);
const limitedTextTargets = new Set(['varchar', 'bpchar']);

function atLeast(yes: boolean): TypeFit {
  return yes ? 'fits' : 'too-narrow';
}

/** numeric without arguments has no limit. */
function numericFit(target: PgType, precision: number, scale: number): TypeFit {
  const [targetPrecision, targetScale = 0] = target.args;
  if (targetPrecision === undefined) return 'fits';
  return atLeast(targetScale >= scale && targetPrecision - targetScale >= precision - scale);
}

function integerFit(kind: string, target: PgType): TypeFit {
  const rank = integerRank[target.name];
  if (rank !== undefined) return atLeast(rank >= (kindRank[kind] ?? 3));
  if (target.name === 'numeric') return numericFit(target, kindDigits[kind] ?? 19, 0);
  // A double holds 53 bits.
  if (target.name === 'float8') return atLeast((kindRank[kind] ?? 3) <= 2);
  if (target.name === 'bool') return kind === 'boolean' || kind === 'tinyint' ? 'fits' : 'too-narrow';
  return 'unrelated';
}

function decimalFit(precision: number, scale: number, target: PgType): TypeFit {
  if (target.name === 'numeric') return numericFit(target, precision, scale);
  const digits = integerDigits[target.name];
  return digits === undefined ? 'unrelated' : atLeast(scale === 0 && precision <= digits);
}

/** Documents, addresses and the like: the target's own input function judges the text. */
const parsedTargets = new Set([
  'json',
  'jsonb',
  'uuid',
  'inet',
  'cidr',
  'macaddr',
  'macaddr8',
  'interval',
  'xml',
  'ltree',
  'hstore',
  'tsvector',
  'pg_lsn',
  'timetz',
  'numeric',
  'int4range',
  'int8range',
  'numrange',
  'tsrange',
  'tstzrange',
  'daterange',
  'point',
  'line',
  'lseg',
  'box',
  'path',
  'polygon',
  'circle',
  'geometry',
]);

function stringFit(column: ColumnSchema, target: PgType, isEnum: boolean): TypeFit {
  const preferred = pgTypeOf(column);
  if (preferred.name === 'numeric' && target.name === 'numeric') {
    const [precision, scale = 0] = preferred.args;
    return precision === undefined ? atLeast(target.args.length === 0) : numericFit(target, precision, scale);
  }
  if (limitedTextTargets.has(target.name)) {
    const [limit] = target.args;
    if (limit === undefined) return 'fits';
    const { type } = column;
    return atLeast((type.kind === 'char' || type.kind === 'varchar') && type.length <= limit);
  }
  if (isEnum || target.name === preferred.name) return 'fits';
  // Only a text whose kind is known, or not known at all, may go where the server parses it.
  const parsed = parsedTargets.has(target.name);
  return parsed && target.name !== 'numeric' ? 'fits' : 'unrelated';
}

function binaryFit(column: ColumnSchema, target: PgType): TypeFit {
  const preferred = pgTypeOf(column);
  if (preferred.name === 'bit') {
    return target.name === 'bit' && target.args[0] === preferred.args[0] ? 'fits' : 'unrelated';
  }
  // The bytes of a bit string of varying length do not tell how many bits it has.
  return preferred.name === 'bytea' && target.name === 'bytea' ? 'fits' : 'unrelated';
}

function temporalFit(target: PgType, name: string, precision: number): TypeFit {
  return target.name === name ? atLeast((target.args[0] ?? 6) >= Math.min(precision, 6)) : 'unrelated';
}

function isText(target: PgType): boolean {
  return textTargets.has(target.name) || (limitedTextTargets.has(target.name) && target.args.length === 0);
}

function scalarFit(type: LogicalType, column: ColumnSchema, target: PgType, isEnum: boolean): TypeFit {
  switch (type.kind) {
    case 'boolean':
      return target.name === 'bit' && target.args[0] === 1 ? 'fits' : integerFit(type.kind, target);
    case 'tinyint':
    case 'smallint':
    case 'int':
    case 'bigint':
      return integerFit(type.kind, target);
    case 'decimal':
      return decimalFit(type.precision, type.scale, target);
    case 'float':
      if (target.name === 'float4' || target.name === 'float8') return 'fits';
      return target.name === 'numeric' ? atLeast(target.args.length === 0) : 'unrelated';
    case 'double':
      if (target.name === 'float8') return 'fits';
      if (target.name === 'numeric') return atLeast(target.args.length === 0);
      return target.name === 'float4' ? 'too-narrow' : 'unrelated';
    case 'date':
      return target.name === 'date' ? 'fits' : 'unrelated';
    case 'time':
      // MySQL's TIME goes beyond a day and below zero; into `time` such values are refused one by one.
      return target.name === 'interval' ? 'fits' : temporalFit(target, 'time', type.precision);
    case 'timestamp':
      return temporalFit(target, 'timestamp', type.precision);
    case 'timestamp-ltz':
      return temporalFit(target, 'timestamptz', type.precision);
    case 'char':
    case 'varchar':
    case 'string':
      return stringFit(column, target, isEnum);
    case 'binary':
    case 'varbinary':
    case 'bytes':
      return binaryFit(column, target);
    case 'array':
      return target.name === 'jsonb' || target.name === 'json' ? 'fits' : 'unrelated';
    default:
      return assertNever(type);
  }
}

const binaryKinds = new Set(['binary', 'varbinary', 'bytes']);

const checkedTargets = new Set(['int2', 'int4', 'int8', 'oid', 'numeric', 'float4', 'float8', 'bool', 'bit', 'bytea']);

/** Text whose kind is not known may go where each value is parsed, but not where numbers or bytes stand. */
function untypedFit(column: ColumnSchema, target: CatalogColumn): TypeFit {
  if (column.type.kind !== 'string') return scalarFit(column.type, column, target.type, target.isEnum);
  return checkedTargets.has(target.type.name) ? 'unrelated' : 'fits';
}

export function typeFit(column: ColumnSchema, target: CatalogColumn): TypeFit {
  if (target.type.name === 'varbit') return 'unrelated';
  // Columns that were described from the table itself.
  if (column.sourceType === target.typeText) return 'fits';
  if (target.type.array) {
    if (column.type.kind !== 'array' || column.type.element.kind === 'array') return 'unrelated';
    const element = { ...column, type: column.type.element };
    return scalarFit(element.type, element, { ...target.type, array: false }, target.isEnum);
  }
  // Base64 in a text column would pass for text.
  if (isText(target.type)) return binaryKinds.has(column.type.kind) ? 'unrelated' : 'fits';
  if (column.sourceType === null) return untypedFit(column, target);
  return scalarFit(column.type, column, target.type, target.isEnum);
}

/** Digits before and after the point that a number type holds; null for numeric without limits. */
function numberRoom(type: PgType): { readonly whole: number; readonly scale: number } | null {
  const whole = { int2: 5, int4: 10, int8: 19 }[type.name];
  if (whole !== undefined) return { whole, scale: 0 };
  const [precision, scale = 0] = type.args;
  return precision === undefined ? null : { whole: precision - scale, scale };
}

function isExactNumber(type: PgType): boolean {
  return type.name === 'numeric' || integerRank[type.name] !== undefined;
}

/**
 * The type that takes both the stream's column and what the target holds, where it is too narrow; null where no
 * ALTER keeps every value.
 */
export function widenedType(column: ColumnSchema, target: CatalogColumn): PgType | null {
  const wanted = pgTypeOf(column);
  const old = target.type;
  if (wanted.array || old.array) return null;
  if (limitedTextTargets.has(old.name)) return { name: 'text', args: [], array: false };
  if (isExactNumber(wanted) && isExactNumber(old)) {
    if (wanted.name !== 'numeric' && old.name !== 'numeric') return wanted;
    const rooms = [numberRoom(wanted), numberRoom(old)];
    const scale = Math.max(...rooms.map((room) => room?.scale ?? Number.POSITIVE_INFINITY));
    if (!Number.isFinite(scale)) return { name: 'numeric', args: [], array: false };
    const whole = Math.max(...rooms.map((room) => room?.whole ?? 0));
    return { name: 'numeric', args: [whole + scale, scale], array: false };
  }
  if (old.name === 'numeric') return { name: 'numeric', args: [], array: false };
  return old.name === wanted.name || (old.name === 'float4' && wanted.name === 'float8') ? wanted : null;
}

/** Whether `ALTER COLUMN … TYPE` changes the catalogue only and leaves the rows where they are. */
export function widensInPlace(from: PgType, to: PgType): boolean {
  if (limitedTextTargets.has(from.name) && from.name === 'varchar') return to.name === 'text' || to.name === 'varchar';
  if (from.name !== to.name) return false;
  if (from.name === 'numeric') return to.args.length === 0 || to.args[1] === from.args[1];
  return from.name === 'timestamp' || from.name === 'timestamptz';
}
