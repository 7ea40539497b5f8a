const safeDigits = 15;
const maximumExponent = 1000;

const powers = Array.from({ length: safeDigits + 1 }, (_, exponent) => 10 ** exponent);

/** A decimal number as text, read without ever passing a double: `unscaled · 10^-scale`. Reused for each cell. */
export class NumberText {
  /** Unscaled value where it has at most 15 digits; `big` else. */
  small = 0;
  isSmall = true;
  scale = 0;
  #big = 0n;
  #at = 0;

  /** False when the bytes are not one number: optional minus, digits, optional fraction and exponent. */
  read(bytes: Buffer, start: number, end: number): boolean {
    const negative = bytes[start] === 0x2d;
    const first = negative ? start + 1 : start;
    this.small = 0;
    this.scale = 0;
    let digits = this.#digits(bytes, first, end);
    let count = this.#at - first;
    if (count === 0) return false;
    let point = -1;
    if (this.#at < end && bytes[this.#at] === 0x2e) {
      point = this.#at;
      const before = digits;
      digits += this.#digits(bytes, point + 1, end);
      this.scale = this.#at - point - 1;
      count += this.scale;
      if (this.scale === 0 || (before === 0 && count === 0)) return false;
    }
    const mantissaEnd = this.#at;
    if (mantissaEnd < end && !this.#exponent(bytes, mantissaEnd, end)) return false;
    this.isSmall = digits <= safeDigits;
    if (this.isSmall) {
      if (negative) this.small = -this.small;
    } else {
      const text = bytes.toString('latin1', first, mantissaEnd);
      const unscaled = BigInt(point < 0 ? text : text.replace('.', ''));
      this.#big = negative ? -unscaled : unscaled;
    }
    return true;
  }

  get big(): bigint {
    return this.isSmall ? BigInt(this.small) : this.#big;
  }

  /** The integer `value · 10^scale` as a safe number, or NaN when it is not integral or too large for one: ask `at`. */
  smallAt(scale: number): number {
    const shift = scale - this.scale;
    if (!this.isSmall) return Number.NaN;
    if (shift === 0) return this.small;
    if (shift < 0 || shift > safeDigits) return Number.NaN;
    const value = this.small * (powers[shift] as number);
    return Number.isSafeInteger(value) ? value : Number.NaN;
  }

  /** The integer `value · 10^scale`, or null when the value has more fraction digits than that. */
  at(scale: number): bigint | null {
    const shift = scale - this.scale;
    const { big } = this;
    if (shift >= 0) return big * 10n ** BigInt(shift);
    const divisor = 10n ** BigInt(-shift);
    return big % divisor === 0n ? big / divisor : null;
  }

  /** Accumulates into `small`; returns the number of significant digits, which decides whether `small` holds. */
  #digits(bytes: Buffer, start: number, end: number): number {
    let value = this.small;
    let significant = 0;
    let at = start;
    for (; at < end; at++) {
      const digit = (bytes[at] as number) - 0x30;
      if (digit < 0 || digit > 9) break;
      if (value !== 0 || digit !== 0) significant++;
      value = value * 10 + digit;
    }
    this.small = value;
    this.#at = at;
    return significant;
  }

  #exponent(bytes: Buffer, start: number, end: number): boolean {
    if (((bytes[start] as number) | 0x20) !== 0x65) return false;
    const text = bytes.toString('latin1', start + 1, end);
    if (!/^[+-]?\d+$/.test(text)) return false;
    const exponent = Number(text);
    if (Math.abs(exponent) > maximumExponent) return false;
    this.scale -= exponent;
    return true;
  }
}
