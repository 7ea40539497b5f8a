import { CdcError } from '../errors/cdc-error.ts';

/** Kinds of JSON values. `string` holds no escapes: its bytes are its text. `absent`: there is none. */
export const valueKind = {
  absent: 0,
  null: 1,
  true: 2,
  false: 3,
  number: 4,
  string: 5,
  escapedString: 6,
  array: 7,
  object: 8,
} as const;

/** Levels of nesting that a record may have, the outermost object counted. */
export const maxNesting = 64;

export const byteOf = {
  quote: 0x22,
  comma: 0x2c,
  minus: 0x2d,
  point: 0x2e,
  zero: 0x30,
  nine: 0x39,
  colon: 0x3a,
  openBracket: 0x5b,
  backslash: 0x5c,
  closeBracket: 0x5d,
  openBrace: 0x7b,
  closeBrace: 0x7d,
} as const;

const wordTrue = 0x65757274;
const wordAlse = 0x65736c61;
const wordNull = 0x6c6c756e;

/** Builds the error of a record that does not decode. `at` counts from the first byte that was given to the reader. */
export function undecodable(reason: string, details: Readonly<Record<string, string | number>> = {}): CdcError {
  return new CdcError('RECORD_UNDECODABLE', 'the record cannot be decoded', { details: { reason, ...details } });
}

function isDigit(byte: number): boolean {
  return byte >= byteOf.zero && byte <= byteOf.nine;
}

function isHexDigit(byte: number): boolean {
  const lower = byte | 0x20;
  return isDigit(byte) || (lower >= 0x61 && lower <= 0x66);
}

function isSimpleEscape(byte: number): boolean {
  // " \ / b f n r t
  return (
    byte === 0x22 ||
    byte === 0x5c ||
    byte === 0x2f ||
    byte === 0x62 ||
    byte === 0x66 ||
    byte === 0x6e ||
    byte === 0x72 ||
    byte === 0x74
  );
}

/**
 * Steps over JSON tokens in bytes, with the strict grammar of RFC 8259: no raw control characters, no leading zeros,
 * nothing unknown. Not checked here: UTF-8 (`sawNonAscii` tells whether a check is needed), paired surrogate escapes,
 * and repeated names inside nested objects. Every method takes an index and returns the index after what it read.
 * Throws `RECORD_UNDECODABLE` with `bad-json` or `too-deep`.
 */
export class JsonScanner {
  view: DataView = new DataView(new ArrayBuffer(0));
  limit = 0;
  /** Kind of the value that `value` read last. */
  kind: number = valueKind.absent;
  /** Whether the string read last holds an escape. */
  escaped = false;
  /** Sticky since `load`: a byte ≥ 0x80 stands in or beside a string. */
  sawNonAscii = false;
  #bytes: Buffer | null = null;
  #start = 0;

  load(bytes: Buffer, start: number, end: number): void {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    this.#start = start;
    this.limit = end;
    this.sawNonAscii = false;
  }

  fail(at: number): CdcError {
    return undecodable('bad-json', { at: at - this.#start });
  }

  /** Byte at `at`, or −1 at the end. */
  peek(at: number): number {
    return at < this.limit ? this.view.getUint8(at) : -1;
  }

  blanks(from: number): number {
    let at = from;
    while (at < this.limit) {
      const byte = this.view.getUint8(at);
      if (byte > 0x20) return at;
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) throw this.fail(at);
      at++;
    }
    return at;
  }

  /** From the first byte of a string's content to its closing quote (the index of the quote, not after it). */
  string(from: number): number {
    const view = this.view;
    const lastWord = this.limit - 4;
    let at = from;
    let seen = 0;
    this.escaped = false;
    for (;;) {
      // Four bytes at a time: the high bit of a byte in `hit` is set if it is below 0x20, a quote or a backslash.
      // A borrow can only spoil bytes after the first hit, so the first one is exact.
      while (at <= lastWord) {
        const word = view.getInt32(at, true);
        const hit =
          ((word - 0x20202020) | ((word ^ 0x22222222) - 0x01010101) | ((word ^ 0x5c5c5c5c) - 0x01010101)) &
          ~word &
          0x80808080;
        seen |= word;
        if (hit !== 0) {
          at += (31 - Math.clz32(hit & -hit)) >> 3;
          break;
        }
        at += 4;
      }
      const byte = this.peek(at);
      if (byte === byteOf.quote) break;
      if (byte === byteOf.backslash) {
        at = this.#escape(at + 1);
      } else {
        if (byte < 0x20) throw this.fail(at);
        seen |= byte;
        at++;
      }
    }
    if ((seen & 0x80808080) !== 0) this.sawNonAscii = true;
    return at;
  }

  number(from: number): number {
    const view = this.view;
    const limit = this.limit;
    let at = from;
    let byte = view.getUint8(at);
    if (byte === byteOf.minus) byte = this.peek(++at);
    if (byte === byteOf.zero) at++;
    else if (isDigit(byte)) at = this.#digits(at);
    else throw this.fail(at);
    if (at < limit && view.getUint8(at) === byteOf.point) at = this.#digits(at + 1);
    if (at < limit && (view.getUint8(at) | 0x20) === 0x65) {
      const sign = this.peek(at + 1);
      at = this.#digits(sign === 0x2b || sign === byteOf.minus ? at + 2 : at + 1);
    }
    return at;
  }

  /** One value of any kind; sets `kind`. `depth` = levels that are open around it. */
  value(at: number, depth: number): number {
    const byte = this.peek(at);
    if (byte === byteOf.quote) {
      const close = this.string(at + 1);
      this.kind = this.escaped ? valueKind.escapedString : valueKind.string;
      return close + 1;
    }
    if (isDigit(byte)) {
      const next = this.number(at);
      this.kind = valueKind.number;
      return next;
    }
    switch (byte) {
      case byteOf.openBrace: {
        const next = this.#object(at + 1, depth + 1);
        this.kind = valueKind.object;
        return next;
      }
      case byteOf.openBracket: {
        const next = this.#array(at + 1, depth + 1);
        this.kind = valueKind.array;
        return next;
      }
      case 0x6e: // n
        if (at + 4 > this.limit || this.view.getInt32(at, true) !== wordNull) throw this.fail(at);
        this.kind = valueKind.null;
        return at + 4;
      case 0x74: // t
        if (at + 4 > this.limit || this.view.getInt32(at, true) !== wordTrue) throw this.fail(at);
        this.kind = valueKind.true;
        return at + 4;
      case 0x66: // f
        if (at + 5 > this.limit || this.view.getInt32(at + 1, true) !== wordAlse) throw this.fail(at);
        this.kind = valueKind.false;
        return at + 5;
      case -1:
        throw this.fail(at);
      default: {
        const next = this.number(at);
        this.kind = valueKind.number;
        return next;
      }
    }
  }

  /** The colon after a name and the blanks around it. */
  colon(from: number): number {
    const at = this.blanks(from);
    if (this.peek(at) !== byteOf.colon) throw this.fail(at);
    return this.blanks(at + 1);
  }

  #digits(from: number): number {
    const view = this.view;
    const limit = this.limit;
    let at = from;
    while (at < limit && isDigit(view.getUint8(at))) at++;
    if (at === from) throw this.fail(at);
    return at;
  }

  /** `at` is the byte after the backslash. */
  #escape(at: number): number {
    this.escaped = true;
    const byte = this.peek(at);
    if (isSimpleEscape(byte)) return at + 1;
    if (byte !== 0x75) throw this.fail(at);
    for (let i = 1; i <= 4; i++) {
      if (!isHexDigit(this.peek(at + i))) throw this.fail(at + i);
    }
    return at + 5;
  }

  #object(from: number, depth: number): number {
    if (depth > maxNesting) throw undecodable('too-deep');
    const view = this.view;
    const limit = this.limit;
    let at = this.blanks(from);
    if (this.peek(at) === byteOf.closeBrace) return at + 1;
    for (;;) {
      if (this.peek(at) !== byteOf.quote) throw this.fail(at);
      at = this.string(at + 1) + 1;
      // Blanks are rare: the usual spelling is looked for first.
      if (at + 1 < limit && view.getUint8(at) === byteOf.colon && view.getUint8(at + 1) > 0x20) at++;
      else at = this.colon(at);
      at = this.value(at, depth);
      let byte = at < limit ? view.getUint8(at) : -1;
      if (byte <= 0x20) {
        at = this.blanks(at);
        byte = this.peek(at);
      }
      if (byte === byteOf.closeBrace) return at + 1;
      if (byte !== byteOf.comma) throw this.fail(at);
      at++;
      if (at < limit && view.getUint8(at) <= 0x20) at = this.blanks(at);
    }
  }

  #array(from: number, depth: number): number {
    if (depth > maxNesting) throw undecodable('too-deep');
    let at = this.blanks(from);
    if (this.peek(at) === byteOf.closeBracket) return at + 1;
    for (;;) {
      at = this.blanks(this.value(at, depth));
      const byte = this.peek(at);
      if (byte === byteOf.closeBracket) return at + 1;
      if (byte !== byteOf.comma) throw this.fail(at);
      at = this.blanks(at + 1);
    }
  }
}
