/**
 * Decodes `source[start, end)` to UTF-16 code units at the front of `units`, which must hold `end - start` of them.
 * Returns their number; −1 at the first bytes that the charset cannot decode, unless `replace` asks for U+FFFD.
 */
export type UnitDecoder = (
  source: DataView,
  start: number,
  end: number,
  units: Uint16Array,
  replace: boolean,
) => number;

export const replacementUnit = 0xfffd;

/** Stores a code point and returns the next free index. */
export function storeCodePoint(units: Uint16Array, at: number, codePoint: number): number {
  if (codePoint < 0x10000) {
    units[at] = codePoint;
    return at + 1;
  }
  units[at] = 0xd7c0 + (codePoint >>> 10);
  units[at + 1] = 0xdc00 + (codePoint & 0x3ff);
  return at + 2;
}
