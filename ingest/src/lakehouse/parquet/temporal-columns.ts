import type { ByteWriter } from '@millrace/shared/bytes/byte-writer.ts';

import { isText, misfit, PlainSpan } from './column-builder.ts';
import type { ColumnPlace } from './column-builder.ts';
import { microsPerDay, TemporalText } from './temporal-text.ts';
import { StoredColumn } from './stored-column.ts';
import { LongColumn, TypedColumn, writeIntegerKey } from './typed-column.ts';

const zulu = 0x5a;
const blank = 0x20;
const letterT = 0x54;

class TemporalCell {
  readonly text = new TemporalText();
  readonly #span = new PlainSpan();
  readonly place: ColumnPlace;

  constructor(place: ColumnPlace) {
    this.place = place;
  }

  load(bytes: Buffer, kind: number, start: number, end: number): TemporalText {
    if (!isText(kind)) throw misfit(this.place, 'type-mismatch');
    const span = this.#span.load(bytes, kind, start, end);
    this.text.load(span.bytes, span.start, span.end);
    return this.text;
  }
}

export class DateColumn extends StoredColumn<TypedColumn<Int32Array>> {
  readonly #cell: TemporalCell;

  constructor(place: ColumnPlace) {
    super(new TypedColumn((rows) => new Int32Array(rows)));
    this.#cell = new TemporalCell(place);
  }

  override append(bytes: Buffer, kind: number, start: number, end: number): void {
    const text = this.#cell.load(bytes, kind, start, end);
    if (!text.readDate() || !text.atEnd) throw misfit(this.#cell.place, 'bad-value');
    this.column.append(text.days);
  }

  override writeKey(row: number, out: ByteWriter): void {
    writeIntegerKey(BigInt(this.column.values[row] as number), out);
  }
}

/** Times of day and both kinds of timestamps, in microseconds. */
export class MicrosColumn extends StoredColumn<LongColumn> {
  readonly #cell: TemporalCell;
  readonly #kind: 'time' | 'timestamp' | 'timestamptz';

  constructor(place: ColumnPlace, kind: 'time' | 'timestamp' | 'timestamptz') {
    super(new LongColumn());
    this.#cell = new TemporalCell(place);
    this.#kind = kind;
  }

  override append(bytes: Buffer, kind: number, start: number, end: number): void {
    const text = this.#cell.load(bytes, kind, start, end);
    if (this.#kind === 'time') this.#appendTime(text);
    else this.#appendTimestamp(text);
  }

  override writeKey(row: number, out: ByteWriter): void {
    writeIntegerKey(this.column.values[row] as bigint, out);
  }

  #appendTime(text: TemporalText): void {
    // Negative times and hours with three digits are MySQL durations: legal there, no time of day here.
    if (!text.readTime()) throw misfit(this.#cell.place, 'value-out-of-range');
    if (!text.atEnd) throw misfit(this.#cell.place, 'bad-value');
    if (text.micros >= microsPerDay) throw misfit(this.#cell.place, 'value-out-of-range');
    this.column.appendNumber(text.micros);
  }

  #appendTimestamp(text: TemporalText): void {
    const separated = text.readDate() && (text.skip(blank) || text.skip(letterT));
    if (!separated || !text.readTime()) throw misfit(this.#cell.place, 'bad-value');
    const zoned = text.skip(zulu);
    if (!text.atEnd || zoned !== (this.#kind === 'timestamptz')) throw misfit(this.#cell.place, 'bad-value');
    if (text.micros >= microsPerDay) throw misfit(this.#cell.place, 'bad-value');
    const micros = text.days * microsPerDay + text.micros;
    if (Number.isSafeInteger(micros)) {
      this.column.appendNumber(micros);
      return;
    }
    const exact = BigInt(text.days) * BigInt(microsPerDay) + BigInt(text.micros);
    if (BigInt.asIntN(64, exact) !== exact) throw misfit(this.#cell.place, 'value-out-of-range');
    this.column.appendBigInt(exact);
  }
}
