import { expect, test } from 'vitest';
import { CdcError } from '../errors/cdc-error.ts';
import { PipelineStatus } from './pipeline-status.ts';

function clocked(): { status: PipelineStatus; clock: { ms: number } } {
  const clock = { ms: Date.UTC(2026, 0, 1) };
  const status = new PipelineStatus({ pipeline: 'shop', kind: 'capture', version: '1', nowMs: () => clock.ms });
  return { status, clock };
}

test('a state keeps its since until it changes', () => {
  const { status, clock } = clocked();
  clock.ms += 1000;
  status.enter('running');
  clock.ms += 1000;
  status.enter('running', 'still');
  expect(status.snapshot()).toMatchObject({ state: 'running', since: '2026-01-01T00:00:01.000Z', reason: 'still' });
});

test('green means running with every table live or paused', () => {
  const { status } = clocked();
  status.enter('running');
  status.tableState('a', 'live');
  status.tableState('b', 'paused', 'by ada');
  expect(status.snapshot().green).toBe(true);
  status.tableState('c', 'snapshotting');
  expect(status.snapshot().green).toBe(false);
  status.tableState('c', 'live');
  status.enter('retrying');
  expect(status.snapshot().green).toBe(false);
});

test('a stopped table shows code, place and fix, and a later state clears it', () => {
  const { status } = clocked();
  status.tableFailed(
    'shop.orders',
    new CdcError('VALUE_UNSUPPORTED', 'bad', { details: { column: 'at' }, hint: 'Fix it.' }),
  );
  const expected = { code: 'VALUE_UNSUPPORTED', where: 'shop.orders', details: { column: 'at' }, fix: 'Fix it.' };
  expect(status.snapshot().tables[0]).toMatchObject({ state: 'error', error: expected });
  expect(status.snapshot().errors).toMatchObject([expected]);
  status.tableState('shop.orders', 'resync');
  expect(status.snapshot().tables[0]).toMatchObject({ state: 'resync', error: null });
});

test('readiness names the code of the failure that is being retried, and forgets it once running', () => {
  const { status } = clocked();
  expect(status.readiness()).toEqual({ ready: false, code: 'starting', reason: 'starting' });
  status.fail(new CdcError('BROKER_UNAVAILABLE', 'no broker answers'), 'retrying');
  expect(status.readiness()).toEqual({ ready: false, code: 'BROKER_UNAVAILABLE', reason: 'no broker answers' });
  status.enter('running');
  expect(status.readiness()).toMatchObject({ ready: true });
});

test('a snapshot shows rate and remaining time from this start on, and no estimate that is exceeded', () => {
  const { status, clock } = clocked();
  status.tableState('a', 'snapshotting');
  status.tableProgress('a', 50_000, 100_000, 10);
  for (let i = 1; i <= 20; i++) {
    clock.ms += 1000;
    status.tableProgress('a', 50_000 + i * 1000, 100_000, 10);
  }
  const { progress } = status.snapshot().tables[0] ?? {};
  expect(progress?.rowsPerSecond).toBeGreaterThan(900);
  expect(progress?.rowsPerSecond).toBeLessThan(1100);
  expect(progress?.etaSeconds).toBeGreaterThan(25);
  expect(progress?.etaSeconds).toBeLessThan(35);
  status.tableProgress('a', 120_000, 100_000, 1);
  expect(status.snapshot().tables[0]?.progress).toMatchObject({ done: 120_000, total: null, etaSeconds: null });
  status.tableState('a', 'live');
  expect(status.snapshot().tables[0]?.progress).toMatchObject({
    total: 120_000,
    rowsPerSecond: 0,
    etaSeconds: null,
  });
});

test('lag is never negative, and unknown is null rather than 0', () => {
  const { status } = clocked();
  expect(status.snapshot().lag).toEqual({});
  status.setLag('capture', { seconds: -3, bytes: 10 });
  expect(status.snapshot().lag).toEqual({ capture: { events: null, bytes: 10, seconds: 0 } });
  status.setLag('capture', {});
  expect(status.snapshot().lag.capture?.seconds).toBeNull();
});

test('offsets are exact text, and a partition that was given up disappears', () => {
  const { status } = clocked();
  status.setOffset('t', 0, 9_007_199_254_740_993n);
  status.setOffset('t', 1, 7);
  expect(status.snapshot().offsets).toEqual({ t: { 0: '9007199254740993', 1: '7' } });
  status.dropOffset('t', 0);
  status.dropOffset('t', 1);
  expect(status.snapshot().offsets).toEqual({});
});

test('the history keeps the newest twenty failures', () => {
  const { status } = clocked();
  for (let i = 0; i < 25; i++) {
    status.fail(new CdcError('SOURCE_CONNECTION_LOST', 'lost', { details: { attempt: i } }), 'retrying');
  }
  const { errors } = status.snapshot();
  expect(errors).toHaveLength(20);
  expect(errors[0]?.details).toEqual({ attempt: 24 });
});
