import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { silentLogger } from '../observe/logger.ts';
import { listenForShutdown } from './shutdown.ts';

class ProcessDouble extends EventEmitter {
  readonly exits: number[] = [];
  exit(code: number): void {
    this.exits.push(code);
  }
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test.each(['SIGTERM', 'SIGINT'])('the first %s asks for an orderly stop and leaves time for it', (name) => {
  const target = new ProcessDouble();
  using shutdown = listenForShutdown({ logger: silentLogger, target });
  expect(shutdown.signal.aborted).toBe(false);
  target.emit(name, name);
  expect(shutdown.signal.aborted).toBe(true);
  vi.advanceTimersByTime(29_999);
  expect(target.exits).toEqual([]);
});

test('the second signal exits at once with 130', () => {
  const target = new ProcessDouble();
  using _shutdown = listenForShutdown({ logger: silentLogger, target });
  target.emit('SIGTERM', 'SIGTERM');
  target.emit('SIGINT', 'SIGINT');
  expect(target.exits).toEqual([130]);
});

test('a stop that takes longer than the limit ends with 1', () => {
  const target = new ProcessDouble();
  using _shutdown = listenForShutdown({ logger: silentLogger, target });
  target.emit('SIGTERM', 'SIGTERM');
  vi.advanceTimersByTime(30_000);
  expect(target.exits).toEqual([1]);
});

test('nothing is left behind', () => {
  const target = new ProcessDouble();
  {
    using _shutdown = listenForShutdown({ logger: silentLogger, target });
    target.emit('SIGTERM', 'SIGTERM');
  }
  vi.advanceTimersByTime(30_000);
  expect(target.exits).toEqual([]);
  expect(target.eventNames()).toEqual([]);
});
