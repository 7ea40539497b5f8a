import { grammar } from '../declare/option-type.ts';
import type { OptionType } from '../declare/option-type.ts';
import type { TopicMapping } from '../kafka-sink-options.ts';
import { parseMappingTo, relaxedEntries } from '../mapping.ts';

/** Kafka's own rule; `.` and `..` are no topics. */
export function isTopicName(name: string): boolean {
  return /^[A-Za-z0-9._-]{1,249}$/.test(name) && name !== '.' && name !== '..';
}

export const topicRule = 'a topic of 1 to 249 characters A-Z a-z 0-9 . _ -';

export const topicMapping: OptionType<readonly TopicMapping[]> = grammar(
  'sel:topic;…',
  (text) =>
    parseMappingTo(text, { name: 'topic', rule: topicRule }, ({ tables, target: topic }) =>
      isTopicName(topic) ? { tables, topic } : null,
    ),
  { remarks: (value) => relaxedEntries(value) },
);
