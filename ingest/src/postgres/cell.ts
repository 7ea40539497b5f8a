import { CdcError } from '@millrace/shared/errors/cdc-error.ts';

import type { InvalidTextPolicy } from './options.ts';

/**
 * Writes one located JSON cell that is neither null nor absent as COPY text at `out[at…)` and returns the place after
 * it. Nothing that it writes can end a field or a row. The caller has reserved the room that `CellWriter` asks for.
 */
export type WriteCell = (source: Buffer, kind: number, start: number, end: number, out: Buffer, at: number) => number;

export interface CellWriter {
  readonly write: WriteCell;
  /** Room per byte of the cell. */
  readonly bytesPerByte: number;
  /** Room beside that, never more than 64 but for bit strings. */
  readonly extraBytes: number;
}

/** Why a value cannot go into its column; a closed list, shown to people. */
export type CellReason =
  | 'kind-of-value'
  | 'not-a-number'
  | 'not-an-integer'
  | 'out-of-range'
  | 'scale'
  | 'not-a-boolean'
  | 'not-a-date'
  | 'zero-date'
  | 'not-a-time'
  | 'time-zone'
  | 'unit-unknown'
  | 'not-base64'
  | 'bits'
  | 'invalid-text'
  | 'nested-array'
  | 'absent'
  | 'null-key';

/** The column and row are added by the transcoder, which knows them. */
export function rejectCell(reason: CellReason): CdcError {
  return new CdcError('DESTINATION_WRITE_REJECTED', 'a value does not fit its column', { details: { reason } });
}

/** Counts what a lenient policy changed; reset by its reader. */
export interface TextRepairs {
  count: number;
}

export interface CellContext {
  readonly invalidText: InvalidTextPolicy;
  readonly repairs: TextRepairs;
}

const shortCopyBytes = 40;

/** Copies bytes; short runs without the cost of a call into the runtime. */
export function copyBytes(source: Buffer, start: number, end: number, out: Buffer, at: number): number {
  if (end - start > shortCopyBytes) return at + source.copy(out, at, start, end);
  let to = at;
  for (let from = start; from < end; from++) out[to++] = source[from] as number;
  return to;
}
