import { CdcError } from '@millrace/shared/errors/cdc-error.ts';

/** The destination, not the decoder, met the broken record: its error names the row of a batch. */
function isBrokenRow(error: unknown): boolean {
  return error instanceof CdcError && error.code === 'RECORD_UNDECODABLE' && typeof error.details['row'] === 'number';
}

/**
 * Images of records whose shape is known are checked when a commit uses them, too late to make durable what stands
 * before a broken one. Then everything since the last commit is read once more with every value checked whole: that
 * attempt stops right before the record.
 */
export async function readWholeAfterBrokenRow(attempt: (wholeValues: boolean) => Promise<void>): Promise<void> {
  try {
    await attempt(false);
  } catch (error) {
    if (!isBrokenRow(error)) throw error;
    await attempt(true);
  }
}
