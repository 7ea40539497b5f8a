import type { KafkaConsumerSettings } from '@millrace/shared/config/kafka-client-options.ts';
import type { KafkaStartup } from '@millrace/shared/config/kafka-source-options.ts';
import { CdcError } from '@millrace/shared/errors/cdc-error.ts';
import type { GroupOffset } from '@millrace/shared/kafka/kafka-client.ts';
import type { OffsetRequest } from '@millrace/shared/kafka/list-offsets.ts';

import type { TopicPartition } from '../destination.ts';

/** What the brokers can be asked; a part of the client. */
export interface OffsetLookup {
  listOffsets(requests: readonly OffsetRequest[], signal: AbortSignal): Promise<readonly number[]>;
  groupOffsets(group: string, topics: readonly string[], signal: AbortSignal): Promise<readonly GroupOffset[]>;
}

type Start = bigint | OffsetRequest['at'];

/** Where reading begins, partition by partition, where the destination holds no offset. */
export async function startupOffsets(
  brokers: OffsetLookup,
  startup: KafkaStartup,
  consumer: Pick<KafkaConsumerSettings, 'groupId' | 'autoOffsetReset'>,
  partitions: readonly TopicPartition[],
  signal: AbortSignal,
): Promise<readonly bigint[]> {
  const starts = await startsOf(brokers, startup, consumer, partitions, signal);
  const asked: OffsetRequest[] = [];
  for (const [index, { topic, partition }] of partitions.entries()) {
    const at = starts[index];
    if (at !== undefined && typeof at !== 'bigint') asked.push({ topic, partition, at });
  }
  const found = asked.length === 0 ? [] : await brokers.listOffsets(asked, signal);
  let next = 0;
  return starts.map((start) => (typeof start === 'bigint' ? start : BigInt(found[next++] ?? 0)));
}

async function startsOf(
  brokers: OffsetLookup,
  startup: KafkaStartup,
  consumer: Pick<KafkaConsumerSettings, 'groupId' | 'autoOffsetReset'>,
  partitions: readonly TopicPartition[],
  signal: AbortSignal,
): Promise<readonly Start[]> {
  switch (startup.mode) {
    case 'earliest-offset':
      return partitions.map(() => 'earliest');
    case 'latest-offset':
      return partitions.map(() => 'latest');
    case 'timestamp':
      return partitions.map(() => ({ timestampMs: startup.millis }));
    case 'specific-offsets':
      return partitions.map((partition) => named(startup.offsets, partition) ?? 'earliest');
    case 'group-offsets': {
      const topics = [...new Set(partitions.map(({ topic }) => topic))];
      const committed = await brokers.groupOffsets(consumer.groupId, topics, signal);
      return partitions.map((partition) => ofGroup(committed, partition) ?? afterReset(consumer, partition));
    }
    default:
      return startup satisfies never;
  }
}

/** An entry with the topic's name wins over one for every topic. */
function named(
  offsets: readonly { readonly topic: string | null; readonly partition: number; readonly offset: bigint }[],
  { topic, partition }: TopicPartition,
): bigint | undefined {
  const ofPartition = offsets.filter((entry) => entry.partition === partition);
  const exact = ofPartition.find((entry) => entry.topic === topic);
  return (exact ?? ofPartition.find((entry) => entry.topic === null))?.offset;
}

function ofGroup(committed: readonly GroupOffset[], { topic, partition }: TopicPartition): bigint | undefined {
  const found = committed.find((entry) => entry.topic === topic && entry.partition === partition);
  return found === undefined ? undefined : BigInt(found.offset);
}

function afterReset(
  consumer: Pick<KafkaConsumerSettings, 'groupId' | 'autoOffsetReset'>,
  { topic, partition }: TopicPartition,
): Start {
  if (consumer.autoOffsetReset !== 'none') return consumer.autoOffsetReset;
  throw new CdcError('BROKER_TOPIC_INVALID', 'the group has no offset to start from', {
    details: { reason: 'no-group-offset', group: consumer.groupId, topic, partition },
    hint: 'Set scan.startup.mode to another mode, or properties.auto.offset.reset to earliest or latest.',
  });
}
