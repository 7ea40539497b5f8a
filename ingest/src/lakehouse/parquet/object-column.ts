import type { ByteWriter } from '@millrace/shared/bytes/byte-writer.ts';
import { cellKind } from '@millrace/shared/format/json-cells.ts';

import { decodeBase64 } from './base64.ts';
import { isText, misfit, PlainSpan, unescaped } from './column-builder.ts';
import type { ColumnBuilder, ColumnData, ColumnPlace } from './column-builder.ts';
import { writeBytesKey } from './typed-column.ts';

interface ObjectCell<V> {
  parse(bytes: Buffer, kind: number, start: number, end: number): V;
  writeKey(value: V, out: ByteWriter): void;
}

/** Cells that are objects of their own for the Parquet writer: texts, bytes, booleans, lists. */
class ObjectColumn<V> implements ColumnBuilder {
  readonly #cells: (V | null)[] = [];
  readonly #cell: ObjectCell<V>;

  constructor(cell: ObjectCell<V>) {
    this.#cell = cell;
  }

  get length(): number {
    return this.#cells.length;
  }

  append(bytes: Buffer, kind: number, start: number, end: number): void {
    this.#cells.push(this.#cell.parse(bytes, kind, start, end));
  }

  appendNull(): void {
    this.#cells.push(null);
  }

  clear(): void {
    this.#cells.length = 0;
  }

  value(row: number): unknown {
    return this.#cells[row] ?? null;
  }

  data(): ColumnData {
    return [...this.#cells];
  }

  writeKey(row: number, out: ByteWriter): void {
    const value = this.#cells[row] ?? null;
    if (value !== null) this.#cell.writeKey(value, out);
  }
}

function writeTextKey(value: string, out: ByteWriter): void {
  writeBytesKey(Buffer.from(value, 'utf8'), out);
}

/** Text as it is; any other JSON value as its JSON text, which is what a column of mixed types holds. */
export function textColumn(place: ColumnPlace): ColumnBuilder {
  const parse = (bytes: Buffer, kind: number, start: number, end: number): string => {
    if (kind !== cellKind.escapedString) return bytes.toString('utf8', start, end);
    const text = unescaped(bytes, start, end);
    // A lone surrogate has no UTF-8 form: it would be stored as another character.
    if (!text.isWellFormed()) throw misfit(place, 'bad-value');
    return text;
  };
  return new ObjectColumn({ parse, writeKey: writeTextKey });
}

export function binaryColumn(place: ColumnPlace): ColumnBuilder {
  const span = new PlainSpan();
  const parse = (bytes: Buffer, kind: number, start: number, end: number): Uint8Array => {
    if (!isText(kind)) throw misfit(place, 'type-mismatch');
    span.load(bytes, kind, start, end);
    const decoded = decodeBase64(span.bytes, span.start, span.end);
    if (decoded === null) throw misfit(place, 'bad-value');
    return decoded;
  };
  return new ObjectColumn({ parse, writeKey: writeBytesKey });
}

const uuidForm = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;

export function uuidColumn(place: ColumnPlace): ColumnBuilder {
  const span = new PlainSpan();
  const parse = (bytes: Buffer, kind: number, start: number, end: number): Uint8Array => {
    if (!isText(kind)) throw misfit(place, 'type-mismatch');
    span.load(bytes, kind, start, end);
    const text = span.bytes.toString('latin1', span.start, span.end);
    if (!uuidForm.test(text)) throw misfit(place, 'bad-value');
    return Buffer.from(text.replaceAll('-', ''), 'hex');
  };
  return new ObjectColumn({ parse, writeKey: writeBytesKey });
}

const zero = 0x30;
const one = 0x31;

/** `true`, `false`, and 1 or 0 as number or text. Any other number is refused, never read as true. */
export function booleanColumn(place: ColumnPlace): ColumnBuilder {
  const parse = (bytes: Buffer, kind: number, start: number, end: number): boolean => {
    if (kind === cellKind.true) return true;
    if (kind === cellKind.false) return false;
    const digit = bytes[start];
    const isBit = (kind === cellKind.number || kind === cellKind.string) && end - start === 1;
    if (isBit && digit === one) return true;
    if (isBit && digit === zero) return false;
    throw misfit(place, kind === cellKind.number ? 'value-out-of-range' : 'type-mismatch');
  };
  const writeKey = (value: boolean, out: ByteWriter): void => {
    out.appendByte(value ? 1 : 0);
  };
  return new ObjectColumn({ parse, writeKey });
}

/** A number inside an array, kept as its digits. */
class NumberDigits {
  readonly digits: string;

  constructor(digits: string) {
    this.digits = digits;
  }
}

const parseWithSource = JSON.parse as (
  text: string,
  reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
) => unknown;

function elementsOf(text: string): readonly unknown[] {
  return parseWithSource(text, (_key, value, context) =>
    typeof value === 'number' ? new NumberDigits(context.source ?? '') : value,
  ) as readonly unknown[];
}

/** One-dimensional arrays, null elements allowed. `element` converts one element at a time. */
export function listColumn(place: ColumnPlace, element: ColumnBuilder): ColumnBuilder {
  const append = (value: unknown): unknown => {
    let text: Buffer;
    let kind: number;
    if (value === null) return null;
    if (typeof value === 'string') {
      if (!value.isWellFormed()) throw misfit(place, 'bad-value');
      text = Buffer.from(value, 'utf8');
      kind = cellKind.string;
    } else if (value instanceof NumberDigits) {
      text = Buffer.from(value.digits, 'latin1');
      kind = cellKind.number;
    } else if (typeof value === 'boolean') {
      text = Buffer.from(String(value), 'latin1');
      kind = value ? cellKind.true : cellKind.false;
    } else {
      throw misfit(place, 'type-mismatch');
    }
    element.clear();
    element.append(text, kind, 0, text.length);
    return element.value(0);
  };
  const parse = (bytes: Buffer, kind: number, start: number, end: number): unknown[] => {
    if (kind !== cellKind.array) throw misfit(place, 'type-mismatch');
    return elementsOf(bytes.toString('utf8', start, end)).map(append);
  };
  const writeKey = (): void => {
    throw misfit(place, 'type-mismatch');
  };
  return new ObjectColumn({ parse, writeKey });
}
