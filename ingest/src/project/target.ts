import { CdcError } from '@millrace/shared/errors/cdc-error.ts';
import { tableSchema } from '@millrace/shared/event/schema.ts';
import type { ColumnSchema, TableSchema } from '@millrace/shared/event/schema.ts';
import { tableIdText } from '@millrace/shared/event/table-id.ts';
import type { TableId } from '@millrace/shared/event/table-id.ts';

import type { TargetTable } from '../destination.ts';
import { RowKey } from '../merge/row-key.ts';
import { evolveColumns } from './merge-schemas.ts';

/** What one version of one source table brings to a target. */
export interface SourceColumns {
  readonly columns: readonly ColumnSchema[];
  /** Names in key order; null when the version does not say. */
  readonly primaryKey: readonly string[] | null;
  readonly comment: string | null;
}

/** One destination table with the schema that takes the rows of all versions and all source tables seen so far. */
export class Target {
  readonly id: TableId;
  readonly text: string;
  #table: TargetTable | null = null;
  #key: RowKey | null = null;
  #partitions = new Set<string>();
  #keyIsShorter = false;

  constructor(id: TableId) {
    this.id = id;
    this.text = tableIdText(id);
  }

  /** The newest version. The same object as long as nothing changed. */
  get table(): TargetTable {
    if (this.#table === null) throw this.#withoutKey();
    return this.#table;
  }

  get isOpen(): boolean {
    return this.#table !== null;
  }

  /** Reader of the rows' identity; reused for every row. */
  get key(): RowKey {
    if (this.#key === null) throw this.#withoutKey();
    return this.#key;
  }

  /**
   * Takes another version in. Throws `RECORD_UNDECODABLE` (`missing-primary-key`) when no key is known and
   * `DESTINATION_SCHEMA_INCOMPATIBLE` (`primary-key-changed`) when it is another one than before.
   */
  evolve(source: SourceColumns): void {
    const old = this.#table?.schema ?? null;
    const primaryKey = source.primaryKey ?? old?.primaryKey ?? [];
    if (primaryKey.length === 0) throw this.#withoutKey();
    if (old !== null && !sameNames(old.primaryKey, primaryKey)) throw this.#changedKey(old.primaryKey, primaryKey);
    const columns = evolveColumns(old?.columns ?? [], inKeyForm(source.columns, primaryKey), primaryKey);
    const missing = primaryKey.find((name) => !columns.some((column) => column.name === name));
    if (missing !== undefined) throw this.#keyNotThere(missing);
    const schema = tableSchema({
      id: this.id,
      columns: old === null ? firstForm(columns, source) : columns,
      primaryKey,
      comment: source.comment,
    });
    if (old !== null && sameSchema(old, schema)) return;
    this.#table = { schema };
    this.#key ??= new RowKey(primaryKey);
  }

  /**
   * Notes where rows come from and whether the record's key has columns that the target's key lacks: then rows of one
   * target key may lie in several partitions, without order.
   */
  notePartition(topic: string, partition: number, recordKeyColumns: readonly string[]): void {
    const primaryKey = this.table.schema.primaryKey;
    if (recordKeyColumns.some((name) => !primaryKey.includes(name))) this.#keyIsShorter = true;
    this.#partitions.add(`${topic} ${partition}`);
    if (!this.#keyIsShorter || this.#partitions.size < 2) return;
    throw new CdcError('DESTINATION_SCHEMA_INCOMPATIBLE', 'rows of one declared key may lie in several partitions', {
      details: { reason: 'primary-key-changed', table: this.text, declared: primaryKey, recordKey: recordKeyColumns },
      hint: 'Declare the same transform.primary-keys in capture, so that the records are partitioned by it.',
    });
  }

  #withoutKey(): CdcError {
    return new CdcError('RECORD_UNDECODABLE', 'no primary key is known for the table', {
      details: { reason: 'missing-primary-key', table: this.text },
      hint: 'Declare one: transform: [{source-table, primary-keys}].',
    });
  }

  #keyNotThere(column: string): CdcError {
    return new CdcError('DESTINATION_SCHEMA_INCOMPATIBLE', 'a key column is none of the columns of the table', {
      details: { reason: 'null-primary-key', table: this.text, column },
      hint: 'Correct transform.primary-keys, or keep the column in the projection.',
    });
  }

  #changedKey(old: readonly string[], now: readonly string[]): CdcError {
    return new CdcError('DESTINATION_SCHEMA_INCOMPATIBLE', 'the primary key of the table has changed', {
      details: { reason: 'primary-key-changed', table: this.text, before: old, now },
      hint: 'Declare the key in transform.primary-keys, or write to another table and read the topic again.',
    });
  }
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, index) => name === b[index]);
}

function inKeyForm(columns: readonly ColumnSchema[], primaryKey: readonly string[]): readonly ColumnSchema[] {
  return columns.map((column) => (primaryKey.includes(column.name) ? { ...column, nullable: false } : column));
}

/** The first version keeps the source's nullability; only later columns are nullable whatever the source says. */
function firstForm(columns: readonly ColumnSchema[], source: SourceColumns): readonly ColumnSchema[] {
  const nullable = new Map(source.columns.map((column) => [column.name, column.nullable]));
  return columns.map((column) => ({ ...column, nullable: column.nullable && (nullable.get(column.name) ?? true) }));
}

function sameSchema(a: TableSchema, b: TableSchema): boolean {
  if (a.fingerprint !== b.fingerprint || a.comment !== b.comment) return false;
  return a.columns.every((column, index) => {
    const other = b.columns[index];
    return column.comment === other?.comment && column.generated === other.generated;
  });
}
