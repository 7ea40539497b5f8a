import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { expect, test } from 'vitest';

import { Gate } from '@millrace/shared/async/gate.ts';
import { GroupMember } from '@millrace/shared/kafka/group-member.ts';
import type { GroupMemberOptions, OwnedPartition } from '@millrace/shared/kafka/group-member.ts';
import type { KafkaClient } from '@millrace/shared/kafka/kafka-client.ts';

import { stackEnvironment } from '../harness/environment.ts';
import { eventually } from '../harness/eventually.ts';
import { kafkaClient } from '../harness/kafka-records.ts';
import { createTopic, runKafkaClass } from '../harness/kafka-tools.ts';
import { uniqueName } from '../harness/unique-name.ts';

const signal = AbortSignal.timeout(110_000);

/** Who owns what in this test; two owners of one partition at the same time fail the test. */
class Ownership {
  readonly #owners = new Map<string, string>();
  readonly changed = new Gate();
  readonly conflicts: string[] = [];

  take(member: string, partitions: readonly OwnedPartition[]): void {
    for (const { topic, partition } of partitions) {
      const key = `${topic}/${partition}`;
      const owner = this.#owners.get(key);
      if (owner !== undefined) this.conflicts.push(`${key} of ${owner} given to ${member}`);
      this.#owners.set(key, member);
    }
    this.changed.open();
  }

  giveBack(member: string): void {
    for (const [key, owner] of this.#owners) if (owner === member) this.#owners.delete(key);
    this.changed.open();
  }

  counts(): readonly number[] {
    const counts = Map.groupBy(this.#owners.values(), (owner) => owner);
    return [...counts.values()].map(({ length }) => length).sort((a, b) => a - b);
  }

  async reach(counts: readonly number[]): Promise<void> {
    while (JSON.stringify(this.counts()) !== JSON.stringify(counts)) await this.changed.wait(signal);
  }
}

interface MemberSettings extends Partial<GroupMemberOptions> {
  readonly group: string;
  readonly topics: readonly string[];
}

function join(client: KafkaClient, name: string, ownership: Ownership, settings: MemberSettings): Promise<GroupMember> {
  return GroupMember.join(
    client,
    {
      instanceId: null,
      sessionTimeoutMs: 6_000,
      heartbeatIntervalMs: 300,
      rebalanceTimeoutMs: 20_000,
      onAssigned: async (partitions) => {
        ownership.take(name, partitions);
        await Promise.resolve();
      },
      onRevoked: async () => {
        // Slower than a heartbeat: others must wait for this.
        await new Promise((resolve) => void setTimeout(resolve, 700));
        ownership.giveBack(name);
      },
      ...settings,
    },
    signal,
  );
}

test('T141 three members come and go: every partition has one owner, given back before it is given on', async () => {
  await using topic = await createTopic(6);
  await using client = await kafkaClient(signal);
  const ownership = new Ownership();
  const settings = { group: uniqueName('group'), topics: [topic.name] };
  const first = await join(client, 'first', ownership, settings);
  await ownership.reach([6]);
  const [second, third] = await Promise.all([
    join(client, 'second', ownership, settings),
    join(client, 'third', ownership, settings),
  ]);
  await ownership.reach([2, 2, 2]);
  expect(first.identity?.generationId).toBeGreaterThan(1);
  await second[Symbol.asyncDispose]();
  await ownership.reach([3, 3]);
  await third[Symbol.asyncDispose]();
  await ownership.reach([6]);
  await first[Symbol.asyncDispose]();
  expect(ownership.counts()).toEqual([]);
  expect(ownership.conflicts).toEqual([]);
  expect((await client.describeGroup(settings.group, signal)).state).toBe('Empty');
});

test('new partitions of a topic are given out', async () => {
  await using topic = await createTopic(2);
  await using client = await kafkaClient(signal, { metadataMaxAgeMs: 500 });
  const ownership = new Ownership();
  await using member = await join(client, 'only', ownership, { group: uniqueName('group'), topics: [topic.name] });
  await ownership.reach([2]);
  await runKafkaClass('org.apache.kafka.tools.TopicCommand', ['--alter', '--topic', topic.name, '--partitions', '5']);
  await ownership.reach([5]);
  expect(member.identity).not.toBeNull();
});

test('a member subscribes to other topics while it runs', async () => {
  await using one = await createTopic(2);
  await using two = await createTopic(3);
  await using client = await kafkaClient(signal);
  const ownership = new Ownership();
  await using member = await join(client, 'only', ownership, { group: uniqueName('group'), topics: [one.name] });
  await ownership.reach([2]);
  member.updateTopics([one.name, two.name]);
  await ownership.reach([5]);
  expect(ownership.conflicts).toEqual([]);
});

test("T141 commits of a member's own generation are taken, those of an older one are not", async () => {
  await using topic = await createTopic(2);
  await using client = await kafkaClient(signal);
  const ownership = new Ownership();
  const settings = { group: uniqueName('group'), topics: [topic.name] };
  await using first = await join(client, 'first', ownership, settings);
  await ownership.reach([2]);
  const identity = first.identity;
  if (identity === null) throw new Error('no identity');
  const offsets = [{ topic: topic.name, partition: 0, offset: 3 }];
  expect(await client.commitGroupOffsets(settings.group, identity, offsets, signal)).toBe(true);
  await using second = await join(client, 'second', ownership, settings);
  await ownership.reach([1, 1]);
  expect(await client.commitGroupOffsets(settings.group, identity, offsets, signal)).toBe(false);
  expect(second.identity).not.toBeNull();
});

test('a failing owner ends the membership with its error and leaves the group', async () => {
  await using topic = await createTopic(1);
  await using client = await kafkaClient(signal);
  const group = uniqueName('group');
  let revoked = 0;
  const member = await join(client, 'only', new Ownership(), {
    group,
    topics: [topic.name],
    onAssigned: async () => {
      await Promise.resolve();
      throw new Error('the destination is gone');
    },
    onRevoked: async () => {
      revoked++;
      await Promise.resolve();
    },
  });
  await expect(member.completed).rejects.toMatchObject({ details: { reason: 'the destination is gone' } });
  expect(revoked).toBe(1);
  await eventually('the group is empty', async () => (await client.describeGroup(group, signal)).state === 'Empty');
});

test('a static member that comes back keeps its partitions without a rebalance of the others', async () => {
  await using topic = await createTopic(4);
  await using client = await kafkaClient(signal);
  const ownership = new Ownership();
  const settings = { group: uniqueName('group'), topics: [topic.name] };
  await using stays = await join(client, 'stays', ownership, { ...settings, instanceId: 'stays' });
  const leaves = await join(client, 'leaves', ownership, { ...settings, instanceId: 'leaves' });
  await ownership.reach([2, 2]);
  const before = stays.identity?.generationId;
  await leaves[Symbol.asyncDispose]();
  await using back = await join(client, 'leaves', ownership, { ...settings, instanceId: 'leaves' });
  await ownership.reach([2, 2]);
  expect([stays.identity?.generationId, back.identity?.generationId]).toEqual([before, before]);
});

test.each(['leads', 'follows'])('a static member that comes back with one more topic gets it: it %s', async (role) => {
  await using one = await createTopic(2);
  await using two = await createTopic(3);
  await using client = await kafkaClient(signal);
  const ownership = new Ownership();
  const group = uniqueName('group');
  const settings = { group, topics: [one.name] };
  const first = await join(client, 'first', ownership, { ...settings, instanceId: 'first' });
  const second = await join(client, 'second', ownership, { ...settings, instanceId: 'second' });
  await ownership.reach([1, 1]);
  const [leaves, stays] = role === 'leads' ? [first, second] : [second, first];
  await using _ = stays;
  await leaves[Symbol.asyncDispose]();
  const name = role === 'leads' ? 'first' : 'second';
  await using back = await join(client, name, ownership, { group, topics: [one.name, two.name], instanceId: name });
  await ownership.reach([1, 4]);
  expect(back.identity).not.toBeNull();
  expect(ownership.conflicts).toEqual([]);
});

test('a second process with the same instance id fences the first', async () => {
  await using topic = await createTopic(1);
  await using client = await kafkaClient(signal);
  const settings = { group: uniqueName('group'), topics: [topic.name], instanceId: 'same' };
  const first = await join(client, 'first', new Ownership(), settings);
  await using second = await join(client, 'second', new Ownership(), settings);
  await expect(first.completed).rejects.toMatchObject({ code: 'DESTINATION_FENCED' });
  expect(second.identity).not.toBeNull();
});

test('the official consumer shares a group with ours', async () => {
  await using topic = await createTopic(4);
  await using client = await kafkaClient(signal);
  const group = uniqueName('group');
  const ownership = new Ownership();
  await using member = await join(client, 'ours', ownership, { group, topics: [topic.name] });
  await ownership.reach([4]);
  const { kafkaRunClass, kafkaBootstrapServers } = stackEnvironment();
  const [command = '', ...before] = kafkaRunClass;
  const strategy = 'partition.assignment.strategy=org.apache.kafka.clients.consumer.RangeAssignor';
  const args = ['--bootstrap-server', kafkaBootstrapServers, '--topic', topic.name, '--group', group];
  const java = spawn(
    command,
    [...before, 'org.apache.kafka.tools.consumer.ConsoleConsumer', ...args, '--consumer-property', strategy],
    { stdio: 'ignore' },
  );
  try {
    await ownership.reach([2]);
    const assigned = await eventually('both have partitions', async () => {
      const { state, members } = await client.describeGroup(group, signal);
      return state === 'Stable' && members.map((m) => m.assigned.flatMap(({ partitions }) => partitions));
    });
    expect(assigned.flat().sort((a, b) => a - b)).toEqual([0, 1, 2, 3]);
    expect(assigned.map(({ length }) => length)).toEqual([2, 2]);
  } finally {
    java.kill('SIGTERM');
    await once(java, 'exit');
  }
  await ownership.reach([4]);
  expect(member.identity).not.toBeNull();
});
