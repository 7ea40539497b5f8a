import { codes } from './codes.ts';
import type { CodePolicy, ErrorCode } from './codes.ts';

export type ErrorDetails = Readonly<Record<string, string | number | bigint | boolean | null | readonly string[]>>;

export interface CdcErrorOptions {
  /** Variable facts; never row values, never secrets. */
  readonly details?: ErrorDetails;
  /** Overrides the hint of the code's policy. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/**
 * The one error class. `message` is constant text; everything variable stands in `details`,
 * so that messages can be grouped and never carry row values.
 */
export class CdcError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;
  readonly hint: string;

  constructor(code: ErrorCode, message: string, options: CdcErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'CdcError';
    this.code = code;
    this.details = options.details ?? {};
    this.hint = options.hint ?? codes[code].hint;
  }

  get policy(): CodePolicy {
    return codes[this.code];
  }
}

/** A state that cannot happen. Use instead of guessing on. */
export function invariantBroken(message: string, details: ErrorDetails = {}): CdcError {
  return new CdcError('INVARIANT_BROKEN', message, { details });
}

/** Closes a union in a `switch`. */
export function assertNever(value: never): never {
  throw invariantBroken('unexpected variant', { type: typeof value });
}

/** Wraps whatever was thrown; a `CdcError` stays itself. */
export function toCdcError(error: unknown): CdcError {
  if (error instanceof CdcError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new CdcError('INVARIANT_BROKEN', 'unexpected failure', { details: { reason: message }, cause: error });
}
