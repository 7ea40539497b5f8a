import { Reader, Writer } from '@platformatic/kafka';
import type { API } from '@platformatic/kafka';

import { CdcError } from '../../errors/cdc-error.ts';
import type { BrokerLink, WireRequest } from '../broker-connection.ts';
import type { Cluster, TopicMetadata } from '../cluster.ts';
import { fetchApiKey } from '../fetch-request.ts';
import { produceApiKey } from '../produce-request.ts';
import { atOffset, readPlain } from './plain-records.ts';

/** What happens to one partition's part of a produce request. */
export type Fate =
  | 'written'
  | 'answer lost'
  | 'request lost'
  | 'absent from the answer'
  | { readonly errorCode: number };

export interface ArrivedPart {
  readonly node: number;
  /** The topic's id or name, as it stood in the request. */
  readonly address: string;
  readonly topic: string;
  readonly partition: number;
  readonly batch: Buffer;
}

export type Script = (part: ArrivedPart) => Fate | Promise<Fate>;

interface ProducerState {
  nextSequence: number;
  readonly recent: { readonly baseSequence: number; readonly baseOffset: number }[];
}

class ScriptedPartition {
  leader = 1;
  readonly stored: Buffer[] = [];
  endOffset = 0;
  readonly #producers = new Map<bigint, ProducerState>();

  /**
   * Appends like a broker does: with a producer id, only the next sequence; a repeated one is answered again. A producer
   * that the broker has not seen may begin anywhere.
   */
  append(batch: Buffer): { readonly errorCode: number; readonly baseOffset: number } {
    const producerId = batch.readBigInt64BE(43);
    const baseSequence = batch.readInt32BE(53);
    const count = batch.readInt32BE(57);
    if (producerId >= 0n) {
      const state = this.#producers.get(producerId) ?? { nextSequence: baseSequence, recent: [] };
      const repeated = state.recent.find((known) => known.baseSequence === baseSequence);
      if (repeated !== undefined) return { errorCode: 0, baseOffset: repeated.baseOffset };
      if (baseSequence !== state.nextSequence) return { errorCode: 45, baseOffset: -1 };
      state.nextSequence = (baseSequence + count) % 2 ** 31;
      state.recent.push({ baseSequence, baseOffset: this.endOffset });
      if (state.recent.length > 5) state.recent.shift();
      this.#producers.set(producerId, state);
    }
    const baseOffset = this.endOffset;
    this.stored.push(atOffset(batch, baseOffset));
    this.endOffset += count;
    return { errorCode: 0, baseOffset };
  }
}

/**
 * A cluster in memory that reads the real request bytes and writes real answer bytes. Produce is scripted per part;
 * metadata is what the test sets.
 */
export class ScriptedCluster implements Cluster {
  readonly options = {
    bootstrapServers: [],
    clientId: 'test',
    tls: null,
    sasl: null,
    requestTimeoutMs: 1_000,
    metadataMaxAgeMs: 60_000,
    retryBackoffMs: 1,
  };
  readonly ids = new Map<string, string>();
  readonly #partitions = new Map<string, ScriptedPartition[]>();
  readonly #remembered = new Map<string, TopicMetadata>();
  readonly arrived: ArrivedPart[] = [];
  readonly fetches: { readonly node: number; readonly offset: number }[] = [];
  requests = 0;
  /** Error code of the next fetch answer; 0 answers with records. */
  fetchScript: () => number = () => 0;
  script: Script = () => 'written';
  /** Newest produce version the brokers speak. */
  produceVersion = 13;
  unreachable = false;

  addTopic(
    name: string,
    partitions: number,
    topicId = `00000000-0000-0000-0000-${String(this.ids.size).padStart(12, '0')}`,
  ): void {
    this.ids.set(name, topicId);
    this.#partitions.set(
      name,
      Array.from({ length: partitions }, () => new ScriptedPartition()),
    );
  }

  partition(topic: string, index: number): ScriptedPartition {
    const found = this.#partitions.get(topic)?.[index];
    if (found === undefined) throw new Error(`no partition ${topic}/${index}`);
    return found;
  }

  /** Values in the log of a partition, in offset order. */
  values(topic: string, index: number): readonly (string | null)[] {
    return readPlain(Buffer.concat(this.partition(topic, index).stored)).map(({ value }) => value);
  }

  async topics(names: readonly string[], maxAgeMs: number): Promise<ReadonlyMap<string, TopicMetadata>> {
    await Promise.resolve();
    const remembered = names.map((name) => this.#remembered.get(name)).filter((topic) => topic !== undefined);
    if (maxAgeMs > 0 && remembered.length === names.length) {
      return new Map(remembered.map((topic) => [topic.name, topic]));
    }
    if (this.unreachable) throw new CdcError('BROKER_UNAVAILABLE', 'scripted: no broker');
    const found = new Map<string, TopicMetadata>();
    for (const name of names) {
      const topicId = this.ids.get(name);
      const partitions = this.#partitions.get(name);
      if (topicId === undefined || partitions === undefined) {
        this.#remembered.delete(name);
        continue;
      }
      const metadata = { name, topicId, partitions: partitions.map(({ leader }, index) => ({ index, leader })) };
      this.#remembered.set(name, metadata);
      found.set(name, metadata);
    }
    return found;
  }

  remembered(name: string): TopicMetadata | undefined {
    return this.#remembered.get(name);
  }

  async link(nodeId: number): Promise<BrokerLink> {
    await Promise.resolve();
    if (this.unreachable) throw new CdcError('BROKER_UNAVAILABLE', 'scripted: no broker');
    return new ScriptedLink(this, nodeId);
  }

  anyLink(): Promise<BrokerLink> {
    return this.link(1);
  }

  coordinator(): Promise<number> {
    return Promise.resolve(1);
  }

  closeLinks(): Promise<void> {
    return Promise.resolve();
  }

  /** Reads a produce request, lets the script decide and answers like a broker. */
  async produce(node: number, request: Buffer, apiVersion: number): Promise<Writer> {
    this.requests++;
    const parts = readProduce(request, apiVersion, (id) => this.#nameOf(id)).map((part) => ({ ...part, node }));
    const answers: { part: ArrivedPart; errorCode: number; baseOffset: number }[] = [];
    let lost = false;
    for (const part of parts) {
      this.arrived.push(part);
      const fate = await this.script(part);
      lost ||= fate === 'answer lost' || fate === 'request lost';
      const written = fate === 'written' || fate === 'answer lost' || fate === 'absent from the answer';
      const outcome = written ? this.#append(part) : { errorCode: 0, baseOffset: -1 };
      if (typeof fate === 'object') answers.push({ part, errorCode: fate.errorCode, baseOffset: -1 });
      else if (fate !== 'absent from the answer') answers.push({ part, ...outcome });
    }
    if (lost) throw new CdcError('BROKER_UNAVAILABLE', 'scripted: connection lost');
    return writeProduceAnswer(answers, apiVersion);
  }

  /** Answers a fetch (version 15 and newer) of one partition with everything from the wanted offset on. */
  async fetch(node: number, request: Buffer): Promise<Writer> {
    const asked = readFetch(request);
    this.fetches.push({ node, ...asked });
    await new Promise(setImmediate);
    const topic = this.#nameOf(asked.topicId);
    const partition = this.#partitions.get(topic)?.[asked.partition];
    let errorCode = this.fetchScript();
    if (partition === undefined) errorCode = 100;
    else if (errorCode === 0 && partition.leader !== node) errorCode = 6;
    else if (errorCode === 0 && asked.offset > partition.endOffset) errorCode = 1;
    const batches = errorCode === 0 ? (partition?.stored ?? []) : [];
    const wanted = batches.filter((batch) => Number(batch.readBigInt64BE(0)) + batch.readInt32BE(57) > asked.offset);
    return writeFetchAnswer(asked, errorCode, partition?.endOffset ?? -1, Buffer.concat(wanted));
  }

  #append(part: ArrivedPart): { readonly errorCode: number; readonly baseOffset: number } {
    const partition = this.#partitions.get(part.topic)?.[part.partition];
    if (partition === undefined) return { errorCode: part.topic === '' ? 100 : 3, baseOffset: -1 };
    if (partition.leader !== part.node) return { errorCode: 6, baseOffset: -1 };
    return partition.append(part.batch);
  }

  #nameOf(topicId: string): string {
    for (const [name, id] of this.ids) if (id === topicId) return name;
    return '';
  }
}

class ScriptedLink implements BrokerLink {
  readonly isOpen = true;
  readonly #cluster: ScriptedCluster;
  readonly #node: number;

  constructor(cluster: ScriptedCluster, node: number) {
    this.#cluster = cluster;
    this.#node = node;
  }

  supported(apiKey: number, versions: readonly number[]): number {
    const found = versions.find((version) => apiKey !== produceApiKey || version <= this.#cluster.produceVersion);
    if (found === undefined) throw new CdcError('CONFIG_INVALID', 'scripted: no common version');
    return found;
  }

  async request<T>(request: WireRequest<T>): Promise<T> {
    const bytes = Buffer.from(request.write().buffer);
    const answer =
      request.apiKey === fetchApiKey
        ? await this.#cluster.fetch(this.#node, bytes)
        : await this.#cluster.produce(this.#node, bytes, request.apiVersion);
    return request.parse(Reader.from(Buffer.from(answer.buffer)));
  }

  /** Only InitProducerId is asked this way here. */
  call<A extends unknown[], R>(_apis: readonly API<A, R>[], ..._args: A): Promise<R> {
    return Promise.resolve({ throttleTimeMs: 0, errorCode: 0, producerId: 77n, producerEpoch: 0 } as R);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}

function readProduce(
  bytes: Buffer,
  apiVersion: number,
  nameOf: (topicId: string) => string,
): readonly Omit<ArrivedPart, 'node'>[] {
  const reader = Reader.from(bytes);
  reader.readNullableString();
  reader.readInt16();
  reader.readInt32();
  const topics = reader.readArray((topics) => {
    const address = apiVersion >= 13 ? topics.readUUID() : topics.readString();
    const topic = apiVersion >= 13 ? nameOf(address) : address;
    return topics.readArray((r) => ({ address, topic, partition: r.readInt32(), batch: Buffer.from(r.readBytes()) }));
  });
  return topics.flat();
}

function writeProduceAnswer(
  answers: readonly { readonly part: ArrivedPart; readonly errorCode: number; readonly baseOffset: number }[],
  apiVersion: number,
): Writer {
  const topics = [...Map.groupBy(answers, ({ part }) => part.address)];
  return Writer.create()
    .appendArray(topics, (w, [address, parts]) => {
      if (apiVersion >= 13) w.appendUUID(address);
      else w.appendString(address);
      w.appendArray(parts, (p, { part, errorCode, baseOffset }) => {
        p.appendInt32(part.partition)
          .appendInt16(errorCode)
          .appendInt64(BigInt(baseOffset))
          .appendInt64(-1n)
          .appendInt64(0n)
          .appendArray([], () => undefined)
          .appendString(null);
      });
    })
    .appendInt32(0)
    .appendTaggedFields();
}

interface AskedFetch {
  readonly topicId: string;
  readonly partition: number;
  readonly offset: number;
}

function readFetch(bytes: Buffer): AskedFetch {
  const reader = Reader.from(bytes);
  reader.skip(4 + 4 + 4 + 1 + 4 + 4);
  const topics = reader.readArray((topics) => {
    const topicId = topics.readUUID();
    return topics.readArray((r) => {
      const partition = r.readInt32();
      r.readInt32();
      const offset = Number(r.readInt64());
      r.skip(4 + 8 + 4);
      return { topicId, partition, offset };
    });
  });
  const asked = topics[0]?.[0];
  if (asked === undefined) throw new Error('a fetch without a partition');
  return asked;
}

function writeFetchAnswer(asked: AskedFetch, errorCode: number, endOffset: number, records: Buffer): Writer {
  return Writer.create()
    .appendInt32(0)
    .appendInt16(0)
    .appendInt32(0)
    .appendArray([asked], (w, { topicId, partition }) => {
      w.appendUUID(topicId).appendArray([partition], (p, index) => {
        p.appendInt32(index)
          .appendInt16(errorCode)
          .appendInt64(BigInt(endOffset))
          .appendInt64(BigInt(endOffset))
          .appendInt64(0n)
          .appendArray(null, () => undefined)
          .appendInt32(-1)
          .appendBytes(records);
      });
    })
    .appendTaggedFields();
}
