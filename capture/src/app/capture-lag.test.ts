import { expect, test } from 'vitest';

import { CaptureLag } from './capture-lag.ts';

function lagAt(startMs: number): { readonly clock: { now: number }; readonly lag: CaptureLag } {
  const clock = { now: startMs };
  return { clock, lag: new CaptureLag({ heartbeatMs: 10_000, nowMs: () => clock.now }) };
}

test('the lag is unknown before anything was read', () => {
  expect(lagAt(1_000_000).lag.seconds).toBeNull();
});

test('the lag grows while more is waiting at the source', () => {
  const { clock, lag } = lagAt(1_000_000);
  lag.committed(999_000 * 1000);
  clock.now += 4_000;
  expect(lag.seconds).toBe(5);
});

test('at the head of the log the lag is the delay of the newest change, however old the change grows', () => {
  const { clock, lag } = lagAt(1_000_000);
  lag.committed(999_500 * 1000);
  lag.looked(0, 0);
  clock.now += 9_000;
  expect(lag.seconds).toBe(0.5);
});

test('a heartbeat says that nothing is behind', () => {
  const { clock, lag } = lagAt(1_000_000);
  lag.committed(900_000 * 1000);
  lag.heartbeat(0);
  clock.now += 5_000;
  expect(lag.seconds).toBe(0);
});

test('the lag is corrected by the clock of the source and never negative', () => {
  const { lag } = lagAt(1_000_000);
  lag.looked(5, 300_000);
  lag.committed(1_299_000 * 1000);
  expect(lag.seconds).toBe(1);
  lag.looked(5, 0);
  expect(lag.seconds).toBe(0);
});

test('the lag is unknown, not 0, once the source has been silent for two heartbeats', () => {
  const { clock, lag } = lagAt(1_000_000);
  lag.heartbeat(1_000_000 * 1000);
  clock.now += 20_000;
  expect(lag.seconds).toBe(0);
  clock.now += 1;
  expect(lag.seconds).toBeNull();
  expect(lag.lastPacketAgeSeconds).toBe(20.001);
});
