import type { PostgresSinkOptions, PostgresTls, PostgresTlsMode } from '../postgres-sink-options.ts';
import { isLoopback, safeIdentity } from './context.ts';
import type { BuildContext } from './context.ts';
import { pemOption } from './pem-option.ts';
import { sessionSettings } from './postgres-sink-declarations.ts';
import type { PostgresSinkBlock } from './postgres-sink-declarations.ts';
import type { PostgresUrl } from './postgres-url.ts';

const tlsModes = new Map<string, PostgresTlsMode>(
  (['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const).map((mode) => [mode, mode]),
);

interface Address {
  readonly hostname: string;
  readonly port: number;
  readonly database: string;
}

function buildAddress(block: PostgresSinkBlock, url: PostgresUrl | null): Address | null {
  const { values } = block;
  if (block.given('url')) {
    for (const name of ['hostname', 'port', 'database'] as const) {
      if (block.given(name)) block.problem('conflict', name, 'url says it');
    }
    return url;
  }
  for (const name of ['hostname', 'database'] as const) {
    if (!block.given(name)) block.problem('missing', name, 'required, or url');
  }
  const hostname = values.hostname ?? null;
  const database = values.database ?? null;
  return hostname === null || database === null ? null : { hostname, port: values.port ?? 5432, database };
}

interface Login {
  readonly username: string;
  readonly password: string;
}

function buildLogin(block: PostgresSinkBlock, url: PostgresUrl | null): Login | null {
  const { values } = block;
  if (url !== null && url.password !== null) {
    block.warning('url', 'a password in a URL is easily logged: use password: ${secret_values.…}');
  }
  for (const name of ['username', 'password'] as const) {
    const inUrl = url?.[name] ?? null;
    if (inUrl !== null && block.given(name) && values[name] !== inUrl)
      block.problem('conflict', name, 'url says another');
  }
  const username = values.username ?? url?.username ?? null;
  if (username === null) {
    if (!block.given('username')) block.problem('missing', 'username', 'required');
    return null;
  }
  return { username, password: values.password ?? url?.password ?? '' };
}

function buildTls(
  block: PostgresSinkBlock,
  url: PostgresUrl | null,
  hostname: string,
  context: BuildContext,
): PostgresTls {
  const inUrl = url?.sslMode ?? null;
  const urlMode = inUrl === null ? null : (tlsModes.get(inUrl) ?? null);
  if (inUrl !== null && urlMode === null)
    block.problem('enum', 'url', `expected sslmode ${[...tlsModes.keys()].join(', ')}`);
  const given = block.values['ssl.mode'] ?? null;
  if (given !== null && urlMode !== null && given !== urlMode)
    block.problem('conflict', 'ssl.mode', 'url says another');
  if (block.given('ssl.cert') !== block.given('ssl.key')) {
    const absent = block.given('ssl.cert') ? 'ssl.key' : 'ssl.cert';
    block.problem('missing', absent, 'certificate and key are given together');
  }
  return {
    mode: given ?? urlMode ?? (isLoopback(hostname) ? 'prefer' : 'require'),
    ca: pemOption(block, 'ssl.ca', context),
    cert: pemOption(block, 'ssl.cert', context),
    key: pemOption(block, 'ssl.key', context),
  };
}

function buildSession(block: PostgresSinkBlock): ReadonlyMap<string, string> {
  const settings = new Map<string, string>();
  for (const name of sessionSettings) {
    const value = block.values[`session.${name}`] ?? null;
    if (value !== null) settings.set(name, value);
  }
  return settings;
}

/** Null after a problem, which is reported. */
export function buildPostgresSink(block: PostgresSinkBlock, context: BuildContext): PostgresSinkOptions | null {
  const url = block.values.url ?? null;
  const address = buildAddress(block, url);
  const login = buildLogin(block, url);
  if (url !== null && url.surplus)
    block.warning('url', 'parameters other than user, password and sslmode have no effect');
  const tls = buildTls(block, url, address?.hostname ?? 'localhost', context);
  const values = block.complete;
  if (values === null || address === null || login === null) return null;
  return {
    kind: 'postgres',
    name: values.name ?? 'postgres',
    hostname: address.hostname,
    port: address.port,
    database: address.database,
    username: login.username,
    password: login.password,
    tls,
    schemaTemplate: values.schema,
    createSchemas: values['schema.create.enabled'],
    createTables: values['table.create.enabled'],
    tablePrefix: values['table.prefix'],
    tableSuffix: values['table.suffix'],
    metadataSchema: values['metadata.schema'],
    commitUser: values['commit.user'] ?? safeIdentity(context.pipelineName),
    parallelism: values['sink.parallelism'] ?? Math.min(context.parallelism ?? 4, 64),
    flush: {
      maxRows: values['sink.buffer-flush.max-rows'],
      maxBytes: values['sink.buffer-flush.max-size'],
      intervalMs: values['sink.buffer-flush.interval'],
    },
    maxRetries: values['sink.max-retries'],
    typeOverrides: values['type.overrides'] ?? [],
    invalidText: values['invalid-text'],
    sessionSettings: buildSession(block),
    storageParameters: values['table.properties.*'],
  };
}
