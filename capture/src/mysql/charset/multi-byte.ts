import { readFileSync } from 'node:fs';
import { brotliDecompressSync } from 'node:zlib';

import { replacementUnit, storeCodePoint } from './unit-decoder.ts';
import type { UnitDecoder } from './unit-decoder.ts';

/** Order of the tables in `multi-byte.br`; the generator `test/src/tools/charset-tables.ts` has the same list. */
const names = ['big5', 'gbk', 'gb2312', 'euckr', 'sjis', 'cp932', 'ujis', 'eucjpms', 'gb18030'] as const;
export type MultiByteName = (typeof names)[number];

const singleUnits = 128;
const doubleUnits = 128 * 256;
const tripleUnits = 94 * 94;
const unitsPerCharset = singleUnits + doubleUnits + tripleUnits;

let allTables: Uint16Array | null = null;

function loadTables(): Uint16Array {
  if (allTables !== null) return allTables;
  const bytes = brotliDecompressSync(readFileSync(new URL('multi-byte.br', import.meta.url)));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  allTables = Uint16Array.from({ length: bytes.length / 2 }, (_, index) => view.getUint16(index * 2, true));
  return allTables;
}

/** Code units as MySQL converts them, 0 where a sequence has none: they differ from the web's tables in many places. */
interface Tables {
  /** By byte − 80. */
  readonly singles: Uint16Array;
  /** By (lead − 80) × 256 + second. */
  readonly doubles: Uint16Array;
  /** By (second − A1) × 94 + third − A1, lead 8F. */
  readonly triples: Uint16Array;
}

function tablesOf(name: MultiByteName): Tables {
  const start = names.indexOf(name) * unitsPerCharset;
  const own = loadTables().subarray(start, start + unitsPerCharset);
  return {
    singles: own.subarray(0, singleUnits),
    doubles: own.subarray(singleUnits, singleUnits + doubleUnits),
    triples: own.subarray(singleUnits + doubleUnits),
  };
}

/** Charsets of ASCII, one, two and (lead 8F, in the EUC-JP family) three bytes. */
export function multiByteDecoder(name: Exclude<MultiByteName, 'gb18030'>): UnitDecoder {
  const { singles, doubles, triples } = tablesOf(name);
  const hasTriples = name === 'ujis' || name === 'eucjpms';
  return (source, start, end, units, replace) => {
    let count = 0;
    let position = start;
    while (position < end) {
      const lead = source.getUint8(position++);
      let unit = lead < 0x80 ? lead : (singles[lead - 0x80] as number);
      if (unit === 0 && lead !== 0 && position < end) {
        const second = source.getUint8(position);
        unit = doubles[(lead - 0x80) * 256 + second] as number;
        if (unit !== 0) position++;
        else if (hasTriples && lead === 0x8f && position + 2 <= end) {
          const third = source.getUint8(position + 1);
          if (second >= 0xa1 && second < 0xff && third >= 0xa1 && third < 0xff) {
            unit = triples[(second - 0xa1) * 94 + third - 0xa1] as number;
          }
          if (unit !== 0) position += 2;
        }
      }
      if (unit === 0 && lead !== 0) {
        if (!replace) return -1;
        unit = replacementUnit;
      }
      units[count++] = unit;
    }
    return count;
  };
}

/**
 * The four-byte sequences of the BMP number, in order, the code points without a two-byte sequence; U+E7C7 stands in the
 * place of U+1E3F (GB 18030-2000 with MySQL's mapping).
 */
function fourByteUnits(doubles: Uint16Array): Uint16Array {
  const taken = new Uint8Array(0x10000);
  for (const unit of doubles) taken[unit] = 1;
  taken[0x1e3f] = 0;
  taken[0xe7c7] = 1;
  const units: number[] = [];
  for (let unit = 0x80; unit < 0x10000; unit++) {
    const surrogate = unit >= 0xd800 && unit < 0xe000;
    if (taken[unit] === 0 && !surrogate) units.push(unit === 0x1e3f ? 0xe7c7 : unit);
  }
  return Uint16Array.from(units);
}

/** Index of a four-byte sequence counted from 81308130; −1 if a byte is out of its range. */
function fourByteIndex(source: DataView, position: number): number {
  const first = source.getUint8(position) - 0x81;
  const second = source.getUint8(position + 1) - 0x30;
  const third = source.getUint8(position + 2) - 0x81;
  const fourth = source.getUint8(position + 3) - 0x30;
  if (first < 0 || first > 125 || second < 0 || second > 9) return -1;
  if (third < 0 || third > 125 || fourth < 0 || fourth > 9) return -1;
  return ((first * 10 + second) * 126 + third) * 10 + fourth;
}

/** Index of 90308130, which is U+10000. */
const supplementaryIndex = 189_000;

export function gb18030Decoder(): UnitDecoder {
  const { doubles } = tablesOf('gb18030');
  const bmp = fourByteUnits(doubles);
  const codePointAt = (source: DataView, position: number): number => {
    const index = fourByteIndex(source, position);
    if (index < 0) return -1;
    if (index < bmp.length) return bmp[index] as number;
    const codePoint = index - supplementaryIndex + 0x10000;
    return codePoint >= 0x10000 && codePoint < 0x110000 ? codePoint : -1;
  };
  return (source, start, end, units, replace) => {
    let count = 0;
    let position = start;
    while (position < end) {
      const lead = source.getUint8(position);
      let codePoint = lead < 0x80 ? lead : -1;
      let length = 1;
      if (lead >= 0x80 && position + 2 <= end) {
        const unit = doubles[(lead - 0x80) * 256 + source.getUint8(position + 1)] as number;
        if (unit !== 0) {
          codePoint = unit;
          length = 2;
        } else if (position + 4 <= end) {
          codePoint = codePointAt(source, position);
          if (codePoint >= 0) length = 4;
        }
      }
      if (codePoint < 0) {
        if (!replace) return -1;
        codePoint = replacementUnit;
      }
      count = storeCodePoint(units, count, codePoint);
      position += length;
    }
    return count;
  };
}
