/**
 * How an exact number that was just written as plain digits is changed in place. Bits, so that plans can hold it:
 * a layout, and whether it stands in quotes.
 */
export const numberStyle = {
  asWritten: 0,
  /** Trailing zeros of the fraction cut. */
  plain: 1,
  /** Java's `BigDecimal.stripTrailingZeros().toString()`: `1E+1`, `3E-8`. */
  stripped: 2,
  /** Java's `BigDecimal.toString()` with the scale kept: `0E-30`. */
  scaled: 3,
  layoutMask: 3,
  quoted: 4,
  /** Quoted only outside ±2^53. */
  quotedIfBig: 8,
} as const;

/** Room that `restyle` may need beyond the digits: quotes and an exponent such as `E-123`. */
export const restyleRoom = 16;

const point = 0x2e;
const zero = 0x30;
const minus = 0x2d;
const quote = 0x22;
const lastSafe = Buffer.from('9007199254740992', 'latin1');

/** Applies `style` to the digits in `out[start, end)`; returns the new end. */
export function restyle(out: DataView, start: number, end: number, style: number): number {
  const layout = style & numberStyle.layoutMask;
  let next = end;
  if (layout === numberStyle.plain) next = cutFraction(out, start, end);
  else if (layout !== numberStyle.asWritten) next = writeJavaText(out, start, end, layout === numberStyle.stripped);
  const quoted =
    (style & numberStyle.quoted) !== 0 || ((style & numberStyle.quotedIfBig) !== 0 && isBig(out, start, next));
  if (!quoted) return next;
  for (let position = next - 1; position >= start; position--) out.setUint8(position + 1, out.getUint8(position));
  out.setUint8(start, quote);
  out.setUint8(next + 1, quote);
  return next + 2;
}

function cutFraction(out: DataView, start: number, end: number): number {
  let hasPoint = false;
  for (let position = start; position < end; position++) if (out.getUint8(position) === point) hasPoint = true;
  if (!hasPoint) return end;
  let next = end;
  while (out.getUint8(next - 1) === zero) next--;
  return out.getUint8(next - 1) === point ? next - 1 : next;
}

function isBig(out: DataView, start: number, end: number): boolean {
  const first = out.getUint8(start) === minus ? start + 1 : start;
  if (end - first !== lastSafe.length) return end - first > lastSafe.length;
  for (let index = 0; index < lastSafe.length; index++) {
    const difference = out.getUint8(first + index) - (lastSafe[index] as number);
    if (difference !== 0) return difference > 0;
  }
  return false;
}

const digitBytes = new Uint8Array(512);

/** Re-lays plain digits as Java prints a BigDecimal of this value and scale. */
function writeJavaText(out: DataView, start: number, end: number, strip: boolean): number {
  let count = 0;
  let scale = 0;
  let seenPoint = false;
  const negative = out.getUint8(start) === minus;
  for (let position = negative ? start + 1 : start; position < end; position++) {
    const byte = out.getUint8(position);
    if (byte === point) seenPoint = true;
    else {
      if (seenPoint) scale++;
      if (count > 0 || byte !== zero) digitBytes[count++] = byte;
    }
  }
  if (count === 0) {
    digitBytes[count++] = zero;
    if (strip) scale = 0;
  } else if (strip) {
    while (count > 1 && digitBytes[count - 1] === zero) {
      count--;
      scale--;
    }
  }
  let at = start;
  if (negative) out.setUint8(at++, minus);
  const adjusted = count - 1 - scale;
  if (scale >= 0 && adjusted >= -6) return writePlain(out, at, count, scale);
  out.setUint8(at++, digitBytes[0] as number);
  if (count > 1) {
    out.setUint8(at++, point);
    for (let index = 1; index < count; index++) out.setUint8(at++, digitBytes[index] as number);
  }
  out.setUint8(at++, 0x45);
  const exponent = (adjusted < 0 ? '' : '+') + String(adjusted);
  for (let index = 0; index < exponent.length; index++) out.setUint8(at++, exponent.charCodeAt(index));
  return at;
}

function writePlain(out: DataView, start: number, count: number, scale: number): number {
  let at = start;
  const whole = count - scale;
  if (whole <= 0) {
    out.setUint8(at++, zero);
    out.setUint8(at++, point);
    for (let index = whole; index < 0; index++) out.setUint8(at++, zero);
    for (let index = 0; index < count; index++) out.setUint8(at++, digitBytes[index] as number);
    return at;
  }
  for (let index = 0; index < count; index++) {
    if (index === whole) out.setUint8(at++, point);
    out.setUint8(at++, digitBytes[index] as number);
  }
  return at;
}
