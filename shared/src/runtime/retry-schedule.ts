import { backoffMs } from '../async/delay.ts';
import type { RetryOptions } from '../config/runtime-options.ts';
import { assertNever } from '../errors/cdc-error.ts';
import type { CdcError } from '../errors/cdc-error.ts';

export type Decision = { readonly kind: 'retry'; readonly delayMs: number } | { readonly kind: 'stop' };

const slowMs = 60_000;

/** A pipeline that was running for so long counts as recovered: the next failure starts from the beginning. */
const stableAfterMs = 60_000;

/** Decides what follows a failed run: the policy of the error's code, with growing pauses while failures follow each other. */
export class RetrySchedule {
  readonly #options: RetryOptions;
  readonly #random: () => number;
  #attempts = 0;
  #reconnected = false;

  constructor(options: RetryOptions, random: () => number = Math.random) {
    this.#options = options;
    this.#random = random;
  }

  /** Retries since the last stable run. */
  get attempts(): number {
    return this.#attempts;
  }

  after(error: CdcError, runningForMs: number): Decision {
    if (runningForMs >= stableAfterMs) {
      this.#attempts = 0;
      this.#reconnected = false;
    }
    const { maxAttempts } = this.#options;
    if (maxAttempts !== null && this.#attempts >= maxAttempts) return { kind: 'stop' };
    const delayMs = this.#delayMs(error);
    if (delayMs === null) return { kind: 'stop' };
    this.#attempts++;
    return { kind: 'retry', delayMs };
  }

  #delayMs(error: CdcError): number | null {
    switch (error.policy.retry) {
      case 'backoff':
        return backoffMs(this.#attempts, this.#options.initialDelayMs, this.#options.maxDelayMs, this.#random);
      case 'slow':
        return slowMs;
      case 'reconnect-once': {
        if (this.#reconnected) return null;
        this.#reconnected = true;
        return 0;
      }
      // A table's failure that reaches this far could not be kept to its table.
      case 'table':
      case 'stop':
        return null;
      default:
        return assertNever(error.policy.retry);
    }
  }
}
