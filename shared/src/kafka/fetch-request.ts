import { Writer } from '@platformatic/kafka';
import type { Reader } from '@platformatic/kafka';

import { invariantBroken } from '../errors/cdc-error.ts';
import type { WireRequest } from './broker-connection.ts';
import type { AbortedTransaction } from './fetched-batch.ts';

export const fetchApiKey = 1;
/** All address topics by id; 17 is Kafka 3.9, 13 is 3.1. */
export const fetchVersions: readonly number[] = [17, 16, 15, 14, 13];

export interface FetchRequest {
  readonly topicId: string;
  readonly partition: number;
  readonly offset: number;
  readonly readCommitted: boolean;
  readonly minBytes: number;
  readonly maxWaitMs: number;
  readonly maxBytes: number;
}

export interface FetchAnswer {
  readonly errorCode: number;
  readonly highWatermark: number;
  readonly lastStableOffset: number;
  readonly logStartOffset: number;
  readonly aborted: readonly AbortedTransaction[];
  /** Record batches as the broker stores them, the last one possibly cut off. */
  readonly records: Buffer;
}

const empty = Buffer.alloc(0);

/**
 * A fetch of one partition without a fetch session.
 *
 * FetchRequest => maxWaitMs minBytes maxBytes isolationLevel sessionId sessionEpoch [topics] [forgotten] rackId
 * with replicaId first up to version 14.
 */
export function fetchRequest(fetch: FetchRequest, apiVersion: number): WireRequest<FetchAnswer> {
  return {
    apiKey: fetchApiKey,
    apiVersion,
    write: () => writeFetch(fetch, apiVersion),
    parse: readFetch,
  };
}

function writeFetch(fetch: FetchRequest, apiVersion: number): Writer {
  const writer = Writer.create();
  if (apiVersion < 15) writer.appendInt32(-1);
  return writer
    .appendInt32(fetch.maxWaitMs)
    .appendInt32(fetch.minBytes)
    .appendInt32(fetch.maxBytes)
    .appendInt8(fetch.readCommitted ? 1 : 0)
    .appendInt32(0)
    .appendInt32(-1)
    .appendArray([fetch], (topics, { topicId }) => {
      topics.appendUUID(topicId).appendArray([fetch], (partitions, { partition, offset, maxBytes }) => {
        partitions
          .appendInt32(partition)
          .appendInt32(-1)
          .appendInt64(BigInt(offset))
          .appendInt32(-1)
          .appendInt64(-1n)
          .appendInt32(maxBytes);
      });
    })
    .appendArray([], () => undefined)
    .appendString('')
    .appendTaggedFields();
}

/**
 * FetchResponse => throttleTimeMs errorCode sessionId [topicId [partitionIndex errorCode highWatermark
 * lastStableOffset logStartOffset [abortedTransactions] preferredReadReplica records]]
 */
function readFetch(reader: Reader): FetchAnswer {
  reader.readInt32();
  const errorCode = reader.readInt16();
  reader.readInt32();
  const topics = reader.readArray((r) => {
    r.readUUID();
    return r.readArray((p) => readPartition(p));
  });
  reader.readTaggedFields();
  const answer = topics[0]?.[0];
  if (errorCode !== 0) return refused(errorCode);
  if (answer === undefined) throw invariantBroken('a fetch answer lacks the partition');
  return answer;
}

function refused(errorCode: number): FetchAnswer {
  return { errorCode, highWatermark: -1, lastStableOffset: -1, logStartOffset: -1, aborted: [], records: empty };
}

function readPartition(reader: Reader): FetchAnswer {
  reader.readInt32();
  const errorCode = reader.readInt16();
  const highWatermark = Number(reader.readInt64());
  const lastStableOffset = Number(reader.readInt64());
  const logStartOffset = Number(reader.readInt64());
  const aborted = reader.readArray((r) => ({ producerId: r.readInt64(), firstOffset: Number(r.readInt64()) }));
  reader.readInt32();
  const length = reader.readUnsignedVarInt() - 1;
  const records = length > 0 ? reader.buffer.slice(reader.position, reader.position + length) : empty;
  if (length > 0) reader.skip(length);
  return { errorCode, highWatermark, lastStableOffset, logStartOffset, aborted, records };
}
