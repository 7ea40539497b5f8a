const invalid = 0xff;
const values = new Uint8Array(256).fill(invalid);
const alphabet = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', 'latin1');
for (const [value, character] of alphabet.entries()) values[character] = value;

/**
 * Standard base64 with padding, strictly: null for a foreign character, a wrong length or set bits behind the end.
 * The library's decoder skips what it does not know.
 */
export function decodeBase64(bytes: Buffer, start: number, end: number): Uint8Array | null {
  const length = end - start;
  if (length % 4 !== 0) return null;
  if (length === 0) return new Uint8Array(0);
  const padding = bytes[end - 1] !== 0x3d ? 0 : bytes[end - 2] !== 0x3d ? 1 : 2;
  const digits = length - padding;
  const out = new Uint8Array((length / 4) * 3 - padding);
  let bits = 0;
  let held = 0;
  let at = 0;
  for (let i = 0; i < digits; i++) {
    const value = values[bytes[start + i] as number] as number;
    if (value === invalid) return null;
    bits = ((bits << 6) | value) & 0xffffff;
    held += 6;
    if (held >= 8) {
      held -= 8;
      out[at++] = (bits >>> held) & 0xff;
    }
  }
  return (bits & ((1 << held) - 1)) === 0 ? out : null;
}
