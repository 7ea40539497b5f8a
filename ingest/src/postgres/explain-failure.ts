import { CdcError } from '@millrace/shared/errors/cdc-error.ts';
import type { ErrorDetails } from '@millrace/shared/errors/cdc-error.ts';

import type { StepPlace } from './apply-batch.ts';
import { grantMetadataTables, grantTable } from './grants.ts';
import { tableText } from './identifier.ts';
import type { PostgresSettings } from './options.ts';
import { serverError, StepFailed } from './pipeline.ts';
import { copyPlace, destinationError, failureClass } from './sql-state.ts';
import type { FailureClass } from './sql-state.ts';

/** Null for our own errors, which say everything themselves. */
export function classOf(error: unknown): FailureClass | null {
  return error instanceof CdcError ? null : failureClass(causeOf(error));
}

/** Whether the same transaction may pass at another time. */
export function isTransient(error: unknown): boolean {
  const kind = classOf(error);
  return kind === 'retry' || kind === 'connection' || kind === 'resource';
}

/** Where the failed step was, if a step failed. */
export function placeOf(error: unknown, steps: readonly StepPlace[]): StepPlace | undefined {
  return error instanceof StepFailed ? steps[error.step] : undefined;
}

function causeOf(error: unknown): unknown {
  return error instanceof StepFailed ? error.cause : error;
}

/** What leaves the lane: the server's error with table, row, column and advice. */
export function explainFailure(error: unknown, steps: readonly StepPlace[], settings: PostgresSettings): CdcError {
  if (error instanceof CdcError) return error;
  const place = placeOf(error, steps);
  const server = serverError(error);
  const inCopy = place?.work === 'copy' && server !== null ? copyPlace(server) : null;
  const row = inCopy?.row ?? place?.row ?? null;
  const target = place?.target ?? null;
  const details: Record<string, ErrorDetails[string]> = {
    ...(target === null ? {} : { table: tableText(target) }),
    ...(place === undefined ? {} : { step: place.work }),
    ...(row === null ? {} : { list: 'upserts', row }),
    ...(inCopy?.column ? { column: inCopy.column } : {}),
  };
  const { username } = settings.address;
  const grant = target === null ? grantMetadataTables(settings.metadataSchema, username) : grantTable(target, username);
  return destinationError(causeOf(error), details, server?.code === '42501' ? grant : undefined);
}

export function commitUnknown(error: unknown): CdcError {
  return new CdcError('COMMIT_UNKNOWN', 'the answer to a commit was lost and could not be looked up', {
    cause: error,
  });
}
