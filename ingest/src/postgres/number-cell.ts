import { cellKind } from '@millrace/shared/format/json-cells.ts';

import { copyBytes, rejectCell } from './cell.ts';
import type { CellWriter } from './cell.ts';
import { copyDigits } from './json-copy.ts';
import type { CopyCell, JsonCopy } from './json-copy.ts';

const minus = 0x2d;
const point = 0x2e;
const plus = 0x2b;
const zero = 0x30;
const wordTrue = 0x65757274;
const wordFals = 0x736c6166;
const maxExponent = 1000;
const numberText = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const specialText = /^(?:NaN|-?Infinity)$/;

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

function isNumeric(kind: number): boolean {
  return kind === cellKind.number || kind === cellKind.string;
}

interface PlainDecimal {
  readonly negative: boolean;
  readonly whole: string;
  /** Without trailing zeros. */
  readonly fraction: string;
}

/** Text of the number grammar without its exponent. */
function plainDecimal(text: string): PlainDecimal {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text);
  if (match === null) throw rejectCell('not-a-number');
  const exponent = Number(match[4] ?? '0');
  const digits = `${match[2]}${match[3] ?? ''}`;
  const zero = /^0+$/.test(digits);
  if (!zero && Math.abs(exponent) > maxExponent) throw rejectCell('out-of-range');
  const place = zero ? 0 : (match[2] ?? '').length + exponent;
  const padded = place <= 0 ? `${'0'.repeat(1 - place)}${digits}` : digits.padEnd(place, '0');
  const cut = place <= 0 ? 1 : place;
  return {
    negative: match[1] === '-' && !zero,
    whole: zero ? '0' : padded.slice(0, cut).replace(/^0+(?=\d)/, ''),
    fraction: zero ? '' : padded.slice(cut).replace(/0+$/, ''),
  };
}

function cellText(source: Buffer, start: number, end: number): string {
  return source.toString('latin1', start, end);
}

function putText(text: string, out: Buffer, at: number): number {
  return at + out.write(text, at, 'latin1');
}

/** Forms other than plain digits: `1E+2`, `5.0`. */
function writeExpandedInteger(text: string, out: Buffer, at: number): number {
  const decimal = plainDecimal(text);
  if (decimal.fraction !== '') throw rejectCell('not-an-integer');
  if (decimal.whole.length > 20) throw rejectCell('out-of-range');
  return putText(`${decimal.negative ? '-' : ''}${decimal.whole}`, out, at);
}

/** Sign and digits of a JSON number up to its point, exponent or end. */
function copyWhole(copy: JsonCopy): boolean {
  const { view } = copy;
  if (view.getUint8(copy.at) === minus) {
    copy.outView.setUint8(copy.to++, minus);
    copy.at++;
  }
  const first = view.getUint8(copy.at);
  const digits = copyDigits(copy);
  return digits === 1 || (digits > 1 && first !== zero);
}

function copyNumeric(scale: number): CopyCell {
  return (copy) => {
    if (!copyWhole(copy)) return false;
    if (copy.view.getUint8(copy.at) !== point) return true;
    copy.outView.setUint8(copy.to++, point);
    copy.at++;
    const digits = copyDigits(copy);
    return digits > 0 && digits <= scale;
  };
}

function copyFloat(copy: JsonCopy): boolean {
  if (!copyWhole(copy)) return false;
  const { view, outView } = copy;
  if (view.getUint8(copy.at) === point) {
    outView.setUint8(copy.to++, point);
    copy.at++;
    if (copyDigits(copy) === 0) return false;
  }
  const exponent = view.getUint8(copy.at);
  if ((exponent | 0x20) !== 0x65) return true;
  outView.setUint8(copy.to++, exponent);
  const sign = view.getUint8(++copy.at);
  if (sign === minus || sign === plus) {
    outView.setUint8(copy.to++, sign);
    copy.at++;
  }
  return copyDigits(copy) > 0;
}

function copyBoolean(copy: JsonCopy): boolean {
  const word = copy.view.getInt32(copy.at, true);
  if (word === wordTrue) {
    copy.outView.setUint8(copy.to++, 0x74);
    copy.at += 4;
    return true;
  }
  if (word !== wordFals || copy.view.getUint8(copy.at + 4) !== 0x65) return false;
  copy.outView.setUint8(copy.to++, 0x66);
  copy.at += 5;
  return true;
}

/** smallint, integer, bigint: digits as they are; the server checks the range. */
export const integerCell: CellWriter = {
  copy: copyWhole,
  readsEscapes: false,
  bytesPerByte: 1,
  extraBytes: 24,
  write: (source, kind, start, end, out, at) => {
    if (!isNumeric(kind)) {
      if (kind !== cellKind.true && kind !== cellKind.false) throw rejectCell('kind-of-value');
      out[at] = kind === cellKind.true ? 0x31 : 0x30;
      return at + 1;
    }
    let from = start;
    let to = at;
    if (source[from] === minus) out[to++] = source[from++] as number;
    const firstDigit = from;
    while (from < end) {
      const byte = source[from] as number;
      if (!isDigit(byte)) return writeExpandedInteger(cellText(source, start, end), out, at);
      out[to++] = byte;
      from++;
    }
    if (from === firstDigit) throw rejectCell('not-a-number');
    return to;
  },
};

/** Exponents are legal input of numeric; only the scale is looked at. */
function writeUnusualNumeric(text: string, scale: number, out: Buffer, at: number): number {
  if (!specialText.test(text) && plainDecimal(text).fraction.length > scale) throw rejectCell('scale');
  return putText(text, out, at);
}

/**
 * numeric: digits as they are. PostgreSQL would round a longer fraction in silence, so digits beyond `scale` other than
 * zeros are refused here; the server checks the precision. `scale` is infinite for a numeric without one.
 */
export function numericCell(scale: number): CellWriter {
  return {
    copy: copyNumeric(scale),
    readsEscapes: false,
    bytesPerByte: 1,
    extraBytes: 0,
    write: (source, kind, start, end, out, at) => {
      if (!isNumeric(kind)) throw rejectCell('kind-of-value');
      let from = start;
      let to = at;
      if (source[from] === minus) out[to++] = source[from++] as number;
      const firstDigit = from;
      while (from < end && isDigit(source[from] as number)) out[to++] = source[from++] as number;
      if (from === end && from > firstDigit) return to;
      if (from > firstDigit && source[from] === point) {
        out[to++] = source[from++] as number;
        const firstFraction = from;
        while (from < end && isDigit(source[from] as number)) {
          const byte = source[from] as number;
          // An exponent behind it may still shift the digits to the left.
          if (byte !== 0x30 && from - firstFraction >= scale) break;
          out[to++] = byte;
          from++;
        }
        if (from === end && from > firstFraction) return to;
      }
      return writeUnusualNumeric(cellText(source, start, end), scale, out, at);
    },
  };
}

/** real, double precision: the text as it is. */
export const floatCell: CellWriter = {
  copy: copyFloat,
  readsEscapes: false,
  bytesPerByte: 1,
  extraBytes: 24,
  write: (source, kind, start, end, out, at) => {
    if (kind !== cellKind.number) {
      if (kind !== cellKind.string) throw rejectCell('kind-of-value');
      const text = cellText(source, start, end);
      if (!numberText.test(text) && !specialText.test(text)) throw rejectCell('not-a-number');
    }
    return copyBytes(source, start, end, out, at);
  },
};

function booleanByte(source: Buffer, kind: number, start: number, end: number): number {
  if (kind === cellKind.true) return 0x74;
  if (kind === cellKind.false) return 0x66;
  if (isNumeric(kind)) {
    if (end - start === 1) {
      const byte = source[start] as number;
      if (byte === 0x31 || byte === 0x74) return 0x74;
      if (byte === 0x30 || byte === 0x66) return 0x66;
    }
    const text = cellText(source, start, end);
    if (kind === cellKind.string && (text === 'true' || text === 'false')) return text === 'true' ? 0x74 : 0x66;
  }
  throw rejectCell('not-a-boolean');
}

/** boolean from true, false, 0, 1 and their texts; 2 is refused, never taken as true. */
export const booleanCell: CellWriter = {
  copy: copyBoolean,
  readsEscapes: false,
  bytesPerByte: 1,
  extraBytes: 24,
  write: (source, kind, start, end, out, at) => {
    out[at] = booleanByte(source, kind, start, end);
    return at + 1;
  },
};
