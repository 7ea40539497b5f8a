import type { LogicalType } from '@millrace/shared/event/logical-type.ts';
import type { ColumnSchema } from '@millrace/shared/event/schema.ts';
import { cellKind, RowCells } from '@millrace/shared/format/json-cells.ts';

import { evolveColumns } from './merge-schemas.ts';
import { inferType, inferredSourceType } from './infer-type.ts';

export interface InferenceRules {
  readonly strategy: 'continuous' | 'static';
  readonly primitiveAsString: boolean;
  /** With `static`: rows after which the columns stay as they are. */
  readonly preFetchRecords: number;
}

/** Columns of a source table as its rows show them, for streams that carry no types. */
export class InferredColumns {
  readonly #rules: InferenceRules;
  #columns: readonly ColumnSchema[];
  /** Columns whose JSON form does not show their type; values are not looked at. */
  readonly #fixed: ReadonlySet<string>;
  #cells: RowCells;
  #rows = 0;
  /** Fields that were left out because the columns are settled. */
  ignoredFields = 0;

  /** `declared`: the types come from the document and are not widened. */
  constructor(known: readonly ColumnSchema[], declared: boolean, rules: InferenceRules) {
    this.#rules = rules;
    this.#columns = known;
    const fixed = known.filter((column) => declared || !shownByJson(column));
    this.#fixed = new Set(fixed.map((column) => column.name));
    this.#cells = new RowCells(known.map((column) => column.name));
  }

  get columns(): readonly ColumnSchema[] {
    return this.#columns;
  }

  /** Looks at one row image; true when the columns changed. */
  observe(bytes: Buffer, start: number, end: number): boolean {
    this.#cells.read(bytes, start, end);
    const settled = this.#rules.strategy === 'static' && this.#rows >= this.#rules.preFetchRecords;
    this.#rows++;
    if (settled) {
      this.ignoredFields += this.#cells.unknownFields;
      return false;
    }
    const changed = this.#cells.unknownFields > 0 ? this.#readAll(bytes, start, end) : this.#seen(bytes);
    if (changed.length === 0) return false;
    this.#columns = evolveColumns(this.#columns, this.#withUnchanged(changed), []);
    this.#cells = new RowCells(this.#columns.map((column) => column.name));
    return true;
  }

  /** Columns whose cell needs a wider type than they have. */
  #seen(bytes: Buffer): readonly ColumnSchema[] {
    const { kind, start, end } = this.#cells;
    const changed: ColumnSchema[] = [];
    for (const [index, column] of this.#columns.entries()) {
      const cell = kind[index] as number;
      if (this.#fixed.has(column.name)) continue;
      if (fits(column.type, cell, bytes, start[index] as number, end[index] as number)) continue;
      this.#compare(column, cell, bytes.toString('latin1', start[index], end[index]), changed);
    }
    return changed;
  }

  /** Reads the names too: some are not known yet. */
  #readAll(bytes: Buffer, start: number, end: number): readonly ColumnSchema[] {
    const names = fieldNames(bytes, start, end);
    const cells = new RowCells(names);
    cells.read(bytes, start, end);
    const known = new Map(this.#columns.map((column) => [column.name, column]));
    const changed: ColumnSchema[] = [];
    for (const [index, name] of names.entries()) {
      if (this.#fixed.has(name)) continue;
      const kind = cells.kind[index] as number;
      this.#compare(
        known.get(name) ?? name,
        kind,
        bytes.toString('latin1', cells.start[index], cells.end[index]),
        changed,
      );
    }
    return changed;
  }

  #compare(column: ColumnSchema | string, kind: number, literal: string, changed: ColumnSchema[]): void {
    const type = inferType(kind, literal, this.#rules.primitiveAsString);
    if (type === null) return;
    const found: ColumnSchema = {
      name: typeof column === 'string' ? column : column.name,
      type,
      nullable: true,
      sourceType: inferredSourceType(kind),
      comment: null,
      defaultValue: null,
      generated: false,
    };
    if (typeof column !== 'string') {
      const [merged] = evolveColumns([column], [found], []);
      const same =
        JSON.stringify(merged?.type) === JSON.stringify(column.type) && merged?.sourceType === column.sourceType;
      if (same) return;
    }
    changed.push(found);
  }

  #withUnchanged(changed: readonly ColumnSchema[]): readonly ColumnSchema[] {
    const names = new Set(changed.map((column) => column.name));
    return [...this.#columns.filter((column) => !names.has(column.name)), ...changed];
  }
}

/** Types that a JSON cell tells by its looks. Documents, dates and binary values all look like text. */
function shownByJson(column: ColumnSchema): boolean {
  return column.sourceType === null && shownKinds.has(column.type.kind);
}

const shownKinds = new Set(['boolean', 'tinyint', 'smallint', 'int', 'bigint', 'float', 'double', 'decimal', 'string']);
const textKinds = new Set(['char', 'varchar', 'string']);
const integerRange = { tinyint: 127, smallint: 32_767, int: 2_147_483_647 } as const;

/** Whether a cell needs nothing wider than `type`; false where only a closer look can tell. */
function fits(type: LogicalType, kind: number, bytes: Buffer, start: number, end: number): boolean {
  switch (kind) {
    case cellKind.absent:
    case cellKind.null:
      return true;
    case cellKind.true:
    case cellKind.false:
      return type.kind === 'boolean';
    case cellKind.number:
      if (type.kind === 'double' || type.kind === 'float') return true;
      return holdsInteger(type, bytes, start, end);
    case cellKind.string:
    case cellKind.escapedString:
      return textKinds.has(type.kind);
    default:
      return false;
  }
}

function holdsInteger(type: LogicalType, bytes: Buffer, start: number, end: number): boolean {
  if (end - start > 18) return false;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte > 0x39 || byte === 0x2e) return false;
  }
  if (type.kind === 'bigint') return true;
  if (type.kind === 'decimal') return end - start <= type.precision - type.scale;
  if (!(type.kind in integerRange)) return false;
  return Math.abs(Number(bytes.toString('latin1', start, end))) <= integerRange[type.kind as keyof typeof integerRange];
}

/** Called for objects whose grammar is checked. */
function fieldNames(bytes: Buffer, start: number, end: number): readonly string[] {
  return Object.keys(JSON.parse(bytes.toString('utf8', start, end)) as object);
}
