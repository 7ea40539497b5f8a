import { singleByteCharacters } from './single-byte-characters.ts';
import { replacementUnit } from './unit-decoder.ts';
import type { UnitDecoder } from './unit-decoder.ts';

/** Bytes per entry of an escape table: the length, then up to six bytes of JSON text. */
export const escapeEntryBytes = 8;

export interface SingleByteCharset {
  /** Code unit by byte; U+FFFD where there is none. */
  readonly units: Uint16Array;
  /** By byte: length and JSON text in UTF-8 with escapes; length 0 where there is no character. */
  readonly escapes: Uint8Array;
}

/** The characters of a charset whose bytes are one character each; `null` if there is none of this name. */
export function singleByteCharset(name: string): SingleByteCharset | null {
  const characters = name === 'ascii' ? '\ufffd'.repeat(128) : singleByteCharacters[name];
  if (characters === undefined) return null;
  const firstByte = 256 - characters.length;
  const units = new Uint16Array(256);
  const escapes = new Uint8Array(256 * escapeEntryBytes);
  for (let byte = 0; byte < 256; byte++) {
    const unit = byte < firstByte ? byte : characters.charCodeAt(byte - firstByte);
    units[byte] = unit;
    if (unit === replacementUnit) continue;
    const text = Buffer.from(jsonText(unit), 'utf8');
    escapes[byte * escapeEntryBytes] = text.length;
    escapes.set(text, byte * escapeEntryBytes + 1);
  }
  return { units, escapes };
}

/** `JSON.stringify` writes `\u00xx` in lower case; keys and values here have it in upper case. */
function jsonText(unit: number): string {
  const quoted = JSON.stringify(String.fromCharCode(unit)).slice(1, -1);
  return quoted.startsWith('\\u') ? `\\u${quoted.slice(2).toUpperCase()}` : quoted;
}

export function singleByteDecoder(charset: SingleByteCharset): UnitDecoder {
  const table = charset.units;
  return (source, start, end, units, replace) => {
    for (let position = start; position < end; position++) {
      const unit = table[source.getUint8(position)] as number;
      if (unit === replacementUnit && !replace) return -1;
      units[position - start] = unit;
    }
    return end - start;
  };
}
