import { Reader, Writer } from '@platformatic/kafka';

import type { TopicMetadata } from './cluster.ts';

/** Partitions of one topic in an assignment. */
export interface AssignedTopic {
  readonly topic: string;
  readonly partitions: readonly number[];
}

export interface GroupSubscription {
  readonly memberId: string;
  readonly instanceId: string | null;
  readonly topics: readonly string[];
}

/** Decides for a whole group; runs in the member that the brokers chose as leader. */
export interface Assignor {
  /** Name in the protocol: members of other clients with the same one share the group. */
  readonly name: string;
  assign(
    members: readonly GroupSubscription[],
    topics: ReadonlyMap<string, TopicMetadata>,
  ): ReadonlyMap<string, readonly AssignedTopic[]>;
}

/** Java's order of members: static ones by instance id, before the others by member id. */
function javaOrder(a: GroupSubscription, b: GroupSubscription): number {
  if (a.instanceId !== null && b.instanceId !== null) return compareText(a.instanceId, b.instanceId);
  if (a.instanceId !== null) return -1;
  if (b.instanceId !== null) return 1;
  return compareText(a.memberId, b.memberId);
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

class AssignmentBuilder {
  readonly #members = new Map<string, Map<string, number[]>>();

  constructor(members: readonly GroupSubscription[]) {
    for (const { memberId } of members) this.#members.set(memberId, new Map());
  }

  give(memberId: string, topic: string, partition: number): void {
    const topics = this.#members.get(memberId);
    if (topics === undefined) return;
    const partitions = topics.get(topic);
    if (partitions === undefined) topics.set(topic, [partition]);
    else partitions.push(partition);
  }

  finish(): ReadonlyMap<string, readonly AssignedTopic[]> {
    const entries = [...this.#members].map(
      ([memberId, topics]) => [memberId, [...topics].map(([topic, partitions]) => ({ topic, partitions }))] as const,
    );
    return new Map(entries);
  }
}

function subscribedTopics(members: readonly GroupSubscription[]): readonly string[] {
  return [...new Set(members.flatMap(({ topics }) => topics))].sort(compareText);
}

/** Per topic, consecutive partitions to consecutive members: equal partition numbers of topics meet in one member. */
export const rangeAssignor: Assignor = {
  name: 'range',
  assign(members, topics) {
    const ordered = [...members].sort(javaOrder);
    const builder = new AssignmentBuilder(members);
    for (const topic of subscribedTopics(members)) {
      const consumers = ordered.filter((member) => member.topics.includes(topic));
      const count = topics.get(topic)?.partitions.length ?? 0;
      const share = Math.floor(count / consumers.length);
      const larger = count % consumers.length;
      let partition = 0;
      for (const [index, { memberId }] of consumers.entries()) {
        for (let taken = index < larger ? share + 1 : share; taken > 0; taken--)
          builder.give(memberId, topic, partition++);
      }
    }
    return builder.finish();
  },
};

/** All partitions of all topics dealt out one by one. */
export const roundRobinAssignor: Assignor = {
  name: 'roundrobin',
  assign(members, topics) {
    const ordered = [...members].sort(javaOrder);
    const builder = new AssignmentBuilder(members);
    let turn = 0;
    for (const topic of subscribedTopics(members)) {
      for (const { index } of topics.get(topic)?.partitions ?? []) {
        while (ordered[turn % ordered.length]?.topics.includes(topic) !== true) turn++;
        const member = ordered[turn % ordered.length];
        if (member !== undefined) builder.give(member.memberId, topic, index);
        turn++;
      }
    }
    return builder.finish();
  },
};

const protocolVersion = 1;

/**
 * Subscription => version [topics] userData [ownedPartitions]
 * @param revision other numbers make other bytes of equal topics; 0 leaves the user data out
 */
export function encodeSubscription(topics: readonly string[], revision: number): Buffer {
  const userData = revision === 0 ? null : Buffer.from(String(revision));
  return Writer.create()
    .appendInt16(protocolVersion)
    .appendArray([...topics].sort(compareText), (w, topic) => w.appendString(topic, false), false, false)
    .appendBytes(userData, false)
    .appendArray([], () => undefined, false, false).buffer;
}

export function decodeSubscription(bytes: Buffer): readonly string[] {
  const reader = Reader.from(bytes);
  reader.readInt16();
  return reader.readArray((r) => r.readString(false), false, false);
}

/** Assignment => version [topic [partitions]] userData */
export function encodeAssignment(assigned: readonly AssignedTopic[]): Buffer {
  return Writer.create()
    .appendInt16(protocolVersion)
    .appendArray(
      [...assigned],
      (w, { topic, partitions }) =>
        w.appendString(topic, false).appendArray([...partitions], (p, index) => p.appendInt32(index), false, false),
      false,
      false,
    )
    .appendBytes(null, false).buffer;
}

/** Members of other protocol versions append fields, which are not read. */
export function decodeAssignment(bytes: Buffer): readonly AssignedTopic[] {
  if (bytes.length === 0) return [];
  const reader = Reader.from(bytes);
  reader.readInt16();
  return reader.readArray(
    (r) => ({ topic: r.readString(false), partitions: r.readArray((p) => p.readInt32(), false, false) }),
    false,
    false,
  );
}
