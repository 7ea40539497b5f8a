import type { ByteWriter } from '@millrace/shared/bytes/byte-writer.ts';
import { cellKind } from '@millrace/shared/format/json-cells.ts';

import { isText, misfit, PlainSpan } from './column-builder.ts';
import type { ColumnBuilder, ColumnData, ColumnPlace } from './column-builder.ts';
import { NumberText } from './number-text.ts';
import { StoredColumn } from './stored-column.ts';
import { LongColumn, TypedColumn, writeDecimalKey, writeDoubleKey } from './typed-column.ts';

const int32Minimum = -2_147_483_648;
const int32Maximum = 2_147_483_647;

/** Reads number cells, and numbers written as text, as some dialects do. */
class NumberCell {
  readonly number = new NumberText();
  readonly span = new PlainSpan();
  readonly place: ColumnPlace;

  constructor(place: ColumnPlace) {
    this.place = place;
  }

  read(bytes: Buffer, kind: number, start: number, end: number): NumberText {
    if (kind === cellKind.number) {
      if (!this.number.read(bytes, start, end)) throw misfit(this.place, 'value-out-of-range');
    } else if (isText(kind)) {
      const span = this.span.load(bytes, kind, start, end);
      if (!this.number.read(span.bytes, span.start, span.end)) throw misfit(this.place, 'bad-value');
    } else {
      throw misfit(this.place, 'type-mismatch');
    }
    return this.number;
  }
}

export class IntColumn extends StoredColumn<TypedColumn<Int32Array>> {
  readonly #cell: NumberCell;

  constructor(place: ColumnPlace) {
    super(new TypedColumn((rows) => new Int32Array(rows)));
    this.#cell = new NumberCell(place);
  }

  override append(bytes: Buffer, kind: number, start: number, end: number): void {
    const number = this.#cell.read(bytes, kind, start, end);
    let value = number.smallAt(0);
    if (Number.isNaN(value)) value = Number(number.at(0) ?? Number.NaN);
    if (!(value >= int32Minimum && value <= int32Maximum)) throw misfit(this.#cell.place, 'value-out-of-range');
    this.column.append(value);
  }

  override writeKey(row: number, out: ByteWriter): void {
    const value = this.column.values[row] as number;
    const bytes = out.reserve(8);
    bytes.writeInt32LE(value, out.length);
    bytes.writeInt32LE(value < 0 ? -1 : 0, out.length + 4);
    out.length += 8;
  }
}

export class BigIntColumn extends StoredColumn<LongColumn> {
  readonly #cell: NumberCell;

  constructor(place: ColumnPlace) {
    super(new LongColumn());
    this.#cell = new NumberCell(place);
  }

  override append(bytes: Buffer, kind: number, start: number, end: number): void {
    const number = this.#cell.read(bytes, kind, start, end);
    const small = number.smallAt(0);
    if (!Number.isNaN(small)) {
      this.column.appendNumber(small);
      return;
    }
    const value = number.at(0);
    if (value === null || BigInt.asIntN(64, value) !== value) throw misfit(this.#cell.place, 'value-out-of-range');
    this.column.appendBigInt(value);
  }

  override writeKey(row: number, out: ByteWriter): void {
    const bytes = out.reserve(8);
    bytes.writeInt32LE(this.column.lowWord(row), out.length);
    bytes.writeInt32LE(this.column.highWord(row), out.length + 4);
    out.length += 8;
  }
}

const specialFloats = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
]);

export class FloatColumn extends StoredColumn<TypedColumn<Float32Array> | TypedColumn<Float64Array>> {
  readonly #cell: NumberCell;
  readonly #single: boolean;

  constructor(place: ColumnPlace, width: 'float' | 'double') {
    const single = width === 'float';
    super(
      single ? new TypedColumn((rows) => new Float32Array(rows)) : new TypedColumn((rows) => new Float64Array(rows)),
    );
    this.#cell = new NumberCell(place);
    this.#single = single;
  }

  override append(bytes: Buffer, kind: number, start: number, end: number): void {
    const value = this.#parse(bytes, kind, start, end);
    this.column.append(value);
  }

  override writeKey(row: number, out: ByteWriter): void {
    writeDoubleKey(this.column.values[row] as number, out);
  }

  #parse(bytes: Buffer, kind: number, start: number, end: number): number {
    if (kind === cellKind.number) return this.#finite(bytes.toString('latin1', start, end));
    if (!isText(kind)) throw misfit(this.#cell.place, 'type-mismatch');
    const span = this.#cell.span.load(bytes, kind, start, end);
    const text = span.bytes.toString('latin1', span.start, span.end);
    const special = specialFloats.get(text);
    if (special !== undefined) return special;
    if (!/^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text)) throw misfit(this.#cell.place, 'bad-value');
    return this.#finite(text);
  }

  #finite(text: string): number {
    const value = this.#single ? Math.fround(Number(text)) : Number(text);
    if (!Number.isFinite(value)) throw misfit(this.#cell.place, 'value-out-of-range');
    return value;
  }
}

/** Unscaled integers: of 32 bits up to 9 digits, of 64 up to 18, beyond that bigints for fixed-length bytes. */
export class DecimalColumn implements ColumnBuilder {
  readonly #cell: NumberCell;
  readonly #scale: number;
  readonly #limit: bigint;
  readonly #safeLimit: number;
  readonly #narrow: TypedColumn<Int32Array> | null;
  readonly #long: LongColumn | null;
  readonly #wide: (bigint | null)[] = [];

  constructor(place: ColumnPlace, precision: number, scale: number) {
    this.#cell = new NumberCell(place);
    this.#scale = scale;
    this.#limit = 10n ** BigInt(precision);
    this.#safeLimit = precision <= 15 ? 10 ** precision : Number.MAX_SAFE_INTEGER;
    this.#narrow = precision <= 9 ? new TypedColumn((rows) => new Int32Array(rows)) : null;
    this.#long = precision > 9 && precision <= 18 ? new LongColumn() : null;
  }

  get length(): number {
    return (this.#narrow ?? this.#long ?? this.#wide).length;
  }

  append(bytes: Buffer, kind: number, start: number, end: number): void {
    const number = this.#cell.read(bytes, kind, start, end);
    const small = number.smallAt(this.#scale);
    if (Math.abs(small) < this.#safeLimit) this.#appendSmall(small);
    else this.#appendBig(number.at(this.#scale));
  }

  appendNull(): void {
    if (this.#narrow !== null) this.#narrow.appendNull();
    else if (this.#long === null) this.#wide.push(null);
    else this.#long.appendNull();
  }

  clear(): void {
    this.#narrow?.clear();
    this.#long?.clear();
    this.#wide.length = 0;
  }

  value(row: number): bigint | null {
    const value = (this.#narrow ?? this.#long)?.value(row) ?? this.#wide[row] ?? null;
    return value === null ? null : BigInt(value);
  }

  data(): ColumnData {
    return (this.#narrow ?? this.#long)?.data() ?? [...this.#wide];
  }

  writeKey(row: number, out: ByteWriter): void {
    writeDecimalKey(this.value(row) ?? 0n, out);
  }

  #appendSmall(value: number): void {
    if (this.#narrow !== null) this.#narrow.append(value);
    else if (this.#long === null) this.#wide.push(BigInt(value));
    else this.#long.appendNumber(value);
  }

  #appendBig(value: bigint | null): void {
    if (value === null || value >= this.#limit || value <= -this.#limit) {
      throw misfit(this.#cell.place, 'value-out-of-range');
    }
    if (this.#narrow !== null) this.#narrow.append(Number(value));
    else if (this.#long === null) this.#wide.push(value);
    else this.#long.appendBigInt(value);
  }
}
