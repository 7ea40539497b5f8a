import type { TableId } from '@millrace/shared/event/table-id.ts';

import { TableStore } from './iceberg/table-store.ts';
import { tablePlace } from './table-directory.ts';
import type { TablePlace } from './table-directory.ts';
import { TableHead, tableIdProperty } from './table-head.ts';
import type { TableContext } from './table-head.ts';
import { TableWriter } from './writer.ts';

/** The tables of a warehouse that this commit user has written, and those it is about to. */
export class TableCatalog {
  readonly #context: TableContext;
  readonly #writers = new Map<string, TableWriter>();

  constructor(context: TableContext) {
    this.#context = context;
  }

  heads(): Iterable<TableHead> {
    return Array.from(this.#writers.values(), (writer) => writer.head);
  }

  writer(id: TableId): TableWriter {
    const place = tablePlace(this.#context.options.warehouse, id);
    return this.#writers.get(place.directory) ?? this.#add(place);
  }

  /** Finds the tables that hold offsets of ours. Tables of others are left alone, whatever they look like. */
  async discover(signal: AbortSignal): Promise<void> {
    const { storage, options } = this.#context;
    const property = `millrace.offsets.${options.commitUser}`;
    for (const database of await storage.list(options.warehouse)) {
      if (database.startsWith('.')) continue;
      for (const table of await storage.list(`${options.warehouse}/${database}`)) {
        signal.throwIfAborted();
        const directory = `${options.warehouse}/${database}/${table}`;
        if (this.#writers.has(directory)) continue;
        const text = await this.#ownTable(directory, property);
        if (text === null) continue;
        this.#add({ text, directory, location: `file://${directory}` });
      }
    }
  }

  #add(place: TablePlace): TableWriter {
    const writer = new TableWriter(new TableHead(place, this.#context), this.#context);
    this.#writers.set(place.directory, writer);
    return writer;
  }

  /** The table's name when it is one of ours, else null. A table of ours that cannot be read stops the claim. */
  async #ownTable(directory: string, property: string): Promise<string | null> {
    const { storage, hooks } = this.#context;
    const properties = await new TableStore(storage, directory, hooks).newestProperties();
    return properties[property] === undefined ? null : (properties[tableIdProperty] ?? null);
  }
}
