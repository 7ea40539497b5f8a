import type { Logger } from '../observe/logger.ts';

export interface ShutdownOptions {
  readonly logger: Logger;
  /** What an orderly stop may take. */
  readonly limitMs?: number;
  /** The process, or a double of it. */
  readonly target?: ShutdownTarget;
}

export interface ShutdownTarget {
  on(event: 'SIGTERM' | 'SIGINT', listener: (signal: string) => void): unknown;
  off(event: 'SIGTERM' | 'SIGINT', listener: (signal: string) => void): unknown;
  exit(code: number): void;
}

export interface Shutdown extends Disposable {
  /** Aborts at the first SIGTERM or SIGINT. */
  readonly signal: AbortSignal;
}

const usualLimitMs = 30_000;
const exitAtOnce = 130;
const exitNotDrained = 1;

/** First signal: stop in order, within the limit. Second signal: exit at once with 130. */
export function listenForShutdown(options: ShutdownOptions): Shutdown {
  const { logger, limitMs = usualLimitMs, target = process } = options;
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const onSignal = (name: string): void => {
    if (controller.signal.aborted) {
      target.exit(exitAtOnce);
      return;
    }
    logger.info('stopping', { signal: name });
    timer = setTimeout(() => {
      logger.error('did not stop in time; the next start goes on from the last checkpoint', { limitMs });
      target.exit(exitNotDrained);
    }, limitMs);
    // A process that has nothing left to do may end before.
    timer.unref();
    controller.abort();
  };
  target.on('SIGTERM', onSignal);
  target.on('SIGINT', onSignal);
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      clearTimeout(timer);
      target.off('SIGTERM', onSignal);
      target.off('SIGINT', onSignal);
    },
  };
}
