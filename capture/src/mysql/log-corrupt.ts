import { CdcError } from '@millrace/shared/errors/cdc-error.ts';
import type { ErrorDetails } from '@millrace/shared/errors/cdc-error.ts';

/** Bytes of the log that do not add up. Never resynchronise by guessing. */
export function logCorrupt(what: string, details: ErrorDetails = {}): CdcError {
  return new CdcError('SOURCE_LOG_CORRUPT', 'the log bytes do not add up', { details: { what, ...details } });
}
