/** Texts of dates and times (values §2) read from bytes: digits, no locale, no `Date`. */

const microsPerSecond = 1_000_000;
export const microsPerDay = 86_400 * microsPerSecond;
const fractionDigits = 6;

const daysInMonth = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

/** Days since 1970-01-01 in the proleptic Gregorian calendar; year 0 is 1 BC. */
export function daysSinceEpoch(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** Reads a text from left to right; every `read…` returns false at what does not belong there. */
export class TemporalText {
  days = 0;
  /** Since midnight; 24:00:00 and beyond are read too, up to 99 hours. */
  micros = 0;
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #end = 0;

  load(bytes: Buffer, start: number, end: number): void {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  get atEnd(): boolean {
    return this.#at === this.#end;
  }

  /** `YYYY-MM-DD`; years beyond four digits and before year 0 with a sign. A day that no calendar has is refused. */
  readDate(): boolean {
    const sign = this.#peek();
    const signed = sign === 0x2b || sign === 0x2d;
    if (signed) this.#at++;
    let year = this.#digits(4);
    if (year < 0) return false;
    if (signed) year = this.#moreDigits(year);
    if (!this.skip(0x2d)) return false;
    const month = this.#digits(2);
    if (!this.skip(0x2d)) return false;
    const day = this.#digits(2);
    if (sign === 0x2d) year = -year;
    if (month < 1 || month > 12 || day < 1 || year > 9_999_999) return false;
    const length = month === 2 && isLeap(year) ? 29 : (daysInMonth[month - 1] as number);
    if (day > length) return false;
    this.days = daysSinceEpoch(year, month, day);
    return true;
  }

  /** `HH:MM:SS` with an optional fraction. Digits beyond microseconds must be zero. */
  readTime(): boolean {
    const hour = this.#digits(2);
    if (hour < 0 || !this.skip(0x3a)) return false;
    const minute = this.#digits(2);
    if (minute < 0 || minute > 59 || !this.skip(0x3a)) return false;
    const second = this.#digits(2);
    if (second < 0 || second > 59) return false;
    const fraction = this.#fraction();
    if (fraction < 0) return false;
    this.micros = ((hour * 60 + minute) * 60 + second) * microsPerSecond + fraction;
    return true;
  }

  skip(byte: number): boolean {
    if (this.#peek() !== byte) return false;
    this.#at++;
    return true;
  }

  #peek(): number {
    return this.#at < this.#end ? (this.#bytes[this.#at] as number) : -1;
  }

  #isDigit(byte: number): boolean {
    return byte >= 0x30 && byte <= 0x39;
  }

  #digits(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) {
      const byte = this.#peek();
      if (!this.#isDigit(byte)) return -1;
      value = value * 10 + byte - 0x30;
      this.#at++;
    }
    return value;
  }

  #moreDigits(value: number): number {
    let longer = value;
    while (this.#isDigit(this.#peek())) longer = longer * 10 + (this.#bytes[this.#at++] as number) - 0x30;
    return longer;
  }

  #fraction(): number {
    if (!this.skip(0x2e)) return 0;
    let micros = 0;
    let digits = 0;
    while (this.#isDigit(this.#peek())) {
      const digit = (this.#bytes[this.#at++] as number) - 0x30;
      if (digits < fractionDigits) micros = micros * 10 + digit;
      else if (digit !== 0) return -1;
      digits++;
    }
    if (digits === 0) return -1;
    for (let i = digits; i < fractionDigits; i++) micros *= 10;
    return micros;
  }
}
