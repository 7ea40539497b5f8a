import { DatabaseError } from 'pg';

import { CdcError, toCdcError } from '@millrace/shared/errors/cdc-error.ts';
import type { ErrorDetails } from '@millrace/shared/errors/cdc-error.ts';

/**
 * What a failure means for the transaction that met it.
 * `retry`: the same transaction may pass next time. `connection`: the session is gone or useless; the outcome of a
 * commit that was sent is unknown. `drift`: the catalogue is not what was planned for. `resource`: the server lacks
 * something for the moment. `rights`, `row`, `unique`, `defect`: no repetition will help.
 */
export type FailureClass = 'retry' | 'connection' | 'drift' | 'resource' | 'rights' | 'row' | 'unique' | 'defect';

const exact = new Map<string, FailureClass>([
  ['40001', 'retry'],
  ['40P01', 'retry'],
  ['55P03', 'retry'],
  ['57014', 'retry'],
  ['25P04', 'connection'],
  ['25P03', 'connection'],
  ['25006', 'connection'],
  ['57P01', 'connection'],
  ['57P02', 'connection'],
  ['57P03', 'connection'],
  ['57P05', 'connection'],
  ['0A000', 'drift'],
  ['26000', 'drift'],
  ['42P01', 'drift'],
  ['42703', 'drift'],
  ['42804', 'drift'],
  ['42P10', 'drift'],
  ['3F000', 'drift'],
  ['23505', 'unique'],
  ['23P01', 'unique'],
  ['42501', 'rights'],
  ['3D000', 'rights'],
  ['22P03', 'defect'],
  ['22P04', 'defect'],
  ['21000', 'defect'],
  ['428C9', 'defect'],
  ['55000', 'defect'],
]);

const byPrefix = new Map<string, FailureClass>([
  ['08', 'connection'],
  ['28', 'rights'],
  ['53', 'resource'],
  ['22', 'row'],
  ['23', 'row'],
  ['54', 'row'],
  ['44', 'row'],
  ['P0', 'row'],
]);

function isProgramError(error: unknown): boolean {
  return error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;
}

/** Anything that is neither an answer of the server nor a fault of ours is a connection that failed. */
export function failureClass(error: unknown): FailureClass {
  if (isProgramError(error)) return 'defect';
  if (!(error instanceof DatabaseError)) return 'connection';
  const sqlState = error.code ?? '';
  return exact.get(sqlState) ?? byPrefix.get(sqlState.slice(0, 2)) ?? 'defect';
}

/** Row and column that COPY names in its context. The context also holds the value, which goes nowhere. */
export function copyPlace(error: DatabaseError): { readonly row: number; readonly column: string | null } | null {
  const match = /^COPY [^,\n]*, line (\d+)(?:, column ([^:\n]+))?/m.exec(error.where ?? '');
  return match === null ? null : { row: Number(match[1]) - 1, column: match[2] ?? null };
}

const hints: Readonly<Record<FailureClass, string | undefined>> = {
  retry: 'Look for sessions that hold locks on the table for long.',
  connection: undefined,
  drift: 'Somebody altered the table while it was written to; the next attempt reads its definition again.',
  resource: 'The server is short of disk, memory or connections; work goes on when there is room.',
  rights: undefined,
  row: 'The value breaks a rule of the target table: see SQLSTATE, column and constraint.',
  unique:
    'A secondary unique constraint is broken on the way. Make it DEFERRABLE INITIALLY DEFERRED, drop it, or read the topic with one partition.',
  defect: 'This is a defect of Millrace or a damaged server: keep the log and report it.',
};

const codeOf = {
  retry: 'DESTINATION_UNAVAILABLE',
  connection: 'DESTINATION_UNAVAILABLE',
  drift: 'DESTINATION_SCHEMA_INCOMPATIBLE',
  resource: 'DESTINATION_UNAVAILABLE',
  rights: 'DESTINATION_AUTH_FAILED',
  row: 'DESTINATION_WRITE_REJECTED',
  unique: 'DESTINATION_WRITE_REJECTED',
  defect: 'DESTINATION_WRITE_REJECTED',
} as const satisfies Record<FailureClass, string>;

const messageOf: Readonly<Record<FailureClass, string>> = {
  retry: 'the database kept refusing the transaction for the moment',
  connection: 'the connection to the database failed',
  drift: 'the target table is not as expected',
  resource: 'the database lacks a resource',
  rights: 'the database refuses the role',
  row: 'the database refuses a row',
  unique: 'a unique constraint of the target table refuses a row',
  defect: 'the database refuses a statement',
};

/**
 * The error that leaves this folder. `message` and `detail` of the server may hold row values, so only the names in
 * its report are kept, except where the class shows that there can be none.
 */
export function destinationError(error: unknown, details: ErrorDetails = {}, hint?: string): CdcError {
  if (error instanceof CdcError || isProgramError(error)) return toCdcError(error);
  const kind = failureClass(error);
  const facts: Record<string, ErrorDetails[string]> = { ...details };
  if (error instanceof DatabaseError) {
    facts['sqlstate'] = error.code ?? 'none';
    if (error.table !== undefined) facts['table'] ??= [error.schema, error.table].filter(Boolean).join('.');
    if (error.column !== undefined) facts['column'] ??= error.column;
    if (error.constraint !== undefined) facts['constraint'] = error.constraint;
    if (kind !== 'row' && kind !== 'unique') facts['reason'] = error.message;
  } else if (error instanceof Error) {
    facts['reason'] = error.message;
  }
  const advice = hint ?? hints[kind];
  return new CdcError(codeOf[kind], messageOf[kind], {
    details: facts,
    cause: error,
    ...(advice === undefined ? {} : { hint: advice }),
  });
}
