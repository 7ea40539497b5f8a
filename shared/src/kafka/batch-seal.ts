import { crc32c } from '@node-rs/crc32';

import { compress, compressionNumber } from './compression.ts';
import type { Compression } from './compression.ts';
import { batchHeaderBytes } from './record-batch.ts';
import type { RecordBatchBuilder } from './record-batch.ts';

/** Who wrote a batch, for the brokers' duplicate check; all −1 without idempotence. */
export interface ProducerStamp {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly baseSequence: number;
}

export const unstamped: ProducerStamp = { producerId: -1n, producerEpoch: -1, baseSequence: -1 };

const crcStart = 21;
const lengthStart = 12;

/**
 * Turns a builder into the bytes of a record batch. Uncompressed, the result is a view into the builder's buffer: the
 * builder must not be touched while the result is in use.
 */
export function sealBatch(
  batch: RecordBatchBuilder,
  compression: Compression,
  stamp: ProducerStamp,
): Buffer | Promise<Buffer> {
  if (compression === 'none') {
    const sealed = batch.bytes.subarray(0, batch.length);
    writeHeader(sealed, batch, 0, stamp);
    return sealed;
  }
  const records = compress(compression, batch.bytes.subarray(batchHeaderBytes, batch.length));
  const finish = (body: Buffer): Buffer => {
    const sealed = Buffer.allocUnsafe(batchHeaderBytes + body.length);
    body.copy(sealed, batchHeaderBytes);
    writeHeader(sealed, batch, compressionNumber(compression), stamp);
    return sealed;
  };
  return Buffer.isBuffer(records) ? finish(records) : records.then(finish);
}

/**
 * RecordBatch => baseOffset batchLength partitionLeaderEpoch magic crc attributes lastOffsetDelta baseTimestamp
 * maxTimestamp producerId producerEpoch baseSequence count [records]; the CRC32C covers everything after itself.
 */
function writeHeader(sealed: Buffer, batch: RecordBatchBuilder, attributes: number, stamp: ProducerStamp): void {
  sealed.writeBigInt64BE(0n, 0);
  sealed.writeInt32BE(sealed.length - lengthStart, 8);
  sealed.writeInt32BE(-1, 12);
  sealed.writeInt8(2, 16);
  sealed.writeInt16BE(attributes, 21);
  sealed.writeInt32BE(batch.count - 1, 23);
  sealed.writeBigInt64BE(BigInt(batch.baseTimestampMs), 27);
  sealed.writeBigInt64BE(BigInt(batch.maxTimestampMs), 35);
  sealed.writeBigInt64BE(stamp.producerId, 43);
  sealed.writeInt16BE(stamp.producerEpoch, 51);
  sealed.writeInt32BE(stamp.baseSequence, 53);
  sealed.writeInt32BE(batch.count, 57);
  sealed.writeUInt32BE(crc32c(sealed.subarray(crcStart)), 17);
}

/** Producer sequences wrap from 2^31 − 1 to 0. */
export function nextBaseSequence(baseSequence: number, count: number): number {
  return (baseSequence + count) % 0x80000000;
}
