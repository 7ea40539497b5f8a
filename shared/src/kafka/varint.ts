/**
 * Variable-length integers of the Kafka protocol: 7 bits a byte, lowest first. Records use the zigzag form.
 * Values stay numbers; the 64-bit form covers ±2^52, which is far beyond any length, timestamp or offset.
 */

/** Bytes of an unsigned value. */
export function unsignedVarintBytes(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x200000) return 3;
  if (value < 0x10000000) return 4;
  let rest = Math.floor(value / 0x10000000);
  let count = 5;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) count++;
  return count;
}

/** Maps small magnitudes of both signs to small unsigned values. */
export function zigzag(value: number): number {
  return value >= 0 ? value * 2 : -value * 2 - 1;
}

export function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

/** Bytes of a signed value in zigzag form. */
export function varintBytes(value: number): number {
  return unsignedVarintBytes(zigzag(value));
}

/** Writes an unsigned value and returns the position after it. */
export function writeUnsignedVarint(target: Buffer, at: number, value: number): number {
  let rest = value;
  while (rest > 0x7fffffff) {
    target[at++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  while (rest >= 0x80) {
    target[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  target[at++] = rest;
  return at;
}

/** Writes a signed value in zigzag form and returns the position after it. */
export function writeVarint(target: Buffer, at: number, value: number): number {
  return writeUnsignedVarint(target, at, zigzag(value));
}
