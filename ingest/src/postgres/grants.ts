import { quoteIdentifier } from './identifier.ts';
import type { TargetName } from './identifier.ts';

/** The least rights that each kind of work needs, as statements for a person to run. */

export function grantTemporary(database: string, role: string): string {
  return `GRANT TEMPORARY ON DATABASE ${quoteIdentifier(database)} TO ${quoteIdentifier(role)}`;
}

export function grantCreateSchema(database: string, role: string): string {
  return `GRANT CREATE ON DATABASE ${quoteIdentifier(database)} TO ${quoteIdentifier(role)}`;
}

export function grantSchema(schema: string, role: string): string {
  return `GRANT USAGE, CREATE ON SCHEMA ${quoteIdentifier(schema)} TO ${quoteIdentifier(role)}`;
}

export function grantTable(target: TargetName, role: string): string {
  return `GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ${target.sql} TO ${quoteIdentifier(role)}`;
}

export function grantMetadataTables(schema: string, role: string): string {
  return `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${quoteIdentifier(schema)} TO ${quoteIdentifier(role)}`;
}

/** Only an owner may alter a table. */
export function ownerHint(statements: readonly string[], role: string): string {
  return `Run as the owner of the table, or make ${quoteIdentifier(role)} its owner: ${statements.join('; ')}`;
}
