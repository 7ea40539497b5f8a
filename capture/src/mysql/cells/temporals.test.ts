import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { civil, setCivilDate } from './calendar.ts';
import { bigEndian, viewOf, written } from './cell-fixture.ts';
import {
  readDate,
  readDateTime,
  readTimestamp,
  writeDate,
  writeDateTime,
  writeDateTimeText,
  writeTimestamp,
} from './date-time.ts';
import { temporalStyle } from './temporal-style.ts';
import { readTime, writeTime, writeTimeText } from './time.ts';

const digits = fc.integer({ min: 0, max: 6 });
const micros = fc.oneof(fc.constant(0), fc.nat(999_999));

const pad = (value: number, length = 2): string => String(value).padStart(length, '0');

/** Microseconds cut to `digits`, as a column of that many digits holds them. */
function cut(value: number, count: number): number {
  const unit = 10 ** (6 - count);
  return Math.floor(value / unit) * unit;
}

/** The stored fraction: hundredths, ten-thousandths or microseconds. */
function fractionCell(value: number, count: number): Buffer {
  const bytes = Math.ceil(count / 2);
  return bigEndian(BigInt(Math.floor(value / ([1, 10_000, 100, 1][bytes] as number))), bytes);
}

/** What the server prints in the text protocol, and that text with a trimmed fraction. */
function fractionTexts(value: number, count: number): { full: string; trimmed: string } {
  const full = count === 0 ? '' : `.${pad(value, 6).slice(0, count)}`;
  return { full, trimmed: full.replace(/\.?0*$/, '') };
}

const dateTime = fc.record({
  year: fc.integer({ min: 0, max: 9999 }),
  month: fc.integer({ min: 1, max: 12 }),
  day: fc.integer({ min: 1, max: 31 }),
  hour: fc.integer({ min: 0, max: 23 }),
  minute: fc.integer({ min: 0, max: 59 }),
  second: fc.integer({ min: 0, max: 59 }),
  micros,
  digits,
});

describe('DATE and DATETIME', () => {
  it('any date is written as its parts (T10)', () => {
    fc.assert(
      fc.property(dateTime, ({ year, month, day }) => {
        const cell = bigEndian(BigInt(year * 512 + month * 32 + day), 3).reverse();
        const text = `${pad(year, 4)}-${pad(month)}-${pad(day)}`;
        expect(written(12, (out, at) => writeDate(out, at, viewOf(cell), 0, 0))).toBe(`"${text}"`);
        expect(readDate(viewOf(cell), 0)).toBe(text);
      }),
    );
  });

  it('stream, snapshot and reader agree on any DATETIME(p)', () => {
    fc.assert(
      fc.property(dateTime, (t) => {
        const value = cut(t.micros, t.digits);
        const days = ((BigInt(t.year) * 13n + BigInt(t.month)) << 5n) | BigInt(t.day);
        const packed = (1n << 39n) | (days << 17n) | BigInt((t.hour << 12) | (t.minute << 6) | t.second);
        const cell = Buffer.concat([bigEndian(packed, 5), fractionCell(value, t.digits)]);
        const { full, trimmed } = fractionTexts(value, t.digits);
        const seconds = `${pad(t.year, 4)}-${pad(t.month)}-${pad(t.day)} ${pad(t.hour)}:${pad(t.minute)}:${pad(t.second)}`;
        const text = Buffer.from(seconds + full);
        const json = `"${seconds}${trimmed}"`;
        expect(written(40, (out, at) => writeDateTime(out, at, viewOf(cell), 0, t.digits, 0))).toBe(json);
        expect(written(40, (out, at) => writeDateTimeText(out, at, viewOf(text), 0, text.length, t.digits, 0))).toBe(
          json,
        );
        expect(readDateTime(viewOf(cell), 0, t.digits)).toBe(seconds + trimmed);
      }),
    );
  });

  it('the calendar agrees with Date on every day from year 0 to 9999', () => {
    const first = Date.UTC(2000, 0, 1) / 86_400_000 - 730_485;
    const wrong: number[] = [];
    for (let day = first; day < first + 3_652_425; day += 13) {
      setCivilDate(day);
      const date = new Date(day * 86_400_000);
      const sameYear = civil.year === date.getUTCFullYear();
      if (!sameYear || civil.month !== date.getUTCMonth() + 1 || civil.dayOfMonth !== date.getUTCDate())
        wrong.push(day);
    }
    expect(wrong).toEqual([]);
  });
});

describe('TIMESTAMP (T15, T17)', () => {
  it('is UTC, whatever the zone of the process, in stream, snapshot and reader', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 32 - 1 }), micros, digits, (seconds, raw, count) => {
        const value = cut(raw, count);
        const cell = Buffer.concat([bigEndian(BigInt(seconds), 4), fractionCell(value, count)]);
        const { full, trimmed } = fractionTexts(value, count);
        const iso = new Date(seconds * 1000).toISOString();
        const text = Buffer.from(`${iso.slice(0, 10)} ${iso.slice(11, 19)}${full}`);
        const json = `"${iso.slice(0, 10)} ${iso.slice(11, 19)}${trimmed}Z"`;
        const style = temporalStyle.utc;
        expect(written(40, (out, at) => writeTimestamp(out, at, viewOf(cell), 0, count, style))).toBe(json);
        expect(written(40, (out, at) => writeDateTimeText(out, at, viewOf(text), 0, text.length, count, style))).toBe(
          json,
        );
        expect(`"${readTimestamp(viewOf(cell), 0, count)}Z"`).toBe(json);
      }),
    );
  });
});

describe('TIME (T13)', () => {
  it('stream, snapshot and reader agree on any TIME(p), negative ones too', () => {
    const parts = fc.record({
      negative: fc.boolean(),
      hours: fc.integer({ min: 0, max: 838 }),
      minutes: fc.integer({ min: 0, max: 59 }),
      seconds: fc.integer({ min: 0, max: 59 }),
      micros,
      digits,
    });
    fc.assert(
      fc.property(parts, (t) => {
        const value = cut(t.micros, t.digits);
        const zero = t.hours + t.minutes + t.seconds + value === 0;
        const negative = t.negative && !zero;
        const bytes = Math.ceil(t.digits / 2);
        const units = BigInt(Math.floor(value / ([1, 10_000, 100, 1][bytes] as number)));
        const clock = BigInt((t.hours << 12) | (t.minutes << 6) | t.seconds);
        const magnitude = (clock << BigInt(8 * bytes)) | (bytes === 0 ? 0n : units);
        const packed = (1n << BigInt(23 + 8 * bytes)) + (negative ? -magnitude : magnitude);
        const cell = bigEndian(packed, 3 + bytes);
        const { full, trimmed } = fractionTexts(value, t.digits);
        const seconds = `${negative ? '-' : ''}${pad(t.hours)}:${pad(t.minutes)}:${pad(t.seconds)}`;
        const text = Buffer.from(seconds + full);
        const json = `"${seconds}${trimmed}"`;
        expect(written(20, (out, at) => writeTime(out, at, viewOf(cell), 0, t.digits, 0))).toBe(json);
        expect(written(20, (out, at) => writeTimeText(out, at, viewOf(text), 0, text.length, 0))).toBe(json);
        expect(readTime(viewOf(cell), 0, t.digits)).toBe(seconds + trimmed);
      }),
      { numRuns: 1000 },
    );
  });
});
