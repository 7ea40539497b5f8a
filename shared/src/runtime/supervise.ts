import { delay } from '../async/delay.ts';
import type { RetryOptions } from '../config/runtime-options.ts';
import type { CdcError } from '../errors/cdc-error.ts';
import type { Logger } from '../observe/logger.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { PipelineStatus } from '../observe/pipeline-status.ts';
import { RetrySchedule } from './retry-schedule.ts';
import { rootFailure } from './root-failure.ts';

export interface SuperviseOptions {
  readonly retry: RetryOptions;
  readonly status: PipelineStatus;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly random?: () => number;
  /** Pause before a retry; rejects when the signal aborts. */
  readonly pause?: (ms: number, signal: AbortSignal) => Promise<void>;
}

const cleanStop = 0;

/**
 * Runs a pipeline until it ends, is asked to stop or fails for good, and returns the process's exit code. Each run
 * starts afresh: it opens its connections and closes them before it settles. A run says itself that it is connected
 * by entering the state `running`. Never rejects.
 */
export async function supervise(
  run: (signal: AbortSignal) => Promise<void>,
  options: SuperviseOptions,
  signal: AbortSignal,
): Promise<number> {
  const { status, metrics, logger } = options;
  const schedule = new RetrySchedule(options.retry, options.random);
  for (;;) {
    const failure = await attempt(run, options, signal);
    metrics.set('pipeline_up', {}, 0);
    if (failure === undefined) {
      status.enter('stopped');
      return cleanStop;
    }
    metrics.add('errors_total', { code: failure.code, stage: failure.policy.stage });
    const decision = signal.aborted ? stop : schedule.after(failure, status.runningForMs);
    if (decision.kind === 'stop') {
      status.fail(failure, 'failed');
      logger.error('pipeline stopped', { error: failure });
      return failure.policy.exitCode;
    }
    status.fail(failure, 'retrying');
    logger.warn('pipeline retries', { error: failure, attempt: schedule.attempts, delayMs: decision.delayMs });
    if (!(await pause(decision.delayMs, options, signal))) {
      status.enter('stopped');
      return cleanStop;
    }
  }
}

const stop = { kind: 'stop' } as const;

/** The failure of one run, or undefined where it ended as it should: by itself, or because it was asked to. */
async function attempt(
  run: (signal: AbortSignal) => Promise<void>,
  { status, metrics }: SuperviseOptions,
  signal: AbortSignal,
): Promise<CdcError | undefined> {
  if (signal.aborted) return undefined;
  status.enter('starting');
  metrics.set('pipeline_up', {}, 1);
  try {
    await run(signal);
    return undefined;
  } catch (error) {
    return signal.aborted && isAbort(error, signal) ? undefined : rootFailure(error);
  }
}

/** Node's own functions wrap the reason into an AbortError of their own. */
function isAbort(error: unknown, signal: AbortSignal): boolean {
  return error === signal.reason || (error instanceof Error && error.name === 'AbortError');
}

async function pause(ms: number, options: SuperviseOptions, signal: AbortSignal): Promise<boolean> {
  try {
    await (options.pause ?? delay)(ms, signal);
    return true;
  } catch {
    return false;
  }
}
