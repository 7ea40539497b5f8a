import { CdcError } from '@millrace/shared/errors/cdc-error.ts';

import { collationIds } from './charset/collation-ids.ts';
import { decodeUcs2, decodeUtf16, decodeUtf16le, decodeUtf32 } from './charset/fixed-width.ts';
import { gb18030Decoder, multiByteDecoder } from './charset/multi-byte.ts';
import { singleByteCharset, singleByteDecoder } from './charset/single-byte.ts';
import type { UnitDecoder } from './charset/unit-decoder.ts';

/**
 * How the bytes of a character column become text. `utf8` is copied; `single-byte` goes through its table of JSON
 * texts; everything else is decoded to UTF-16 code units first.
 */
export type Charset =
  | { readonly kind: 'binary'; readonly name: string }
  | { readonly kind: 'utf8'; readonly name: string }
  | {
      readonly kind: 'single-byte';
      readonly name: string;
      readonly escapes: Uint8Array;
      /** Bytes below 80 are ASCII. */
      readonly asciiBelow80: boolean;
      readonly decode: UnitDecoder;
    }
  | { readonly kind: 'multi-byte'; readonly name: string; readonly decode: UnitDecoder };

export const binaryCollation = 63;

/** MariaDB: the NO PAD variant of a collation has its id + 1024; the UCA 14.0.0 collations have one block per charset. */
const mariadbNoPad = 1024;
const mariadbUca1400 = ['utf8mb3', 'utf8mb4', 'ucs2', 'utf16', 'utf32'];
const mariadbUca1400First = 2048;
const mariadbUca1400Block = 256;

const charsetNameById = new Map<number, string>();
for (const [name, ranges] of Object.entries(collationIds)) {
  for (const range of ranges.split(' ')) {
    const [first = 0, last = first] = range.split('-').map(Number);
    for (let id = first; id <= last; id++) charsetNameById.set(id, name);
  }
}

function charsetName(collation: number): string | undefined {
  if (collation >= mariadbUca1400First) {
    return mariadbUca1400[Math.floor((collation - mariadbUca1400First) / mariadbUca1400Block)];
  }
  const known = charsetNameById.get(collation);
  if (known !== undefined || collation < mariadbNoPad) return known ?? unlistedCharsetName(collation);
  return charsetNameById.get(collation - mariadbNoPad);
}

/** Ids inside the Unicode blocks that the server's list leaves out, for servers newer than the list. */
function unlistedCharsetName(collation: number): string | undefined {
  if (collation >= 224 && collation <= 247) return 'utf8mb4';
  if (collation >= 255 && collation < 576) return 'utf8mb4';
  if (collation >= 192 && collation <= 223) return 'utf8mb3';
  return undefined;
}

function buildCharset(name: string): Charset {
  switch (name) {
    case 'binary':
      return { kind: 'binary', name };
    case 'utf8mb3':
    case 'utf8mb4':
      return { kind: 'utf8', name };
    case 'ucs2':
      return { kind: 'multi-byte', name, decode: decodeUcs2 };
    case 'utf16':
      return { kind: 'multi-byte', name, decode: decodeUtf16 };
    case 'utf16le':
      return { kind: 'multi-byte', name, decode: decodeUtf16le };
    case 'utf32':
      return { kind: 'multi-byte', name, decode: decodeUtf32 };
    case 'gb18030':
      return { kind: 'multi-byte', name, decode: gb18030Decoder() };
    case 'big5':
    case 'gbk':
    case 'gb2312':
    case 'euckr':
    case 'sjis':
    case 'cp932':
    case 'ujis':
    case 'eucjpms':
      return { kind: 'multi-byte', name, decode: multiByteDecoder(name) };
    default: {
      const table = singleByteCharset(name);
      if (table === null) throw unknownCharset({ charset: name });
      const asciiBelow80 = table.units.subarray(0, 128).every((unit, byte) => unit === byte);
      return { kind: 'single-byte', name, escapes: table.escapes, asciiBelow80, decode: singleByteDecoder(table) };
    }
  }
}

function unknownCharset(details: Record<string, string | number>): CdcError {
  return new CdcError('SOURCE_SCHEMA_UNSUPPORTED', 'character set is not known', { details });
}

const charsets = new Map<string, Charset>();

/** The charset of a collation id; `null` when the id is unknown. Tables of rare charsets load at first use. */
export function charsetOfCollation(collation: number): Charset | null {
  const name = charsetName(collation);
  if (name === undefined) return null;
  let charset = charsets.get(name);
  if (charset === undefined) {
    charset = buildCharset(name);
    charsets.set(name, charset);
  }
  return charset;
}

const widestCharacter = new Map<string, number>([
  ['utf8mb4', 4],
  ['gb18030', 4],
  ['utf16', 4],
  ['utf16le', 4],
  ['utf32', 4],
  ['utf8mb3', 3],
  ['ujis', 3],
  ['eucjpms', 3],
  ['ucs2', 2],
  ['big5', 2],
  ['gbk', 2],
  ['gb2312', 2],
  ['euckr', 2],
  ['sjis', 2],
  ['cp932', 2],
]);

/** Bytes that the server reserves for one character; 1 for unknown collations. */
export function bytesPerCharacter(collation: number): number {
  return widestCharacter.get(charsetName(collation) ?? '') ?? 1;
}

let scratch = new Uint16Array(256);

/** Code units for `UnitDecoder`; the same array at each call, grown as needed. */
export function unitScratch(capacity: number): Uint16Array {
  if (scratch.length < capacity) scratch = new Uint16Array(Math.max(capacity, scratch.length * 2));
  return scratch;
}

/** Drops a scratch array that one huge cell has grown. */
export function shrinkUnitScratch(): void {
  if (scratch.length > 1_048_576) scratch = new Uint16Array(256);
}

function stringOfUnits(units: Uint16Array, count: number): string {
  return Buffer.from(units.buffer, units.byteOffset, count * 2).toString('utf16le');
}

/**
 * Text of `bytes[start, end)` in the charset of `collation`; undecodable bytes become U+FFFD. Binary is read as UTF-8.
 * For names, labels and statements, not for cells. Throws `SOURCE_SCHEMA_UNSUPPORTED` for an unknown collation.
 */
export function decodeText(bytes: Buffer, start: number, end: number, collation: number): string {
  const charset = charsetOfCollation(collation);
  if (charset === null) throw unknownCharset({ collation });
  if (charset.kind === 'utf8' || charset.kind === 'binary') return bytes.toString('utf8', start, end);
  const units = unitScratch(end - start);
  const source = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = stringOfUnits(units, charset.decode(source, start, end, units, true));
  shrinkUnitScratch();
  return text;
}
