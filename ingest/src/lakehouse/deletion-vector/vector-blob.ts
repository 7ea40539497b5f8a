import { crc32 } from 'node:zlib';

import { CdcError } from '@millrace/shared/errors/cdc-error.ts';

import { PositionSet } from './position-set.ts';
import { decodeRoaring64, encodeRoaring64 } from './roaring.ts';

/** Iceberg's `deletion-vector-v1` blob: length, magic, 64-bit roaring bitmap, CRC-32 (not Kafka's CRC-32C). */

const magic = 0xd1d33964;
const frameBytes = 12;

export function encodeVector(set: PositionSet): Buffer {
  const bitmap = encodeRoaring64(set);
  const blob = Buffer.allocUnsafe(bitmap.length + frameBytes);
  blob.writeUInt32BE(bitmap.length + 4, 0);
  blob.writeUInt32BE(magic, 4);
  bitmap.copy(blob, 8);
  blob.writeUInt32BE(crc32(blob.subarray(4, 8 + bitmap.length)), 8 + bitmap.length);
  return blob;
}

/** Checks length, magic and checksum: a vector that does not add up must never bring deleted rows back. */
export function decodeVector(blob: Buffer): PositionSet {
  if (blob.length < frameBytes || blob.readUInt32BE(0) !== blob.length - 8) throw damaged('length');
  if (blob.readUInt32BE(4) !== magic) throw damaged('magic');
  const body = blob.subarray(4, blob.length - 4);
  if (crc32(body) !== blob.readUInt32BE(blob.length - 4)) throw damaged('checksum');
  const set = new PositionSet();
  decodeRoaring64(body.subarray(4), set);
  return set;
}

function damaged(reason: string): CdcError {
  return new CdcError('DESTINATION_SCHEMA_INCOMPATIBLE', 'a deletion vector of the table cannot be read', {
    details: { reason },
    hint: 'The table is damaged: roll it back to an earlier snapshot, or restore it and replay.',
  });
}
