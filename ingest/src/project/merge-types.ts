import { printLogicalType } from '@millrace/shared/event/logical-type.ts';
import type { LogicalType } from '@millrace/shared/event/logical-type.ts';

const maxDecimalDigits = 38;
const text: LogicalType = { kind: 'string' };

const integerRank = { tinyint: 1, smallint: 2, int: 3, bigint: 4 } as const;
const integerDigits = { tinyint: 3, smallint: 5, int: 10, bigint: 19 } as const;
const temporalRank = { date: 0, timestamp: 1, 'timestamp-ltz': 2 } as const;

type IntegerKind = keyof typeof integerRank;
type TemporalKind = keyof typeof temporalRank;

function isInteger(kind: LogicalType['kind']): kind is IntegerKind {
  return kind in integerRank;
}

function isTemporal(kind: LogicalType['kind']): kind is TemporalKind {
  return kind in temporalRank;
}

export function sameType(a: LogicalType, b: LogicalType): boolean {
  return printLogicalType(a) === printLogicalType(b);
}

/** Decimal that holds both; STRING beyond 38 digits. */
function decimal(integerPlaces: number, scale: number): LogicalType {
  const precision = integerPlaces + scale;
  return precision > maxDecimalDigits ? text : { kind: 'decimal', precision: Math.max(precision, 1), scale };
}

function mergeDecimals(a: LogicalType, b: LogicalType): LogicalType | null {
  const places = (type: LogicalType): readonly [number, number] | null => {
    if (type.kind === 'decimal') return [type.precision - type.scale, type.scale];
    return isInteger(type.kind) ? [integerDigits[type.kind], 0] : null;
  };
  const left = places(a);
  const right = places(b);
  if (left === null || right === null) return null;
  return decimal(Math.max(left[0], right[0]), Math.max(left[1], right[1]));
}

function mergeFloats(a: LogicalType, b: LogicalType): LogicalType | null {
  const kinds = [a.kind, b.kind];
  if (!kinds.every((kind) => kind === 'float' || kind === 'double' || isInteger(kind))) return null;
  const wide = kinds.some((kind) => kind === 'double' || kind === 'int' || kind === 'bigint');
  return { kind: wide ? 'double' : 'float' };
}

function mergeTemporals(a: LogicalType, b: LogicalType): LogicalType | null {
  if (a.kind === 'time' && b.kind === 'time') {
    return { kind: 'time', precision: Math.max(a.precision, b.precision) };
  }
  if (!isTemporal(a.kind) || !isTemporal(b.kind)) return null;
  const kind = temporalRank[a.kind] >= temporalRank[b.kind] ? a.kind : b.kind;
  if (kind === 'date') return { kind };
  const precision = (type: LogicalType): number => ('precision' in type ? type.precision : 0);
  return { kind, precision: Math.max(precision(a), precision(b)) };
}

function mergeTexts(a: LogicalType, b: LogicalType): LogicalType | null {
  const isText = (type: LogicalType): boolean => ['char', 'varchar', 'string'].includes(type.kind);
  const isBinary = (type: LogicalType): boolean => ['binary', 'varbinary', 'bytes'].includes(type.kind);
  const length = (type: LogicalType): number => ('length' in type ? type.length : 0);
  const longest = Math.max(length(a), length(b));
  if (isText(a) && isText(b)) {
    if (a.kind === 'string' || b.kind === 'string') return text;
    return { kind: a.kind === 'char' && b.kind === 'char' ? 'char' : 'varchar', length: longest };
  }
  if (isBinary(a) && isBinary(b)) {
    if (a.kind === 'bytes' || b.kind === 'bytes') return { kind: 'bytes' };
    return { kind: a.kind === 'binary' && b.kind === 'binary' ? 'binary' : 'varbinary', length: longest };
  }
  return null;
}

/**
 * The narrowest type that holds every value of both; commutative. What has no common type becomes STRING, which holds
 * the values' JSON text.
 */
export function mergeTypes(a: LogicalType, b: LogicalType): LogicalType {
  if (sameType(a, b)) return a;
  if (isInteger(a.kind) && isInteger(b.kind)) return integerRank[a.kind] > integerRank[b.kind] ? a : b;
  if (a.kind === 'array' && b.kind === 'array') {
    return { kind: 'array', element: mergeTypes(a.element, b.element) };
  }
  return mergeFloats(a, b) ?? mergeDecimals(a, b) ?? mergeTemporals(a, b) ?? mergeTexts(a, b) ?? text;
}
