import { CdcError } from '@millrace/shared/errors/cdc-error.ts';
import { tableIdText } from '@millrace/shared/event/table-id.ts';

import type { RowBatch, RowOp } from '../../source.ts';
import { wireType } from '../column.ts';
import type { MysqlTable } from '../column.ts';
import { logCorrupt } from '../log-corrupt.ts';
import { refusedRows } from '../refused-rows.ts';
import type { BinlogRows } from '../rows.ts';
import { ByteCursor } from '../binlog/byte-cursor.ts';
import { eventType } from '../binlog/event-header.ts';

/** table_id u48 · flags u16; version 2 adds the length of the extra data u16, itself included. */
const postHeaderV1 = 8;
const postHeaderV2 = 10;

export function rowOpOf(type: number): RowOp {
  if (type === eventType.writeRows || type === eventType.writeRowsV1) return 'create';
  if (type === eventType.deleteRows || type === eventType.deleteRowsV1) return 'delete';
  return 'update';
}

export function isVersion1(type: number): boolean {
  return type <= eventType.deleteRowsV1;
}

/** Types whose columns NOBLOB images may leave out. */
const lobTypes: ReadonlySet<number> = new Set([wireType.blob, wireType.json, wireType.geometry, wireType.vector]);

/**
 * Finds the rows of a WRITE, UPDATE or DELETE_ROWS event in place. `start` is the start of its body, `end` excludes the
 * checksum. Images that leave out more than large columns (`binlog_row_image=MINIMAL`) are refused rows: absent is not
 * null, and defaults are not in the log (T41, T172).
 */
export function readRows(type: number, table: MysqlTable, bytes: Buffer, start: number, end: number): RowBatch {
  const op = rowOpOf(type);
  let at = start + postHeaderV1;
  if (!isVersion1(type)) {
    if (start + postHeaderV2 > end) throw logCorrupt('row event ends too early');
    // Extra data (NDB, partition ids) is passed over by its length (T92).
    const extra = (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
    if (extra < 2) throw logCorrupt('row event has an impossible extra length', { extra });
    at += extra;
  }
  const columns = table.columns.length;
  let width = at < end ? (bytes[at] as number) : -1;
  at += 1;
  if (width >= 0xfb) {
    const cursor = new ByteCursor(bytes, at - 1, end, 'row event');
    width = cursor.lenenc();
    at = cursor.at;
  }
  const bitmapBytes = (columns + 7) >> 3;
  const presentBefore = at;
  const presentAfter = op === 'update' ? at + bitmapBytes : at;
  const rowsAt = presentAfter + bitmapBytes;
  if (width !== columns || rowsAt > end) {
    throw logCorrupt('row event and its TABLE_MAP differ in columns', { columns, width });
  }
  const complete =
    allPresent(bytes, presentBefore, columns) && (op !== 'update' || allPresent(bytes, presentAfter, columns));
  if (!complete && !onlyLobsAbsent(table, op, bytes, presentBefore, presentAfter)) {
    return refusedRows(table, incompleteImage(table));
  }
  const rows: BinlogRows = {
    kind: 'binlog',
    table,
    op,
    bytes,
    start: rowsAt,
    end,
    presentBefore,
    presentAfter,
    complete,
  };
  return rows;
}

function allPresent(bytes: Buffer, at: number, columns: number): boolean {
  const whole = columns >> 3;
  for (let index = 0; index < whole; index++) if (bytes[at + index] !== 0xff) return false;
  const rest = columns & 7;
  if (rest === 0) return true;
  const mask = (1 << rest) - 1;
  return ((bytes[at + whole] as number) & mask) === mask;
}

function absentLobsOnly(table: MysqlTable, bytes: Buffer, at: number): boolean {
  return table.columns.every(
    (column, index) =>
      ((bytes[at + (index >> 3)] as number) & (1 << (index & 7))) !== 0 || lobTypes.has(column.wireType),
  );
}

function onlyLobsAbsent(table: MysqlTable, op: RowOp, bytes: Buffer, before: number, after: number): boolean {
  // NOBLOB writes whole rows at INSERT: an absent column there took a default that nobody logged.
  if (op === 'create') return false;
  return absentLobsOnly(table, bytes, before) && absentLobsOnly(table, bytes, after);
}

function incompleteImage(table: MysqlTable): CdcError {
  return new CdcError('SOURCE_SCHEMA_UNSUPPORTED', 'a session wrote incomplete row images', {
    details: { table: tableIdText(table.schema.id) },
    hint: "Run SET PERSIST binlog_row_image='FULL', reconnect the writers, then snapshot the table again (resync).",
  });
}
