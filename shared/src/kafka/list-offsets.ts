import { listOffsetsV7, listOffsetsV8, listOffsetsV9 } from '@platformatic/kafka';

import { abortable } from '../async/delay.ts';
import { CdcError } from '../errors/cdc-error.ts';
import type { BrokerCluster, TopicMetadata } from './cluster.ts';
import { brokerRefusal, kafkaError } from './kafka-errors.ts';

export interface OffsetRequest {
  readonly topic: string;
  readonly partition: number;
  readonly at: 'earliest' | 'latest' | { readonly timestampMs: number };
}

const readCommitted = 1;

function timestampOf(at: OffsetRequest['at']): bigint {
  if (at === 'latest') return -1n;
  return at === 'earliest' ? -2n : BigInt(at.timestampMs);
}

/** One try. Leaders are asked for the partitions they lead; fresh metadata is used unless `mayBeOld`. */
export async function listOffsets(
  cluster: BrokerCluster,
  requests: readonly OffsetRequest[],
  mayBeOld: boolean,
  signal: AbortSignal,
): Promise<readonly number[]> {
  const names = [...new Set(requests.map(({ topic }) => topic))];
  const topics = await cluster.topics(names, mayBeOld ? cluster.options.metadataMaxAgeMs : 0, signal);
  const offsets = new Map<OffsetRequest, number>();
  const byLeader = Map.groupBy(requests, (request) => leaderOf(request, topics.get(request.topic)));
  await Promise.all(
    [...byLeader].map(async ([leader, led]) => {
      const found = await askLeader(cluster, leader, led, signal);
      for (const [index, request] of led.entries()) offsets.set(request, found[index] ?? -1);
    }),
  );
  const beyondEnd = requests.filter((request) => offsets.get(request) === -1);
  if (beyondEnd.length > 0) {
    const ends = beyondEnd.map(({ topic, partition }) => ({ topic, partition, at: 'latest' }) as const);
    const latest = await listOffsets(cluster, ends, true, signal);
    for (const [index, request] of beyondEnd.entries()) offsets.set(request, latest[index] ?? 0);
  }
  return requests.map((request) => offsets.get(request) ?? 0);
}

export function leaderOf(request: { topic: string; partition: number }, topic: TopicMetadata | undefined): number {
  const details = { topic: request.topic, partition: request.partition };
  const partition = topic?.partitions[request.partition];
  if (topic === undefined || partition === undefined) {
    throw new CdcError('BROKER_TOPIC_INVALID', 'the partition does not exist', {
      details: { ...details, partitions: topic?.partitions.length ?? 0 },
    });
  }
  if (partition.leader < 0) {
    throw brokerRefusal('the partition has no leader', kafkaError.leaderNotAvailable, details);
  }
  return partition.leader;
}

async function askLeader(
  cluster: BrokerCluster,
  leader: number,
  requests: readonly OffsetRequest[],
  signal: AbortSignal,
): Promise<readonly number[]> {
  const link = await cluster.controlLink(leader, signal);
  // Each request stands alone, because one partition may be asked for twice.
  const rounds = requests.map(async ({ topic, partition, at }) => {
    const asked = { partitionIndex: partition, currentLeaderEpoch: -1, timestamp: timestampOf(at) };
    const answer = await abortable(
      link.call([listOffsetsV9.api, listOffsetsV8.api, listOffsetsV7.api], -1, readCommitted, [
        { name: topic, partitions: [asked] },
      ]),
      signal,
    );
    const found = answer.topics[0]?.partitions[0];
    if (found === undefined || found.errorCode !== 0) {
      throw brokerRefusal('the offset cannot be read', found?.errorCode ?? -1, { topic, partition });
    }
    return Number(found.offset);
  });
  return Promise.all(rounds);
}
