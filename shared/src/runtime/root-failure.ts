import { CdcError, toCdcError } from '../errors/cdc-error.ts';

/**
 * The failure that came first. `await using` wraps a body's error when closing fails as well (usually because of it),
 * and waiting for several at once gathers them: the one with a code of ours decides what happens.
 */
export function rootFailure(error: unknown): CdcError {
  return firstOfOurs(error) ?? toCdcError(outermostSuppressed(error));
}

function outermostSuppressed(error: unknown): unknown {
  return error instanceof SuppressedError ? outermostSuppressed(error.suppressed) : error;
}

function firstOfOurs(error: unknown): CdcError | undefined {
  if (error instanceof CdcError) return error;
  if (error instanceof SuppressedError) return firstOfOurs(error.suppressed) ?? firstOfOurs(error.error);
  if (error instanceof AggregateError) {
    for (const each of error.errors) {
      const found = firstOfOurs(each);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}
