import { ByteWriter } from '@millrace/shared/bytes/byte-writer.ts';
import { cellKind, RowCells } from '@millrace/shared/format/json-cells.ts';

const tag = { number: 0x6e, text: 0x73, true: 0x74, false: 0x66, json: 0x6a } as const;
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

  #append(bytes: Buffer, column: number, kind: number): void {
    const start = this.#cells.start[column] as number;
    const end = this.#cells.end[column] as number;
    switch (kind) {
      case cellKind.number:
        this.#appendNumber(bytes, start, end);
        return;
      case cellKind.string:
        this.#appendBytes(isInteger(bytes, start, end) ? tag.number : tag.text, bytes, start, end);
        return;
      case cellKind.escapedString: {
        const text = Buffer.from(JSON.parse(`"${bytes.toString('utf8', start, end)}"`) as string);
        this.#appendBytes(tag.text, text, 0, text.length);
        return;
      }
      case cellKind.true:
        this.#appendBytes(tag.true, bytes, start, start);
        return;
      case cellKind.false:
        this.#appendBytes(tag.false, bytes, start, start);
        return;
      default:
        this.#appendBytes(tag.json, bytes, start, end);
    }
  }

  #appendNumber(bytes: Buffer, start: number, end: number): void {
    if (isInteger(bytes, start, end)) {
      this.#appendBytes(tag.number, bytes, start, end);
      return;
    }
    const text = Buffer.from(canonicalNumber(bytes.toString('latin1', start, end)));
    this.#appendBytes(tag.number, text, 0, text.length);
  }

  /** Kind and length stand before the bytes, so that different keys never have equal bytes. */
  #appendBytes(kind: number, bytes: Buffer, start: number, end: number): void {
    const out = this.#out;
    const length = end - start;
    const target = out.reserve(length + 5);
    let at = out.length;
    target[at++] = kind;
    target[at++] = length & 0xff;
    target[at++] = (length >>> 8) & 0xff;
    target[at++] = (length >>> 16) & 0xff;
    target[at++] = length >>> 24;
    out.length = at;
    if (length < 32) for (let i = start; i < end; i++) target[at++] = bytes[i] as number;
    else at += bytes.copy(target, at, start, end);
    out.length = at;
  }
}

/** Digits as they are usually written: no sign but minus, no zeros in front, no minus zero. */
function isInteger(bytes: Buffer, start: number, end: number): boolean {
  const first = bytes[start] === 0x2d ? start + 1 : start;
  if (first === end || (bytes[first] === 0x30 && (end > first + 1 || first > start))) return false;
  for (let at = first; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte < 0x30 || byte > 0x39) return false;
  }
  return true;
}
