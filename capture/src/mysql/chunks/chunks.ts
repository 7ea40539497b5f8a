import type { Socket } from 'node:net';

import type { TableId } from '@millrace/shared/event/table-id.ts';

import type { ChunkBound, ChunkRange } from '../../source.ts';
import type { Query } from '../catalogue.ts';
import type { MysqlTable } from '../column.ts';
import type { TextRows } from '../rows.ts';
import { selectExpression } from '../select-expression.ts';
import { quoteText } from '../sql-text.ts';
import { ChunkKey } from './chunk-key.ts';
import type { CollationNames } from './chunk-key.ts';
import { ChunkReader, ChunkSockets } from './chunk-reader.ts';
import type { ChunkReaderOptions } from './chunk-reader.ts';

export interface ChunksOptions extends ChunkReaderOptions {
  /** The configured chunk key of a table, where the key of the table is not to be used. */
  readonly chunkKeyColumn: (id: TableId) => string | null;
}

/** Cuts tables into key ranges and reads them, without locks and without long transactions. */
export class Chunks implements AsyncDisposable {
  readonly #query: Query;
  readonly #options: ChunksOptions;
  readonly #sockets: ChunkSockets;
  readonly #keys = new WeakMap<MysqlTable, ChunkKey>();
  #collations: CollationNames | null = null;

  constructor(query: Query, connect: (signal: AbortSignal) => Promise<Socket>, options: ChunksOptions) {
    this.#query = query;
    this.#options = options;
    this.#sockets = new ChunkSockets(connect);
  }

  /** The storage engine's estimate; may be off by half. */
  async estimateRows(table: MysqlTable, signal: AbortSignal): Promise<number> {
    const { schema, table: name } = table.schema.id;
    const [row] = await this.#query(
      'SELECT TABLE_ROWS AS n FROM information_schema.TABLES ' +
        `WHERE TABLE_SCHEMA = ${quoteText(schema)} AND TABLE_NAME = ${quoteText(name)}`,
      signal,
      'estimating rows',
    );
    return Number(row?.['n'] ?? 0);
  }

  async chunkEnd(
    table: MysqlTable,
    from: ChunkBound | null,
    rows: number,
    signal: AbortSignal,
  ): Promise<ChunkBound | null> {
    const key = await this.#key(table, signal);
    if (key.isEmpty) return null;
    const [row] = await this.#query(key.selectBound(from, Math.max(1, rows)), signal, 'splitting a table');
    if (row === undefined) return null;
    if (row['ahead'] === '1' || from === null) return key.bound(row);
    const [next] = await this.#query(key.selectNext(from), signal, 'splitting a table');
    return next === undefined ? null : key.bound(next);
  }

  async *readChunk(table: MysqlTable, range: ChunkRange, signal: AbortSignal): AsyncGenerator<TextRows> {
    const key = await this.#key(table, signal);
    const sql = key.selectRange(table.columns.map(selectExpression), range);
    const reader = new ChunkReader(await this.#sockets.take(signal), this.#options);
    try {
      yield* reader.read(sql, table, signal);
    } finally {
      if (reader.finished) this.#sockets.give(reader.release());
      else reader[Symbol.dispose]();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sockets[Symbol.asyncDispose]();
  }

  async #key(table: MysqlTable, signal: AbortSignal): Promise<ChunkKey> {
    let key = this.#keys.get(table);
    if (key === undefined) {
      const column = this.#options.chunkKeyColumn(table.schema.id);
      key = new ChunkKey(table, column === null ? table.schema.primaryKey : [column], await this.#names(signal));
      this.#keys.set(table, key);
    }
    return key;
  }

  async #names(signal: AbortSignal): Promise<CollationNames> {
    if (this.#collations === null) {
      const rows = await this.#query(
        'SELECT ID AS id, CHARACTER_SET_NAME AS charset, COLLATION_NAME AS collation FROM information_schema.COLLATIONS',
        signal,
      );
      this.#collations = new Map(
        rows.map((row) => [
          Number(row['id'] ?? 0),
          { charset: row['charset'] ?? '', collation: row['collation'] ?? '' },
        ]),
      );
    }
    return this.#collations;
  }
}
