import type { KafkaStartup } from '@millrace/shared/config/kafka-source-options.ts';
import { CdcError } from '@millrace/shared/errors/cdc-error.ts';
import { expect, it } from 'vitest';

import { startupOffsets } from './startup-offsets.ts';
import type { OffsetLookup } from './startup-offsets.ts';

const partitions = [
  { topic: 'a', partition: 0 },
  { topic: 'a', partition: 1 },
  { topic: 'b', partition: 0 },
];

/** Earliest is 10, latest 90, a time its own value. */
const brokers: OffsetLookup = {
  listOffsets: (requests) =>
    Promise.resolve(requests.map(({ at }) => (at === 'earliest' ? 10 : at === 'latest' ? 90 : at.timestampMs))),
  groupOffsets: (group) => Promise.resolve(group === 'g' ? [{ topic: 'a', partition: 1, offset: 42 }] : []),
};

function starts(
  startup: KafkaStartup,
  autoOffsetReset: 'earliest' | 'latest' | 'none' = 'earliest',
): Promise<readonly bigint[]> {
  return startupOffsets(brokers, startup, { groupId: 'g', autoOffsetReset }, partitions, new AbortController().signal);
}

it.each<[KafkaStartup, 'earliest' | 'latest', readonly bigint[]]>([
  [{ mode: 'earliest-offset' }, 'latest', [10n, 10n, 10n]],
  [{ mode: 'latest-offset' }, 'earliest', [90n, 90n, 90n]],
  [{ mode: 'timestamp', millis: 55 }, 'earliest', [55n, 55n, 55n]],
  [{ mode: 'group-offsets' }, 'earliest', [10n, 42n, 10n]],
  [{ mode: 'group-offsets' }, 'latest', [90n, 42n, 90n]],
])('%o with reset %s starts at %s', async (startup, reset, expected) => {
  expect(await starts(startup, reset)).toStrictEqual(expected);
});

it('specific offsets go to their topic first, then to every topic, and others start at the earliest', async () => {
  const offsets = [
    { topic: null, partition: 0, offset: 5n },
    { topic: 'b', partition: 0, offset: 7n },
  ];
  expect(await starts({ mode: 'specific-offsets', offsets })).toStrictEqual([5n, 10n, 7n]);
});

it('no offset and no reset stops', async () => {
  const failure = await starts({ mode: 'group-offsets' }, 'none').catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(CdcError);
  expect(failure).toMatchObject({ code: 'BROKER_TOPIC_INVALID', details: { reason: 'no-group-offset', topic: 'a' } });
});
