import { crc32c } from '@node-rs/crc32';

import { CdcError } from '../errors/cdc-error.ts';
import { decompress } from './compression.ts';
import { batchHeaderBytes } from './record-batch.ts';

/** One record batch as read: header facts and the records, decompressed, in memory of their own. */
export interface FetchedBatch {
  readonly topic: string;
  readonly partition: number;
  readonly baseOffset: number;
  /** Offset after the last one of the batch, also where compaction removed the last records. */
  readonly nextOffset: number;
  /** Records at or after this offset are wanted; the batch may begin below it. */
  readonly startOffset: number;
  /** Records in `bytes`, those below `startOffset` included. */
  readonly count: number;
  readonly baseTimestampMs: number;
  /** Set where the topic stamps by append time: the time of every record. */
  readonly appendTimeMs: number | null;
  readonly bytes: Buffer;
}

/** An aborted transaction in the answer of a fetch: batches of this producer from that offset on are void. */
export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: number;
}

export interface FetchedRecords {
  readonly topic: string;
  readonly partition: number;
  readonly startOffset: number;
  readonly records: Buffer;
  readonly aborted: readonly AbortedTransaction[];
}

export interface ReadBatches {
  readonly batches: readonly FetchedBatch[];
  /** Where the next fetch begins: after the last whole batch, whether it held records for us or not. */
  readonly nextOffset: number;
}

const lengthStart = 12;
const magicAt = 16;
const crcStart = 21;
const appendTimeBit = 0x08;
const transactionalBit = 0x10;
const controlBit = 0x20;

/**
 * Reads the record batches of a fetch answer: checksums verified, decompressed, control batches and batches of
 * aborted transactions left out. The answer may end inside a batch; that one is fetched again.
 */
export function readBatches(fetched: FetchedRecords): ReadBatches {
  const { records } = fetched;
  const aborts = new AbortedProducers(fetched.aborted);
  const batches: FetchedBatch[] = [];
  let nextOffset = fetched.startOffset;
  for (let at = 0; at + batchHeaderBytes <= records.length;) {
    const end = at + lengthStart + records.readInt32BE(at + 8);
    if (end > records.length) break;
    const batch = records.subarray(at, end);
    const baseOffset = Number(records.readBigInt64BE(at));
    verify(batch, baseOffset, fetched);
    const following = baseOffset + batch.readInt32BE(23) + 1;
    if (following > fetched.startOffset && !aborts.covers(batch, baseOffset)) {
      batches.push(openBatch(batch, baseOffset, following, fetched));
    }
    nextOffset = Math.max(nextOffset, following);
    at = end;
  }
  return { batches, nextOffset };
}

function verify(batch: Buffer, baseOffset: number, fetched: FetchedRecords): void {
  const details = { topic: fetched.topic, partition: fetched.partition, offset: baseOffset };
  if (batch.length > magicAt && batch.readInt8(magicAt) !== 2) {
    throw new CdcError('BROKER_TOPIC_INVALID', 'the topic holds records in a format older than v2', {
      details: { ...details, magic: batch.readInt8(magicAt) },
      hint: 'Copy the topic to a new one, which stores record format v2, and read that.',
    });
  }
  if (batch.length < batchHeaderBytes || crc32c(batch.subarray(crcStart)) !== batch.readUInt32BE(17)) {
    throw new CdcError('BROKER_BATCH_CORRUPT', 'a record batch fails its checksum', { details });
  }
}

function openBatch(batch: Buffer, baseOffset: number, nextOffset: number, fetched: FetchedRecords): FetchedBatch {
  const attributes = batch.readInt16BE(21);
  return {
    topic: fetched.topic,
    partition: fetched.partition,
    baseOffset,
    nextOffset,
    startOffset: fetched.startOffset,
    count: batch.readInt32BE(57),
    baseTimestampMs: Number(batch.readBigInt64BE(27)),
    appendTimeMs: (attributes & appendTimeBit) === 0 ? null : Number(batch.readBigInt64BE(35)),
    bytes: decompress(attributes & 0x07, batch.subarray(batchHeaderBytes)),
  };
}

/** Follows the answer's list of aborted transactions along the batches, as their order in the log demands. */
class AbortedProducers {
  readonly #coming: AbortedTransaction[];
  readonly #active = new Set<bigint>();

  constructor(aborted: readonly AbortedTransaction[]) {
    this.#coming = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset);
  }

  /** True for batches that hold nothing for a reader: control batches and parts of aborted transactions. */
  covers(batch: Buffer, baseOffset: number): boolean {
    const attributes = batch.readInt16BE(21);
    const producerId = batch.readBigInt64BE(43);
    while (this.#coming[0] !== undefined && this.#coming[0].firstOffset <= baseOffset) {
      this.#active.add(this.#coming[0].producerId);
      this.#coming.shift();
    }
    if ((attributes & controlBit) !== 0) {
      this.#active.delete(producerId);
      return true;
    }
    return (attributes & transactionalBit) !== 0 && this.#active.has(producerId);
  }
}
