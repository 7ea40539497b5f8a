import { heartbeatV4, joinGroupV9, leaveGroupV5, syncGroupV5 } from '@platformatic/kafka';

import { abortable } from '../async/delay.ts';
import { CdcError } from '../errors/cdc-error.ts';
import type { BrokerLink } from './broker-connection.ts';
import type { Cluster, LinkPurpose } from './cluster.ts';
import { decodeAssignment, decodeSubscription, encodeAssignment, encodeSubscription } from './group-protocol.ts';
import type { AssignedTopic, Assignor, GroupSubscription } from './group-protocol.ts';
import { brokerRefusal, isTransient, kafkaError } from './kafka-errors.ts';
import { retryingUnavailable } from './retrying.ts';

export interface GroupSessionOptions {
  readonly group: string;
  /** Static membership: the member keeps its partitions over a restart shorter than the session timeout. */
  readonly instanceId: string | null;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly assignors: readonly Assignor[];
}

/** What one completed rebalance gave to this member. */
export interface Generation {
  readonly generationId: number;
  readonly memberId: string;
  readonly assigned: readonly AssignedTopic[];
  /** Partition counts that the assignment was made from; null unless this member made it. */
  readonly assignedFrom: ReadonlyMap<string, number> | null;
}

/** `rebalance`: others came or went, join again. `lost`: the membership is gone, somebody may own the partitions. */
export type HeartbeatResult = 'alive' | 'rebalance' | 'lost' | 'unanswered';

type JoinAnswer = ReturnType<typeof joinGroupV9.parseResponse>;

const protocolType = 'consumer';
const wrongSettings: ReadonlySet<number> = new Set([23, 24, 26, 81]);
let sessions = 0;

function hasAllTopics({ assigned }: Generation, topics: readonly string[]): boolean {
  const given = new Set(assigned.map(({ topic }) => topic));
  return topics.every((topic) => given.has(topic));
}

/** The classic group protocol as single steps; when to take which is the member's matter. */
export class GroupSession {
  readonly #cluster: Cluster;
  readonly #options: GroupSessionOptions;
  readonly #joins: LinkPurpose;
  readonly #heartbeats: LinkPurpose;
  #coordinator = -1;
  #memberId = '';
  #revision = 0;

  constructor(cluster: Cluster, options: GroupSessionOptions) {
    const session = sessions++;
    const { requestTimeoutMs } = cluster.options;
    this.#cluster = cluster;
    this.#options = options;
    this.#joins = { name: `group-${session}`, timeoutMs: options.rebalanceTimeoutMs + requestTimeoutMs };
    // A join is answered only when all members have joined: heartbeats must not queue behind one.
    this.#heartbeats = {
      name: `heartbeat-${session}`,
      timeoutMs: Math.min(requestTimeoutMs, options.sessionTimeoutMs),
    };
  }

  /** Joins until a rebalance completes with this member in it. Blocks while others take their time. */
  async join(topics: readonly string[], signal: AbortSignal): Promise<Generation> {
    const mayTakeOver = this.#options.instanceId !== null && this.#memberId === '';
    const generation = await this.#joinUntilMember(topics, signal);
    if (!mayTakeOver || hasAllTopics(generation, topics)) return generation;
    // The brokers hand the place of a static member over with its old assignment and compare no topics: those that
    // it did not subscribe to then are nobody's. Only other metadata of a known member make them rebalance.
    this.#revision++;
    return this.#joinUntilMember(topics, signal);
  }

  async heartbeat({ generationId, memberId }: Generation, signal: AbortSignal): Promise<HeartbeatResult> {
    const { group, instanceId } = this.#options;
    try {
      const link = await this.#link(this.#heartbeats, signal);
      const answer = await abortable(link.call([heartbeatV4.api], group, generationId, memberId, instanceId), signal);
      switch (answer.errorCode) {
        case 0:
          return 'alive';
        case kafkaError.rebalanceInProgress:
          return 'rebalance';
        case kafkaError.illegalGeneration:
          return 'lost';
        case kafkaError.unknownMemberId:
          this.#memberId = '';
          return 'lost';
        default:
          throw this.#refusal('the group refuses a heartbeat', answer.errorCode);
      }
    } catch (error) {
      this.#coordinator = -1;
      if (signal.aborted) return 'unanswered';
      if (error instanceof CdcError && error.code === 'BROKER_UNAVAILABLE') return 'unanswered';
      throw error;
    }
  }

  /** Tells the group at once instead of letting the session run out. Static members keep their place. Never throws. */
  async leave(signal: AbortSignal): Promise<void> {
    const { group, instanceId } = this.#options;
    const memberId = this.#memberId;
    if (memberId === '' || instanceId !== null) return;
    this.#memberId = '';
    try {
      const link = await this.#link(this.#heartbeats, signal);
      await abortable(link.call([leaveGroupV5.api], group, [{ memberId, instanceId: null, reason: null }]), signal);
    } catch {
      // The session runs out.
    }
  }

  /** Next time a new member on new connections joins. */
  async forget(): Promise<void> {
    this.#memberId = '';
    this.#coordinator = -1;
    await this.close();
  }

  async close(): Promise<void> {
    await Promise.all([this.#cluster.closeLinks(this.#joins), this.#cluster.closeLinks(this.#heartbeats)]);
  }

  async #link(purpose: LinkPurpose, signal: AbortSignal): Promise<BrokerLink> {
    if (this.#coordinator < 0) this.#coordinator = await this.#cluster.coordinator(this.#options.group, signal);
    return this.#cluster.link(this.#coordinator, purpose, signal);
  }

  #joinUntilMember(topics: readonly string[], signal: AbortSignal): Promise<Generation> {
    return retryingUnavailable(
      this.#cluster.options,
      async () => {
        for (;;) {
          signal.throwIfAborted();
          const generation = await this.#joinOnce(topics, signal);
          if (generation !== null) return generation;
        }
      },
      signal,
    );
  }

  /** One join and sync; null when the brokers ask for another round at once. */
  async #joinOnce(topics: readonly string[], signal: AbortSignal): Promise<Generation | null> {
    try {
      const link = await this.#link(this.#joins, signal);
      const joined = await abortable(this.#sendJoin(link, topics), signal);
      if (joined.errorCode === kafkaError.memberIdRequired) {
        this.#memberId = joined.memberId;
        return null;
      }
      if (joined.errorCode !== 0) return this.#joinRefused(joined.errorCode);
      this.#memberId = joined.memberId;
      return await this.#sync(link, joined, signal);
    } catch (error) {
      this.#coordinator = -1;
      throw error;
    }
  }

  #sendJoin(link: BrokerLink, topics: readonly string[]): Promise<JoinAnswer> {
    const { group, instanceId, sessionTimeoutMs, rebalanceTimeoutMs, assignors } = this.#options;
    const metadata = encodeSubscription(topics, this.#revision);
    const protocols = assignors.map(({ name }) => ({ name, metadata }));
    const { api } = joinGroupV9;
    return link.call(
      [api],
      group,
      sessionTimeoutMs,
      rebalanceTimeoutMs,
      this.#memberId,
      instanceId,
      protocolType,
      protocols,
      null,
    );
  }

  async #sync(link: BrokerLink, joined: JoinAnswer, signal: AbortSignal): Promise<Generation | null> {
    const { group, instanceId } = this.#options;
    const { generationId, memberId, protocolName } = joined;
    const leads = joined.leader === memberId && !joined.skipAssignment;
    const plan = leads ? await this.#assign(joined, signal) : null;
    const assignments = [...(plan?.assignments ?? [])].map(([id, assigned]) => ({
      memberId: id,
      assignment: encodeAssignment(assigned),
    }));
    const { api } = syncGroupV5;
    const answer = await abortable(
      link.call([api], group, generationId, memberId, instanceId, protocolType, protocolName, assignments),
      signal,
    );
    if (answer.errorCode !== 0) return this.#joinRefused(answer.errorCode);
    const assigned = decodeAssignment(answer.assignment).filter(({ partitions }) => partitions.length > 0);
    return { generationId, memberId, assigned, assignedFrom: plan?.counts ?? null };
  }

  async #assign(
    joined: JoinAnswer,
    signal: AbortSignal,
  ): Promise<{
    readonly assignments: ReadonlyMap<string, readonly AssignedTopic[]>;
    readonly counts: ReadonlyMap<string, number>;
  }> {
    const members: readonly GroupSubscription[] = joined.members.map((member) => ({
      memberId: member.memberId,
      instanceId: member.groupInstanceId ?? null,
      topics: decodeSubscription(member.metadata),
    }));
    const names = [...new Set(members.flatMap(({ topics }) => topics))];
    const topics = await this.#cluster.topics(names, 0, signal);
    const assignor = this.#options.assignors.find(({ name }) => name === joined.protocolName);
    if (assignor === undefined) throw this.#refusal('the group chose an unknown assignor', 23);
    const counts = new Map(names.map((name) => [name, topics.get(name)?.partitions.length ?? 0]));
    return { assignments: assignor.assign(members, topics), counts };
  }

  #joinRefused(errorCode: number): null {
    if (errorCode === kafkaError.unknownMemberId) this.#memberId = '';
    const again: readonly number[] = [
      kafkaError.unknownMemberId,
      kafkaError.illegalGeneration,
      kafkaError.rebalanceInProgress,
    ];
    if (again.includes(errorCode)) return null;
    throw this.#refusal('the group refuses this member', errorCode);
  }

  #refusal(action: string, errorCode: number): CdcError {
    const { group, instanceId } = this.#options;
    const refusal = brokerRefusal(action, errorCode, { group });
    if (isTransient(errorCode)) this.#coordinator = -1;
    if (errorCode === kafkaError.fencedInstanceId) {
      return new CdcError('DESTINATION_FENCED', 'another process took this group instance over', {
        details: { ...refusal.details, instanceId },
      });
    }
    return wrongSettings.has(errorCode)
      ? new CdcError('CONFIG_INVALID', action, {
          details: refusal.details,
          hint: 'Check group id, session timeout and that all members of the group are of the same kind.',
        })
      : refusal;
  }
}
