import { CdcError } from '@millrace/shared/errors/cdc-error.ts';
import type { ColumnSchema, TableSchema } from '@millrace/shared/event/schema.ts';

import type { CatalogColumn, CatalogIndex, CatalogTable } from './catalog.ts';
import { nameColumns, quoteIdentifier, quoteLiteral } from './identifier.ts';
import type { TargetName } from './identifier.ts';
import { pgTypeOf, printPgType } from './pg-type.ts';
import { typeFit, widenedType, widensInPlace } from './type-fit.ts';

/** A stream column and the target column that takes it. */
export interface ColumnPair {
  readonly source: ColumnSchema;
  readonly target: CatalogColumn;
  readonly isKey: boolean;
}

/** How rows of the table are applied. */
export type ApplyMode = 'upsert' | 'delete-insert' | 'append';

export interface PlanRules {
  readonly createTables: boolean;
  readonly evolveTables: boolean;
  readonly rewriteLimitBytes: number;
  readonly typeOverrides: ReadonlyMap<string, string>;
  readonly tableProperties: ReadonlyMap<string, string>;
}

/** Type text of a created column, with its override. The override is the operator's and goes into DDL as it is. */
function createdType(schema: TableSchema, column: ColumnSchema, rules: PlanRules): string {
  const override = rules.typeOverrides.get(`${schema.id.schema}.${schema.id.table}.${column.name}`);
  if (override !== undefined) return override;
  const type = pgTypeOf(column);
  if (type.name !== 'varbit') return printPgType(type);
  throw new CdcError('DESTINATION_SCHEMA_INCOMPATIBLE', 'a bit string of varying length cannot be kept exactly', {
    details: { table: schema.id.table, column: column.name },
    hint: 'Set type.overrides to bytea for the column.',
  });
}

function comments(schema: TableSchema, target: TargetName, names: readonly string[]): readonly string[] {
  const statements: string[] = [];
  if (schema.comment) statements.push(`COMMENT ON TABLE ${target.sql} IS ${quoteLiteral(schema.comment)}`);
  for (const [index, column] of schema.columns.entries()) {
    if (!column.comment) continue;
    const name = quoteIdentifier(names[index] ?? column.name);
    statements.push(`COMMENT ON COLUMN ${target.sql}.${name} IS ${quoteLiteral(column.comment)}`);
  }
  return statements;
}

/** DDL of a table that is not there: exact types, the primary key and nothing else. */
export function creationStatements(schema: TableSchema, target: TargetName, rules: PlanRules): readonly string[] {
  const names = nameColumns(schema.columns.map((column) => column.name));
  const lines = schema.columns.map((column, index) => {
    const isKey = schema.primaryKey.includes(column.name);
    const notNull = isKey || !column.nullable ? ' NOT NULL' : '';
    return `${quoteIdentifier(names[index] ?? '')} ${createdType(schema, column, rules)}${notNull}`;
  });
  const key = schema.primaryKey.map((name) => keyColumn(schema, names, name));
  if (key.length > 0) lines.push(`PRIMARY KEY (${key.map(quoteIdentifier).join(', ')})`);
  const properties = [...rules.tableProperties].map(([name, value]) => `${name} = ${quoteLiteral(value)}`);
  const storage = properties.length === 0 ? '' : ` WITH (${properties.join(', ')})`;
  return [
    `CREATE TABLE IF NOT EXISTS ${target.sql} (\n  ${lines.join(',\n  ')}\n)${storage}`,
    ...comments(schema, target, names),
  ];
}

function keyColumn(schema: TableSchema, names: readonly string[], name: string): string {
  const fitted = names[schema.columns.findIndex((column) => column.name === name)];
  if (fitted !== undefined) return fitted;
  throw new CdcError('DESTINATION_SCHEMA_INCOMPATIBLE', 'a key column is none of the columns of the table', {
    details: { table: schema.id.table, column: name },
  });
}

/** What an existing table lacks, as statements that mend it and as lines for a person where none may. */
export interface TableCheck {
  readonly statements: readonly string[];
  readonly mismatches: readonly string[];
}

/** Compares an existing table with the stream, column by column. Pure; nothing is executed. */
export function checkTable(schema: TableSchema, target: TargetName, table: CatalogTable, rules: PlanRules): TableCheck {
  const statements: string[] = [];
  const mismatches: string[] = [];
  if (table.relationKind !== 'r' && table.relationKind !== 'p') mismatches.push('the relation is no ordinary table');
  const names = nameColumns(schema.columns.map((column) => column.name));
  const byName = new Map(table.columns.map((column) => [column.name, column]));
  const mend = (mendable: boolean, statement: string, complaint: string): void => {
    if (mendable && rules.evolveTables) statements.push(`ALTER TABLE ${target.sql} ${statement}`);
    else mismatches.push(`${complaint}: ALTER TABLE ${target.sql} ${statement}`);
  };
  for (const [index, column] of schema.columns.entries()) {
    const name = names[index] ?? column.name;
    const quoted = quoteIdentifier(name);
    const isKey = schema.primaryKey.includes(column.name);
    const existing = byName.get(name);
    byName.delete(name);
    if (existing === undefined) {
      mend(!isKey, `ADD COLUMN ${quoted} ${createdType(schema, column, rules)}`, `${name}: no such column`);
      continue;
    }
    if (existing.generated) {
      if (isKey) mismatches.push(`${name}: a key column that the target generates`);
      continue;
    }
    checkType(schema, column, existing, table, rules, mend, mismatches);
    if (!isKey && column.nullable && existing.notNull) {
      mend(!inKey(table, name), `ALTER COLUMN ${quoted} DROP NOT NULL`, `${name}: NOT NULL, nullable in the stream`);
    }
  }
  for (const extra of byName.values()) {
    if (!extra.notNull || extra.hasDefault || extra.generated) continue;
    const quoted = quoteIdentifier(extra.name);
    mend(
      !inKey(table, extra.name),
      `ALTER COLUMN ${quoted} DROP NOT NULL`,
      `${extra.name}: NOT NULL, not in the stream`,
    );
  }
  checkKey(schema, target, table, names, mismatches);
  return { statements, mismatches };
}

function inKey(table: CatalogTable, name: string): boolean {
  return table.uniqueIndexes.some((index) => index.primary && index.columns?.includes(name) === true);
}

type Mend = (mendable: boolean, statement: string, complaint: string) => void;

function checkType(
  schema: TableSchema,
  column: ColumnSchema,
  existing: CatalogColumn,
  table: CatalogTable,
  rules: PlanRules,
  mend: Mend,
  mismatches: string[],
): void {
  // An override says what the operator wants to see in this column.
  if (rules.typeOverrides.has(`${schema.id.schema}.${schema.id.table}.${column.name}`)) return;
  const fit = typeFit(column, existing);
  if (fit === 'fits') return;
  const wanted = printPgType(pgTypeOf(column));
  const complaint = `${existing.name}: is ${existing.typeText}, the stream needs ${wanted}`;
  const wider = fit === 'too-narrow' ? widenedType(column, existing) : textFor(column, existing);
  if (wider === null) {
    mismatches.push(complaint);
    return;
  }
  const cheap = widensInPlace(existing.type, wider) || table.sizeBytes <= rules.rewriteLimitBytes;
  mend(cheap, `ALTER COLUMN ${quoteIdentifier(existing.name)} TYPE ${printPgType(wider)}`, complaint);
}

/** A stream whose column became text takes any scalar column along: every value has a text. */
function textFor(column: ColumnSchema, existing: CatalogColumn): ReturnType<typeof widenedType> {
  const wanted = pgTypeOf(column);
  const scalars = new Set(['int2', 'int4', 'int8', 'numeric', 'date', 'uuid', 'varchar', 'bpchar']);
  return wanted.name === 'text' && !wanted.array && !existing.type.array && scalars.has(existing.type.name)
    ? wanted
    : null;
}

function checkKey(
  schema: TableSchema,
  target: TargetName,
  table: CatalogTable,
  names: readonly string[],
  mismatches: string[],
): void {
  if (schema.primaryKey.length === 0) return;
  const key = schema.primaryKey.map((name) => keyColumn(schema, names, name));
  if (keyIndexes(table, key).length > 0) return;
  const columns = key.map(quoteIdentifier).join(', ');
  mismatches.push(`no unique index over exactly the key: ALTER TABLE ${target.sql} ADD PRIMARY KEY (${columns})`);
}

/** Unique indexes over exactly the key columns, in any order. */
function keyIndexes(table: CatalogTable, key: readonly string[]): readonly CatalogIndex[] {
  return table.uniqueIndexes.filter(
    (index) =>
      !index.partial &&
      index.columns !== null &&
      index.columns.length === key.length &&
      index.columns.every((column) => key.includes(column)),
  );
}

/** One error that lists everything. */
export function incompatibleTable(target: TargetName, mismatches: readonly string[]): CdcError {
  return new CdcError('DESTINATION_SCHEMA_INCOMPATIBLE', 'the target table does not fit the stream', {
    details: { table: `${target.schema}.${target.table}`, columns: mismatches },
    hint: 'Run the listed statements, or write to another table.',
  });
}

/** A table that fits, with everything that its statements need to know. */
export interface TablePlan {
  readonly target: TargetName;
  /** In stream order; columns that the target generates are left out. */
  readonly columns: readonly ColumnPair[];
  /** In the order of the stream's key. */
  readonly key: readonly CatalogColumn[];
  readonly mode: ApplyMode;
}

/** `table` has passed `checkTable`. */
export function planTable(schema: TableSchema, target: TargetName, table: CatalogTable): TablePlan {
  const names = nameColumns(schema.columns.map((column) => column.name));
  const byName = new Map(table.columns.map((column) => [column.name, column]));
  const columns: ColumnPair[] = [];
  for (const [index, source] of schema.columns.entries()) {
    const existing = byName.get(names[index] ?? source.name);
    if (existing === undefined || existing.generated) continue;
    columns.push({ source, target: existing, isKey: schema.primaryKey.includes(source.name) });
  }
  const key = schema.primaryKey.flatMap((name) =>
    columns.filter((pair) => pair.source.name === name).map((pair) => pair.target),
  );
  return { target, columns, key, mode: applyMode(table, columns, key) };
}

/**
 * Rows that trade the values of a secondary unique constraint collide in an upsert; deleting all touched keys first
 * avoids that. Not where deletes have effects of their own, and not where the target holds columns that the stream
 * does not carry, because these would be lost.
 */
function applyMode(table: CatalogTable, columns: readonly ColumnPair[], key: readonly CatalogColumn[]): ApplyMode {
  if (key.length === 0) return 'append';
  const keyNames = key.map((column) => column.name);
  const arbiters = keyIndexes(table, keyNames);
  const usable = arbiters.some((index) => index.immediate);
  const secondary = table.uniqueIndexes.filter((index) => !arbiters.includes(index));
  const collides = secondary.some((index) => !index.initiallyDeferred);
  const carried = new Set(columns.map((pair) => pair.target.name));
  const ownColumns = table.columns.some((column) => !column.generated && !carried.has(column.name));
  if (!usable) return 'delete-insert';
  return collides && !table.deletesHaveEffects && !ownColumns ? 'delete-insert' : 'upsert';
}
