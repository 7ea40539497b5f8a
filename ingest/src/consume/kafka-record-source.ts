import { delay } from '@millrace/shared/async/delay.ts';
import type { KafkaSourceOptions, KafkaTopics } from '@millrace/shared/config/kafka-source-options.ts';
import { CdcError, toCdcError } from '@millrace/shared/errors/cdc-error.ts';
import { PartitionReader } from '@millrace/shared/kafka/fetch.ts';
import { GroupMember } from '@millrace/shared/kafka/group-member.ts';
import type { KafkaClient } from '@millrace/shared/kafka/kafka-client.ts';
import type { Logger } from '@millrace/shared/observe/logger.ts';

import type { TopicPartition } from '../destination.ts';
import type { OwnershipListener, PartitionFeed, RecordSource } from './record-source.ts';
import { startupOffsets } from './startup-offsets.ts';

/** How often topics that should be there and are not are looked for. */
const missingTopicsPauseMs = 2_000;
const maxRebalanceMs = 60_000;

/** Hold no rows: a pattern that is wide enough to match them does not mean them. */
const ownTopics: ReadonlySet<string> = new Set(['millrace.schema', 'millrace.checkpoints']);

/** Names of the pipeline's topics that exist now, sorted. */
export async function existingTopics(
  client: KafkaClient,
  topics: KafkaTopics,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const found = topics.kind === 'list' ? await client.topics(topics.names, signal) : await client.allTopics(signal);
  const names = [...found.keys()];
  const wanted =
    topics.kind === 'list'
      ? names
      : names.filter((name) => !name.startsWith('__') && !ownTopics.has(name) && topics.pattern.matches(name));
  return wanted.toSorted();
}

export interface KafkaRecordSourceOptions {
  readonly source: KafkaSourceOptions;
  /** Upper bound of one fetch of one partition. */
  readonly maxFetchBytes: number;
  /** Topics that do not exist are waited for; else they are an error. */
  readonly waitForTopics: boolean;
  readonly log: Logger;
}

/** Reads topics as a member of a consumer group. The client is the caller's to close. */
export class KafkaRecordSource implements RecordSource {
  readonly #client: KafkaClient;
  readonly #options: KafkaRecordSourceOptions;
  readonly #topicIds = new Map<string, string>();
  #member: GroupMember | null = null;

  constructor(client: KafkaClient, options: KafkaRecordSourceOptions) {
    this.#client = client;
    this.#options = options;
  }

  async own(listener: OwnershipListener, signal: AbortSignal): Promise<void> {
    const topics = await this.#awaitTopics(signal);
    if (signal.aborted) return;
    const { consumer } = this.#options.source.client;
    const unbounded = new AbortController().signal;
    await using member = await GroupMember.join(
      this.#client,
      {
        group: consumer.groupId,
        instanceId: consumer.groupInstanceId,
        topics,
        sessionTimeoutMs: consumer.sessionTimeoutMs,
        heartbeatIntervalMs: consumer.heartbeatIntervalMs,
        rebalanceTimeoutMs: Math.min(consumer.maxPollIntervalMs, maxRebalanceMs),
        onAssigned: (partitions, generation) => listener.assigned(partitions, generation),
        onRevoked: (partitions) => listener.revoked(partitions, unbounded),
      },
      signal,
    );
    this.#member = member;
    const looking = new AbortController();
    try {
      const discovery = this.#discover(member, topics, AbortSignal.any([signal, looking.signal]));
      await Promise.race([member.completed, discovery]);
      await member.completed;
    } finally {
      looking.abort();
      this.#member = null;
    }
  }

  firstOffsets(partitions: readonly TopicPartition[], signal: AbortSignal): Promise<readonly bigint[]> {
    const { startup, client } = this.#options.source;
    return startupOffsets(this.#client, startup, client.consumer, partitions, signal);
  }

  async open({ topic, partition }: TopicPartition, offset: bigint, signal: AbortSignal): Promise<PartitionFeed> {
    const { consumer } = this.#options.source.client;
    const reader = await PartitionReader.open(
      this.#client,
      {
        topic,
        topicId: this.#topicIds.get(topic) ?? null,
        partition,
        offset: Number(offset),
        isolationLevel: consumer.isolationLevel,
        minBytes: consumer.fetchMinBytes,
        maxWaitMs: consumer.fetchMaxWaitMs,
        maxBytes: Math.min(consumer.maxPartitionFetchBytes, consumer.fetchMaxBytes, this.#options.maxFetchBytes),
      },
      signal,
    );
    this.#topicIds.set(topic, reader.topicId);
    return new KafkaFeed(reader, consumer.isolationLevel === 'read_committed');
  }

  async publishOffsets(
    offsets: readonly (TopicPartition & { readonly offset: bigint })[],
    signal: AbortSignal,
  ): Promise<void> {
    const identity = this.#member?.identity;
    if (identity === null || identity === undefined) return;
    const entries = offsets.map(({ topic, partition, offset }) => ({ topic, partition, offset: Number(offset) }));
    const { groupId } = this.#options.source.client.consumer;
    try {
      await this.#client.commitGroupOffsets(groupId, identity, entries, signal);
    } catch (error) {
      if (!signal.aborted)
        this.#options.log.repeatable('offsets of the group cannot be stored', { error: toCdcError(error) });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#member?.[Symbol.asyncDispose]();
  }

  async #awaitTopics(signal: AbortSignal): Promise<readonly string[]> {
    const { source, waitForTopics, log } = this.#options;
    for (;;) {
      const found = await existingTopics(this.#client, source.topics, signal);
      const missing = source.topics.kind === 'list' ? source.topics.names.filter((name) => !found.includes(name)) : [];
      if (found.length > 0 && (missing.length === 0 || waitForTopics)) {
        if (missing.length > 0) log.warn('topics do not exist yet', { topics: missing.join(', ') });
        return found;
      }
      const wanted = source.topics.kind === 'list' ? missing : [source.topics.pattern.text];
      if (!waitForTopics) {
        throw new CdcError('BROKER_TOPIC_INVALID', 'topics do not exist', {
          details: { topics: wanted },
          hint: 'Start capture first, or correct topic or topic-pattern.',
        });
      }
      log.repeatable('waiting for topics to exist', { topics: wanted.join(', ') });
      await delay(missingTopicsPauseMs, signal);
    }
  }

  /**
   * Follows new topics; new partitions are the group's own matter. Topics tend to come together, and while a capture is
   * starting: one looks often at first and after each find, then at the interval. Settles only by failing.
   */
  async #discover(member: GroupMember, first: readonly string[], signal: AbortSignal): Promise<void> {
    const { source, log } = this.#options;
    let known = first;
    const incomplete = source.topics.kind === 'list' && first.length < source.topics.names.length;
    const mostMs = incomplete ? missingTopicsPauseMs : source.discoveryIntervalMs;
    if (mostMs <= 0 || (source.topics.kind === 'list' && !incomplete)) return await never();
    let pauseMs = Math.min(missingTopicsPauseMs, mostMs);
    try {
      for (;;) {
        await delay(pauseMs, signal);
        pauseMs = Math.min(pauseMs * 2, mostMs);
        const found = await existingTopics(this.#client, source.topics, signal);
        const added = found.filter((name) => !known.includes(name));
        if (added.length === 0) continue;
        log.info('new topics', { topics: added.join(', ') });
        pauseMs = Math.min(missingTopicsPauseMs, mostMs);
        known = [...known, ...added].toSorted();
        member.updateTopics(known);
        if (source.topics.kind === 'list' && known.length === source.topics.names.length) return await never();
      }
    } catch (error) {
      if (signal.aborted) return await never();
      throw error;
    }
  }
}

function never(): Promise<void> {
  return new Promise(() => undefined);
}

class KafkaFeed implements PartitionFeed {
  readonly #reader: PartitionReader;
  readonly #committedOnly: boolean;

  constructor(reader: PartitionReader, committedOnly: boolean) {
    this.#reader = reader;
    this.#committedOnly = committedOnly;
  }

  get position(): number {
    return this.#reader.position;
  }

  get end(): number {
    return this.#committedOnly ? this.#reader.lastStableOffset : this.#reader.highWatermark;
  }

  next(signal: AbortSignal): ReturnType<PartitionReader['next']> {
    return this.#reader.next(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader[Symbol.asyncDispose]();
  }
}
