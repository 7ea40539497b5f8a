import {
  createTopicsV7,
  deleteTopicsV6,
  describeConfigsV4,
  describeGroupsV5,
  offsetCommitV8,
  offsetCommitV9,
  offsetFetchV8,
  offsetFetchV9,
} from '@platformatic/kafka';

import { abortable, delay } from '../async/delay.ts';
import { CdcError } from '../errors/cdc-error.ts';
import { BrokerCluster } from './cluster.ts';
import type { TopicMetadata } from './cluster.ts';
import { decodeAssignment } from './group-protocol.ts';
import { brokerRefusal, kafkaError } from './kafka-errors.ts';
import type { KafkaOptions } from './kafka-options.ts';
import { listOffsets } from './list-offsets.ts';
import type { OffsetRequest } from './list-offsets.ts';

export interface TopicSpec {
  readonly name: string;
  readonly partitions: number;
  /** −1 takes the brokers' default. */
  readonly replicationFactor: number;
  readonly configs: Readonly<Record<string, string>>;
}

export interface TopicPartitions {
  readonly topic: string;
  readonly partitions: readonly number[];
}

export interface GroupOffset {
  readonly topic: string;
  readonly partition: number;
  /** Next offset to read. */
  readonly offset: number;
}

/** Who commits, from a running membership; the brokers refuse a generation that is over. */
export interface MemberIdentity {
  readonly memberId: string;
  readonly instanceId: string | null;
  readonly generationId: number;
}

export interface GroupDescription {
  /** `Empty`, `Stable`, `PreparingRebalance`, `CompletingRebalance` or `Dead`, as the brokers say. */
  readonly state: string;
  readonly members: readonly {
    readonly memberId: string;
    readonly clientId: string;
    readonly host: string;
    readonly assigned: readonly TopicPartitions[];
  }[];
}

const topicResource = 2;

/** Answers to a commit that say: this member's generation is over. */
const generationOver: ReadonlySet<number> = new Set([
  kafkaError.illegalGeneration,
  kafkaError.unknownMemberId,
  kafkaError.rebalanceInProgress,
  kafkaError.fencedInstanceId,
]);

/**
 * A client of one cluster: metadata and administration. Calls are tried again while brokers are away, for at most the
 * request timeout, and then fail with `BROKER_UNAVAILABLE`; `BROKER_AUTH_FAILED` comes at once.
 */
export class KafkaClient implements AsyncDisposable {
  readonly options: KafkaOptions;
  readonly cluster: BrokerCluster;

  private constructor(options: KafkaOptions) {
    this.options = options;
    this.cluster = new BrokerCluster(options);
  }

  /** Resolves when one broker has answered; tries each bootstrap server once. */
  static async connect(options: KafkaOptions, signal: AbortSignal): Promise<KafkaClient> {
    const client = new KafkaClient(options);
    try {
      await client.cluster.refresh(signal);
      return client;
    } catch (error) {
      await client[Symbol.asyncDispose]();
      throw withoutLogin(error, options);
    }
  }

  /** Asks the brokers now; missing topics are absent. Never creates a topic. */
  topics(names: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, TopicMetadata>> {
    return this.cluster.retrying(() => this.cluster.topics(names, 0, signal), signal);
  }

  allTopics(signal: AbortSignal): Promise<ReadonlyMap<string, TopicMetadata>> {
    return this.cluster.retrying(() => this.cluster.allTopics(signal), signal);
  }

  /** Resolves when every topic is there with a leader for each partition. An existing topic is left as it is. */
  async createTopics(specs: readonly TopicSpec[], signal: AbortSignal): Promise<void> {
    if (specs.length === 0) return;
    const { requestTimeoutMs } = this.options;
    const wanted = specs.map((spec) => ({
      name: spec.name,
      numPartitions: spec.partitions,
      replicationFactor: spec.replicationFactor,
      assignments: [],
      configs: Object.entries(spec.configs).map(([name, value]) => ({ name, value })),
    }));
    await this.cluster.retrying(async () => {
      const link = await this.cluster.controllerLink(signal);
      const answer = await abortable(link.call([createTopicsV7.api], wanted, requestTimeoutMs, false), signal);
      for (const { name, errorCode, errorMessage } of answer.topics) {
        if (errorCode === 0 || errorCode === kafkaError.topicAlreadyExists) continue;
        throw brokerRefusal('the brokers refuse to create the topic', errorCode, { topic: name }, errorMessage);
      }
    }, signal);
    await this.#waitForLeaders(
      specs.map((spec) => spec.name),
      signal,
    );
  }

  /** Missing topics are fine. */
  async deleteTopics(names: readonly string[], signal: AbortSignal): Promise<void> {
    if (names.length === 0) return;
    await this.cluster.retrying(async () => {
      const link = await this.cluster.controllerLink(signal);
      const asked = names.map((name) => ({ name }));
      const answer = await abortable(link.call([deleteTopicsV6.api], asked, this.options.requestTimeoutMs), signal);
      for (const { name, errorCode, errorMessage } of answer.responses) {
        if (errorCode === 0 || errorCode === kafkaError.unknownTopicOrPartition) continue;
        throw brokerRefusal('the brokers refuse to delete the topic', errorCode, { topic: name ?? '' }, errorMessage);
      }
    }, signal);
  }

  /** Effective settings of a topic, defaults included. */
  topicConfig(name: string, signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    return this.cluster.retrying(async () => {
      const link = await this.cluster.anyLink(signal);
      const resource = { resourceType: topicResource, resourceName: name, configurationKeys: null } as const;
      const answer = await abortable(link.call([describeConfigsV4.api], [resource], false, false), signal);
      const result = answer.results[0];
      if (result === undefined || result.errorCode !== 0) {
        const errorCode = result?.errorCode ?? -1;
        const refusal = errorCode === kafkaError.unknownTopicOrPartition ? kafkaError.invalidTopic : errorCode;
        throw brokerRefusal('the settings of the topic cannot be read', refusal, { topic: name }, result?.errorMessage);
      }
      const known = result.configs.flatMap(({ name, value }) =>
        value === null || value === undefined ? [] : ([[name, value]] as const),
      );
      return new Map(known);
    }, signal);
  }

  /**
   * One offset per request, in their order. `latest` is the end that a committed read may reach. A timestamp gives the
   * first offset at or after it, or the latest where no record is that new.
   */
  listOffsets(requests: readonly OffsetRequest[], signal: AbortSignal): Promise<readonly number[]> {
    return this.cluster.retrying((attempt) => listOffsets(this.cluster, requests, attempt === 0, signal), signal);
  }

  /** Committed offsets of a group for these topics; partitions without one are absent. */
  groupOffsets(group: string, topics: readonly string[], signal: AbortSignal): Promise<readonly GroupOffset[]> {
    return this.cluster.retrying(async () => {
      const link = await this.#coordinatorLink(group, signal);
      const asked = [{ groupId: group, memberId: null, memberEpoch: -1, topics: null }];
      const answer = await abortable(link.call([offsetFetchV9.api, offsetFetchV8.api], asked, false), signal);
      const found = answer.groups[0];
      if (found === undefined || found.errorCode !== 0) {
        throw brokerRefusal('the offsets of the group cannot be read', found?.errorCode ?? -1, { group });
      }
      return found.topics
        .filter(({ name }) => topics.includes(name))
        .flatMap(({ name, partitions }) =>
          partitions
            .filter(({ committedOffset }) => committedOffset >= 0n)
            .map((p) => ({ topic: name, partition: p.partitionIndex, offset: Number(p.committedOffset) })),
        );
    }, signal);
  }

  /**
   * Stores offsets for others to measure lag by. False when the brokers refuse because the member's generation is over
   * or, without a member, because the group has members.
   */
  commitGroupOffsets(
    group: string,
    member: MemberIdentity | null,
    offsets: readonly GroupOffset[],
    signal: AbortSignal,
  ): Promise<boolean> {
    const byTopic = Map.groupBy(offsets, ({ topic }) => topic);
    const topics = [...byTopic].map(([name, partitions]) => ({
      name,
      partitions: partitions.map(({ partition, offset }) => ({
        partitionIndex: partition,
        committedOffset: BigInt(offset),
        committedLeaderEpoch: -1,
        committedMetadata: '',
      })),
    }));
    return this.cluster.retrying(async () => {
      const link = await this.#coordinatorLink(group, signal);
      const { memberId, generationId, instanceId } = member ?? { memberId: '', generationId: -1, instanceId: null };
      const answer = await abortable(
        link.call([offsetCommitV9.api, offsetCommitV8.api], group, generationId, memberId, instanceId, topics),
        signal,
      );
      for (const { name, partitions } of answer.topics) {
        for (const { partitionIndex, errorCode } of partitions) {
          if (errorCode === 0) continue;
          if (generationOver.has(errorCode)) return false;
          const details = { group, topic: name, partition: partitionIndex };
          throw brokerRefusal('the brokers refuse the offsets of the group', errorCode, details);
        }
      }
      return true;
    }, signal);
  }

  describeGroup(group: string, signal: AbortSignal): Promise<GroupDescription> {
    return this.cluster.retrying(async () => {
      const link = await this.#coordinatorLink(group, signal);
      const answer = await abortable(link.call([describeGroupsV5.api], [group], false), signal);
      const found = answer.groups[0];
      if (found === undefined || (found.errorCode !== 0 && found.errorCode !== kafkaError.groupIdNotFound)) {
        throw brokerRefusal('the group cannot be described', found?.errorCode ?? -1, { group });
      }
      const members = found.members.map((member) => ({
        memberId: member.memberId,
        clientId: member.clientId,
        host: member.clientHost,
        assigned: decodeAssignment(member.memberAssignment),
      }));
      return { state: found.groupState, members };
    }, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster[Symbol.asyncDispose]();
  }

  async #coordinatorLink(group: string, signal: AbortSignal): ReturnType<BrokerCluster['controlLink']> {
    return this.cluster.controlLink(await this.cluster.coordinator(group, signal), signal);
  }

  async #waitForLeaders(names: readonly string[], signal: AbortSignal): Promise<void> {
    const deadline = Date.now() + this.options.requestTimeoutMs;
    for (;;) {
      const found = await this.topics(names, signal);
      const waiting = names.filter((name) => {
        const topic = found.get(name);
        return topic === undefined || topic.partitions.some(({ leader }) => leader < 0);
      });
      if (waiting.length === 0) return;
      if (Date.now() > deadline) {
        throw new CdcError('BROKER_UNAVAILABLE', 'a new topic has no leader yet', { details: { topics: waiting } });
      }
      await delay(this.options.retryBackoffMs, signal);
    }
  }
}

/** A listener that demands a login lets others connect and hangs up at their first request, without a word. */
function withoutLogin(error: unknown, options: KafkaOptions): unknown {
  const hungUp = error instanceof CdcError && error.details['reason'] === 'Connection closed';
  if (!hungUp || options.sasl !== null) return error;
  return new CdcError('BROKER_AUTH_FAILED', 'the broker hangs up on a client that does not log in', {
    details: error.details,
    hint: 'Set the SASL options, or use the listener that needs none.',
    cause: error,
  });
}
