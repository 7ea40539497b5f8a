import { CdcError } from '@millrace/shared/errors/cdc-error.ts';
import { tableIdText } from '@millrace/shared/event/table-id.ts';
import type { TableId } from '@millrace/shared/event/table-id.ts';

import type { RowBatch } from '../../source.ts';
import { eventType } from '../binlog/event-header.ts';
import { readTableMapName } from '../binlog/table-map.ts';
import type { MysqlTable } from '../column.ts';
import { logCorrupt } from '../log-corrupt.ts';
import { refusedRows } from '../refused-rows.ts';
import type { TableVersions } from '../table-versions.ts';
import { readRows } from './row-events.ts';

interface MappedTable {
  readonly table: MysqlTable;
  readonly refusal: CdcError | null;
}

/** Ends a statement whose tables were all dropped from the cache; carries no rows. */
const dummyTableId = 0xffffff;

function readTableId(view: DataView, body: number, end: number): number {
  if (end - body < 8) throw logCorrupt('row event or TABLE_MAP ends too early');
  return view.getUint32(body, true) + view.getUint16(body + 4, true) * 0x1_0000_0000;
}

/** The tables of the current log file by the server's ids (T88). */
export class MappedTables {
  readonly #versions: TableVersions;
  readonly #captures: (id: TableId) => boolean;
  readonly #normalise: (id: TableId) => TableId;
  /** null: not captured, its rows are not looked at (T178). */
  readonly #tables = new Map<number, MappedTable | null>();

  constructor(versions: TableVersions, captures: (id: TableId) => boolean, normalise: (id: TableId) => TableId) {
    this.#versions = versions;
    this.#captures = captures;
    this.#normalise = normalise;
  }

  /** Ids are used anew in the next file of a restarted server. */
  clear(): void {
    this.#tables.clear();
  }

  /** Takes a TABLE_MAP. Null: known now. Otherwise the table whose catalogue is needed first. */
  map(bytes: Buffer, view: DataView, body: number, end: number, immediateMicros: number): TableId | null {
    const tableId = readTableId(view, body, end);
    if (this.#tables.has(tableId)) return null;
    const name = readTableMapName(bytes, body, end);
    const id = this.#normalise({ namespace: '', schema: name.schema, table: name.table });
    if (!this.#captures(id)) {
      this.#tables.set(tableId, null);
      return null;
    }
    const resolution = this.#versions.resolve(id, bytes, body, name.columnsAt, end, immediateMicros);
    if (resolution.kind === 'load') return id;
    const refusal = resolution.kind === 'refused' ? resolution.error : null;
    this.#tables.set(tableId, { table: resolution.table, refusal });
    return null;
  }

  /** Rows of a row event; null when its table is not captured. `xa`: inside an XA transaction. */
  rows(type: number, bytes: Buffer, view: DataView, body: number, end: number, xa: boolean): RowBatch | null {
    const tableId = readTableId(view, body, end);
    const mapped = this.#tables.get(tableId);
    if (mapped === null) return null;
    if (mapped === undefined) {
      if (tableId === dummyTableId) return null;
      throw logCorrupt('row event without its TABLE_MAP', { tableId });
    }
    const { table } = mapped;
    const refusal = mapped.refusal ?? notReadable(type, table, xa);
    return refusal === null ? readRows(type, table, bytes, body, end) : refusedRows(table, refusal);
  }
}

function notReadable(type: number, table: MysqlTable, xa: boolean): CdcError | null {
  if (type === eventType.partialUpdateRows) {
    return new CdcError('SOURCE_SCHEMA_UNSUPPORTED', 'a session wrote partial JSON updates', {
      details: { table: tableIdText(table.schema.id) },
      hint: "Run SET PERSIST binlog_row_value_options='', reconnect the writers, then snapshot the table again.",
    });
  }
  if (!xa) return null;
  return new CdcError('SOURCE_SCHEMA_UNSUPPORTED', 'an XA transaction changed a captured table', {
    details: { table: tableIdText(table.schema.id) },
    hint: 'Write this table without XA transactions, then snapshot it again (resync); or exclude it.',
  });
}
