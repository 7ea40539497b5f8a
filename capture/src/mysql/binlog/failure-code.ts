import { CdcError } from '@millrace/shared/errors/cdc-error.ts';

/** For tests: the code of what `act` throws, null when it returns. */
export function failureCode(act: () => unknown): string | null {
  try {
    act();
    return null;
  } catch (error) {
    return error instanceof CdcError ? error.code : 'not a CdcError';
  }
}
