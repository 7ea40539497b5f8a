import { CdcError } from '@millrace/shared/errors/cdc-error.ts';
import type { TableSchema } from '@millrace/shared/event/schema.ts';
import { tableIdText } from '@millrace/shared/event/table-id.ts';

import { readCatalogTable, schemaExists } from './catalog.ts';
import type { CatalogTable } from './catalog.ts';
import { cellFor } from './cell-for-type.ts';
import type { CellContext } from './cell.ts';
import { CopyText } from './copy-text.ts';
import type { CopyColumn } from './copy-column.ts';
import { grantCreateSchema, grantSchema, grantTable, grantTemporary, ownerHint } from './grants.ts';
import { nameTarget, quoteIdentifier } from './identifier.ts';
import type { TargetName } from './identifier.ts';
import { KeyArrays } from './key-array.ts';
import { advisoryLockSql, metadataNames } from './metadata.ts';
import type { PostgresSettings } from './options.ts';
import type { PostgresSession } from './session.ts';
import { destinationError, failureClass } from './sql-state.ts';
import { checkTable, creationStatements, incompatibleTable, planTable } from './table-plan.ts';
import type { ColumnPair, TablePlan } from './table-plan.ts';
import { tableStatements } from './table-statements.ts';
import type { TableStatements } from './table-statements.ts';

/** A table made ready on one session: its staging table exists there. */
export interface OpenTable {
  readonly schema: TableSchema;
  readonly plan: TablePlan;
  readonly statements: TableStatements;
  readonly copyText: CopyText;
  readonly keyArrays: KeyArrays;
}

async function withHint<T>(work: Promise<T>, table: TargetName, hint: string): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (failureClass(error) !== 'rights') throw error;
    throw destinationError(error, { table: `${table.schema}.${table.table}` }, hint);
  }
}

/** Opens tables inside the transaction that also holds their first rows, so that DDL and offsets go together. */
export class TableOpener {
  readonly #settings: PostgresSettings;
  readonly #context: CellContext;
  readonly #onDdl: (table: string, statement: string) => void;
  #opened = 0;

  constructor(settings: PostgresSettings, context: CellContext, onDdl: (table: string, statement: string) => void) {
    this.#settings = settings;
    this.#context = context;
    this.#onDdl = onDdl;
  }

  /** Creates or evolves the table and makes its staging table. A transaction is open. */
  async open(session: PostgresSession, schema: TableSchema): Promise<OpenTable> {
    const target = nameTarget(schema.id, this.#settings);
    const table = await this.#fit(session, schema, target);
    const plan = planTable(schema, target, table);
    const statements = tableStatements(plan, String(++this.#opened));
    if (plan.mode !== 'append') {
      const { database, username } = this.#settings.address;
      const hint = `${grantTemporary(database, username)}; ${grantTable(target, username)}`;
      await withHint(session.run(statements.createStaging), target, hint);
    }
    const copyColumn = (pair: ColumnPair): CopyColumn => ({
      field: pair.source.name,
      cell: cellFor(pair.target.type, pair.source, this.#context),
      isKey: pair.isKey,
      nullable: pair.source.nullable,
    });
    const keyPairs = plan.key.flatMap((column) => plan.columns.filter((pair) => pair.target === column));
    return {
      schema,
      plan,
      statements,
      copyText: new CopyText(plan.columns.map(copyColumn)),
      keyArrays: new KeyArrays(new CopyText(keyPairs.map(copyColumn)), keyPairs.length),
    };
  }

  async #fit(session: PostgresSession, schema: TableSchema, target: TargetName): Promise<CatalogTable> {
    const found = await readCatalogTable(session, target);
    if (found !== null && (await this.#isRegistered(session, schema, target))) {
      const check = checkTable(schema, target, found, this.#settings);
      if (check.mismatches.length > 0) throw incompatibleTable(target, check.mismatches);
      if (check.statements.length === 0) return found;
    }
    await session.query(advisoryLockSql(), [target.sql]);
    const current = await readCatalogTable(session, target);
    if (current === null) await this.#create(session, schema, target);
    else await this.#evolve(session, schema, target, current);
    await this.#register(session, schema, target);
    const changed = await readCatalogTable(session, target);
    if (changed === null) throw incompatibleTable(target, ['the table vanished while it was prepared']);
    const check = checkTable(schema, target, changed, this.#settings);
    const left = [...check.mismatches, ...check.statements];
    if (left.length > 0) throw incompatibleTable(target, left);
    return changed;
  }

  async #create(session: PostgresSession, schema: TableSchema, target: TargetName): Promise<void> {
    const { createSchemas, createTables, address } = this.#settings;
    const statements = creationStatements(schema, target, this.#settings);
    if (!createTables) throw incompatibleTable(target, [`no such table: ${statements.join('; ')}`]);
    if (!(await schemaExists(session, target.schema))) {
      const sql = `CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(target.schema)}`;
      if (!createSchemas) throw incompatibleTable(target, [`no such schema: ${sql}`]);
      // Tables of one schema may be created side by side.
      await session.query(advisoryLockSql(), [`schema ${target.schema}`]);
      await withHint(session.run(sql), target, grantCreateSchema(address.database, address.username));
    }
    await this.#run(session, target, statements, grantSchema(target.schema, address.username));
  }

  async #evolve(session: PostgresSession, schema: TableSchema, target: TargetName, table: CatalogTable): Promise<void> {
    const check = checkTable(schema, target, table, this.#settings);
    if (check.mismatches.length > 0) throw incompatibleTable(target, check.mismatches);
    await this.#run(session, target, check.statements, ownerHint(check.statements, this.#settings.address.username));
  }

  async #run(session: PostgresSession, target: TargetName, statements: readonly string[], hint: string): Promise<void> {
    for (const sql of statements) {
      await withHint(session.run(sql), target, hint);
      this.#onDdl(`${target.schema}.${target.table}`, sql);
    }
  }

  /** Throws when another stream of this pipeline feeds the table: two would overwrite each other's rows. */
  async #isRegistered(session: PostgresSession, schema: TableSchema, target: TargetName): Promise<boolean> {
    const { commitUser, metadataSchema } = this.#settings;
    const [row] = await session.query(
      `SELECT source_table FROM ${metadataNames(metadataSchema).tables}
        WHERE pipeline = $1 AND schema_name = $2 AND table_name = $3`,
      [commitUser, target.schema, target.table],
    );
    if (row === undefined) return false;
    const source = tableIdText(schema.id);
    if (row['source_table'] === source) return true;
    throw new CdcError('DESTINATION_SCHEMA_INCOMPATIBLE', 'two streams would write to one table', {
      details: { table: `${target.schema}.${target.table}`, streams: [String(row['source_table']), source] },
      hint: 'Give them different schemas or names, or merge them on purpose by a route.',
    });
  }

  async #register(session: PostgresSession, schema: TableSchema, target: TargetName): Promise<void> {
    if (await this.#isRegistered(session, schema, target)) return;
    const { commitUser, metadataSchema } = this.#settings;
    const columns = JSON.stringify(schema.columns.map((column) => column.name));
    await session.query(
      `INSERT INTO ${metadataNames(metadataSchema).tables} (pipeline, schema_name, table_name, source_table, column_names)
        VALUES ($1, $2, $3, $4, $5)`,
      [commitUser, target.schema, target.table, tableIdText(schema.id), columns],
    );
  }
}
