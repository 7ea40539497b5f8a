import type { ColumnSchema, TableSchema } from '@millrace/shared/event/schema.ts';
import { tableIdText } from '@millrace/shared/event/table-id.ts';
import { CdcError } from '@millrace/shared/errors/cdc-error.ts';

import { icebergTypeFor } from './schema-mapping.ts';
import { highestId, parsePrimitive, sameType } from './schema.ts';
import type { IcebergField, IcebergSchema, IcebergType } from './schema.ts';

/** What happens to a column whose new type the old one cannot take: a second column beside it, or the table stops. */
export type TypeChangePolicy = 'new-column' | 'stop';

/** A stored field and the column of the rows that fills it; null for fields that the rows no longer have. */
export interface WrittenField {
  readonly field: IcebergField;
  readonly column: string | null;
}

export interface SchemaPlan {
  /** Null when the stored schema serves as it is. Its id is 0 until the metadata gives it one. */
  readonly changed: IcebergSchema | null;
  readonly lastColumnId: number;
  readonly written: readonly WrittenField[];
  readonly keyFieldIds: readonly number[];
  /** `<old> -> <new>` of columns that a type change set aside. */
  readonly setAside: readonly string[];
}

function incompatible(target: TableSchema, reason: string, column: string): CdcError {
  return new CdcError('DESTINATION_SCHEMA_INCOMPATIBLE', 'the table at the destination does not fit the stream', {
    details: { table: tableIdText(target.id), column, reason },
  });
}

const integerDigits: Readonly<Record<string, number>> = { int: 10, long: 19 };

/** Values of `from` are values of `to`, digit for digit. */
export function readsAs(from: IcebergType, to: IcebergType): boolean {
  if (sameType(from, to)) return true;
  if (typeof to !== 'string') return false;
  if (typeof from !== 'string') return to === 'string';
  const source = parsePrimitive(from);
  const target = parsePrimitive(to);
  if (source === null || target === null) return false;
  if (target.kind === 'string') return source.kind !== 'binary';
  if (target.kind === 'decimal') {
    if (source.kind === 'decimal') {
      const integerRoom = target.precision - target.scale >= source.precision - source.scale;
      return target.scale >= source.scale && integerRoom;
    }
    return target.precision - target.scale >= (integerDigits[source.kind] ?? Infinity);
  }
  return (target.kind === 'long' || target.kind === 'double') && widens(source.kind, target.kind);
}

function widens(from: string, to: string): boolean {
  return to === 'long' ? from === 'int' : from === 'int' || from === 'float';
}

/** Type changes that the specification allows in place: old files keep their type and readers widen it. */
export function promotes(from: IcebergType, to: IcebergType): boolean {
  if (typeof from !== 'string' || typeof to !== 'string') return false;
  if (from === 'int') return to === 'long';
  if (from === 'float') return to === 'double';
  const source = parsePrimitive(from);
  const target = parsePrimitive(to);
  if (source?.kind !== 'decimal' || target?.kind !== 'decimal') return false;
  return source.scale === target.scale && target.precision > source.precision;
}

function typeSuffix(type: IcebergType): string {
  const text = typeof type === 'string' ? type : `list_${type.element}`;
  return text.replaceAll(/[^a-z0-9]+/g, '_').replace(/_$/, '');
}

class Evolution {
  readonly fields: IcebergField[];
  readonly setAside: string[] = [];
  lastColumnId: number;
  changed = false;
  readonly #target: TableSchema;
  readonly #keys: ReadonlySet<string>;
  readonly #policy: TypeChangePolicy;

  constructor(current: IcebergSchema | null, lastColumnId: number, target: TableSchema, policy: TypeChangePolicy) {
    this.fields = [...(current?.fields ?? [])];
    this.lastColumnId = lastColumnId;
    this.#target = target;
    this.#keys = new Set(target.primaryKey);
    this.#policy = policy;
  }

  /** Returns the name of the field that takes the column's values. */
  place(column: ColumnSchema, creating: boolean): string {
    const wanted = icebergTypeFor(column);
    const at = this.fields.findIndex((field) => field.name === column.name);
    const existing = this.fields[at];
    if (existing === undefined) {
      this.#add(column, column.name, wanted, creating && !column.nullable);
      return column.name;
    }
    if (readsAs(wanted, existing.type)) {
      this.#relax(at, column.nullable);
    } else if (promotes(existing.type, wanted)) {
      this.#replace(at, { ...existing, type: wanted });
      this.#relax(at, column.nullable);
    } else {
      return this.#beside(at, column, wanted);
    }
    return column.name;
  }

  /** LENIENT: a column that the source dropped stays and takes nulls from now on. */
  relaxUnfilled(filled: ReadonlySet<string>): void {
    this.fields.forEach((field, at) => {
      if (!filled.has(field.name)) this.#relax(at, true);
    });
  }

  #beside(at: number, column: ColumnSchema, wanted: IcebergType): string {
    if (this.#policy === 'stop' || this.#keys.has(column.name)) {
      throw incompatible(this.#target, 'type-changed', column.name);
    }
    const name = `${column.name}__${typeSuffix(wanted)}`;
    const known = this.fields.find((field) => field.name === name);
    if (known === undefined) {
      this.#add(column, name, wanted, false);
      this.setAside.push(`${column.name} -> ${name}`);
    } else if (!readsAs(wanted, known.type)) {
      throw incompatible(this.#target, 'type-changed', column.name);
    }
    this.#relax(at, true);
    return name;
  }

  #add(column: ColumnSchema, name: string, type: IcebergType, required: boolean): void {
    const id = ++this.lastColumnId;
    const stored = typeof type === 'string' ? type : { ...type, 'element-id': ++this.lastColumnId };
    const doc = column.comment === null || column.comment === '' ? {} : { doc: column.comment };
    this.fields.push({ id, name, required: required || this.#keys.has(name), type: stored, ...doc });
    this.changed = true;
  }

  #relax(at: number, nullable: boolean): void {
    const field = this.fields[at];
    if (field === undefined || !field.required || !nullable || this.#keys.has(field.name)) return;
    this.#replace(at, { ...field, required: false });
  }

  #replace(at: number, field: IcebergField): void {
    this.fields[at] = field;
    this.changed = true;
  }
}

/** Float columns may not identify rows in Iceberg: such a key is kept in our own property only. */
function identifiers(keyFields: readonly IcebergField[]): { 'identifier-field-ids'?: readonly number[] } {
  const allowed = keyFields.every((field) => field.type !== 'float' && field.type !== 'double');
  if (!allowed || keyFields.length === 0) return {};
  return { 'identifier-field-ids': keyFields.map((field) => field.id) };
}

/**
 * Fits the stored schema to what the stream's rows have. `current` null creates one. `storedKey` are the field ids of
 * the key that the table was written with, null when it was never written by us.
 * Throws `DESTINATION_SCHEMA_INCOMPATIBLE` when the key changed or a type cannot be followed.
 */
export function evolveSchema(
  current: IcebergSchema | null,
  lastColumnId: number,
  storedKey: readonly number[] | null,
  target: TableSchema,
  policy: TypeChangePolicy,
): SchemaPlan {
  const evolution = new Evolution(current, lastColumnId, target, policy);
  const filledBy = new Map<string, string>();
  for (const column of target.columns) filledBy.set(evolution.place(column, current === null), column.name);
  evolution.relaxUnfilled(new Set(filledBy.keys()));
  const keyFields = target.primaryKey.map((name) => {
    const field = evolution.fields.find((candidate) => candidate.name === name);
    if (field === undefined || typeof field.type !== 'string') throw incompatible(target, 'key-column-missing', name);
    if (!field.required) throw incompatible(target, 'key-column-optional', name);
    return field;
  });
  const keyFieldIds = keyFields.map((field) => field.id);
  if (storedKey !== null && storedKey.join() !== keyFieldIds.join()) {
    throw incompatible(target, 'primary-key-changed', target.primaryKey.join());
  }
  const schema: IcebergSchema = {
    type: 'struct',
    'schema-id': 0,
    ...identifiers(keyFields),
    fields: evolution.fields,
  };
  return {
    changed: evolution.changed ? schema : null,
    lastColumnId: Math.max(evolution.lastColumnId, ...evolution.fields.map(highestId)),
    written: evolution.fields.map((field) => ({ field, column: filledBy.get(field.name) ?? null })),
    keyFieldIds,
    setAside: evolution.setAside,
  };
}
