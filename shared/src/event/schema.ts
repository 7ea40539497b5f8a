import { createHash } from 'node:crypto';

import { printLogicalType } from './logical-type.ts';
import type { LogicalType } from './logical-type.ts';
import type { TableId } from './table-id.ts';

export interface ColumnSchema {
  readonly name: string;
  readonly type: LogicalType;
  readonly nullable: boolean;
  /** The source's own type text, lower case, such as `int unsigned`, `json`, `bit(3)`; `null` where inferred from data. */
  readonly sourceType: string | null;
  readonly comment: string | null;
  /** Default expression text; informational, never applied to data. */
  readonly defaultValue: string | null;
  readonly generated: boolean;
}

/** One version of a table: immutable, compared by fingerprint. */
export interface TableSchema {
  readonly id: TableId;
  readonly columns: readonly ColumnSchema[];
  /** Names in key order; empty when the table has no key. */
  readonly primaryKey: readonly string[];
  readonly comment: string | null;
  readonly fingerprint: string;
}

/** 16 hex digits over names, types, nullability, source types and key: equal schemas of one table have equal prints. */
export function schemaFingerprint(columns: readonly ColumnSchema[], primaryKey: readonly string[]): string {
  const hash = createHash('sha256');
  for (const column of columns) {
    hash.update(JSON.stringify([column.name, printLogicalType(column.type), column.nullable, column.sourceType]));
  }
  hash.update(JSON.stringify(primaryKey));
  return hash.digest('hex').slice(0, 16);
}

export function tableSchema(parts: Omit<TableSchema, 'fingerprint'>): TableSchema {
  return { ...parts, fingerprint: schemaFingerprint(parts.columns, parts.primaryKey) };
}
