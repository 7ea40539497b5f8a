import { delay } from '../async/delay.ts';
import { CdcError, toCdcError } from '../errors/cdc-error.ts';
import type { GroupDescription, MemberIdentity } from './kafka-client.ts';
import type { Cluster } from './cluster.ts';
import { rangeAssignor, roundRobinAssignor } from './group-protocol.ts';
import type { AssignedTopic, Assignor } from './group-protocol.ts';
import { GroupSession } from './group-session.ts';
import type { Generation } from './group-session.ts';

export interface OwnedPartition {
  readonly topic: string;
  readonly partition: number;
}

export interface GroupMemberOptions {
  readonly group: string;
  /** Static membership; null for members that come and go. */
  readonly instanceId: string | null;
  readonly topics: readonly string[];
  readonly sessionTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  /** How long others wait for this member's `onRevoked` before it loses its place. */
  readonly rebalanceTimeoutMs: number;
  /** In order of preference; all members of a group must share one. Default: range, then round robin. */
  readonly assignors?: readonly Assignor[];
  /** The partitions are ours until `generation` aborts. A rejection that the abort did not cause ends the membership. */
  readonly onAssigned: (partitions: readonly OwnedPartition[], generation: AbortSignal) => Promise<void>;
  /**
   * Called after `generation` aborted and `onAssigned` has settled. Others can own the partitions only after this has
   * resolved, unless the session ran out before (a frozen process): then somebody may own them already.
   */
  readonly onRevoked: (partitions: readonly OwnedPartition[]) => Promise<void>;
}

interface GroupClient {
  readonly cluster: Cluster;
  describeGroup(group: string, signal: AbortSignal): Promise<GroupDescription>;
}

/** Why a generation ended. */
type Ending = 'rebalance' | 'lost' | 'left';

/**
 * Membership in a consumer group by the classic protocol with eager rebalancing, compatible with the Java consumer's
 * range and round-robin assignors. Heartbeats run beside the callbacks, so these may take as long as the rebalance
 * timeout allows.
 */
export class GroupMember implements AsyncDisposable {
  /** Settles with the membership: rejects when it cannot be kept up. */
  readonly completed: Promise<void>;
  readonly #client: GroupClient;
  readonly #options: GroupMemberOptions;
  readonly #session: GroupSession;
  readonly #leaving = new AbortController();
  readonly #ended: AbortSignal;
  readonly #joined = Promise.withResolvers<void>();
  #topics: readonly string[];
  #resubscribe = new AbortController();
  #identity: MemberIdentity | null = null;

  private constructor(client: GroupClient, options: GroupMemberOptions, signal: AbortSignal) {
    this.#client = client;
    this.#options = options;
    this.#topics = options.topics;
    this.#ended = AbortSignal.any([signal, this.#leaving.signal]);
    const assignors = options.assignors ?? [rangeAssignor, roundRobinAssignor];
    this.#session = new GroupSession(client.cluster, { ...options, assignors });
    this.completed = this.#run();
    this.completed.catch((error: Error) => this.#joined.reject(error));
    this.#joined.promise.catch(() => undefined);
  }

  /** Resolves with the first assignment, which may be empty. When `signal` aborts the member leaves the group. */
  static async join(client: GroupClient, options: GroupMemberOptions, signal: AbortSignal): Promise<GroupMember> {
    const member = new GroupMember(client, options, signal);
    await member.#joined.promise;
    return member;
  }

  /** For commits of group offsets; null between generations. */
  get identity(): MemberIdentity | null {
    return this.#identity;
  }

  /** Subscribes to other topics, by a rebalance of the whole group. */
  updateTopics(topics: readonly string[]): void {
    this.#topics = topics;
    this.#resubscribe.abort();
  }

  /** Gives the partitions back, then leaves the group. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#leaving.abort(new CdcError('BROKER_UNAVAILABLE', 'the membership is closed'));
    await this.completed.catch(() => undefined);
  }

  async #run(): Promise<void> {
    try {
      while (!this.#ended.aborted) await this.#oneGeneration();
    } catch (error) {
      if (!this.#ended.aborted) throw error;
    } finally {
      await this.#session.leave(AbortSignal.timeout(2_000));
      await this.#session.close();
      this.#joined.resolve();
    }
  }

  async #oneGeneration(): Promise<void> {
    this.#resubscribe = new AbortController();
    const generation = await this.#session.join(this.#topics, this.#ended);
    const { instanceId } = this.#options;
    const { memberId, generationId } = generation;
    this.#identity = { memberId, instanceId, generationId };
    this.#joined.resolve();
    const partitions = partitionsOf(generation.assigned);
    const over = new AbortController();
    let failure: unknown = null;
    const work = this.#options.onAssigned(partitions, over.signal).catch((error: unknown) => {
      if (over.signal.aborted) return;
      failure = error;
      over.abort(error);
    });
    try {
      await this.#keepAlive(generation, partitions, over);
    } finally {
      over.abort(new CdcError('BROKER_UNAVAILABLE', 'the partitions were given back'));
      await this.#giveBack(generation, partitions, work);
      this.#identity = null;
    }
    if (failure !== null) throw toCdcError(failure);
  }

  /** Lets the owner finish while the group still counts this member as alive. */
  async #giveBack(generation: Generation, partitions: readonly OwnedPartition[], work: Promise<void>): Promise<void> {
    const done = new AbortController();
    const pulse = this.#pulse(generation, done.signal);
    try {
      await work;
      await this.#options.onRevoked(partitions);
    } finally {
      done.abort();
      await pulse;
    }
  }

  async #pulse(generation: Generation, signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted) {
        await this.#session.heartbeat(generation, signal);
        await delay(this.#options.heartbeatIntervalMs, signal);
      }
    } catch {
      // Aborted, or refused: the next join tells.
    }
  }

  /** Sends heartbeats until the generation ends. `over` aborts as soon as the session may have run out. */
  async #keepAlive(
    generation: Generation,
    partitions: readonly OwnedPartition[],
    over: AbortController,
  ): Promise<Ending> {
    const { heartbeatIntervalMs, sessionTimeoutMs } = this.#options;
    const { metadataMaxAgeMs } = this.#client.cluster.options;
    const pause = AbortSignal.any([this.#ended, over.signal, this.#resubscribe.signal]);
    let aliveAtMs = Date.now();
    let countedAtMs = aliveAtMs;
    let emptySinceMs = aliveAtMs;
    for (;;) {
      if (!(await paused(heartbeatIntervalMs, pause))) return this.#ended.aborted ? 'left' : 'rebalance';
      const leftMs = aliveAtMs + sessionTimeoutMs - Date.now();
      // Also what a process sees that was frozen: its place is taken, and no answer is needed to know.
      if (leftMs <= 0) return 'lost';
      const sentAtMs = Date.now();
      const result = await this.#session.heartbeat(generation, AbortSignal.any([pause, AbortSignal.timeout(leftMs)]));
      if (result === 'alive') aliveAtMs = sentAtMs;
      else if (result !== 'unanswered') return result;
      const nowMs = Date.now();
      if (nowMs - countedAtMs > metadataMaxAgeMs) {
        countedAtMs = nowMs;
        if (await this.#partitionsChanged(generation)) return 'rebalance';
      }
      if (partitions.length === 0 && nowMs - emptySinceMs > 2 * sessionTimeoutMs) {
        emptySinceMs = nowMs;
        if (await this.#isForgotten(generation)) {
          await this.#session.forget();
          return 'lost';
        }
      }
    }
  }

  /** The leader watches the topics for partitions that nobody owns yet. */
  async #partitionsChanged({ assignedFrom }: Generation): Promise<boolean> {
    if (assignedFrom === null) return false;
    try {
      const topics = await this.#client.cluster.topics([...assignedFrom.keys()], 0, this.#ended);
      return [...assignedFrom].some(([name, count]) => (topics.get(name)?.partitions.length ?? 0) !== count);
    } catch {
      return false;
    }
  }

  /** Without partitions although some of ours belong to nobody: the group has lost sight of this member. */
  async #isForgotten({ memberId }: Generation): Promise<boolean> {
    try {
      const group = await this.#client.describeGroup(this.#options.group, this.#ended);
      if (group.state !== 'Stable') return false;
      if (group.members.every((member) => member.memberId !== memberId)) return true;
      const owned = new Set(group.members.flatMap(({ assigned }) => partitionsOf(assigned)).map(keyOf));
      const topics = await this.#client.cluster.topics(this.#topics, 0, this.#ended);
      const all = [...topics.values()].map(({ name, partitions }) => ({
        topic: name,
        partitions: partitions.map(({ index }) => index),
      }));
      return partitionsOf(all).some((partition) => !owned.has(keyOf(partition)));
    } catch {
      return false;
    }
  }
}

function partitionsOf(assigned: readonly AssignedTopic[]): readonly OwnedPartition[] {
  return assigned.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })));
}

function keyOf({ topic, partition }: OwnedPartition): string {
  return `${topic}/${partition}`;
}

/** False when the pause was cut short. */
async function paused(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await delay(ms, signal);
    return true;
  } catch {
    return false;
  }
}
