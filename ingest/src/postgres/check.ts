import { CdcError } from '@millrace/shared/errors/cdc-error.ts';

import { grantCreateSchema, grantMetadataTables, grantSchema, grantTemporary } from './grants.ts';
import { quoteIdentifier } from './identifier.ts';
import { applicationPrefix } from './application-name.ts';
import type { PostgresSettings } from './options.ts';
import type { PostgresSession } from './session.ts';

/** Generated columns and procedures of the catalogue that we read are there from 12 on. */
const minVersion = 120_000;

const factsSql = `SELECT current_setting('server_version_num')::int AS version, pg_is_in_recovery() AS standby,
    current_setting('default_transaction_read_only') AS read_only, current_setting('server_encoding') AS encoding,
    current_setting('fsync') AS fsync, current_setting('full_page_writes') AS full_page_writes,
    current_setting('max_connections')::int - (SELECT count(*)::int FROM pg_stat_activity
      WHERE backend_type = 'client backend') AS connections_left,
    has_database_privilege(current_database(), 'TEMPORARY') AS temporary,
    has_database_privilege(current_database(), 'CREATE') AS create_schema`;

const schemaSql = `SELECT n.nspname AS name, has_schema_privilege(n.oid, 'USAGE') AS usage,
    has_schema_privilege(n.oid, 'CREATE') AS create,
    (SELECT count(*)::int FROM pg_class c WHERE c.relnamespace = n.oid AND c.relname IN ('offsets', 'marks', 'tables')
      AND has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
      AND has_table_privilege(c.oid, 'UPDATE')) AS writable
  FROM pg_namespace n WHERE n.nspname = ANY ($1)`;

type Row = Readonly<Record<string, unknown>>;

interface Findings {
  readonly statements: string[];
  readonly settings: string[];
  readonly warnings: string[];
}

function checkServer(facts: Row, settings: PostgresSettings, found: Findings): void {
  const { database, username } = settings.address;
  if (Number(facts['version']) < minVersion) found.settings.push('the server is older than PostgreSQL 12');
  if (facts['standby'] === true) found.settings.push('the server is a standby: connect to the primary');
  if (facts['read_only'] === 'on') found.settings.push('default_transaction_read_only is on');
  if (facts['encoding'] !== 'UTF8')
    found.settings.push(`the encoding of the database is ${String(facts['encoding'])}, not UTF8`);
  if (facts['temporary'] !== true) found.statements.push(grantTemporary(database, username));
  if (facts['fsync'] === 'off') found.warnings.push('fsync is off: a power cut may destroy the database');
  if (facts['full_page_writes'] === 'off')
    found.warnings.push('full_page_writes is off: a power cut may destroy pages');
  if (Number(facts['connections_left']) < settings.parallelism) {
    found.warnings.push(`fewer than ${settings.parallelism} connections are left for sink.parallelism`);
  }
}

function checkMetadata(schema: Row | undefined, facts: Row, settings: PostgresSettings, found: Findings): void {
  const { database, username } = settings.address;
  if (schema === undefined) {
    if (facts['create_schema'] !== true) found.statements.push(grantCreateSchema(database, username));
  } else if (schema['writable'] !== 3) {
    if (schema['usage'] !== true || schema['create'] !== true) {
      found.statements.push(grantSchema(settings.metadataSchema, username));
    } else {
      found.warnings.push(`where tables exist already: ${grantMetadataTables(settings.metadataSchema, username)}`);
    }
  } else if (schema['usage'] !== true) {
    found.statements.push(
      `GRANT USAGE ON SCHEMA ${quoteIdentifier(settings.metadataSchema)} TO ${quoteIdentifier(username)}`,
    );
  }
}

function checkTargetSchema(schema: Row | undefined, facts: Row, settings: PostgresSettings, found: Findings): void {
  const { database, username } = settings.address;
  if (settings.schema.includes('{schema}')) {
    if (settings.createSchemas && facts['create_schema'] !== true) {
      found.warnings.push(`schemas that do not exist yet cannot be created: ${grantCreateSchema(database, username)}`);
    }
  } else if (schema === undefined) {
    const missing = `CREATE SCHEMA ${quoteIdentifier(settings.schema)}`;
    if (!settings.createSchemas) found.statements.push(missing);
    else if (facts['create_schema'] !== true) found.statements.push(grantCreateSchema(database, username));
  } else if (schema['usage'] !== true || (settings.createTables && schema['create'] !== true)) {
    found.statements.push(grantSchema(settings.schema, username));
  }
}

async function checkOtherOwners(session: PostgresSession, settings: PostgresSettings, found: Findings): Promise<void> {
  const rows = await session.query(
    `SELECT count(*)::int AS others FROM pg_stat_activity
      WHERE starts_with(application_name, $1) AND pid <> pg_backend_pid()`,
    [applicationPrefix(settings.commitUser)],
  );
  const others = Number(rows[0]?.['others'] ?? 0);
  if (others > 0) found.warnings.push(`${others} connections use the same commit.user now`);
}

/** Everything that is missing in one error; returns what is only doubtful. */
export async function checkServerAndRights(
  session: PostgresSession,
  settings: PostgresSettings,
): Promise<readonly string[]> {
  const found: Findings = { statements: [], settings: [], warnings: [] };
  const [facts = {}] = await session.query(factsSql);
  const schemas = await session.query(schemaSql, [[settings.metadataSchema, settings.schema]]);
  const byName = new Map(schemas.map((row) => [String(row['name']), row]));
  checkServer(facts, settings, found);
  checkMetadata(byName.get(settings.metadataSchema), facts, settings, found);
  checkTargetSchema(byName.get(settings.schema), facts, settings, found);
  await checkOtherOwners(session, settings, found);
  const statements = [...new Set(found.statements)];
  if (statements.length === 0 && found.settings.length === 0) return found.warnings;
  const code = statements.length > 0 ? 'DESTINATION_AUTH_FAILED' : 'DESTINATION_UNAVAILABLE';
  throw new CdcError(code, 'the database is not ready', {
    details: {
      ...(statements.length > 0 ? { grants: statements } : {}),
      ...(found.settings.length > 0 ? { settings: found.settings } : {}),
    },
    hint: statements.length > 0 ? `Run: ${statements.join('; ')}` : 'Correct the listed settings of the server.',
  });
}
