import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { bigEndian, viewOf, written } from './cell-fixture.ts';
import { decimalBytes, readDecimal, readDecimalText, writeDecimal, writeDecimalText } from './decimal.ts';
import { writeInt32, writeInt64, writePadded, writeUint32, writeUint64 } from './digits.ts';
import { doubleOfText, writeDouble, writeFloat } from './floating.ts';
import { readInteger } from './integer.ts';
import { writeJsonDouble } from './json-number.ts';
import { numberStyle, restyle, restyleRoom } from './number-style.ts';

const words = (value: bigint): [number, number] => {
  const bits = BigInt.asUintN(64, value);
  return [Number(bits >> 32n), Number(bits & 0xffff_ffffn)];
};

/** Values near powers of two and ten as well as anywhere. */
const uint64 = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc
    .tuple(fc.integer({ min: 0, max: 63 }), fc.bigInt({ min: -3n, max: 3n }))
    .map(([power, delta]) => BigInt.asUintN(64, 2n ** BigInt(power) + delta)),
  fc
    .tuple(fc.integer({ min: 0, max: 19 }), fc.bigInt({ min: -3n, max: 3n }))
    .map(([power, delta]) => BigInt.asUintN(64, 10n ** BigInt(power) + delta)),
);

describe('integers', () => {
  it('32 bits are written as String writes them', () => {
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), (value) => {
        expect(written(11, (out, at) => writeInt32(out, at, value))).toBe(String(value));
        expect(written(10, (out, at) => writeUint32(out, at, value >>> 0))).toBe(String(value >>> 0));
      }),
    );
  });

  it('64 bits are written as BigInt writes them (T1, T2)', () => {
    fc.assert(
      fc.property(uint64, (value) => {
        const [high, low] = words(value);
        expect(written(20, (out, at) => writeUint64(out, at, high, low))).toBe(String(value));
        expect(written(20, (out, at) => writeInt64(out, at, high, low))).toBe(String(BigInt.asIntN(64, value)));
      }),
      { numRuns: 2000 },
    );
  });

  it('the reader agrees in every width and sign', () => {
    fc.assert(
      fc.property(uint64, fc.constantFrom(1, 2, 3, 4, 8), fc.boolean(), (value, size, unsigned) => {
        const bytes = bigEndian(BigInt.asUintN(size * 8, value), size).reverse();
        const expected = unsigned ? BigInt.asUintN(size * 8, value) : BigInt.asIntN(size * 8, value);
        expect(BigInt(readInteger(viewOf(bytes), 0, size, unsigned) as number | bigint)).toBe(expected);
      }),
    );
  });

  it('padded digits keep their zeros', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.nat(999_999_999), (count, value) => {
        const digits = value % 10 ** count;
        expect(written(count, (out, at) => writePadded(out, at, digits, count))).toBe(
          String(digits).padStart(count, '0'),
        );
      }),
    );
  });
});

const leftOver = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4];

/** The server's encoding, by the definition: digits in groups of nine, sign bit inverted, negatives complemented. */
function encodeDecimal(unscaled: bigint, precision: number, scale: number): Buffer {
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(precision, '0');
  const whole = digits.slice(0, precision - scale);
  const fraction = digits.slice(precision - scale);
  const groups: string[] = [];
  if (whole.length % 9 > 0) groups.push(whole.slice(0, whole.length % 9));
  for (let at = whole.length % 9; at < whole.length; at += 9) groups.push(whole.slice(at, at + 9));
  for (let at = 0; at < fraction.length; at += 9) groups.push(fraction.slice(at, at + 9));
  const cell = Buffer.concat(groups.map((group) => bigEndian(BigInt(group), leftOver[group.length] as number)));
  cell[0] = (cell[0] as number) ^ 0x80;
  return unscaled < 0n ? Buffer.from(cell.map((byte) => byte ^ 0xff)) : cell;
}

function plainText(unscaled: bigint, scale: number): string {
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
  const sign = unscaled < 0n ? '-' : '';
  return sign + (scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`);
}

/** Java's BigDecimal.toString, written from its specification. */
function javaText(unscaled: bigint, scale: number): string {
  const sign = unscaled < 0n ? '-' : '';
  const coefficient = String(unscaled < 0n ? -unscaled : unscaled);
  const adjusted = -scale + (coefficient.length - 1);
  if (scale >= 0 && adjusted >= -6) return plainText(unscaled, scale);
  const mantissa = coefficient.length > 1 ? `${coefficient.slice(0, 1)}.${coefficient.slice(1)}` : coefficient;
  return `${sign}${mantissa}E${adjusted > 0 ? '+' : ''}${adjusted}`;
}

function stripped(unscaled: bigint, scale: number): { unscaled: bigint; scale: number } {
  if (unscaled === 0n) return { unscaled, scale: 0 };
  return unscaled % 10n === 0n ? stripped(unscaled / 10n, scale - 1) : { unscaled, scale };
}

const decimal = fc
  .tuple(fc.integer({ min: 1, max: 65 }), fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 65 }))
  .chain(([precision, wanted, size]) => {
    const scale = Math.min(wanted, precision);
    const limit = 10n ** BigInt(Math.min(size, precision)) - 1n;
    const trailing = fc.integer({ min: 0, max: precision }).map((zeros) => 10n ** BigInt(zeros));
    return fc.tuple(fc.bigInt({ min: -limit, max: limit }), trailing).map(([raw, power]) => ({
      precision,
      scale,
      unscaled: (raw / power) * power,
    }));
  });

describe('decimals (T4)', () => {
  it('writer and reader of the log agree with BigInt in every precision and scale', () => {
    fc.assert(
      fc.property(decimal, ({ precision, scale, unscaled }) => {
        const cell = encodeDecimal(unscaled, precision, scale);
        expect(cell.length).toBe(decimalBytes(precision, scale));
        const text = plainText(unscaled, scale);
        expect(written(67, (out, at) => writeDecimal(out, at, viewOf(cell), 0, precision, scale))).toBe(text);
        expect(readDecimal(viewOf(cell), 0, precision, scale)).toBe(text);
      }),
      { numRuns: 2000 },
    );
  });

  it('the text protocol gives the same digits, zero fill or not', () => {
    fc.assert(
      fc.property(decimal, fc.integer({ min: 0, max: 5 }), ({ scale, unscaled }, zeros) => {
        const text = plainText(unscaled, scale);
        const filled = Buffer.from(text.replace('-', '').padStart(text.length + zeros, '0'));
        const cell = text.startsWith('-') ? Buffer.from(text) : filled;
        expect(written(80, (out, at) => writeDecimalText(out, at, viewOf(cell), 0, cell.length))).toBe(text);
        expect(readDecimalText(viewOf(cell), 0, cell.length)).toBe(text);
      }),
    );
  });

  it('restyled digits are what Java prints', () => {
    fc.assert(
      fc.property(decimal, ({ scale, unscaled }) => {
        const text = plainText(unscaled, scale);
        const styled = (style: number): string | number =>
          written(text.length + restyleRoom, (out, at) => {
            for (let index = 0; index < text.length; index++) out.setUint8(at + index, text.charCodeAt(index));
            return restyle(out, at, at + text.length, style);
          });
        const bare = stripped(unscaled, scale);
        expect(styled(numberStyle.scaled)).toBe(javaText(unscaled, scale));
        expect(styled(numberStyle.stripped)).toBe(javaText(bare.unscaled, bare.scale));
        const plain =
          bare.scale < 0
            ? plainText(bare.unscaled * 10n ** BigInt(-bare.scale), 0)
            : plainText(bare.unscaled, bare.scale);
        expect(styled(numberStyle.plain | numberStyle.quoted)).toBe(`"${plain}"`);
      }),
      { numRuns: 2000 },
    );
  });
});

const doubles = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.tuple(fc.integer(), fc.integer({ min: 0, max: 8 })).map(([whole, places]) => whole / 10 ** places),
  fc.integer({ min: -324, max: 308 }).map((power) => Number(`1e${power}`)),
);

const significant = (text: string): string =>
  text
    .replace(/[eE].*$/, '')
    .replace(/[-.]/g, '')
    .replace(/^0+/, '')
    .replace(/0+$/, '');

describe('floating point (T6)', () => {
  it('a double reads back to itself, has the shortest digits and the layout of Java', () => {
    fc.assert(
      fc.property(doubles, (value) => {
        const text = written(26, (out, at) => writeDouble(out, at, value)) as string;
        expect(Object.is(Number(text), value)).toBe(true);
        expect(significant(text)).toBe(significant(String(value)));
        const magnitude = Math.abs(value);
        const plain = magnitude === 0 || (magnitude >= 1e-3 && magnitude < 1e7);
        expect(text).toMatch(plain ? /^-?\d+\.\d+$/ : /^-?[1-9]\.\d+E-?\d+$/);
      }),
      { numRuns: 3000 },
    );
  });

  it('a float reads back to itself, no shorter text does, and none of its length is nearer', () => {
    fc.assert(
      fc.property(fc.oneof(fc.float({ noNaN: true, noDefaultInfinity: true }), doubles.map(Math.fround)), (value) => {
        fc.pre(Number.isFinite(value));
        const text = written(20, (out, at) => writeFloat(out, at, value)) as string;
        expect(Object.is(Math.fround(Number(text)), value)).toBe(true);
        const digits = Math.max(1, significant(text).length);
        const shorter = digits > 1 ? Math.fround(Number(value.toPrecision(digits - 1))) : Number.NaN;
        expect(shorter).not.toBe(value);
        // Of the texts of this length, the nearest.
        expect(significant(text)).toBe(significant(value.toPrecision(digits)));
      }),
      { numRuns: 3000 },
    );
  });

  it('MySQL text of a double reads as that double', () => {
    fc.assert(
      fc.property(doubles, (value) => {
        const cell = Buffer.from(Object.is(value, -0) ? '-0' : String(value).replace('e+', 'e'));
        expect(Object.is(doubleOfText(viewOf(cell), 0, cell.length), value)).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  it.each([
    [1, '1.0'],
    [1e10, '10000000000.0'],
    [1e15, '1e15'],
    [999999999999999, '999999999999999.0'],
    [0.00001, '0.00001'],
    [1.5e-15, '0.0000000000000015'],
    [1e-16, '1e-16'],
    [9.007199254740992e15, '9.007199254740992e15'],
    [1234567890123456.8, '1234567890123456.8'],
    [-0, '-0.0'],
    [1e14, '100000000000000.0'],
    [1e-15, '0.000000000000001'],
    [5e-324, '5e-324'],
    [1.23e22, '1.23e22'],
  ])('inside a JSON document %s is %s (T31)', (value, text) => {
    expect(written(40, (out, at) => writeJsonDouble(out, at, value))).toBe(text);
  });
});
