import type { PemFile } from './pem-file.ts';
import type { TableSelectors } from './table-selectors.ts';

export type PostgresTlsMode = 'disable' | 'allow' | 'prefer' | 'require' | 'verify-ca' | 'verify-full';

export interface PostgresTls {
  readonly mode: PostgresTlsMode;
  readonly ca: PemFile | null;
  readonly cert: PemFile | null;
  readonly key: PemFile | null;
}

export interface TypeOverride {
  readonly tables: TableSelectors;
  readonly column: string;
  /** PostgreSQL type as given, such as `numeric(30,4)`; from the document's author, not from data. */
  readonly type: string;
}

export interface PostgresFlush {
  /** Upper bounds: a lone change is applied at once, a backlog in large batches. */
  readonly maxRows: number;
  readonly maxBytes: number;
  readonly intervalMs: number;
}

/** NUL and invalid UTF-8 in text. `dead-letter` stops the pipeline where the dead-letter policy is stop. */
export type InvalidTextPolicy = 'dead-letter' | 'replace' | 'strip';

export interface PostgresSinkOptions {
  readonly kind: 'postgres';
  /** `sink.name`, else `postgres`: a label. */
  readonly name: string;
  readonly hostname: string;
  readonly port: number;
  readonly database: string;
  readonly username: string;
  readonly password: string;
  readonly tls: PostgresTls;
  /** Target schema: a literal, or a template with `{schema}` = the part before the table name. */
  readonly schemaTemplate: string;
  readonly createSchemas: boolean;
  readonly createTables: boolean;
  readonly tablePrefix: string;
  readonly tableSuffix: string;
  /** Schema of offsets and epochs. */
  readonly metadataSchema: string;
  /** Identity under which offsets and epochs are stored. */
  readonly commitUser: string;
  readonly parallelism: number;
  readonly flush: PostgresFlush;
  /** Per batch, before the pipeline's retry. */
  readonly maxRetries: number;
  readonly typeOverrides: readonly TypeOverride[];
  readonly invalidText: InvalidTextPolicy;
  /** `session.*`: set on each connection; names without the prefix. */
  readonly sessionSettings: ReadonlyMap<string, string>;
  /** `table.properties.*`: storage parameters of created tables; names without the prefix. */
  readonly storageParameters: ReadonlyMap<string, string>;
}
