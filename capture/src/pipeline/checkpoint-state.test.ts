import type { ResumePoint } from '@millrace/shared/event/position.ts';
import { expect, test } from 'vitest';

import { planChunk, startProgress } from '../snapshot/progress.ts';
import type { ChunkBound } from '../source.ts';
import { decodeCheckpoint, encodeCheckpoint } from './checkpoint-state.ts';

test('a checkpoint reads back as it was written', () => {
  const { progress } = planChunk(startProgress('initial', 100), '["7"]' as ChunkBound);
  const state = {
    writerEpoch: 3,
    resume: 'r' as ResumePoint,
    tables: {
      'a.live': { state: 'live' },
      'a.snap': { state: 'snapshotting', progress },
      'a.bad': { state: 'stopped', code: 'VALUE_UNSUPPORTED', message: 'm' },
    },
    topics: { 'a.live': { id: 'i', partitions: 3 } },
  } as const;
  expect(decodeCheckpoint(encodeCheckpoint(state))).toEqual(state);
});

test.each([
  '',
  '{',
  '{"version":2}',
  '{"version":1,"writerEpoch":1,"resume":"x","topics":{},"tables":{"t":{"state":"odd"}}}',
])('a damaged checkpoint stops the start: %s', (text) => {
  expect(() => decodeCheckpoint(text)).toThrow('the checkpoint does not parse');
});
