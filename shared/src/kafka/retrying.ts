import { backoffMs, delay } from '../async/delay.ts';
import { toCdcError } from '../errors/cdc-error.ts';
import type { KafkaOptions } from './kafka-options.ts';

/** Runs an operation again while brokers are away, for at most the request timeout. */
export async function retryingUnavailable<T>(
  options: KafkaOptions,
  operation: (attempt: number) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const deadline = Date.now() + options.requestTimeoutMs;
  for (let attempt = 0; ; attempt++) {
    try {
      return await operation(attempt);
    } catch (error) {
      signal.throwIfAborted();
      const failure = toCdcError(error);
      const pauseMs = backoffMs(attempt, options.retryBackoffMs, 2_000);
      if (failure.code !== 'BROKER_UNAVAILABLE' || Date.now() + pauseMs >= deadline) throw failure;
      await delay(pauseMs, signal);
    }
  }
}
