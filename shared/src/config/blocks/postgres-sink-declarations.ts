import type { Block } from '../declare/block.ts';
import { boolean, duration, grammar, integer, oneOf, secret, size, text } from '../declare/option-type.ts';
import type { OptionType } from '../declare/option-type.ts';
import { collected, defaulted, notYet, optional, required } from '../declare/option.ts';
import { parseMapping } from '../mapping.ts';
import { parsed, unparsable } from '../parsed.ts';
import type { Parsed } from '../parsed.ts';
import type { TypeOverride } from '../postgres-sink-options.ts';
import { splitOutsideBrackets } from '../split-outside-brackets.ts';
import { parseTableSelectors } from '../table-selectors.ts';
import { parsePostgresUrl } from './postgres-url.ts';
import { sharedSinkDeclarations } from './shared-sink-declarations.ts';

const typeName = /^[A-Za-z_][\w.]*( [A-Za-z]+)*(\(\d+(,\s*\d+)?\))?( [A-Za-z]+)*(\[\])?$/;

/** `sel.col:pgtype;…`: the last bare dot stands before the column. */
function parseTypeOverrides(given: string): Parsed<readonly TypeOverride[]> {
  const entries = parseMapping(given, 'type', 2);
  if (!entries.ok) return entries;
  const overrides: TypeOverride[] = [];
  for (const { tables, target, column } of entries.value) {
    const parts = splitOutsideBrackets(tables.text.trim(), (whole, index) => (whole[index] === '.' ? 1 : 0));
    const name = parts.at(-1);
    const selected = parseTableSelectors(tables.text.trim().slice(0, (name?.start ?? 1) - 1));
    if (name === undefined || parts.length < 2 || !selected.ok) return unparsable('table.column:type', column);
    if (!typeName.test(target)) return unparsable('a PostgreSQL type such as numeric(30,4)', column);
    overrides.push({ tables: selected.value, column: name.text, type: target });
  }
  return parsed(overrides);
}

/** A literal name, or one with `{schema}` in it; other braces are no template of this option. */
function parseSchemaTemplate(given: string): Parsed<string> {
  const rest = given.replaceAll('{schema}', '');
  if (given === '' || /[{}]/.test(rest))
    return unparsable('a schema name, with {schema} for the part before the table');
  return parsed(given);
}

function identifierPart(expected: string): OptionType<string> {
  return text({ pattern: /^[\p{L}\p{N}_$-]{1,40}$/u, allowEmpty: true, expected });
}

/** `sink` with type postgres. */
export const postgresSinkDeclarations = {
  type: required(oneOf(['postgres']), { doc: 'Kind of sink' }),
  url: optional(grammar('URL', parsePostgresUrl, { secret: true }), {
    doc: 'postgresql://… or jdbc:postgresql://…, in place of hostname, port and database',
  }),
  hostname: optional(text(), { doc: 'The server; required without url' }),
  port: defaulted(integer({ min: 1, max: 65_535 }), '5432', { doc: 'TCP port' }),
  database: optional(text(), { doc: 'Required without url' }),
  username: optional(text(), { doc: 'User; required' }),
  password: optional(secret, { doc: 'Password' }),
  'ssl.mode': optional(oneOf(['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full']), {
    doc: 'Default require off loopback, prefer on it',
  }),
  'ssl.ca': optional(text({ label: 'PEM file' }), { doc: 'Certificates to trust' }),
  'ssl.cert': optional(text({ label: 'PEM file' }), { doc: 'Own certificate' }),
  'ssl.key': optional(text({ label: 'PEM file' }), { doc: 'Own private key' }),
  schema: defaulted(grammar('template', parseSchemaTemplate), '{schema}', {
    doc: 'Target schema: {schema} = the part before the table name, or a literal',
  }),
  'schema.create.enabled': defaulted(boolean, 'true', { doc: 'Create missing schemas' }),
  'table.create.enabled': defaulted(boolean, 'true', { doc: 'Create missing tables' }),
  'table.prefix': defaulted(identifierPart('letters, digits, _ $ -'), '', { doc: 'In front of table names' }),
  'table.suffix': defaulted(identifierPart('letters, digits, _ $ -'), '', { doc: 'Behind table names' }),
  'metadata.schema': defaulted(
    text({ pattern: /^[\p{L}_][\p{L}\p{N}_$]{0,62}$/u, expected: 'a schema name' }),
    'millrace',
    {
      doc: 'Schema of offsets and epochs',
    },
  ),
  'sink.parallelism': optional(integer({ min: 1, max: 64 }), {
    doc: 'Connections that write side by side; default pipeline.parallelism, else 4',
  }),
  'sink.buffer-flush.max-rows': defaulted(integer({ min: 1 }), '5000', {
    doc: 'Upper bound of a batch',
    aliases: ['write.batch.size'],
  }),
  'sink.buffer-flush.max-size': defaulted(size(), '16mb', { doc: 'Upper bound of a batch' }),
  'sink.buffer-flush.interval': defaulted(duration({ min: 1 }), '1s', {
    doc: 'Upper bound of the wait; a lone change is applied at once',
    aliases: ['write.batch.interval.ms'],
  }),
  'sink.max-retries': defaulted(integer({ min: 0 }), '5', {
    doc: 'Per batch, before the retry of the pipeline',
    aliases: ['write.max.retries'],
  }),
  'apply.mode': defaulted(oneOf(['key']), 'key', {
    doc: 'In order per key',
    notes: { transaction: { as: 'refused', reason: `whole source transactions: ${notYet}; use key` } },
  }),
  'type.overrides': optional(grammar('sel.col:pgtype;…', parseTypeOverrides), {
    doc: 'Column types of our own choice',
  }),
  'session.statement_timeout': optional(text(), { doc: 'Set on each connection', status: 'D' }),
  'session.lock_timeout': optional(text(), { doc: 'Set on each connection', status: 'D' }),
  'session.synchronous_commit': optional(oneOf(['on', 'off', 'local', 'remote_write', 'remote_apply']), {
    doc: 'Set on each connection',
    status: 'D',
  }),
  'session.application_name': optional(text(), { doc: 'Set on each connection', status: 'D' }),
  'table.properties.*': collected({ doc: 'Storage parameters of created tables, such as fillfactor', status: 'D' }),
  ...sharedSinkDeclarations,
};

export type PostgresSinkBlock = Block<typeof postgresSinkDeclarations>;

export const sessionSettings = ['statement_timeout', 'lock_timeout', 'synchronous_commit', 'application_name'] as const;
