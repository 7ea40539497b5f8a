import { quoteIdentifier } from './identifier.ts';
import type { Statement } from './pipeline.ts';
import type { TablePlan } from './table-plan.ts';

/** Every statement that one version of a table needs on one session. Names carry `id`, which no other version has. */
export interface TableStatements {
  readonly names: readonly string[];
  /** Plain nullable columns of the target's types; its rows vanish at the end of each transaction. */
  readonly createStaging: string;
  readonly dropStaging: string;
  readonly truncate: Statement;
  /** One array parameter per key column. */
  readonly deleteKeys: Statement;
  /** COPY into the staging table, or into the target itself where rows are only appended. */
  readonly copy: Statement;
  /** Staging to target; several in order. */
  readonly apply: readonly Statement[];
  /** For few rows: one row by parameters in column order; for `delete-insert` its key is deleted before. */
  readonly writeRow: Statement;
  readonly columnCount: number;
}

function conflictClause(plan: TablePlan): string {
  if (plan.mode !== 'upsert') return '';
  const key = plan.key.map((column) => quoteIdentifier(column.name)).join(', ');
  const set = plan.columns
    .filter((pair) => !pair.isKey && !pair.target.identityAlways)
    .map((pair) => quoteIdentifier(pair.target.name))
    .map((name) => `${name} = EXCLUDED.${name}`);
  return ` ON CONFLICT (${key}) DO ${set.length === 0 ? 'NOTHING' : `UPDATE SET ${set.join(', ')}`}`;
}

function deleteSql(plan: TablePlan): string {
  const { key } = plan;
  const [first] = key;
  if (first === undefined) return `DELETE FROM ${plan.target.sql} WHERE false`;
  if (key.length === 1) {
    return `DELETE FROM ${plan.target.sql} WHERE ${quoteIdentifier(first.name)} = ANY ($1::${first.castText}[])`;
  }
  const arrays = key.map((column, index) => `$${index + 1}::${column.castText}[]`).join(', ');
  const names = key.map((_, index) => `k${index}`);
  const match = key.map((column, index) => `t.${quoteIdentifier(column.name)} = v.k${index}`).join(' AND ');
  return (
    `DELETE FROM ${plan.target.sql} t USING (SELECT * FROM unnest(${arrays}) u(${names.join(', ')})` +
    ` ORDER BY ${names.join(', ')}) v WHERE ${match}`
  );
}

function applySql(plan: TablePlan, staging: string, columns: string): readonly string[] {
  const key = plan.key.map((column) => quoteIdentifier(column.name));
  // One order of keys for every writer, so that two of them cannot wait for each other.
  const order = ` ORDER BY ${key.join(', ')}`;
  const insert =
    `INSERT INTO ${plan.target.sql} (${columns})${overriding(plan)} SELECT ${columns} FROM ${staging}${order}` +
    conflictClause(plan);
  if (plan.mode === 'append') return [];
  if (plan.mode === 'upsert') return [insert];
  const match = key.map((name) => `t.${name} = s.${name}`).join(' AND ');
  return [`DELETE FROM ${plan.target.sql} t USING ${staging} s WHERE ${match}`, insert];
}

function overriding(plan: TablePlan): string {
  return plan.columns.some((pair) => pair.target.identityAlways) ? ' OVERRIDING SYSTEM VALUE' : '';
}

export function tableStatements(plan: TablePlan, id: string): TableStatements {
  const columns = plan.columns.map((pair) => quoteIdentifier(pair.target.name)).join(', ');
  const staging = `pg_temp.${quoteIdentifier(`mr_stage_${id}`)}`;
  const statement = (name: string, sql: string): Statement => ({ name: `mr_${name}_${id}`, sql });
  const parameters = plan.columns.map((_, index) => `$${index + 1}`).join(', ');
  const copyTarget = plan.mode === 'append' ? plan.target.sql : staging;
  const statements = {
    truncate: statement('truncate', `TRUNCATE ${plan.target.sql}`),
    deleteKeys: statement('delete', deleteSql(plan)),
    copy: statement('copy', `COPY ${copyTarget} (${columns}) FROM STDIN`),
    apply: applySql(plan, staging, columns).map((sql, index) => statement(`apply${index}`, sql)),
    writeRow: statement(
      'row',
      `INSERT INTO ${plan.target.sql} (${columns})${overriding(plan)} VALUES (${parameters})${conflictClause(plan)}`,
    ),
  };
  const { truncate, deleteKeys, copy, apply, writeRow } = statements;
  return {
    ...statements,
    names: [truncate, deleteKeys, copy, ...apply, writeRow].map((each) => each.name),
    createStaging:
      `CREATE TEMP TABLE ${quoteIdentifier(`mr_stage_${id}`)} ON COMMIT DELETE ROWS AS` +
      ` SELECT ${columns} FROM ${plan.target.sql} WITH NO DATA`,
    dropStaging: `DROP TABLE IF EXISTS ${staging}`,
    columnCount: plan.columns.length,
  };
}
