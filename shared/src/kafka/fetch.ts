import { abortable, backoffMs, delay } from '../async/delay.ts';
import { CdcError, toCdcError } from '../errors/cdc-error.ts';
import type { BrokerLink } from './broker-connection.ts';
import type { Cluster, LinkPurpose } from './cluster.ts';
import { fetchApiKey, fetchRequest, fetchVersions } from './fetch-request.ts';
import type { FetchAnswer } from './fetch-request.ts';
import { readBatches } from './fetched-batch.ts';
import type { FetchedBatch } from './fetched-batch.ts';
import { brokerRefusal, kafkaError } from './kafka-errors.ts';
import { leaderOf } from './list-offsets.ts';

export interface PartitionReaderOptions {
  readonly topic: string;
  /** Id that the topic must have; null takes the present one. Either way another id later on is an error. */
  readonly topicId: string | null;
  readonly partition: number;
  readonly offset: number;
  readonly isolationLevel: 'read_committed' | 'read_uncommitted';
  readonly minBytes: number;
  /** How long the broker may hold back an answer that is smaller than `minBytes`. */
  readonly maxWaitMs: number;
  /** Bound of one answer; a single larger batch still comes whole. */
  readonly maxBytes: number;
}

let readers = 0;

/**
 * Reads one partition from an offset on. It owns a connection, because a broker answers a connection's requests one
 * after another and an idle partition would hold up the others. The next fetch is under way while the last one is
 * being used, so up to two answers of `maxBytes` are held. Brokers that are away are waited for, for at most the
 * request timeout.
 */
export class PartitionReader implements AsyncDisposable {
  readonly topicId: string;
  readonly #cluster: Cluster;
  readonly #options: PartitionReaderOptions;
  readonly #purpose: LinkPurpose;
  readonly #closed = new AbortController();
  #position: number;
  #ahead: Promise<FetchAnswer> | null = null;
  #highWatermark = -1;
  #lastStableOffset = -1;

  private constructor(cluster: Cluster, options: PartitionReaderOptions, topicId: string) {
    this.#cluster = cluster;
    this.#options = options;
    this.topicId = topicId;
    this.#position = options.offset;
    const timeoutMs = cluster.options.requestTimeoutMs + options.maxWaitMs;
    this.#purpose = { name: `fetch-${readers++}`, timeoutMs };
  }

  /** Throws `BROKER_TOPIC_INVALID` when topic or partition does not exist or the topic is not the expected one. */
  static async open(
    client: { readonly cluster: Cluster },
    options: PartitionReaderOptions,
    signal: AbortSignal,
  ): Promise<PartitionReader> {
    const { topic, partition } = options;
    const found = (await client.cluster.topics([topic], 0, signal)).get(topic);
    if (found === undefined || partition < 0 || partition >= found.partitions.length) {
      throw new CdcError('BROKER_TOPIC_INVALID', 'the partition does not exist', {
        details: { topic, partition, partitions: found?.partitions.length ?? 0 },
      });
    }
    if (options.topicId !== null && options.topicId !== found.topicId) throw recreated(options, found.topicId);
    return new PartitionReader(client.cluster, options, found.topicId);
  }

  /** Offset of the next record that `next` may deliver; passes over what holds no record for a reader. */
  get position(): number {
    return this.#position;
  }

  /** End of the replicated log at the last answer; −1 before the first. */
  get highWatermark(): number {
    return this.#highWatermark;
  }

  /** End of what a committed read may see at the last answer; −1 before the first. */
  get lastStableOffset(): number {
    return this.#lastStableOffset;
  }

  seek(offset: number): void {
    this.#position = offset;
    this.#ahead?.catch(() => undefined);
    this.#ahead = null;
  }

  /** The next batches in offset order; empty when `maxWaitMs` passed without any. Calls must not overlap. */
  async next(signal: AbortSignal): Promise<readonly FetchedBatch[]> {
    const answer = await this.#fetch(signal);
    const { topic, partition } = this.#options;
    const { records, aborted } = answer;
    const read = readBatches({ topic, partition, startOffset: this.#position, records, aborted });
    this.#highWatermark = answer.highWatermark;
    this.#lastStableOffset = answer.lastStableOffset;
    this.#position = read.nextOffset;
    if (records.length > 0) this.#fetchAhead();
    return read.batches;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort(new CdcError('BROKER_UNAVAILABLE', 'the reader is closed'));
    this.#ahead?.catch(() => undefined);
    this.#ahead = null;
    await this.#cluster.closeLinks(this.#purpose);
  }

  #fetchAhead(): void {
    const ahead = this.#request(this.#closed.signal);
    ahead.catch(() => undefined);
    this.#ahead = ahead;
  }

  async #fetch(signal: AbortSignal): Promise<FetchAnswer> {
    const deadline = Date.now() + this.#cluster.options.requestTimeoutMs;
    const either = AbortSignal.any([signal, this.#closed.signal]);
    for (let attempt = 0; ; attempt++) {
      either.throwIfAborted();
      try {
        const request = this.#ahead ?? this.#request(this.#closed.signal);
        // Kept when the caller gives up waiting, so that the answer is not lost.
        this.#ahead = request;
        const answer = await abortable(request, either);
        this.#ahead = null;
        if (answer.errorCode === 0) return answer;
        this.#judge(answer);
      } catch (error) {
        either.throwIfAborted();
        this.#ahead = null;
        const failure = toCdcError(error);
        const pauseMs = backoffMs(attempt, this.#cluster.options.retryBackoffMs, 2_000);
        if (failure.code !== 'BROKER_UNAVAILABLE' || Date.now() + pauseMs >= deadline) throw failure;
        await delay(pauseMs, either);
        await this.#lookAgain(either);
      }
    }
  }

  async #request(signal: AbortSignal): Promise<FetchAnswer> {
    const { topic, partition, isolationLevel, minBytes, maxWaitMs, maxBytes } = this.#options;
    const topics = await this.#cluster.topics([topic], Number.MAX_SAFE_INTEGER, signal);
    const leader = leaderOf({ topic, partition }, topics.get(topic));
    const link: BrokerLink = await this.#cluster.link(leader, this.#purpose, signal);
    const readCommitted = isolationLevel === 'read_committed';
    const { topicId } = this;
    const offset = this.#position;
    const request = { topicId, partition, offset, readCommitted, minBytes, maxWaitMs, maxBytes };
    return link.request(fetchRequest(request, link.supported(fetchApiKey, fetchVersions)));
  }

  /** Throws what an error answer means; transient ones as `BROKER_UNAVAILABLE`. */
  #judge(answer: FetchAnswer): never {
    const { topic, partition } = this.#options;
    const details = { topic, partition, offset: this.#position };
    if (answer.errorCode === kafkaError.offsetOutOfRange) {
      throw new CdcError('BROKER_TOPIC_INVALID', 'the offset is not in the topic any more', {
        details: { ...details, firstOffset: answer.logStartOffset, endOffset: answer.highWatermark },
        hint: 'Records were removed before they were read: decide where to continue, then start again.',
      });
    }
    if (answer.errorCode === kafkaError.corruptMessage) {
      throw new CdcError('BROKER_BATCH_CORRUPT', 'the broker finds its records corrupt', { details });
    }
    throw brokerRefusal('the partition cannot be read', answer.errorCode, details);
  }

  /** Fresh metadata after a failure: finds a new leader, and a topic that is gone or another one. */
  async #lookAgain(signal: AbortSignal): Promise<void> {
    const { topic } = this.#options;
    try {
      const found = (await this.#cluster.topics([topic], 0, signal)).get(topic);
      if (found !== undefined && found.topicId !== this.topicId) throw recreated(this.#options, found.topicId);
      if (found === undefined) {
        throw new CdcError('BROKER_TOPIC_INVALID', 'the topic was deleted', { details: { topic } });
      }
    } catch (error) {
      if (toCdcError(error).code !== 'BROKER_UNAVAILABLE') throw error;
    }
  }
}

function recreated(options: PartitionReaderOptions, topicId: string): CdcError {
  return new CdcError('BROKER_TOPIC_INVALID', 'the topic was recreated', {
    details: { topic: options.topic, partition: options.partition, offset: options.offset, topicId },
  });
}
