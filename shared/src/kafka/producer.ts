import { abortable, backoffMs, delay } from '../async/delay.ts';
import { Gate } from '../async/gate.ts';
import { CdcError, invariantBroken, toCdcError } from '../errors/cdc-error.ts';
import { sealBatch, unstamped } from './batch-seal.ts';
import type { ProducerStamp } from './batch-seal.ts';
import { BuilderPool } from './builder-pool.ts';
import type { Cluster, LinkPurpose, TopicMetadata } from './cluster.ts';
import type { Compression } from './compression.ts';
import { isTransient } from './kafka-errors.ts';
import { LaneQueue } from './lane-queue.ts';
import { PartitionLane } from './partition-lane.ts';
import type { SentBatch } from './partition-lane.ts';
import { produceApiKey, produceRequest, produceVersions } from './produce-request.ts';
import type { ProduceAnswer, ProducePart, PartResult } from './produce-request.ts';
import { produceRefusal } from './produce-refusal.ts';
import type { ProducerObserver } from './producer-observer.ts';
import { acquireProducerId, noIdentity } from './producer-id.ts';
import type { ProducerIdentity } from './producer-id.ts';

export interface ProducerOptions {
  /** Always all in-sync replicas. */
  readonly acks: -1;
  /** The brokers recognise a batch that is sent again. Without it a lost answer means duplicates, never disorder. */
  readonly idempotent: boolean;
  readonly compression: Compression;
  /** Bound of a batch before compression; below the topics' `max.message.bytes`. One larger record stands alone. */
  readonly maxBatchBytes: number;
  readonly maxRequestBytes: number;
  /** 1, or up to 5 with idempotence. */
  readonly maxInFlightPerPartition: number;
  readonly requestTimeoutMs: number;
  /** How long a lane may go without progress before the producer fails. */
  readonly deliveryTimeoutMs: number;
  /** How long `flush` lets a batch that is not full wait for company; 0 sends a lone record at once. */
  readonly lingerMs: number;
  readonly observer?: ProducerObserver;
}

interface Shipment {
  readonly lane: PartitionLane;
  readonly batch: SentBatch;
}

const maxIdleBufferBytes = 64 * 1024 * 1024;
const requestOverheadBytes = 512;
let producers = 0;

/**
 * Ordered, durable delivery into partitions. Records are appended synchronously to lanes, become sendable by `release`
 * and are sent by `flush`; while a request is under way further records gather in the next batch. A batch is tried again
 * with the same bytes and sequence until the brokers hold it; what cannot be mended ends the producer for good.
 */
export class Producer implements AsyncDisposable {
  readonly #cluster: Cluster;
  readonly #options: ProducerOptions;
  readonly #purpose: LinkPurpose;
  readonly #identity: ProducerIdentity;
  readonly #pool = new BuilderPool(maxIdleBufferBytes);
  readonly #lanes = new Map<string, PartitionLane[]>();
  /** Lanes with anything unacknowledged. */
  readonly #busy = new Set<PartitionLane>();
  readonly #waiting = new Set<PartitionLane>();
  readonly #progress = new Gate();
  readonly #closed = new AbortController();
  #recovering = false;
  #failures = 0;
  #lastTrouble: CdcError | null = null;
  #released = Number.NEGATIVE_INFINITY;
  #failure: CdcError | null = null;
  #pendingBytes = 0;
  #lingerTimer: NodeJS.Timeout | null = null;
  #refreshTimer: NodeJS.Timeout;

  private constructor(cluster: Cluster, options: ProducerOptions, identity: ProducerIdentity) {
    this.#cluster = cluster;
    this.#options = options;
    this.#identity = identity;
    this.#purpose = { name: `produce-${producers++}`, timeoutMs: options.requestTimeoutMs };
    this.#refreshTimer = setInterval(() => void this.#refresh(), Math.max(cluster.options.metadataMaxAgeMs, 1_000));
    this.#refreshTimer.unref();
  }

  /** Takes a producer id of its own when idempotent. */
  static async open(
    client: { readonly cluster: Cluster },
    options: ProducerOptions,
    signal: AbortSignal,
  ): Promise<Producer> {
    const most = options.idempotent ? 5 : 1;
    if (options.maxInFlightPerPartition < 1 || options.maxInFlightPerPartition > most) {
      throw new CdcError('CONFIG_INVALID', 'more requests in flight per partition than the order allows', {
        details: { inFlight: options.maxInFlightPerPartition, most, idempotent: options.idempotent },
      });
    }
    const { cluster } = client;
    return new Producer(cluster, options, options.idempotent ? await acquireProducerId(cluster, signal) : noIdentity);
  }

  /**
   * The lane of a partition, the same object each time. Throws `BROKER_TOPIC_INVALID` where the partition is known not to
   * exist; a topic not seen before is looked up before anything is sent to it.
   */
  lane(topic: string, partition: number): PartitionLane {
    let lanes = this.#lanes.get(topic);
    if (lanes === undefined) {
      lanes = [];
      this.#lanes.set(topic, lanes);
    }
    const known = lanes[partition];
    if (known !== undefined) return known;
    const { maxBatchBytes, maxRequestBytes, maxInFlightPerPartition } = this.#options;
    const queue = new LaneQueue(maxBatchBytes, maxRequestBytes - requestOverheadBytes, this.#pool);
    const lane = new PartitionLane(topic, partition, queue, maxInFlightPerPartition, this.#observe);
    const metadata = this.#cluster.remembered(topic);
    if (metadata !== undefined) lane.confirm(metadata);
    lanes[partition] = lane;
    return lane;
  }

  /** Records of transactions up to this one may be sent. */
  release(sequence: number): void {
    if (sequence > this.#released) this.#released = sequence;
  }

  /** Sends what is released wherever nothing is under way. Never throws: failures show in `settled`. */
  flush(): void {
    this.#pump(this.#busy);
  }

  /** Drops the unsent records of the newest transaction, which must not be released. */
  discard(sequence: number): void {
    if (sequence <= this.#released) throw invariantBroken('a released transaction cannot be discarded', { sequence });
    for (const lane of this.#busy) {
      lane.discard(sequence);
      this.#rest(lane);
    }
  }

  /** Lowest transaction of which the brokers do not hold every record; Infinity when they hold all. */
  firstPendingSequence(): number {
    let first = Number.POSITIVE_INFINITY;
    for (const lane of this.#busy) first = Math.min(first, lane.firstSequence);
    return first;
  }

  /** Bytes of all records that the brokers do not hold, before compression. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** Resolves at the next acknowledgement; rejects once the producer failed for good. */
  async settled(signal: AbortSignal): Promise<void> {
    if (this.#failure !== null) throw this.#failure;
    await this.#progress.wait(signal);
    if (this.#failure !== null) throw this.#failure;
  }

  /** Sends nothing more; what was not acknowledged is dropped. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#refreshTimer);
    if (this.#lingerTimer !== null) clearTimeout(this.#lingerTimer);
    this.#fail(new CdcError('BROKER_UNAVAILABLE', 'the producer is closed'));
    this.#closed.abort(this.#failure);
    await this.#cluster.closeLinks(this.#purpose);
  }

  readonly #observe = (lane: PartitionLane, bytes: number): void => {
    this.#pendingBytes += bytes;
    if (lane.openedAtMs !== 0 || bytes < 0) return;
    lane.openedAtMs = Date.now();
    this.#busy.add(lane);
  };

  /** Notes what a lane has left after something was taken out of it. */
  #rest(lane: PartitionLane): void {
    if (!lane.hasUnsent) lane.openedAtMs = 0;
    if (lane.isIdle) this.#busy.delete(lane);
  }

  /** Sends everything that may go from these lanes, one batch per lane and round. */
  #pump(lanes: Iterable<PartitionLane>): void {
    if (this.#failure !== null) return;
    let ready = [...lanes];
    while (ready.length > 0) {
      ready = ready.filter(
        (lane) => lane.canSend(this.#released, Date.now()) && !this.#lingers(lane) && this.#isPlaced(lane),
      );
      for (const [leader, led] of Map.groupBy(ready, (lane) => this.#leaderOf(lane))) this.#send(leader, led);
    }
  }

  #lingers(lane: PartitionLane): boolean {
    const { lingerMs } = this.#options;
    if (lingerMs === 0 || lane.hasFullBatch) return false;
    const leftMs = lane.openedAtMs + lingerMs - Date.now();
    if (leftMs <= 0) return false;
    this.#lingerTimer ??= setTimeout(() => {
      this.#lingerTimer = null;
      this.#pump(this.#busy);
    }, leftMs);
    return true;
  }

  #leaderOf(lane: PartitionLane): number {
    return this.#cluster.remembered(lane.topic)?.partitions[lane.partition]?.leader ?? -1;
  }

  /** The lane's partition is confirmed and has a leader; otherwise the lane starts to wait for metadata. */
  #isPlaced(lane: PartitionLane): boolean {
    if (lane.topicId !== null && this.#leaderOf(lane) >= 0) return true;
    lane.isWaiting = true;
    lane.troubleSinceMs ??= Date.now();
    this.#wait(lane);
    return false;
  }

  /** Takes one batch of each lane and sends them in requests within the size limit. */
  #send(leader: number, lanes: readonly PartitionLane[]): void {
    const { maxRequestBytes } = this.#options;
    let shipments: Shipment[] = [];
    let bytes = requestOverheadBytes;
    for (const lane of lanes) {
      const batch = lane.take(this.#released);
      if (batch === null) continue;
      lane.openedAtMs = lane.hasUnsent ? Date.now() : 0;
      const size = batch.builder.length + lane.topic.length + 64;
      if (shipments.length > 0 && bytes + size > maxRequestBytes) {
        void this.#ship(leader, shipments);
        shipments = [];
        bytes = requestOverheadBytes;
      }
      shipments.push({ lane, batch });
      bytes += size;
    }
    if (shipments.length > 0) void this.#ship(leader, shipments);
  }

  /** Seals, sends and settles one request. Never rejects. */
  async #ship(leader: number, shipments: readonly Shipment[]): Promise<void> {
    try {
      const results = await this.#request(leader, shipments);
      for (const [index, shipment] of shipments.entries()) this.#settle(shipment, results[index] ?? null);
    } catch (error) {
      this.#fail(toCdcError(error));
    }
    this.#progress.open();
    this.#pump(shipments.map(({ lane }) => lane));
  }

  /** The answer, or none for each part when brokers are away. Throws what cannot be mended. */
  async #request(leader: number, shipments: readonly Shipment[]): Promise<ProduceAnswer> {
    const earlier = Promise.all(shipments.map(({ lane }) => lane.dispatched));
    const turn = Promise.withResolvers<void>();
    for (const { lane } of shipments) lane.dispatched = turn.promise;
    try {
      const parts = await Promise.all(shipments.map((shipment) => this.#seal(shipment)));
      // Batches of one lane go onto the wire in their order, however long each took to compress.
      await earlier;
      const link = await this.#cluster.link(leader, this.#purpose, this.#closed.signal);
      const version = link.supported(produceApiKey, produceVersions);
      const sentMs = performance.now();
      const answer = link.request(produceRequest(parts, brokerTimeoutMs(this.#options.requestTimeoutMs), version));
      turn.resolve();
      const answered = await answer;
      this.#options.observer?.answered((performance.now() - sentMs) / 1000);
      return answered;
    } catch (error) {
      turn.resolve();
      const failure = toCdcError(error);
      if (failure.code !== 'BROKER_UNAVAILABLE') throw failure;
      this.#lastTrouble = failure;
      return [];
    }
  }

  async #seal({ lane, batch }: Shipment): Promise<ProducePart> {
    batch.sealed ??= await sealBatch(batch.builder, this.#options.compression, this.#stamp(batch));
    return { topic: lane.topic, topicId: lane.topicId ?? '', partition: lane.partition, records: batch.sealed };
  }

  #stamp(batch: SentBatch): ProducerStamp {
    if (!this.#options.idempotent) return unstamped;
    return { ...this.#identity, baseSequence: batch.baseSequence };
  }

  #settle(shipment: Shipment, result: PartResult | null): void {
    const { lane, batch } = shipment;
    // A partition that the answer leaves out was not written for all we know.
    const errorCode = result === null || (result.errorCode === 0 && result.baseOffset < 0) ? -1 : result.errorCode;
    if (errorCode === 0) {
      this.#held(shipment);
      return;
    }
    switch (lane.judge(batch, errorCode, errorCode === -1 || isTransient(errorCode))) {
      case 'held':
        this.#held(shipment);
        return;
      case 'again':
        this.#options.observer?.sentAgain();
        lane.sendAgain(batch, Date.now());
        this.#wait(lane);
        return;
      case 'split':
        this.#options.observer?.sentAgain();
        lane.sendInHalves(batch, this.#pool.take(batch.builder.length / 2), Date.now());
        this.#wait(lane);
        return;
      default:
        this.#fail(produceRefusal(lane, batch, errorCode, result?.message ?? null));
    }
  }

  #held({ lane, batch }: Shipment): void {
    this.#options.observer?.delivered(lane.topic, batch.builder.count, batch.sealed?.length ?? 0);
    lane.held(batch, Date.now());
    this.#failures = 0;
    this.#pool.give(batch.builder);
    this.#rest(lane);
  }

  #wait(lane: PartitionLane): void {
    this.#waiting.add(lane);
    if (!this.#recovering) void this.#recover();
  }

  /** Looks at fresh metadata after a pause and lets the waiting lanes go on, until none waits. Never rejects. */
  async #recover(): Promise<void> {
    this.#recovering = true;
    try {
      while (this.#waiting.size > 0 && this.#failure === null) {
        // Lets the caller finish, so that all lanes that wait are looked up together.
        await Promise.resolve();
        if (this.#failures > 0 || this.#hasTried()) await this.#pause();
        this.#giveUpLate();
        await this.#placeWaiting();
        this.#failures++;
      }
    } catch (error) {
      this.#fail(toCdcError(error));
    }
    this.#recovering = false;
  }

  /** False while all that waits is lanes that only need their topic looked up for the first time. */
  #hasTried(): boolean {
    for (const lane of this.#waiting) if (lane.topicId !== null) return true;
    return false;
  }

  #pause(): Promise<void> {
    const pauseMs = backoffMs(this.#failures, this.#cluster.options.retryBackoffMs, 1_000);
    return delay(pauseMs, this.#closed.signal);
  }

  async #placeWaiting(): Promise<void> {
    const lanes = [...this.#waiting];
    const names = [...new Set(lanes.map(({ topic }) => topic))];
    let topics: ReadonlyMap<string, TopicMetadata>;
    try {
      topics = await abortable(this.#cluster.topics(names, 0, this.#closed.signal), this.#closed.signal);
    } catch (error) {
      this.#closed.signal.throwIfAborted();
      const failure = toCdcError(error);
      if (failure.code !== 'BROKER_UNAVAILABLE') throw failure;
      this.#lastTrouble = failure;
      return;
    }
    const placed: PartitionLane[] = [];
    for (const lane of lanes) {
      const metadata = topics.get(lane.topic);
      if (metadata === undefined) continue;
      lane.confirm(metadata);
      if (this.#leaderOf(lane) < 0) continue;
      lane.isWaiting = false;
      this.#waiting.delete(lane);
      placed.push(lane);
    }
    this.#pump(placed);
  }

  #giveUpLate(): void {
    const oldestMs = Date.now() - this.#options.deliveryTimeoutMs;
    for (const lane of this.#waiting) {
      if (lane.troubleSinceMs === null || lane.troubleSinceMs > oldestMs) continue;
      const { topic, partition } = lane;
      if (this.#cluster.remembered(topic) === undefined) {
        this.#fail(new CdcError('BROKER_TOPIC_INVALID', 'the topic does not exist', { details: { topic, partition } }));
        return;
      }
      this.#fail(
        new CdcError('BROKER_UNAVAILABLE', 'records could not be delivered in time', {
          details: { ...this.#lastTrouble?.details, topic, partition, timeoutMs: this.#options.deliveryTimeoutMs },
          cause: this.#lastTrouble ?? undefined,
        }),
      );
      return;
    }
  }

  /** Notices a recreated topic also while nothing fails. */
  async #refresh(): Promise<void> {
    try {
      const topics = await this.#cluster.topics([...this.#lanes.keys()], 0, this.#closed.signal);
      for (const [topic, lanes] of this.#lanes) {
        const metadata = topics.get(topic);
        for (const lane of lanes) if (metadata !== undefined) lane?.confirm(metadata);
      }
    } catch (error) {
      const failure = toCdcError(error);
      if (failure.code === 'BROKER_TOPIC_INVALID') this.#fail(failure);
    }
  }

  #fail(failure: CdcError): void {
    this.#failure ??= failure;
    this.#waiting.clear();
    this.#progress.open();
  }
}

/** The broker answers a little before the connection gives up, so that a slow replica costs no connection. */
function brokerTimeoutMs(requestTimeoutMs: number): number {
  return requestTimeoutMs - Math.min(1_000, Math.floor(requestTimeoutMs / 5));
}
