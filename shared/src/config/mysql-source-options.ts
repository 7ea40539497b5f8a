import type { PemFile } from './pem-file.ts';
import type { TableSelectors } from './table-selectors.ts';

export type MysqlTlsMode = 'disabled' | 'preferred' | 'required' | 'verify-ca' | 'verify-identity';

export interface MysqlTls {
  /** `preferred` that ends in plaintext off loopback must be shown as a warning state. */
  readonly mode: MysqlTlsMode;
  readonly ca: PemFile | null;
  readonly cert: PemFile | null;
  readonly key: PemFile | null;
  /** Fetch the server's RSA key over plaintext for caching_sha2_password. */
  readonly allowPublicKeyRetrieval: boolean;
}

/** Replica ids that the reader may take, both ends included; `derived` from the pipeline name where none is given. */
export interface ServerIds {
  readonly first: number;
  readonly last: number;
  readonly derived: boolean;
}

/** Where to begin when the pipeline has no checkpoint. */
export type MysqlStartup =
  | { readonly mode: 'initial' | 'snapshot' | 'earliest-offset' | 'latest-offset' }
  | { readonly mode: 'specific-gtid-set'; readonly gtidSet: string }
  | {
      readonly mode: 'specific-file';
      readonly file: string;
      readonly position: number;
      readonly skipEvents: number;
      readonly skipRows: number;
    }
  | { readonly mode: 'timestamp'; readonly millis: number };

/** Column to split chosen tables by; the first entry that matches a table applies. */
export interface ChunkKeyColumn {
  readonly tables: TableSelectors;
  readonly column: string;
}

export interface MysqlSnapshotOptions {
  readonly chunkRows: number;
  /** Chunks read at the same time; never more than `connection.pool.size`. */
  readonly parallelism: number;
  readonly chunkKeyColumns: readonly ChunkKeyColumn[];
  /** Rows of a chunk do not wait for the log: changes may repeat after them, the end state is the same. */
  readonly skipBackfill: boolean;
  /** Rows per second over all chunks; 0 = no limit. */
  readonly rateLimitRows: number;
}

/** What happens with a matching table that the checkpoint does not know. */
export type NewTables = 'ignore' | 'snapshot' | 'stream-from-create';

export interface MysqlSourceOptions {
  readonly kind: 'mysql';
  readonly server: 'mysql' | 'mariadb';
  /** `source.name`, else the pipeline name: header `mr.src`. */
  readonly name: string;
  readonly hostname: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
  /** `tables` less `tables.exclude`. Match with the case rule of the server. */
  readonly tables: TableSelectors;
  readonly serverIds: ServerIds;
  readonly tls: MysqlTls;
  readonly connectTimeoutMs: number;
  /** Silence that ends the read of a chunk; null = not said. */
  readonly socketTimeoutMs: number | null;
  /** Attempts per connect. */
  readonly connectMaxRetries: number;
  /** 0 = off. */
  readonly heartbeatIntervalMs: number;
  /** SQL to run at the source each heartbeat interval. */
  readonly heartbeatQuery: string | null;
  /** Declared zone of the server, checked against the server's own for a warning; no value depends on it. */
  readonly serverTimeZone: string | null;
  readonly startup: MysqlStartup;
  readonly snapshot: MysqlSnapshotOptions;
  readonly newTables: NewTables;
  readonly tableDiscoveryIntervalMs: number;
  /** canal-json: `es` is the change time (`metadata.list: es_ts`). */
  readonly executeTimes: boolean;
  /** Comments of tables and columns go into schema records. */
  readonly includeComments: boolean;
  readonly tinyint1AsBoolean: boolean;
  /** JSON documents without blanks, in snapshot and log alike; else as the server prints them. */
  readonly compactJson: boolean;
  readonly zeroDates: 'null' | 'keep' | 'fail';
  readonly invalidText: 'fail' | 'replace';
  /** A larger transaction is emitted in parts. */
  readonly transactionMaxBufferBytes: number;
}
