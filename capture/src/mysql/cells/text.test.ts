import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { charsetOfCollation } from '../charset.ts';
import type { Charset } from '../charset.ts';
import { base64Length, writeBase64, writePaddedBase64 } from './base64.ts';
import { viewOf, written } from './cell-fixture.ts';
import { refusal } from './refusal.ts';
import { readText, writeMultiByte, writeReplaced, writeSingleByte, writeUtf8 } from './text.ts';

/** JSON.stringify with the one difference of the record format: `\u00XX` in upper case. */
function jsonText(text: string): string {
  return JSON.stringify(text).replace(
    /(?<!\\)((?:\\\\)*)\\u00([01][0-9a-f])/g,
    (_, slashes: string, code: string) => `${slashes}\\u00${code.toUpperCase()}`,
  );
}

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: 'binary-ascii', maxLength: 60 }),
  fc.string({ unit: fc.constantFrom('"', '\\', '\n', '\u0001', '\u001f', 'a', 'é', '€', '😀', '/'), maxLength: 60 }),
);

function writeAny(charset: Charset, bytes: Buffer): string | number {
  const source = viewOf(bytes);
  return written(bytes.length * 6 + 2, (out, at) => {
    if (charset.kind === 'single-byte') {
      return writeSingleByte(out, at, source, 0, bytes.length, charset.escapes, charset.asciiBelow80);
    }
    if (charset.kind === 'multi-byte') return writeMultiByte(out, at, source, 0, bytes.length, charset.decode);
    return writeUtf8(out, at, source, 0, bytes.length);
  });
}

const charsets = [
  1, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 16, 18, 19, 22, 24, 25, 26, 28, 29, 30, 32, 33, 35, 36, 37, 38, 39,
]
  .concat([40, 41, 45, 51, 54, 56, 57, 59, 60, 92, 95, 97, 248, 255])
  .map((collation) => charsetOfCollation(collation) as Charset);

describe('text', () => {
  it('UTF-8 is escaped as JSON', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const bytes = Buffer.from(text, 'utf8');
        expect(written(bytes.length * 6 + 2, (out, at) => writeUtf8(out, at, viewOf(bytes), 0, bytes.length))).toBe(
          jsonText(text),
        );
      }),
      { numRuns: 1000 },
    );
  });

  it('any bytes are refused exactly when they are not UTF-8 (T29)', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 12 }),
      fc
        .array(
          fc.constantFrom(0x41, 0x80, 0xbf, 0xc0, 0xc2, 0xe0, 0xa0, 0xed, 0x9f, 0xef, 0xf0, 0x90, 0xf4, 0x8f, 0xf5),
          { maxLength: 8 },
        )
        .map((list) => Uint8Array.from(list)),
    );
    fc.assert(
      fc.property(bytes, (raw) => {
        const cell = Buffer.from(raw);
        const text = cell.toString('utf8');
        const valid = Buffer.from(text, 'utf8').equals(cell);
        expect(writeAny(charsetOfCollation(255) as Charset, cell)).toBe(valid ? jsonText(text) : refusal.invalidText);
      }),
      { numRuns: 3000 },
    );
  });

  it.each(charsets)('writer and reader of $name agree on any bytes', (charset) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 24 }), (raw) => {
        const cell = Buffer.from(raw);
        const text = readText(viewOf(cell), 0, cell.length, charset);
        expect(writeAny(charset, cell)).toBe(text === null ? refusal.invalidText : jsonText(text));
        const replaced = written(cell.length * 6 + 2, (out, at) =>
          writeReplaced(out, at, viewOf(cell), 0, cell.length, charset),
        );
        expect(text === null ? String(replaced).includes('\ufffd') : replaced === jsonText(text)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('a cell that ends inside a word leaves what follows it unread', () => {
    const bytes = Buffer.from('abcdefg"\\');
    for (let end = 0; end <= 7; end++) {
      expect(written(9, (out, at) => writeUtf8(out, at, viewOf(bytes), 0, end))).toBe(`"${'abcdefg'.slice(0, end)}"`);
    }
  });
});

describe('binary', () => {
  it('is standard base64 with padding', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (raw) => {
        const text = written(base64Length(raw.length) + 2, (out, at) =>
          writeBase64(out, at, viewOf(raw), 0, raw.length),
        );
        expect(text).toBe(`"${Buffer.from(raw).toString('base64')}"`);
      }),
    );
  });

  it('BINARY(n) has its stripped zero bytes again (T26)', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.integer({ min: 0, max: 40 }), (raw, zeros) => {
        const length = raw.length + zeros;
        const full = Buffer.concat([raw, Buffer.alloc(zeros)]);
        const text = written(base64Length(length) + 2, (out, at) =>
          writePaddedBase64(out, at, viewOf(raw), 0, raw.length, length),
        );
        expect(text).toBe(`"${full.toString('base64')}"`);
      }),
    );
  });
});
