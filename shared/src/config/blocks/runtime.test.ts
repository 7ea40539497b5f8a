import { describe, expect, it } from 'vitest';

import {
  loadCapture,
  loadIngest,
  loadText,
  plainCapture,
  plainPostgres,
  problemsOf,
  withLines,
} from '../sample-documents.ts';

describe('pipeline block', () => {
  it('fills the published defaults in', () => {
    expect(loadCapture(plainCapture).runtime).toEqual({
      checkpoint: { store: 'kafka', topic: 'millrace.checkpoints', intervalMs: 1000 },
      stateDir: './state',
      memoryLimitBytes: 256 * 1024 ** 2,
      retry: { initialDelayMs: 1000, maxDelayMs: 60_000, maxAttempts: null },
      metrics: { host: '127.0.0.1', port: 7070, portIsDefault: true, auth: 'token' },
      logLevel: 'info',
      routeMode: 'all-match',
      stateDirGiven: false,
    });
    expect(loadIngest(plainPostgres).runtime.metrics.port).toBe(7071);
  });

  it('takes any free port, a fixed one, or none', () => {
    const port = (given: number) =>
      loadCapture(withLines(plainCapture, 'pipeline', `metrics.port: ${given}`)).runtime.metrics;
    expect(port(0)).toMatchObject({ port: 0, portIsDefault: false });
    expect(port(-1)).toMatchObject({ port: null });
    expect(port(7070)).toMatchObject({ port: 7070, portIsDefault: false });
  });

  it('serves off loopback only with a login', () => {
    const open = withLines(plainCapture, 'pipeline', 'metrics.host: 0.0.0.0');
    expect(problemsOf(open)[0]).toContain('conflict');
    expect(problemsOf(withLines(open, 'pipeline', 'console.auth: none'))[0]).toContain(
      'conflict: none only on loopback',
    );
    expect(loadCapture(withLines(open, 'pipeline', 'console.auth: proxy')).runtime.metrics).toMatchObject({
      auth: 'proxy',
    });
  });

  it('applies schema changes leniently, whatever the case of the word', () => {
    expect(loadText(withLines(plainPostgres, 'pipeline', 'schema.change.behavior: lenient')).warnings).toEqual([]);
    for (const behavior of ['EVOLVE', 'TRY_EVOLVE', 'IGNORE', 'EXCEPTION']) {
      expect(problemsOf(withLines(plainPostgres, 'pipeline', `schema.change.behavior: ${behavior}`))[0]).toContain(
        'unsupported',
      );
    }
    expect(loadText(withLines(plainCapture, 'pipeline', 'schema.change.behavior: evolve')).warnings[0]).toContain(
      'has no effect',
    );
    expect(problemsOf(withLines(plainCapture, 'pipeline', 'schema.change.behavior: EXCEPTION'))[0]).toContain(
      'unsupported',
    );
    expect(problemsOf(withLines(plainCapture, 'pipeline', 'schema.change.behavior: EVOLV'))[0]).toContain('enum');
  });

  it('limits retries only when told', () => {
    expect(loadCapture(withLines(plainCapture, 'pipeline', 'retry.max-attempts: 0')).runtime.retry.maxAttempts).toBe(0);
    expect(problemsOf(withLines(plainCapture, 'pipeline', 'retry: {initial-delay: 2min}'))[0]).toContain('conflict');
  });

  it('takes the interval of checkpoints by its name in Flink', () => {
    const text = withLines(plainCapture, 'pipeline', 'execution.checkpointing.interval: 3s');
    expect(loadCapture(text).runtime.checkpoint.intervalMs).toBe(3000);
  });
});
