import { cellKind } from '@millrace/shared/format/json-cells.ts';

import { copyBytes, outViews, rejectCell, sourceViews } from './cell.ts';
import type { CellContext, CellWriter } from './cell.ts';
import type { CopyCell, JsonCopy } from './json-copy.ts';

const backslash = 0x5c;
const quote = 0x22;

function hexDigit(byte: number): number {
  return byte <= 0x39 ? byte - 0x30 : (byte | 0x20) - 0x57;
}

function fourHex(source: Buffer, at: number): number {
  return (
    (hexDigit(source[at] as number) << 12) |
    (hexDigit(source[at + 1] as number) << 8) |
    (hexDigit(source[at + 2] as number) << 4) |
    hexDigit(source[at + 3] as number)
  );
}

/** One byte below 0x80, escaped where COPY text needs it. */
function putAscii(code: number, out: Buffer, at: number): number {
  let to = at;
  if (code === 0x0a || code === 0x09 || code === 0x0d || code === backslash) {
    out[to++] = backslash;
    out[to++] = code === 0x0a ? 0x6e : code === 0x09 ? 0x74 : code === 0x0d ? 0x72 : backslash;
    return to;
  }
  out[to++] = code;
  return to;
}

function putCodePoint(code: number, out: Buffer, at: number): number {
  if (code < 0x80) return putAscii(code, out, at);
  let to = at;
  if (code < 0x800) {
    out[to++] = 0xc0 | (code >> 6);
  } else {
    if (code < 0x1_0000) {
      out[to++] = 0xe0 | (code >> 12);
    } else {
      out[to++] = 0xf0 | (code >> 18);
      out[to++] = 0x80 | ((code >> 12) & 0x3f);
    }
    out[to++] = 0x80 | ((code >> 6) & 0x3f);
  }
  out[to++] = 0x80 | (code & 0x3f);
  return to;
}

function putInvalid(context: CellContext, out: Buffer, at: number): number {
  if (context.invalidText === 'dead-letter') throw rejectCell('invalid-text');
  context.repairs.count++;
  return context.invalidText === 'strip' ? at : putCodePoint(0xfffd, out, at);
}

/** Set by `copyEscapedString` when the text it copied holds `\\u0000`: an escaped NUL if the text is a JSON document. */
const seen = { escapedNul: false };

/** After an escaped backslash: `u0000`. */
function isNulEscape(source: Buffer, at: number): boolean {
  return source[at] === 0x75 && fourHex(source, at + 1) === 0;
}

/** `at` is after the `\u`; returns where the text goes on. The code point, or −1, is left in `unicode.point`. */
const unicode = { point: 0 };
function readUnicodeEscape(source: Buffer, at: number, end: number): number {
  const unit = fourHex(source, at);
  unicode.point = unit;
  if (unit < 0xd800 || unit > 0xdfff) {
    if (unit === 0) unicode.point = -1;
    return at + 4;
  }
  const paired = unit <= 0xdbff && at + 10 <= end && source[at + 4] === backslash && source[at + 5] === 0x75;
  const low = paired ? fourHex(source, at + 6) : 0;
  if (low < 0xdc00 || low > 0xdfff) {
    unicode.point = -1;
    return at + 4;
  }
  unicode.point = 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
  return at + 10;
}

/**
 * A JSON string with escapes as COPY text. `\\ \b \f \n \r \t` mean the same in both and are copied as they are.
 * NUL and lone surrogates go by the policy. Up to three bytes after the result are overwritten.
 */
export function copyEscapedString(
  source: Buffer,
  start: number,
  end: number,
  out: Buffer,
  at: number,
  context: CellContext,
): number {
  const sourceView = sourceViews.of(source);
  const outView = outViews.of(out);
  const lastWord = end - 4;
  let from = start;
  let to = at;
  for (;;) {
    // Four bytes at a time: in `hit` the high bit of a byte is set if it is a backslash; the lowest one is exact.
    while (from <= lastWord) {
      const word = sourceView.getInt32(from, true);
      outView.setInt32(to, word, true);
      const unlike = word ^ 0x5c5c5c5c;
      const hit = (unlike - 0x01010101) & ~unlike & 0x80808080;
      const plain = hit === 0 ? 4 : (31 - Math.clz32(hit & -hit)) >> 3;
      from += plain;
      to += plain;
      if (plain < 4) break;
    }
    while (from < end && source[from] !== backslash) out[to++] = source[from++] as number;
    if (from >= end) return to;
    from++;
    const escape = source[from++] as number;
    if (escape === 0x22 || escape === 0x2f) {
      out[to++] = escape;
    } else if (escape !== 0x75) {
      out[to++] = backslash;
      out[to++] = escape;
      if (escape === backslash && source[from] === 0x75 && isNulEscape(source, from)) seen.escapedNul = true;
    } else {
      from = readUnicodeEscape(source, from, end);
      to = unicode.point < 0 ? putInvalid(context, out, to) : putCodePoint(unicode.point, out, to);
    }
  }
}

/** JSON text of a nested value as it stands, blanks and line ends included. */
export function copyRawJson(source: Buffer, start: number, end: number, out: Buffer, at: number): number {
  let to = at;
  for (let from = start; from < end; from++) {
    const byte = source[from] as number;
    if (byte === backslash || byte < 0x20) to = putAscii(byte, out, to);
    else out[to++] = byte;
  }
  return to;
}

/**
 * The escape at `at`, which is after the backslash. `\\ \b \f \n \r \t` mean the same in COPY text. Returns how many
 * bytes were written, 0 for escapes that need a closer look.
 */
function copyEscape(escape: number, outView: DataView, to: number): number {
  switch (escape) {
    case 0x22:
    case 0x2f:
      outView.setUint8(to, escape);
      return 1;
    case backslash:
    case 0x62:
    case 0x66:
    case 0x6e:
    case 0x72:
    case 0x74:
      outView.setUint8(to, backslash);
      outView.setUint8(to + 1, escape);
      return 2;
    default:
      return 0;
  }
}

/** A JSON string; `u` after an escaped backslash is refused where the text is a JSON document and may hold a NUL. */
function copyText(isDocument: boolean): CopyCell {
  return (copy: JsonCopy) => {
    const { view, outView, limit } = copy;
    let { at, to, seen } = copy;
    if (view.getUint8(at++) !== quote) return false;
    while (at < limit) {
      // Four bytes at a time: in `hit` the high bit of a byte is set if it is below 0x20, a quote or a backslash; the
      // lowest one is exact.
      const word = view.getInt32(at, true);
      outView.setInt32(to, word, true);
      seen |= word;
      const hit =
        ((word - 0x20202020) | ((word ^ 0x22222222) - 0x01010101) | ((word ^ 0x5c5c5c5c) - 0x01010101)) &
        ~word &
        0x80808080;
      if (hit === 0) {
        at += 4;
        to += 4;
        continue;
      }
      const plain = (31 - Math.clz32(hit & -hit)) >> 3;
      at += plain;
      to += plain;
      const byte = (word >>> (plain * 8)) & 0xff;
      if (byte === quote) {
        copy.at = at + 1;
        copy.to = to;
        copy.seen = seen;
        return true;
      }
      if (byte !== backslash) return false;
      const escape = view.getUint8(at + 1);
      const written = copyEscape(escape, outView, to);
      at += 2;
      to += written;
      if (written === 0 || (isDocument && escape === backslash && view.getUint8(at) === 0x75)) return false;
    }
    return false;
  };
}

/** Any value as text: strings as they are, numbers by their digits, nested values as JSON. */
export function textCell(context: CellContext): CellWriter {
  return {
    copy: copyText(false),
    readsEscapes: true,
    bytesPerByte: 2,
    extraBytes: 0,
    write: (source, kind, start, end, out, at) => {
      if (kind === cellKind.escapedString) return copyEscapedString(source, start, end, out, at, context);
      if (kind === cellKind.array || kind === cellKind.object) return copyRawJson(source, start, end, out, at);
      return copyBytes(source, start, end, out, at);
    },
  };
}

const rawNulEscape = Buffer.from(String.raw`\u0000`);

/** The JSON document with each escaped NUL replaced or removed; escaped backslashes before `u0000` are left alone. */
function withoutNul(json: string, context: CellContext): string {
  return json.replaceAll(/\\(?:u0000|.)/gs, (escape) => {
    if (escape !== String.raw`\u0000`) return escape;
    if (context.invalidText === 'dead-letter') throw rejectCell('invalid-text');
    context.repairs.count++;
    return context.invalidText === 'strip' ? '' : '\ufffd';
  });
}

/**
 * A JSON document for `jsonb`: a string holds the document's text, any other value is the document itself.
 * jsonb cannot hold NUL, so `\u0000` inside the document goes by the policy too.
 */
export function jsonbCell(context: CellContext): CellWriter {
  const text = textCell(context);
  return {
    copy: copyText(true),
    readsEscapes: true,
    bytesPerByte: 3,
    extraBytes: 0,
    write: (source, kind, start, end, out, at) => {
      seen.escapedNul = false;
      const next = text.write(source, kind, start, end, out, at);
      const nested = kind === cellKind.array || kind === cellKind.object;
      const holdsNul = nested ? source.subarray(start, end).includes(rawNulEscape) : seen.escapedNul;
      return holdsNul ? writeWithoutNul(source, nested, start, end, out, at, context) : next;
    },
  };
}

function writeWithoutNul(
  source: Buffer,
  nested: boolean,
  start: number,
  end: number,
  out: Buffer,
  at: number,
  context: CellContext,
): number {
  const wire = source.toString('utf8', start, end);
  const json = nested ? wire : (JSON.parse(`"${wire}"`) as string);
  const repaired = Buffer.from(JSON.stringify(withoutNul(json, context)));
  return copyEscapedString(repaired, 1, repaired.length - 1, out, at, context);
}
