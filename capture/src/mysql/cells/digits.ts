/**
 * Integers as ASCII digits without strings or BigInt. Writers take the output and a position and return the next one;
 * the caller has made room (20 bytes and a sign at most, and three bytes of slack). 64-bit integers come as two 32-bit words.
 */

/** Two ASCII digits by value 0–99, the tens in the low byte. */
const pairs = Uint16Array.from(
  { length: 100 },
  (_, value) => (48 + Math.floor(value / 10)) | ((48 + (value % 10)) << 8),
);

const twoTo32 = 4_294_967_296;

/** Four ASCII digits by value 0–9999, the thousands in the low byte. */
const quads = Uint32Array.from(
  { length: 10_000 },
  (_, value) => (((pairs[value % 100] as number) << 16) | (pairs[Math.floor(value / 100)] as number)) >>> 0,
);

export function writeTwoDigits(out: DataView, at: number, value: number): void {
  out.setUint16(at, pairs[value] as number, true);
}

export function writeFourDigits(out: DataView, at: number, value: number): void {
  out.setUint32(at, quads[value] as number, true);
}

/** Writes exactly `count` digits, zeros in front; `value` must fit. */
export function writePadded(out: DataView, at: number, value: number, count: number): number {
  let rest = value >>> 0;
  let position = at + count;
  while (position - at >= 4) {
    const next = (rest / 10_000) >>> 0;
    position -= 4;
    out.setUint32(position, quads[rest - next * 10_000] as number, true);
    rest = next;
  }
  while (position > at) {
    const next = (rest / 10) >>> 0;
    out.setUint8(--position, 48 + rest - next * 10);
    rest = next;
  }
  return at + count;
}

/** Below 10000: the digits' word, shifted so that the zeros in front fall off. Overwrites three bytes behind them. */
function writeUpToFour(out: DataView, at: number, value: number): number {
  const digits = value < 100 ? (value < 10 ? 1 : 2) : value < 1000 ? 3 : 4;
  out.setUint32(at, (quads[value] as number) >>> (32 - digits * 8), true);
  return at + digits;
}

export function writeUint32(out: DataView, at: number, value: number): number {
  const whole = value >>> 0;
  if (whole < 10_000) return writeUpToFour(out, at, whole);
  const high = (whole / 10_000) >>> 0;
  const low = whole - high * 10_000;
  if (high < 10_000) {
    const next = writeUpToFour(out, at, high);
    out.setUint32(next, quads[low] as number, true);
    return next + 4;
  }
  const top = (high / 10_000) >>> 0;
  const next = writeUpToFour(out, at, top);
  out.setUint32(next, quads[high - top * 10_000] as number, true);
  out.setUint32(next + 4, quads[low] as number, true);
  return next + 8;
}

export function writeInt32(out: DataView, at: number, value: number): number {
  if (value >= 0) return writeUint32(out, at, value);
  out.setUint8(at, 0x2d);
  return writeUint32(out, at + 1, -value);
}

/** Any integer from 0 to 2^53. */
export function writeSafeInteger(out: DataView, at: number, value: number): number {
  if (value < twoTo32) return writeUint32(out, at, value);
  const high = Math.floor(value / 100_000_000);
  return writePadded(out, writeUint32(out, at, high), value - high * 100_000_000, 8);
}

export function writeUint64(out: DataView, at: number, high: number, low: number): number {
  if (high === 0) return writeUint32(out, at, low);
  if (high < 0x20_0000) return writeSafeInteger(out, at, high * twoTo32 + low);
  // Long division by 10^9 in steps of 16 bits: every intermediate value is below 2^47.
  const first = Math.floor(high / 1_000_000_000);
  const middle = (high - first * 1_000_000_000) * 65_536 + (low >>> 16);
  const second = Math.floor(middle / 1_000_000_000);
  const end = (middle - second * 1_000_000_000) * 65_536 + (low & 0xffff);
  const third = Math.floor(end / 1_000_000_000);
  const quotient = first * twoTo32 + second * 65_536 + third;
  return writePadded(out, writeSafeInteger(out, at, quotient), end - third * 1_000_000_000, 9);
}

/** `high` and `low` as unsigned words of the two's complement. */
export function writeInt64(out: DataView, at: number, high: number, low: number): number {
  if (high < 0x8000_0000) return writeUint64(out, at, high, low);
  out.setUint8(at, 0x2d);
  const lowNegated = -low >>> 0;
  const highNegated = (~high + (low === 0 ? 1 : 0)) >>> 0;
  return writeUint64(out, at + 1, highNegated, lowNegated);
}

/** A 64-bit integer as a value: number where it is exact, else bigint. */
export function integerValue(value: bigint): number | bigint {
  const narrow = Number(value);
  return Number.isSafeInteger(narrow) ? narrow : value;
}
