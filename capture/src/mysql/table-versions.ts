import { CdcError } from '@millrace/shared/errors/cdc-error.ts';
import { tableSchema } from '@millrace/shared/event/schema.ts';
import { tableIdText } from '@millrace/shared/event/table-id.ts';
import type { TableId } from '@millrace/shared/event/table-id.ts';

import { readTableMap } from './binlog/table-map.ts';
import type { MappedColumn, TableMap } from './binlog/table-map.ts';
import type { CatalogueColumn, CatalogueTable } from './catalogue.ts';
import { agrees, factsOfCatalogue, factsOfEvent, mysqlColumn } from './column-facts.ts';
import type { MysqlColumn, MysqlTable } from './column.ts';
import type { LogicalTypeOptions } from './logical-column.ts';

interface KnownTable {
  readonly id: TableId;
  /** null: the server has no such table. */
  catalogue: CatalogueTable | null;
  /** The catalogue was read since the last DDL that may have changed the table. */
  fresh: boolean;
  /** When the catalogue was read, by the server's clock. */
  adoptedMicros: number;
  /** A TABLE_MAP with names was seen. */
  named: boolean;
  /** Rows without names were told apart by the catalogue as it was read then. */
  unnamed: boolean;
  /** Column part of TABLE_MAP events and what it became under the catalogue of then. */
  versions: { readonly columns: Buffer; readonly table: MysqlTable }[];
  readonly byDefinition: Map<string, MysqlTable>;
}

/** `load`: read the catalogue of the table, then ask again. `refused`: its rows cannot be named. */
export type Resolution =
  | { readonly kind: 'table'; readonly table: MysqlTable; readonly map: TableMap | null }
  | { readonly kind: 'load' }
  | { readonly kind: 'refused'; readonly table: MysqlTable; readonly error: CdcError };

/**
 * Table versions from row metadata and catalogue. The same object is handed out for as long as the definition is equal,
 * whatever ids the server gives the table meanwhile.
 */
export class TableVersions {
  readonly #options: LogicalTypeOptions;
  readonly #tables = new Map<string, KnownTable>();

  constructor(options: LogicalTypeOptions) {
    this.#options = options;
  }

  #known(id: TableId): KnownTable {
    const key = tableIdText(id);
    let known = this.#tables.get(key);
    if (known === undefined) {
      known = {
        id,
        catalogue: null,
        fresh: false,
        adoptedMicros: 0,
        named: false,
        unnamed: false,
        versions: [],
        byDefinition: new Map(),
      };
      this.#tables.set(key, known);
    }
    return known;
  }

  /** Puts what the catalogue says now beside the table; null when the server has no such table. */
  adopt(id: TableId, catalogue: CatalogueTable | null, nowMicros: number): void {
    const known = this.#known(id);
    known.catalogue = catalogue;
    known.fresh = true;
    known.adoptedMicros = nowMicros;
    known.unnamed = false;
    known.versions = [];
  }

  /**
   * Rows before a DDL statement of that time were named after a catalogue that had it already: nothing in such rows
   * tells swapped names apart (T62).
   */
  wasNamedAhead(id: TableId, committedMicros: number): boolean {
    const known = this.#tables.get(tableIdText(id));
    return known !== undefined && known.unnamed && known.adoptedMicros > committedMicros;
  }

  /** A version of the table was handed out, and it was not dropped since. */
  isKnown(id: TableId): boolean {
    const known = this.#tables.get(tableIdText(id));
    return known !== undefined && known.byDefinition.size > 0 && known.catalogue !== null;
  }

  /** The table is gone; what comes under its name is another one. */
  markDropped(id: TableId): void {
    const known = this.#tables.get(tableIdText(id));
    if (known === undefined) return;
    known.catalogue = null;
    known.fresh = false;
  }

  /** The catalogue's view of the table is out of date. */
  markStale(id: TableId): void {
    const known = this.#tables.get(tableIdText(id));
    if (known !== undefined) known.fresh = false;
  }

  /** The version handed out last. */
  latest(id: TableId): MysqlTable | null {
    return [...(this.#tables.get(tableIdText(id))?.byDefinition.values() ?? [])].at(-1) ?? null;
  }

  /** Databases with tables of which a version was handed out. */
  get databases(): ReadonlySet<string> {
    const names = new Set<string>();
    for (const known of this.#tables.values()) if (known.byDefinition.size > 0) names.add(known.id.schema);
    return names;
  }

  idsIn(database: string): readonly TableId[] {
    return [...this.#tables.values()]
      .filter((known) => known.id.schema === database && known.byDefinition.size > 0)
      .map((known) => known.id);
  }

  /** The table as the catalogue describes it. Throws `SOURCE_SCHEMA_UNSUPPORTED` for a column type that is not known. */
  fromCatalogue(catalogue: CatalogueTable): MysqlTable {
    const columns = catalogue.columns.map((column) => {
      const facts = factsOfCatalogue(column);
      if (facts === null) {
        throw new CdcError('SOURCE_SCHEMA_UNSUPPORTED', 'column type is not known', {
          details: { table: tableIdText(catalogue.id), column: column.name, type: column.columnType },
        });
      }
      return mysqlColumn(facts, column.nullable, column, this.#options);
    });
    return this.#unique(catalogue.id, columns, catalogue.primaryKey, catalogue);
  }

  /**
   * The version that a TABLE_MAP describes. `columnsAt` and `end` bound its column part; `immediateMicros` is when the
   * transaction was committed at this server, 0 when unknown.
   */
  resolve(
    id: TableId,
    bytes: Buffer,
    start: number,
    columnsAt: number,
    end: number,
    immediateMicros: number,
  ): Resolution {
    const known = this.#known(id);
    if (!known.fresh) return { kind: 'load' };
    const version = known.versions.find(
      ({ columns }) =>
        columns.length === end - columnsAt && bytes.compare(columns, 0, columns.length, columnsAt, end) === 0,
    );
    if (version !== undefined) return { kind: 'table', table: version.table, map: null };
    const map = readTableMap(bytes, start, end);
    const resolution = map.named ? this.#named(id, known, map) : this.#unnamed(id, known, map, immediateMicros);
    if (resolution.kind === 'table') {
      const columns = Buffer.from(bytes.subarray(columnsAt, end));
      known.versions.push({ columns, table: resolution.table });
    }
    return resolution;
  }

  #named(id: TableId, known: KnownTable, map: TableMap): Resolution {
    known.named = true;
    const byName = new Map<string, CatalogueColumn>();
    for (const column of known.catalogue?.columns ?? []) byName.set(column.name, column);
    const columns = map.columns.map((mapped) => {
      const name = mapped.name ?? '';
      const described = byName.get(name) ?? null;
      const facts = described === null ? null : factsOfCatalogue(described);
      const same = described !== null && facts !== null && agrees(mapped, facts, described.nullable);
      return mysqlColumn(
        factsOfEvent(mapped, name, same ? facts : null),
        mapped.nullable,
        same ? described : null,
        this.#options,
      );
    });
    const key = (map.primaryKey ?? []).map((index) => columns[index]?.name ?? '');
    return { kind: 'table', table: this.#unique(id, columns, key, known.catalogue), map };
  }

  /** Metadata MINIMAL: names are the catalogue's, if it can be the definition that held at the event (T62, T66, T195). */
  #unnamed(id: TableId, known: KnownTable, map: TableMap, immediateMicros: number): Resolution {
    const { catalogue } = known;
    if (known.named) return this.#refuse(id, known, map, 'row metadata turned from FULL to MINIMAL');
    if (catalogue === null) return this.#refuse(id, known, map, 'the table is gone from the catalogue');
    if (immediateMicros > 0 && catalogue.createdSeconds * 1_000_000 > immediateMicros + 999_999) {
      return this.#refuse(id, known, map, 'the table was rebuilt after these rows were written');
    }
    const facts = catalogue.columns.map(factsOfCatalogue);
    const fits =
      facts.length === map.columns.length &&
      map.columns.every((mapped, index) => {
        const fact = facts[index];
        const column = catalogue.columns[index];
        return fact !== null && fact !== undefined && column !== undefined && agrees(mapped, fact, column.nullable);
      });
    if (!fits) return this.#refuse(id, known, map, 'the catalogue has other columns than these rows');
    known.unnamed = true;
    const columns = map.columns.map((mapped, index) => {
      const column = catalogue.columns[index] as CatalogueColumn;
      return mysqlColumn(
        factsOfEvent(mapped, column.name, facts[index] ?? null),
        mapped.nullable,
        column,
        this.#options,
      );
    });
    return { kind: 'table', table: this.#unique(id, columns, catalogue.primaryKey, catalogue), map };
  }

  #refuse(id: TableId, known: KnownTable, map: TableMap, why: string): Resolution {
    const table = [...known.byDefinition.values()].at(-1) ?? this.#nameless(id, map);
    const error = new CdcError('SOURCE_SCHEMA_UNSUPPORTED', 'rows cannot be told apart by column', {
      details: { table: tableIdText(id), why },
      hint: "Run SET PERSIST binlog_row_metadata='FULL' at the source, then snapshot the table again (resync).",
    });
    return { kind: 'refused', table, error };
  }

  #nameless(id: TableId, map: TableMap): MysqlTable {
    const columns = map.columns.map((mapped: MappedColumn, index) =>
      mysqlColumn(factsOfEvent(mapped, `@${index + 1}`, null), mapped.nullable, null, this.#options),
    );
    return {
      schema: tableSchema({ id, columns: columns.map((c) => c.schema), primaryKey: [], comment: null }),
      columns,
    };
  }

  #unique(
    id: TableId,
    columns: readonly MysqlColumn[],
    primaryKey: readonly string[],
    catalogue: CatalogueTable | null,
  ): MysqlTable {
    const known = this.#known(id);
    const comment = catalogue === null || catalogue.comment === '' ? null : catalogue.comment;
    const definition = JSON.stringify([columns, primaryKey, comment]);
    let table = known.byDefinition.get(definition);
    if (table === undefined) {
      const schema = tableSchema({ id, columns: columns.map((column) => column.schema), primaryKey, comment });
      table = { schema, columns };
    } else {
      known.byDefinition.delete(definition);
    }
    known.byDefinition.set(definition, table);
    return table;
  }
}
