import { murmur2 } from '@millrace/shared/kafka/murmur2.ts';

import type { TopicPartition } from '../destination.ts';

/**
 * The lane of a partition: neighbours of one topic go to neighbouring lanes, and topics with one partition each do not
 * all meet in the first lane.
 */
export function laneOf(partition: TopicPartition, lanes: number): number {
  const topic = Buffer.from(partition.topic);
  const offset = (murmur2(topic, 0, topic.length) & 0x7fffffff) % lanes;
  return (offset + partition.partition) % lanes;
}
