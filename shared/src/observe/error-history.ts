import type { CdcError } from '../errors/cdc-error.ts';
import { redact } from './redaction.ts';
import type { ErrorSnapshot } from './status-snapshot.ts';

const kept = 20;

/** A failure as a page may show it: no secrets, no causes. */
export function describeFailure(error: CdcError, where: string | null, nowMs: number): ErrorSnapshot {
  return {
    at: new Date(nowMs).toISOString(),
    code: error.code,
    message: error.message,
    where,
    details: redact(error.details) as Readonly<Record<string, unknown>>,
    fix: error.hint,
  };
}

/** The newest failures, newest first. */
export class ErrorHistory {
  readonly #errors: ErrorSnapshot[] = [];

  add(error: ErrorSnapshot): void {
    this.#errors.unshift(error);
    this.#errors.length = Math.min(this.#errors.length, kept);
  }

  snapshot(): readonly ErrorSnapshot[] {
    return [...this.#errors];
  }
}
