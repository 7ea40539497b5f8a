import { Writer } from '@platformatic/kafka';
import type { Reader } from '@platformatic/kafka';

import type { WireRequest } from './broker-connection.ts';

export const produceApiKey = 0;
/** 13 addresses topics by id, so that a recreated topic is refused by the broker itself; older ones by name. */
export const produceVersions: readonly number[] = [13, 12, 11, 10, 9];
const topicIdsFrom = 13;

/** One sealed batch for one partition; a partition stands at most once in a request. */
export interface ProducePart {
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
  readonly records: Buffer;
}

export interface PartResult {
  readonly errorCode: number;
  /** Offset of the batch's first record; −1 where the broker does not know it. */
  readonly baseOffset: number;
  readonly message: string | null;
}

/** One result per part, in their order; null where the answer lacks the partition. */
export type ProduceAnswer = readonly (PartResult | null)[];

const allInSyncReplicas = -1;

/**
 * ProduceRequest => transactionalId acks timeoutMs [topic [partition records]]
 * Resolves only when the in-sync replicas have the records, or with an error per partition.
 */
export function produceRequest(
  parts: readonly ProducePart[],
  timeoutMs: number,
  apiVersion: number,
): WireRequest<ProduceAnswer> {
  const byId = apiVersion >= topicIdsFrom;
  const nameOf = (part: ProducePart): string => (byId ? part.topicId : part.topic);
  const topics = [...Map.groupBy(parts, nameOf)];
  return {
    apiKey: produceApiKey,
    apiVersion,
    write: () =>
      Writer.create()
        .appendString(null)
        .appendInt16(allInSyncReplicas)
        .appendInt32(timeoutMs)
        .appendArray(topics, (w, [topic, partitions]) => {
          if (byId) w.appendUUID(topic);
          else w.appendString(topic);
          w.appendArray(partitions, (p, { partition, records }) => {
            p.appendInt32(partition)
              .appendUnsignedVarInt(records.length + 1)
              .append(records);
          });
        })
        .appendTaggedFields(),
    parse: (reader) => {
      const results = readResults(reader, byId);
      return parts.map((part) => results.get(`${nameOf(part)}/${part.partition}`) ?? null);
    },
  };
}

/**
 * ProduceResponse => [topic [index errorCode baseOffset logAppendTimeMs logStartOffset [recordErrors] errorMessage]]
 * throttleTimeMs
 */
function readResults(reader: Reader, byId: boolean): ReadonlyMap<string, PartResult> {
  const results = new Map<string, PartResult>();
  reader.readArray((topics) => {
    const topic = byId ? topics.readUUID() : topics.readString();
    topics.readArray((r) => {
      const partition = r.readInt32();
      const errorCode = r.readInt16();
      const baseOffset = Number(r.readInt64());
      r.readInt64();
      r.readInt64();
      const causes = r.readArray((causes) => {
        causes.readInt32();
        return causes.readNullableString();
      });
      const message = r.readNullableString() ?? causes[0] ?? null;
      results.set(`${topic}/${partition}`, { errorCode, baseOffset, message });
    });
  });
  return results;
}
