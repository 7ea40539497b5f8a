import { crc32 as nativeCrc32 } from 'node:zlib';

/** Below this many bytes the call into native code costs more than the loop. */
const nativeFromBytes = 512;

const tables = sliceTables();

/** Eight tables for CRC-32 (polynomial 0xEDB88320), eight bytes at a time. */
function sliceTables(): Int32Array {
  const all = new Int32Array(8 * 256);
  for (let index = 0; index < 256; index++) {
    let value = index;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    all[index] = value;
  }
  for (let table = 1; table < 8; table++) {
    for (let index = 0; index < 256; index++) {
      const previous = all[(table - 1) * 256 + index] as number;
      all[table * 256 + index] = (previous >>> 8) ^ (all[previous & 0xff] as number);
    }
  }
  return all;
}

function shortCrc32(bytes: Buffer, view: DataView, start: number, end: number): number {
  let crc = -1;
  let at = start;
  for (const stop = end - 7; at < stop; at += 8) {
    const low = crc ^ view.getInt32(at, true);
    const high = view.getInt32(at + 4, true);
    crc =
      (tables[1792 + (low & 0xff)] as number) ^
      (tables[1536 + ((low >>> 8) & 0xff)] as number) ^
      (tables[1280 + ((low >>> 16) & 0xff)] as number) ^
      (tables[1024 + (low >>> 24)] as number) ^
      (tables[768 + (high & 0xff)] as number) ^
      (tables[512 + ((high >>> 8) & 0xff)] as number) ^
      (tables[256 + ((high >>> 16) & 0xff)] as number) ^
      (tables[high >>> 24] as number);
  }
  for (; at < end; at++) crc = (crc >>> 8) ^ (tables[(crc ^ (bytes[at] as number)) & 0xff] as number);
  return ~crc >>> 0;
}

/** CRC-32 as zlib computes it, over `bytes[start, end)`; `view` covers the same memory as `bytes` from its start. */
export function crc32(bytes: Buffer, view: DataView, start: number, end: number): number {
  if (end - start < nativeFromBytes) return shortCrc32(bytes, view, start, end);
  return nativeCrc32(bytes.subarray(start, end));
}
