import { elementType, parsePrimitive } from './schema.ts';
import type { IcebergField } from './schema.ts';

/** Bounds of manifest entries: single-value binary serialisation (Iceberg specification, appendix D). */

const truncatedCodePoints = 16;
const truncatedBytes = 16;

/** Unscaled two's complement, big-endian, as short as it gets. */
export function decimalBytes(unscaled: bigint): Buffer {
  let length = 1;
  while (BigInt.asIntN(length * 8, unscaled) !== unscaled) length++;
  const bytes = Buffer.alloc(length);
  let rest = unscaled;
  for (let i = length - 1; i >= 0; i--) {
    bytes[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

function truncateLower(text: string): Buffer {
  return Buffer.from(Array.from(text).slice(0, truncatedCodePoints).join(''), 'utf8');
}

/** The prefix with its last code point raised, so that it is not below the whole text; null when none can be. */
function truncateUpper(text: string): Buffer | null {
  const points = Array.from(text);
  if (points.length <= truncatedCodePoints) return Buffer.from(text, 'utf8');
  const prefix = points.slice(0, truncatedCodePoints);
  while (prefix.length > 0) {
    const last = prefix.pop()?.codePointAt(0) ?? 0;
    const next = last === 0xd7ff ? 0xe000 : last + 1;
    if (next <= 0x10ffff) return Buffer.from(prefix.join('') + String.fromCodePoint(next), 'utf8');
  }
  return null;
}

function truncateBinaryUpper(bytes: Uint8Array): Buffer | null {
  if (bytes.length <= truncatedBytes) return Buffer.from(bytes);
  const prefix = Buffer.from(bytes.subarray(0, truncatedBytes));
  for (let last = prefix.length - 1; last >= 0; last--) {
    const byte = prefix[last] as number;
    if (byte === 0xff) continue;
    prefix[last] = byte + 1;
    return prefix.subarray(0, last + 1);
  }
  return null;
}

function fixedWidth(bytes: number, write: (into: Buffer) => void): Buffer {
  const buffer = Buffer.alloc(bytes);
  write(buffer);
  return buffer;
}

/**
 * A minimum or maximum as the Parquet writer's statistics hold it, or null when there is none to write: lists, NaN,
 * texts without a short upper bound.
 */
export function encodeBound(field: IcebergField, value: unknown, upper: boolean): Buffer | null {
  if (value === undefined || value === null || typeof field.type !== 'string') return null;
  const type = parsePrimitive(elementType(field.type));
  switch (type?.kind) {
    case 'boolean':
      return Buffer.from([value === true ? 1 : 0]);
    case 'int':
    case 'date':
      return fixedWidth(4, (into) => into.writeInt32LE(Number(value)));
    case 'long':
    case 'time':
    case 'timestamp':
    case 'timestamptz':
      return fixedWidth(8, (into) => into.writeBigInt64LE(BigInt(value as bigint | number)));
    case 'float':
      return Number.isNaN(value) ? null : fixedWidth(4, (into) => into.writeFloatLE(Number(value)));
    case 'double':
      return Number.isNaN(value) ? null : fixedWidth(8, (into) => into.writeDoubleLE(Number(value)));
    case 'decimal':
      return decimalBytes(BigInt(value as bigint | number));
    case 'string':
      return upper ? truncateUpper(value as string) : truncateLower(value as string);
    case 'uuid':
      return value instanceof Uint8Array ? Buffer.from(value) : null;
    case 'binary':
      if (!(value instanceof Uint8Array)) return null;
      return upper ? truncateBinaryUpper(value) : Buffer.from(value.subarray(0, truncatedBytes));
    default:
      return null;
  }
}
