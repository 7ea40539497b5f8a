import { CdcError } from '@millrace/shared/errors/cdc-error.ts';
import { Gather } from '@millrace/shared/kafka/gather.ts';
import type { KafkaClient } from '@millrace/shared/kafka/kafka-client.ts';
import type { Producer } from '@millrace/shared/kafka/producer.ts';

import type { KnownTopic } from '../pipeline/checkpoint-state.ts';
import type { TopicAccess } from '../pipeline/table-registry.ts';
import type { Lane } from '../publish/lane.ts';

export interface TopicCreationOptions {
  readonly enabled: boolean;
  /** Null = broker default. */
  readonly partitions: number | null;
  readonly replicationFactor: number | null;
}

const brokerDefault = -1;

function topicInvalid(message: string, topic: string, hint: string): CdcError {
  return new CdcError('BROKER_TOPIC_INVALID', message, { details: { topic }, hint });
}

/**
 * The topics of a capture: made where missing and allowed, never again once known. The partition count of a known topic
 * stays what it was, so that a key keeps its partition when the topic grows.
 */
export class Topics implements TopicAccess<Gather> {
  readonly #client: KafkaClient;
  readonly #producer: Producer;
  readonly #creation: TopicCreationOptions;
  readonly #warn: (message: string) => void;
  #known: Readonly<Record<string, KnownTopic>>;
  readonly #checked = new Set<string>();

  constructor(
    client: KafkaClient,
    producer: Producer,
    creation: TopicCreationOptions,
    known: Readonly<Record<string, KnownTopic>>,
    warn: (message: string) => void,
  ) {
    this.#client = client;
    this.#producer = producer;
    this.#creation = creation;
    this.#known = known;
    this.#warn = warn;
  }

  /** What the checkpoint keeps. */
  known(): Readonly<Record<string, KnownTopic>> {
    return this.#known;
  }

  value(): Gather {
    return new Gather();
  }

  lane(topic: string, partition: number): Lane<Gather> {
    return this.#producer.lane(topic, partition);
  }

  async partitionCount(topic: string, signal: AbortSignal): Promise<number> {
    const known = this.#known[topic];
    if (known !== undefined && this.#checked.has(topic)) return known.partitions;
    const found = await this.#find(topic, known, signal);
    const partitions = known?.partitions ?? found.partitions;
    if (known !== undefined && found.partitions < known.partitions) {
      throw topicInvalid(
        'a topic has fewer partitions than before',
        topic,
        'Restore the topic, or start from scratch.',
      );
    }
    if (found.partitions > partitions) {
      this.#warn(
        `topic ${topic} has ${found.partitions} partitions now; keys stay in the first ${partitions}, where they were`,
      );
    }
    this.#checked.add(topic);
    this.#known = { ...this.#known, [topic]: { id: found.id, partitions } };
    return partitions;
  }

  async #find(topic: string, known: KnownTopic | undefined, signal: AbortSignal): Promise<KnownTopic> {
    let metadata = (await this.#client.topics([topic], signal)).get(topic);
    if (metadata === undefined) {
      if (known !== undefined) {
        throw topicInvalid(
          'a topic that was written to before is gone',
          topic,
          'Restore the topic, or start with --from-scratch to write everything anew.',
        );
      }
      await this.#create(topic, signal);
      metadata = (await this.#client.topics([topic], signal)).get(topic);
    }
    if (metadata === undefined) {
      throw topicInvalid('a topic is not there after it was created', topic, 'Check the rights of the Kafka user.');
    }
    if (known !== undefined && known.id !== metadata.topicId) {
      throw topicInvalid(
        'a topic was deleted and made anew',
        topic,
        'What it held is lost: start with --from-scratch to write everything anew.',
      );
    }
    return { id: metadata.topicId, partitions: metadata.partitions.length };
  }

  async #create(topic: string, signal: AbortSignal): Promise<void> {
    if (!this.#creation.enabled) {
      throw topicInvalid('a topic does not exist', topic, 'Create it, or set topic.creation.enabled: true.');
    }
    await this.#client.createTopics(
      [
        {
          name: topic,
          partitions: this.#creation.partitions ?? brokerDefault,
          replicationFactor: this.#creation.replicationFactor ?? brokerDefault,
          configs: {},
        },
      ],
      signal,
    );
  }
}
