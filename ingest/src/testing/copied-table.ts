import type { LaneBatch, RowSpans, TableBatch } from '../destination.ts';

type Row = Readonly<Record<string, unknown>>;

export function rowsOf(spans: RowSpans): Row[] {
  return Array.from({ length: spans.count }, (_, row) => {
    const bytes = spans.buffers[spans.bufferIndex[row] ?? -1];
    return JSON.parse(bytes?.toString('utf8', spans.start[row], spans.end[row]) ?? '') as Row;
  });
}

/** Tables held in memory by the rules of the destination interface: what a destination would show after each commit. */
export class CopiedTables {
  readonly tables = new Map<string, Map<string, Row>>();

  apply(batch: LaneBatch): void {
    for (const table of batch.tables) this.#apply(table);
  }

  rows(table: string): readonly Row[] {
    return [...(this.tables.get(table)?.values() ?? [])];
  }

  #apply(batch: TableBatch): void {
    const { id, primaryKey, columns } = batch.target.schema;
    const name = `${id.schema}.${id.table}`;
    const rows = batch.truncateFirst ? new Map<string, Row>() : (this.tables.get(name) ?? new Map<string, Row>());
    this.tables.set(name, rows);
    const keyOf = (row: Row): string => JSON.stringify(primaryKey.map((column) => row[column]));
    const touched = new Set<string>();
    const touch = (key: string): void => {
      if (touched.has(key)) throw new Error('a key stands twice in one batch');
      touched.add(key);
    };
    for (const row of rowsOf(batch.deletes)) {
      touch(keyOf(row));
      rows.delete(keyOf(row));
    }
    for (const row of rowsOf(batch.upserts)) {
      touch(keyOf(row));
      rows.set(keyOf(row), Object.fromEntries(columns.map((column) => [column.name, row[column.name] ?? null])));
    }
  }
}
