import type { ResumePoint } from '@millrace/shared/event/position.ts';
import { expect, test } from 'vitest';

import { startProgress } from '../snapshot/progress.ts';
import { startState } from './start-state.ts';
import type { StartFacts } from './start-state.ts';

const here = 'here' as ResumePoint;
const facts: StartFacts = {
  checkpoint: null,
  matching: ['d.a', 'd.b'],
  snapshot: true,
  newTables: 'ignore',
  resume: here,
};
const checkpoint = {
  writerEpoch: 4,
  resume: 'there' as ResumePoint,
  tables: { 'd.a': { state: 'live' } },
  topics: {},
} as const;

test('without a checkpoint every matching table is snapshotted from now on', () => {
  const progress = startProgress('initial', 0);
  expect(startState(facts).state).toEqual({
    writerEpoch: 1,
    resume: here,
    tables: { 'd.a': { state: 'snapshotting', progress }, 'd.b': { state: 'snapshotting', progress } },
    topics: {},
  });
});

test('a start mode without a snapshot begins live', () => {
  expect(startState({ ...facts, snapshot: false }).state.tables['d.b']).toEqual({ state: 'live' });
});

test('a checkpoint decides position and known tables, and its writer epoch rises', () => {
  const start = startState({ ...facts, checkpoint });
  expect(start.state.resume).toBe('there');
  expect(start.state.writerEpoch).toBe(5);
  expect(start.state.tables).toEqual({ 'd.a': { state: 'live' } });
  expect(start.ignored).toEqual(['d.b']);
});

test('a table added later is read as a resync where the document asks for it', () => {
  const start = startState({ ...facts, checkpoint, newTables: 'snapshot' });
  expect(start.state.tables['d.b']).toEqual({ state: 'snapshotting', progress: startProgress('resync', 0) });
  expect(start.ignored).toEqual([]);
});

test('a table that no longer matches is forgotten, one that came is left to its CREATE in the log where asked for', () => {
  const start = startState({ ...facts, checkpoint, matching: ['d.b'], newTables: 'stream-from-create' });
  expect(start.state.tables).toEqual({});
  expect(start.ignored).toEqual([]);
});
