import type { LogicalType } from '@millrace/shared/event/logical-type.ts';
import { cellKind } from '@millrace/shared/format/json-cells.ts';

const maxInt64 = 9223372036854775807n;
const minInt64 = -9223372036854775808n;
const maxDecimalDigits = 38;
const text: LogicalType = { kind: 'string' };

function ofInteger(literal: string): LogicalType {
  const digits = literal.replace('-', '').length;
  if (digits < 19) return { kind: 'bigint' };
  const value = digits <= maxDecimalDigits ? BigInt(literal) : null;
  if (value === null) return text;
  if (value >= minInt64 && value <= maxInt64) return { kind: 'bigint' };
  return { kind: 'decimal', precision: digits, scale: 0 };
}

function ofFraction(literal: string): LogicalType {
  const [mantissa = '', exponent = '0'] = literal.replace(/^-/, '').toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  const shift = Number(exponent);
  const scale = Math.max(0, fraction.length - shift);
  const integerPlaces = Math.max(0, whole.replace(/^0+/, '').length + shift);
  const precision = Math.max(1, scale + integerPlaces);
  if (precision <= maxDecimalDigits) return { kind: 'decimal', precision, scale };
  // A double is right only where it gives the same number back.
  const value = Number(literal);
  return Number.isFinite(value) && sameNumber(value, literal) ? { kind: 'double' } : text;
}

function significand(literal: string): readonly [digits: string, exponent: number] {
  const [mantissa = '', exponent = '0'] = literal.replace(/^-/, '').toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  const digits = (whole + fraction).replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  return [significant, Number(exponent) - fraction.length + digits.length - significant.length];
}

function sameNumber(value: number, literal: string): boolean {
  const [digits, exponent] = significand(literal);
  const [printed, printedExponent] = significand(String(value));
  return digits === printed && (digits === '' || exponent === printedExponent);
}

/**
 * The type that one JSON cell tells; null when it tells none. Texts are not looked into: a date is text until something
 * better than its looks says otherwise.
 */
export function inferType(kind: number, literal: string, primitiveAsString: boolean): LogicalType | null {
  switch (kind) {
    case cellKind.absent:
    case cellKind.null:
      return null;
    case cellKind.true:
    case cellKind.false:
      return primitiveAsString ? text : { kind: 'boolean' };
    case cellKind.number:
      if (primitiveAsString) return text;
      return /[.eE]/.test(literal) ? ofFraction(literal) : ofInteger(literal);
    default:
      return text;
  }
}

/** `json` marks columns of documents, so that a destination can choose its own type for them. */
export function inferredSourceType(kind: number): string | null {
  return kind === cellKind.array || kind === cellKind.object ? 'json' : null;
}
