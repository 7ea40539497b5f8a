import { findCoordinatorV4, findCoordinatorV5, findCoordinatorV6, metadataV12 } from '@platformatic/kafka';

import { abortable } from '../async/delay.ts';
import { CdcError, toCdcError } from '../errors/cdc-error.ts';
import { BrokerConnection } from './broker-connection.ts';
import type { BrokerLink } from './broker-connection.ts';
import { brokerRefusal, isTransient, kafkaError } from './kafka-errors.ts';
import { addressText } from './kafka-options.ts';
import type { BrokerAddress, KafkaOptions } from './kafka-options.ts';
import { retryingUnavailable } from './retrying.ts';

export interface PartitionMetadata {
  readonly index: number;
  /** Broker that leads the partition; −1 when none does at present. */
  readonly leader: number;
}

export interface TopicMetadata {
  readonly name: string;
  /** Changes when a topic is deleted and created again under the same name. */
  readonly topicId: string;
  /** In the order of their index. */
  readonly partitions: readonly PartitionMetadata[];
}

/** A set of connections, one per broker, that no other purpose shares: long waits of one do not hold up another. */
export interface LinkPurpose {
  readonly name: string;
  /** Bound for each request on these connections. */
  readonly timeoutMs: number;
}

/** What produce, fetch and membership need to know of a cluster; tests script it. */
export interface Cluster {
  readonly options: KafkaOptions;
  /** Missing topics are absent. `maxAgeMs` 0 asks the brokers in any case. */
  topics(names: readonly string[], maxAgeMs: number, signal: AbortSignal): Promise<ReadonlyMap<string, TopicMetadata>>;
  /** What the last answer said about a topic, however old. */
  remembered(name: string): TopicMetadata | undefined;
  link(nodeId: number, purpose: LinkPurpose, signal: AbortSignal): Promise<BrokerLink>;
  /** A connection to whichever broker answers. */
  anyLink(signal: AbortSignal): Promise<BrokerLink>;
  /** The broker that coordinates a consumer group. */
  coordinator(group: string, signal: AbortSignal): Promise<number>;
  closeLinks(purpose: LinkPurpose): Promise<void>;
}

type MetadataAnswer = ReturnType<typeof metadataV12.parseResponse>;

interface RememberedTopic {
  readonly metadata: TopicMetadata;
  readonly loadedAtMs: number;
}

export class BrokerCluster implements Cluster, AsyncDisposable {
  readonly options: KafkaOptions;
  readonly #closed = new AbortController();
  readonly #links = new Map<string, Promise<BrokerConnection>>();
  readonly #topics = new Map<string, RememberedTopic>();
  readonly #control: LinkPurpose;
  #brokers = new Map<number, BrokerAddress>();
  #controllerId = -1;
  #firstChoice = 0;

  constructor(options: KafkaOptions) {
    this.options = options;
    this.#control = { name: 'control', timeoutMs: options.requestTimeoutMs };
  }

  async topics(
    names: readonly string[],
    maxAgeMs: number,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, TopicMetadata>> {
    const oldest = Date.now() - maxAgeMs;
    const stale = names.filter((name) => maxAgeMs === 0 || (this.#topics.get(name)?.loadedAtMs ?? 0) < oldest);
    if (stale.length > 0) await this.#loadMetadata(stale, signal);
    const found = new Map<string, TopicMetadata>();
    for (const name of names) {
      const topic = this.#topics.get(name);
      if (topic !== undefined) found.set(name, topic.metadata);
    }
    return found;
  }

  /** Learns the brokers anew; the cheapest proof that the cluster answers. */
  async refresh(signal: AbortSignal): Promise<void> {
    await this.#loadMetadata([], signal);
  }

  /** Every topic of the cluster that is not internal to the brokers. */
  async allTopics(signal: AbortSignal): Promise<ReadonlyMap<string, TopicMetadata>> {
    const answer = await this.#loadMetadata(null, signal);
    const found = new Map<string, TopicMetadata>();
    for (const topic of answer.topics) {
      const known = this.#topics.get(topic.name ?? '');
      if (known !== undefined && !topic.isInternal) found.set(known.metadata.name, known.metadata);
    }
    return found;
  }

  remembered(name: string): TopicMetadata | undefined {
    return this.#topics.get(name)?.metadata;
  }

  async link(nodeId: number, purpose: LinkPurpose, signal: AbortSignal): Promise<BrokerLink> {
    if (!this.#brokers.has(nodeId)) await this.#loadMetadata([], signal);
    const address = this.#brokers.get(nodeId);
    if (address === undefined) {
      throw new CdcError('BROKER_UNAVAILABLE', 'the broker is not in the cluster at present', { details: { nodeId } });
    }
    return this.#open(address, purpose, signal);
  }

  async anyLink(signal: AbortSignal): Promise<BrokerLink> {
    const addresses = [...this.#brokers.values(), ...this.options.bootstrapServers];
    let failure: CdcError | undefined;
    for (let attempt = 0; attempt < addresses.length; attempt++) {
      const choice = (this.#firstChoice + attempt) % addresses.length;
      try {
        const link = await this.#open(addresses[choice] as BrokerAddress, this.#control, signal);
        this.#firstChoice = choice;
        return link;
      } catch (error) {
        signal.throwIfAborted();
        failure = toCdcError(error);
        if (failure.code !== 'BROKER_UNAVAILABLE') throw failure;
      }
    }
    throw new CdcError('BROKER_UNAVAILABLE', 'no broker can be reached', {
      details: { ...failure?.details, bootstrapServers: addressText(this.options.bootstrapServers) },
      cause: failure,
    });
  }

  async controllerLink(signal: AbortSignal): Promise<BrokerLink> {
    if (this.#controllerId < 0) await this.#loadMetadata([], signal);
    return this.#brokers.has(this.#controllerId)
      ? this.link(this.#controllerId, this.#control, signal)
      : this.anyLink(signal);
  }

  /** The connections for short administrative requests. */
  controlLink(nodeId: number, signal: AbortSignal): Promise<BrokerLink> {
    return this.link(nodeId, this.#control, signal);
  }

  async coordinator(group: string, signal: AbortSignal): Promise<number> {
    const link = await this.anyLink(signal);
    const answer = await abortable(
      link.call([findCoordinatorV6.api, findCoordinatorV5.api, findCoordinatorV4.api], 0, [group]),
      signal,
    );
    const found = answer.coordinators[0];
    if (found === undefined || found.errorCode !== 0) {
      throw brokerRefusal(
        'the coordinator of the group cannot be found',
        found?.errorCode ?? kafkaError.coordinatorNotAvailable,
        { group },
        found?.errorMessage,
      );
    }
    this.#brokers.set(found.nodeId, { host: found.host, port: found.port });
    return found.nodeId;
  }

  /** Runs an operation again while brokers are away, for at most the request timeout. */
  retrying<T>(operation: (attempt: number) => Promise<T>, signal: AbortSignal): Promise<T> {
    const again = (attempt: number): Promise<T> => {
      // After a failure another broker may be the controller.
      if (attempt > 0) this.#controllerId = -1;
      return operation(attempt);
    };
    return retryingUnavailable(this.options, again, signal);
  }

  async closeLinks(purpose: LinkPurpose): Promise<void> {
    const prefix = `${purpose.name}@`;
    const closing: Promise<void>[] = [];
    for (const [key, link] of this.#links) {
      if (!key.startsWith(prefix)) continue;
      this.#links.delete(key);
      closing.push(closeQuietly(link));
    }
    await Promise.all(closing);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort(new CdcError('BROKER_UNAVAILABLE', 'the client is closed'));
    const links = [...this.#links.values()];
    this.#links.clear();
    await Promise.all(links.map((link) => closeQuietly(link)));
  }

  async #open(address: BrokerAddress, purpose: LinkPurpose, signal: AbortSignal): Promise<BrokerConnection> {
    const key = `${purpose.name}@${address.host}:${address.port}`;
    const existing = this.#links.get(key);
    if (existing !== undefined) {
      const link = await abortable(existing, signal);
      if (link.isOpen) return link;
      if (this.#links.get(key) === existing) {
        this.#links.delete(key);
        void closeQuietly(existing);
      }
      return this.#open(address, purpose, signal);
    }
    const opening = BrokerConnection.open(this.options, address, purpose.timeoutMs, this.#closed.signal);
    this.#links.set(key, opening);
    opening.catch(() => {
      if (this.#links.get(key) === opening) this.#links.delete(key);
    });
    return abortable(opening, signal);
  }

  async #loadMetadata(names: readonly string[] | null, signal: AbortSignal): Promise<MetadataAnswer> {
    const link = await this.anyLink(signal);
    const asked = names === null ? null : [...names];
    const answer = await abortable(link.call([metadataV12.api], asked, false, false), signal);
    this.#brokers = new Map(answer.brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]));
    this.#controllerId = answer.controllerId;
    for (const topic of answer.topics) this.#remember(topic);
    return answer;
  }

  #remember(topic: MetadataAnswer['topics'][number]): void {
    const name = topic.name ?? '';
    if (topic.errorCode === kafkaError.unknownTopicOrPartition) {
      this.#topics.delete(name);
      return;
    }
    if (topic.errorCode !== 0 && !isTransient(topic.errorCode)) {
      throw brokerRefusal('the brokers refuse to describe the topic', topic.errorCode, { topic: name });
    }
    if (topic.partitions.length === 0) return;
    const partitions = topic.partitions
      .map(({ partitionIndex, leaderId }) => ({ index: partitionIndex, leader: leaderId }))
      .sort((a, b) => a.index - b.index);
    this.#topics.set(name, { metadata: { name, topicId: topic.topicId, partitions }, loadedAtMs: Date.now() });
  }
}

async function closeQuietly(link: Promise<BrokerLink>): Promise<void> {
  try {
    await (await link)[Symbol.asyncDispose]();
  } catch {
    // It never opened, or is closed already.
  }
}
