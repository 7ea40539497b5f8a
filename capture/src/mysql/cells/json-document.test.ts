import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { viewOf, written } from './cell-fixture.ts';
import { encodeDocument } from './json-binary-fixture.ts';
import type { Document } from './json-binary-fixture.ts';
import { writeJsonDocument } from './json-document.ts';
import { readJsonDocument, writeCompactJson } from './json-text.ts';
import { refusal } from './refusal.ts';
import { writeUtf8 } from './text.ts';

const anyString = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom('__proto__', '1', '"', '\\', '\n\u0001\u007f', 'x'.repeat(300)),
);

const scalar: fc.Arbitrary<Document> = fc.oneof(
  fc.constantFrom<Document>(null, true, false),
  fc
    .oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }), fc.bigInt({ min: -70_000n, max: 70_000n }))
    .map((int) => ({ int })),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((double) => ({ double })),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => ({ opaque: 15, bytes })),
  anyString,
);

const anyDocument = fc.letrec<{ node: Document }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    scalar,
    fc.array(tie('node'), { maxLength: 5 }),
    fc.array(fc.tuple(anyString, tie('node')), { maxLength: 5 }).map((members) => ({ members })),
  ),
})).node;

function documentJson(cell: Buffer, compact: boolean, room = cell.length * 8 + 512): string | number {
  return written(room, (out, at) => writeJsonDocument(out, at, viewOf(cell), 0, cell.length, at + room, compact));
}

/** JSON.stringify inside JSON.stringify: the document's own escapes are in lower case. */
const asString = (text: string): string => JSON.stringify(text);

/** The server's text straight from the document, without the bytes in between. */
function serverText(document: Document): string {
  if (document === null || typeof document === 'boolean' || typeof document === 'string') {
    return JSON.stringify(document);
  }
  if ('int' in document) return String(document.int);
  if ('double' in document || 'opaque' in document)
    return readJsonDocument(viewOf(encodeDocument(document)), 0, 9, false);
  if ('members' in document) {
    return `{${document.members.map(([key, value]) => `${JSON.stringify(key)}: ${serverText(value)}`).join(', ')}}`;
  }
  return `[${document.map(serverText).join(', ')}]`;
}

describe('JSON documents (T31, T170)', () => {
  it.each([false, true])('small and large containers (%s) give the server text', (large) => {
    fc.assert(
      fc.property(anyDocument, (document) => {
        const cell = encodeDocument(document, large);
        const text = serverText(document);
        expect(readJsonDocument(viewOf(cell), 0, cell.length, false)).toBe(text);
        expect(documentJson(cell, false)).toBe(asString(text));
      }),
      { numRuns: 1000 },
    );
  });

  it('stream and snapshot give the same bytes, in full and compact', () => {
    fc.assert(
      fc.property(anyDocument, (document) => {
        const cell = encodeDocument(document);
        const text = Buffer.from(readJsonDocument(viewOf(cell), 0, cell.length, false));
        const room = text.length * 6 + 2;
        expect(written(room, (out, at) => writeUtf8(out, at, viewOf(text), 0, text.length))).toBe(
          documentJson(cell, false),
        );
        expect(written(room, (out, at) => writeCompactJson(out, at, viewOf(text), 0, text.length))).toBe(
          documentJson(cell, true),
        );
      }),
      { numRuns: 1000 },
    );
  });

  it('without room the writer asks for more and never passes its limit', () => {
    fc.assert(
      fc.property(anyDocument, fc.integer({ min: 130, max: 600 }), (document, room) => {
        const cell = encodeDocument(document);
        const full = documentJson(cell, false);
        const tight = documentJson(cell, false, room);
        expect([full, refusal.room]).toContain(tight);
      }),
      { numRuns: 1000 },
    );
  });

  it('damaged bytes are refused, never read beyond the cell', () => {
    fc.assert(
      fc.property(anyDocument, fc.nat(), fc.nat(255), fc.nat(), (document, place, byte, cutAt) => {
        const cell = encodeDocument(document);
        cell[place % cell.length] = byte;
        const cut = cell.subarray(0, 1 + (cutAt % cell.length));
        const guarded = Buffer.concat([cut, Buffer.alloc(64, 0xff)]);
        const json = written(cut.length * 8 + 2048, (out, at) =>
          writeJsonDocument(out, at, viewOf(guarded), 0, cut.length, at + cut.length * 8 + 2048, false),
        );
        const refusals: readonly number[] = [refusal.corrupt, refusal.invalidText, refusal.room];
        const sound = typeof json === 'number' ? refusals.includes(json) : typeof JSON.parse(json) === 'string';
        expect(sound).toBe(true);
      }),
      { numRuns: 5000 },
    );
  });

  const member = (value: Document): string => {
    const cell = encodeDocument([value]);
    return JSON.parse(documentJson(cell, false) as string) as string;
  };
  const opaque = (type: number, hex: string): Document => ({ opaque: type, bytes: Buffer.from(hex, 'hex') });

  it('decimals are numbers (T169)', () => {
    expect(member(opaque(246, '0a02800000010a'))).toBe('[1.10]');
  });

  it('temporals have six digits', () => {
    // 2020-01-02, 2020-01-02 03:04:05.000006, -01:02:03.5 as the server packs them.
    const pack = (high: bigint, micros: bigint): string => {
      const bytes = Buffer.alloc(8);
      bytes.writeBigInt64LE((high << 24n) + micros);
      return bytes.toString('hex');
    };
    const day = (((2020n * 13n + 1n) << 5n) | 2n) << 17n;
    const clock = (3n << 12n) | (4n << 6n) | 5n;
    expect(member(opaque(10, pack(day, 0n)))).toBe('["2020-01-02"]');
    expect(member(opaque(12, pack(day | clock, 6n)))).toBe('["2020-01-02 03:04:05.000006"]');
    const negative = Buffer.alloc(8);
    negative.writeBigInt64LE(-((((1n << 12n) | (2n << 6n) | 3n) << 24n) + 500_000n));
    expect(member(opaque(11, negative.toString('hex')))).toBe('["-01:02:03.500000"]');
  });

  it('other opaque values are base64 with a line feed after 76 characters', () => {
    expect(member(opaque(15, '00ff'))).toBe('["base64:type15:AP8="]');
    const line = Buffer.alloc(57, 'x').toString('base64');
    expect(member(opaque(15, '78'.repeat(57)))).toBe(`["base64:type15:${line}"]`);
    expect(member(opaque(15, '78'.repeat(58)))).toBe(`["base64:type15:${line}\\neA=="]`);
  });
});
