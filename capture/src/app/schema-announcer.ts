import { assertNever } from '@millrace/shared/errors/cdc-error.ts';
import type { Position } from '@millrace/shared/event/position.ts';
import type { TableSchema } from '@millrace/shared/event/schema.ts';
import { tableIdText } from '@millrace/shared/event/table-id.ts';
import type { SchemaLogWriter } from '@millrace/shared/schema-log/schema-log-writer.ts';
import type { SchemaChange, SchemaChangeType } from '@millrace/shared/schema-log/schema-record.ts';

import type { SchemaChangeEvent, SourceTable } from '../source.ts';
import type { Reporting } from './reporting.ts';

function changeType(change: SchemaChangeEvent['change']): SchemaChangeType {
  switch (change) {
    case 'create':
      return 'CREATE';
    case 'alter':
      return 'ALTER';
    case 'rename':
      return 'RENAME';
    case 'truncate':
      return 'TRUNCATE';
    case 'drop':
      return 'DROP';
    default:
      return assertNever(change);
  }
}

export interface SchemaAnnouncerOptions {
  /** Name of the source in the records. */
  readonly source: string;
  /** Comments of tables and columns are written. */
  readonly comments: boolean;
}

/** The fingerprint stays: comments are no part of it. */
function withoutComments(schema: TableSchema): TableSchema {
  return { ...schema, comment: null, columns: schema.columns.map((column) => ({ ...column, comment: null })) };
}

/**
 * Puts table versions and DDL into the schema log. A version that follows a DDL statement carries it; TRUNCATE and DROP
 * are written at once, because no row of a new version may follow.
 */
export class SchemaAnnouncer {
  readonly #writer: SchemaLogWriter | null;
  readonly #options: SchemaAnnouncerOptions;
  readonly #reporting: Reporting;
  /** DDL met since the last version of a table. */
  readonly #pending = new Map<string, SchemaChange>();
  readonly #seen = new Set<string>();

  constructor(writer: SchemaLogWriter | null, options: SchemaAnnouncerOptions, reporting: Reporting) {
    this.#writer = writer;
    this.#options = options;
    this.#reporting = reporting;
  }

  readonly announce = async (schema: TableSchema, position: Position, signal: AbortSignal): Promise<void> => {
    const table = tableIdText(schema.id);
    const met: SchemaChange = { type: this.#seen.has(table) ? 'ALTER' : 'SNAPSHOT', ddl: null };
    const change = this.#pending.get(table) ?? met;
    this.#pending.delete(table);
    this.#seen.add(table);
    await this.#write(schema, position, change, signal);
  };

  async schemaChange(event: SchemaChangeEvent, latest: SourceTable | undefined, signal: AbortSignal): Promise<void> {
    const table = tableIdText(event.table);
    this.#reporting.schemaChange(table);
    const change: SchemaChange = {
      type: changeType(event.change),
      ddl: event.ddl,
      ...(event.renamedFrom === null ? {} : { from: tableIdText(event.renamedFrom) }),
    };
    if (event.change !== 'truncate' && event.change !== 'drop') {
      this.#pending.set(table, change);
      return;
    }
    if (latest === undefined) return;
    const position = event.position.toString('latin1');
    await this.#write(latest.schema, position, change, signal);
  }

  async #write(schema: TableSchema, position: string, change: SchemaChange, signal: AbortSignal): Promise<void> {
    const { source, comments } = this.#options;
    await this.#writer?.write(
      { schema: comments ? schema : withoutComments(schema), source, position, change },
      signal,
    );
  }
}
