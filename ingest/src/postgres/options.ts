import { CdcError } from '@millrace/shared/errors/cdc-error.ts';

export type TlsMode = 'disable' | 'prefer' | 'require' | 'verify-ca' | 'verify-full';

/** PEM texts, already read from where the configuration names them. */
export interface TlsOptions {
  readonly mode?: TlsMode | undefined;
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** Where and as whom. `password` is asked again at each connection, so that a rotated secret takes effect. */
export interface PostgresAddress {
  readonly hostname: string;
  readonly port: number;
  readonly database: string;
  readonly username: string;
  readonly password: () => string | Promise<string>;
  readonly tls?: TlsOptions | undefined;
}

/** What becomes of NUL and lone surrogates in text, which PostgreSQL cannot store. */
export type InvalidTextPolicy = 'dead-letter' | 'replace' | 'strip';

export interface PostgresDestinationOptions extends PostgresAddress {
  readonly pipelineName: string;
  /** Identity under which offsets and epochs are stored. */
  readonly commitUser: string;
  /** Template with `{schema}` = the part before the table name, or a literal. */
  readonly schema?: string;
  readonly createSchemas?: boolean;
  readonly createTables?: boolean;
  /** Whether existing tables may be altered to take the stream: new nullable columns, widened types, NOT NULL relaxed. */
  readonly evolveTables?: boolean;
  readonly tablePrefix?: string;
  readonly tableSuffix?: string;
  readonly metadataSchema?: string;
  readonly parallelism?: number;
  readonly maxRetries?: number;
  readonly invalidText?: InvalidTextPolicy;
  /** PostgreSQL type for `schema.table.column`, by the names of the target table's id. */
  readonly typeOverrides?: ReadonlyMap<string, string>;
  /** Session settings by name, without the `session.` of the configuration. */
  readonly session?: ReadonlyMap<string, string>;
  /** Storage parameters of created tables, such as fillfactor. */
  readonly tableProperties?: ReadonlyMap<string, string>;
  /** A table larger than this is not rewritten to widen a column; the statement is printed instead. */
  readonly rewriteLimitBytes?: number;
  /** Shown in `offsets.owner`, such as host and process. */
  readonly owner?: string;
}

/** Every option with its default applied. */
export interface PostgresSettings {
  readonly address: PostgresAddress;
  readonly pipelineName: string;
  readonly commitUser: string;
  readonly schema: string;
  readonly createSchemas: boolean;
  readonly createTables: boolean;
  readonly evolveTables: boolean;
  readonly tablePrefix: string;
  readonly tableSuffix: string;
  readonly metadataSchema: string;
  readonly parallelism: number;
  readonly maxRetries: number;
  readonly invalidText: InvalidTextPolicy;
  readonly typeOverrides: ReadonlyMap<string, string>;
  readonly session: ReadonlyMap<string, string>;
  readonly tableProperties: ReadonlyMap<string, string>;
  readonly rewriteLimitBytes: number;
  readonly owner: string;
}

const maxParallelism = 64;
const defaultRewriteLimitBytes = 64 * 1024 * 1024;
const parameterName = /^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?$/;

/** Throws `CONFIG_INVALID` for values that could never work. */
export function postgresSettings(options: PostgresDestinationOptions): PostgresSettings {
  const settings: PostgresSettings = {
    address: options,
    pipelineName: options.pipelineName,
    commitUser: options.commitUser,
    schema: options.schema ?? '{schema}',
    createSchemas: options.createSchemas ?? true,
    createTables: options.createTables ?? true,
    evolveTables: options.evolveTables ?? true,
    tablePrefix: options.tablePrefix ?? '',
    tableSuffix: options.tableSuffix ?? '',
    metadataSchema: options.metadataSchema ?? 'millrace',
    parallelism: options.parallelism ?? 4,
    maxRetries: options.maxRetries ?? 5,
    invalidText: options.invalidText ?? 'dead-letter',
    typeOverrides: options.typeOverrides ?? new Map(),
    session: options.session ?? new Map(),
    tableProperties: options.tableProperties ?? new Map(),
    rewriteLimitBytes: options.rewriteLimitBytes ?? defaultRewriteLimitBytes,
    owner: options.owner ?? '',
  };
  const wrong: string[] = [];
  if (!Number.isInteger(settings.parallelism) || settings.parallelism < 1 || settings.parallelism > maxParallelism) {
    wrong.push(`sink.parallelism: 1 to ${maxParallelism}`);
  }
  if (!Number.isInteger(settings.maxRetries) || settings.maxRetries < 0) wrong.push('sink.max-retries: 0 or more');
  if (settings.schema === '') wrong.push('schema: not empty');
  for (const name of settings.session.keys()) if (!parameterName.test(name)) wrong.push(`session.${name}`);
  for (const name of settings.tableProperties.keys()) {
    if (!parameterName.test(name)) wrong.push(`table.properties.${name}`);
  }
  if (wrong.length > 0) {
    throw new CdcError('CONFIG_INVALID', 'options of the postgres sink are not valid', { details: { options: wrong } });
  }
  return settings;
}
