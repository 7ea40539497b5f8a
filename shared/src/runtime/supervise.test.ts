import { expect, test } from 'vitest';
import type { RetryOptions } from '../config/runtime-options.ts';
import { CdcError } from '../errors/cdc-error.ts';
import type { ErrorCode } from '../errors/codes.ts';
import { createLogger } from '../observe/logger.ts';
import { Metrics } from '../observe/metrics.ts';
import { PipelineStatus } from '../observe/pipeline-status.ts';
import { supervise } from './supervise.ts';

type Step = ErrorCode | 'end' | { readonly code: ErrorCode; readonly afterMs: number; readonly running?: boolean };

interface Outcome {
  readonly exitCode: number;
  readonly pauses: readonly number[];
  readonly runs: number;
  readonly status: PipelineStatus;
  readonly metrics: Metrics;
  readonly log: readonly string[];
}

const usual: RetryOptions = { initialDelayMs: 1000, maxDelayMs: 60_000, maxAttempts: null };

/** Plays runs that fail as told, with a clock that only pauses and runs move. */
async function play(
  steps: readonly Step[],
  retry: RetryOptions = usual,
  control = new AbortController(),
): Promise<Outcome> {
  const pauses: number[] = [];
  const log: string[] = [];
  let nowMs = 0;
  let runs = 0;
  const status = new PipelineStatus({ pipeline: 'p', kind: 'capture', version: '1', nowMs: () => nowMs });
  const metrics = new Metrics('p', 'capture');
  const exitCode = await supervise(
    () => {
      const step = steps[runs++] ?? 'end';
      if (typeof step === 'object' && step.running !== false) status.enter('running');
      if (step === 'end') return Promise.resolve();
      if (typeof step === 'object') nowMs += step.afterMs;
      return Promise.reject(new CdcError(typeof step === 'object' ? step.code : step, 'failed'));
    },
    {
      retry,
      status,
      metrics,
      logger: createLogger({ level: 'info', terminal: false, sink: { write: (line) => void log.push(line) } }),
      random: () => 1,
      pause: (ms, signal) => {
        signal.throwIfAborted();
        pauses.push(ms);
        nowMs += ms;
        return Promise.resolve();
      },
    },
    control.signal,
  );
  return { exitCode, pauses, runs, status, metrics, log };
}

test('a run that ends by itself exits 0', async () => {
  const { exitCode, runs, status } = await play(['end']);
  expect([exitCode, runs, status.state]).toEqual([0, 1, 'stopped']);
});

test('lost connections are retried with growing pauses up to the limit, without end', async () => {
  const { exitCode, pauses } = await play(Array.from({ length: 9 }, () => 'SOURCE_CONNECTION_LOST' as const));
  expect(pauses).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  expect(exitCode).toBe(0);
});

test('pauses are jittered so that many processes do not come back at once', async () => {
  const status = new PipelineStatus({ pipeline: 'p', kind: 'capture', version: '1' });
  const pauses: number[] = [];
  const control = new AbortController();
  await supervise(
    () => Promise.reject(new CdcError('BROKER_UNAVAILABLE', 'x')),
    {
      retry: { ...usual, maxDelayMs: 1000 },
      status,
      metrics: new Metrics('p', 'capture'),
      logger: createLogger({ level: 'fatal', terminal: false, sink: { write: () => undefined } }),
      pause: (ms) => {
        pauses.push(ms);
        if (pauses.length === 200) control.abort();
        return Promise.resolve();
      },
    },
    control.signal,
  );
  expect(Math.min(...pauses)).toBeGreaterThanOrEqual(500);
  expect(Math.max(...pauses)).toBeLessThanOrEqual(1000);
  expect(new Set(pauses).size).toBeGreaterThan(50);
});

test('after a stable run the pauses start from the beginning', async () => {
  const { pauses } = await play([
    'SOURCE_CONNECTION_LOST',
    'SOURCE_CONNECTION_LOST',
    { code: 'SOURCE_CONNECTION_LOST', afterMs: 60_000 },
    { code: 'SOURCE_CONNECTION_LOST', afterMs: 59_999 },
  ]);
  expect(pauses).toEqual([1000, 2000, 1000, 2000]);
});

test('a long attempt that never got to run is no recovery', async () => {
  const { pauses } = await play([
    { code: 'SOURCE_CONNECTION_LOST', afterMs: 90_000, running: false },
    { code: 'SOURCE_CONNECTION_LOST', afterMs: 90_000, running: false },
  ]);
  expect(pauses).toEqual([1000, 2000]);
});

test('what a person must mend is looked at each minute', async () => {
  const { pauses } = await play(['SOURCE_AUTH_FAILED', 'SOURCE_NOT_READY', 'BROKER_AUTH_FAILED']);
  expect(pauses).toEqual([60_000, 60_000, 60_000]);
});

test('corrupt bytes get one new connection, then the end with 1', async () => {
  const { exitCode, pauses, runs } = await play(['SOURCE_LOG_CORRUPT', 'SOURCE_LOG_CORRUPT', 'end']);
  expect([exitCode, runs, pauses]).toEqual([1, 2, [0]]);
});

test('corrupt bytes long after the last ones get a new connection again', async () => {
  const { exitCode, runs } = await play([
    'SOURCE_LOG_CORRUPT',
    { code: 'SOURCE_LOG_CORRUPT', afterMs: 3_600_000 },
    'end',
  ]);
  expect([exitCode, runs]).toEqual([0, 3]);
});

test.each([
  ['SOURCE_POSITION_LOST', 6],
  ['SOURCE_FENCED', 5],
  ['CONFIG_INVALID', 2],
  ['INVARIANT_BROKEN', 1],
] as const)('%s ends the process at once with %i', async (code, exitCode) => {
  const outcome = await play([code, 'end']);
  expect([outcome.exitCode, outcome.runs, outcome.status.state]).toEqual([exitCode, 1, 'failed']);
});

test('the attempts end at retry.max-attempts with the exit code of the failure', async () => {
  const { exitCode, runs } = await play(
    Array.from({ length: 9 }, () => 'DESTINATION_UNAVAILABLE' as const),
    { ...usual, maxAttempts: 3 },
  );
  expect([exitCode, runs]).toEqual([3, 4]);
});

test('failures are counted, shown in the status and logged with their code', async () => {
  const { metrics, status, log } = await play(['SOURCE_CONNECTION_LOST', 'SOURCE_POSITION_LOST']);
  const text = await metrics.text();
  expect(text).toContain('millrace_errors_total{code="SOURCE_CONNECTION_LOST",stage="source",pipeline="p"} 1');
  expect(text).toContain('millrace_pipeline_up{pipeline="p"} 0');
  expect(status.snapshot().errors.map(({ code }) => code)).toEqual(['SOURCE_POSITION_LOST', 'SOURCE_CONNECTION_LOST']);
  expect(log.map((line) => (JSON.parse(line) as { level: string }).level)).toEqual(['warn', 'error']);
});

function supervised(run: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<number> {
  return supervise(
    run,
    {
      retry: usual,
      status: new PipelineStatus({ pipeline: 'p', kind: 'capture', version: '1' }),
      metrics: new Metrics('p', 'capture'),
      logger: createLogger({ level: 'fatal', terminal: false, sink: { write: () => undefined } }),
    },
    signal,
  );
}

test('a run that is asked to stop and throws the reason exits 0', async () => {
  const control = new AbortController();
  const exit = supervised(
    (signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          reject(signal.reason as Error);
        });
      }),
    control.signal,
  );
  control.abort();
  expect(await exit).toBe(0);
});

test('a failure while draining is not retried and is not a clean stop', async () => {
  const control = new AbortController();
  const exit = supervised(
    (signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          reject(new CdcError('BROKER_UNAVAILABLE', 'gone'));
        });
      }),
    control.signal,
  );
  control.abort();
  expect(await exit).toBe(3);
});

test('a stop during the pause ends it at once with 0', async () => {
  const control = new AbortController();
  const exit = supervised(() => {
    setImmediate(() => {
      control.abort();
    });
    return Promise.reject(new CdcError('SOURCE_AUTH_FAILED', 'x'));
  }, control.signal);
  expect(await exit).toBe(0);
});
