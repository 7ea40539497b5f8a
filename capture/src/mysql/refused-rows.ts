import type { CdcError } from '@millrace/shared/errors/cdc-error.ts';

import type { RowBatch, SourceTable } from '../source.ts';

const refusals = new WeakMap<object, CdcError>();

/**
 * Rows that must stop their table instead of being rendered. They travel through the stream like any others, so that
 * the failure meets its table in log order and no other table.
 */
export function refusedRows(table: SourceTable, error: CdcError): RowBatch {
  const batch: RowBatch = { table };
  refusals.set(batch, error);
  return batch;
}

/** Why a batch or a table version must not be rendered. */
export function refusalOf(subject: RowBatch | SourceTable): CdcError | undefined {
  return refusals.get(subject);
}
