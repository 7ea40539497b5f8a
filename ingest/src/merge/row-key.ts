import { ByteWriter } from '@millrace/shared/bytes/byte-writer.ts';
import { cellKind, RowCells } from '@millrace/shared/format/json-cells.ts';

import { KeyLayout } from './key-layout.ts';
import type { KeyValue } from './key-layout.ts';
import { integerEnd, keyTag, putKeyPart } from './key-part.ts';

const integer = /^-?(?:0|[1-9]\d*)$/;

/**
 * Two spellings of one number get one text: sign, digits without the zeros around, exponent of ten. Integers in their
 * usual spelling stay as they are.
 */
export function canonicalNumber(literal: string): string {
  if (integer.test(literal)) return literal === '-0' ? '0' : literal;
  const [mantissa = '', exponent = '0'] = literal.toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.');
  const digits = (whole + fraction).replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return '0';
  const scale = BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - significant.length);
  const sign = mantissa.startsWith('-') ? '-' : '';
  if (scale >= 0n && scale <= 40n) return sign + significant + '0'.repeat(Number(scale));
  return `${sign}${significant}e${scale}`;
}

/**
 * Identity of a row: the bytes of its key cells in key order, the same for every spelling of the same values. Does not
 * depend on the columns' types, which may grow while rows are folded: so an integer in quotes is that integer, and every
 * other text is text. One object is filled again and again.
 */
export class RowKey {
  readonly #cells: RowCells;
  readonly #out = new ByteWriter(256);

  constructor(columns: readonly string[]) {
    this.#cells = new RowCells(columns);
  }

  /** The key read last: `bytes[0, length)`. Valid until the next `read`. */
  get bytes(): Buffer {
    return this.#out.bytes;
  }

  get length(): number {
    return this.#out.length;
  }

  /** Fields of the object read last that are no key columns. */
  get otherFields(): number {
    return this.#cells.unknownFields;
  }

  /** Reads the key out of a JSON object that holds at least its columns; false when one is absent or null. */
  read(bytes: Buffer, start: number, end: number): boolean {
    const { kind } = this.#cells;
    this.#cells.read(bytes, start, end);
    this.#out.clear();
    for (let column = 0; column < kind.length; column++) {
      const cell = kind[column] as number;
      if (cell === cellKind.absent || cell === cellKind.null) return false;
      this.#append(bytes, column, cell);
    }
    return true;
  }

  /** Reads a key that is spelt as `layout` says; false where `read` must be used. */
  readAs(layout: KeyLayout, bytes: Buffer, view: DataView, start: number, end: number): boolean {
    return layout.read(bytes, view, start, end, this.#out);
  }

  /** How the object that `read` read last spells its key; null where that says nothing about other keys. */
  layout(bytes: Buffer, start: number, end: number): KeyLayout | null {
    const { kind, start: starts, end: ends } = this.#cells;
    const values: KeyValue[] = [];
    let from = start;
    for (let column = 0; column < kind.length; column++) {
      const value = {
        start: starts[column] as number,
        end: ends[column] as number,
        isText: kind[column] === cellKind.string,
      };
      if (value.start < from || (!value.isText && kind[column] !== cellKind.number)) return null;
      values.push(value);
      from = value.end;
    }
    return new KeyLayout(bytes, start, end, values);
  }

  #append(bytes: Buffer, column: number, kind: number): void {
    const start = this.#cells.start[column] as number;
    const end = this.#cells.end[column] as number;
    switch (kind) {
      case cellKind.number:
        this.#appendNumber(bytes, start, end);
        return;
      case cellKind.string:
        putKeyPart(isInteger(bytes, start, end) ? keyTag.number : keyTag.text, bytes, start, end, this.#out);
        return;
      case cellKind.escapedString: {
        const text = Buffer.from(JSON.parse(`"${bytes.toString('utf8', start, end)}"`) as string);
        putKeyPart(keyTag.text, text, 0, text.length, this.#out);
        return;
      }
      case cellKind.true:
        putKeyPart(keyTag.true, bytes, start, start, this.#out);
        return;
      case cellKind.false:
        putKeyPart(keyTag.false, bytes, start, start, this.#out);
        return;
      default:
        putKeyPart(keyTag.json, bytes, start, end, this.#out);
    }
  }

  #appendNumber(bytes: Buffer, start: number, end: number): void {
    if (isInteger(bytes, start, end)) {
      putKeyPart(keyTag.number, bytes, start, end, this.#out);
      return;
    }
    const text = Buffer.from(canonicalNumber(bytes.toString('latin1', start, end)));
    putKeyPart(keyTag.number, text, 0, text.length, this.#out);
  }
}

function isInteger(bytes: Buffer, start: number, end: number): boolean {
  return integerEnd(bytes, start, end) === end;
}
