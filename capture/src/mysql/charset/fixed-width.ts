import { replacementUnit, storeCodePoint } from './unit-decoder.ts';
import type { UnitDecoder } from './unit-decoder.ts';

/** UTF-16 in either byte order; `surrogates` false is UCS-2, which has none. */
function utf16Decoder(littleEndian: boolean, surrogates: boolean): UnitDecoder {
  return (source, start, end, units, replace) => {
    let count = 0;
    let position = start;
    while (position < end) {
      const unit = position + 2 <= end ? source.getUint16(position, littleEndian) : -1;
      position += 2;
      if (unit >= 0 && (unit & 0xf800) !== 0xd800) {
        units[count++] = unit;
        continue;
      }
      if (surrogates && unit >= 0 && unit < 0xdc00 && position + 2 <= end) {
        const low = source.getUint16(position, littleEndian);
        if ((low & 0xfc00) === 0xdc00) {
          units[count++] = unit;
          units[count++] = low;
          position += 2;
          continue;
        }
      }
      if (!replace) return -1;
      units[count++] = replacementUnit;
    }
    return count;
  };
}

export const decodeUcs2 = utf16Decoder(false, false);
export const decodeUtf16 = utf16Decoder(false, true);
export const decodeUtf16le = utf16Decoder(true, true);

export const decodeUtf32: UnitDecoder = (source, start, end, units, replace) => {
  let count = 0;
  for (let position = start; position < end; position += 4) {
    const codePoint = position + 4 <= end ? source.getUint32(position) : 0x110000;
    if (codePoint < 0x110000 && (codePoint < 0xd800 || codePoint > 0xdfff)) {
      count = storeCodePoint(units, count, codePoint);
    } else {
      if (!replace) return -1;
      units[count++] = replacementUnit;
    }
  }
  return count;
};
