import { createHash } from 'node:crypto';

import { CdcError } from '@millrace/shared/errors/cdc-error.ts';
import type { TableId } from '@millrace/shared/event/table-id.ts';

/** NAMEDATALEN − 1: PostgreSQL cuts longer names with no more than a notice, so that two may become one. */
const maxIdentifierBytes = 63;
const keptBytes = 54;
const hashDigits = 8;

/** Always quoted: case, blanks, dots and reserved words stay what they are. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A string literal that means the same under either setting of `standard_conforming_strings`. */
export function quoteLiteral(text: string): string {
  const quoted = `'${text.replaceAll("'", "''").replaceAll('\\', '\\\\')}'`;
  return text.includes('\\') ? ` E${quoted}` : quoted;
}

/** The name if it fits 63 bytes, else its first 54 bytes at most, cut between characters, `_` and 8 hex of its hash. */
export function fitIdentifier(name: string): string {
  if (name === '' || name.includes('\0')) {
    throw new CdcError('DESTINATION_SCHEMA_INCOMPATIBLE', 'a name cannot be an identifier of PostgreSQL', {
      details: { reason: name === '' ? 'empty' : 'holds NUL' },
    });
  }
  const bytes = Buffer.from(name, 'utf8');
  if (bytes.length <= maxIdentifierBytes) return name;
  let cut = keptBytes;
  while (((bytes[cut] as number) & 0xc0) === 0x80) cut--;
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, hashDigits);
  return `${bytes.toString('utf8', 0, cut)}_${hash}`;
}

export interface TargetName {
  readonly schema: string;
  readonly table: string;
  /** Both quoted, joined by a dot. */
  readonly sql: string;
}

export interface NamingRules {
  readonly schema: string;
  readonly tablePrefix: string;
  readonly tableSuffix: string;
}

/** For people: without quotes. */
export function tableText(target: TargetName): string {
  return `${target.schema}.${target.table}`;
}

export function targetName(schema: string, table: string): TargetName {
  return { schema, table, sql: `${quoteIdentifier(schema)}.${quoteIdentifier(table)}` };
}

/** Applies template, prefix and suffix. A table without a schema part goes to `public` under the template. */
export function nameTarget(id: Pick<TableId, 'schema' | 'table'>, rules: NamingRules): TargetName {
  const schemaPart = id.schema === '' ? 'public' : id.schema;
  const schema = fitIdentifier(rules.schema.replaceAll('{schema}', () => schemaPart));
  return targetName(schema, fitIdentifier(`${rules.tablePrefix}${id.table}${rules.tableSuffix}`));
}

/** Target column names by position; two columns that would meet under one name are an error. */
export function nameColumns(names: readonly string[]): readonly string[] {
  const fitted = names.map(fitIdentifier);
  const seen = new Set<string>();
  for (const name of fitted) {
    if (seen.has(name)) {
      throw new CdcError('DESTINATION_SCHEMA_INCOMPATIBLE', 'two columns have one name at the destination', {
        details: { column: name },
      });
    }
    seen.add(name);
  }
  return fitted;
}
