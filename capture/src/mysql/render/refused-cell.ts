import { CdcError } from '@millrace/shared/errors/cdc-error.ts';
import { tableIdText } from '@millrace/shared/event/table-id.ts';
import type { TableId } from '@millrace/shared/event/table-id.ts';

import { refusal } from '../cells/refusal.ts';

const causes = new Map<number, { readonly message: string; readonly hint: string }>([
  [
    refusal.zeroDate,
    { message: 'a date is zero or partly zero', hint: 'Correct the value, or set zero-date.handling to null or keep.' },
  ],
  [
    refusal.invalidText,
    {
      message: 'text cannot be decoded by the character set of its column',
      hint: 'Correct the value, or set invalid-text.handling to replace.',
    },
  ],
  [
    refusal.notBoolean,
    {
      message: 'a TINYINT(1) holds another value than 0 and 1',
      hint: 'Set treat-tinyint1-as-boolean.enabled to false: the column is then a number.',
    },
  ],
  [refusal.unsupported, { message: 'a value has no rendering', hint: 'Exclude the column, or correct the value.' }],
]);

/** The error for a cell that its writer refused. Names table and column, never the value. */
export function refusedCell(code: number, table: TableId, column: string): CdcError {
  const details = { table: tableIdText(table), column };
  const cause = causes.get(code);
  if (cause === undefined) return corruptRows(table, 'a cell contradicts its type', column);
  return new CdcError('VALUE_UNSUPPORTED', cause.message, { details, hint: cause.hint });
}

/** Row bytes that do not add up: the stream must not go on by guessing. */
export function corruptRows(table: TableId, what: string, column: string | null = null): CdcError {
  return new CdcError('SOURCE_LOG_CORRUPT', 'row bytes do not add up', {
    details: { table: tableIdText(table), what, ...(column === null ? {} : { column }) },
  });
}

/** An image without a column that only MINIMAL images lack: its value cannot be told from a default (T41, T172). */
export function incompleteImage(table: TableId, column: string): CdcError {
  return new CdcError('SOURCE_SCHEMA_UNSUPPORTED', 'a row image lacks a column', {
    details: { table: tableIdText(table), column },
    hint: "Set binlog_row_image to FULL at the source (SET PERSIST binlog_row_image='FULL'), reconnect its sessions, then snapshot the table again.",
  });
}
