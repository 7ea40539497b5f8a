import { isIP } from 'node:net';
import type { Socket } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import type { TLSSocket } from 'node:tls';

import { CdcError } from '@millrace/shared/errors/cdc-error.ts';
import { authPlugins, createConnection } from 'mysql2';
import type { Connection, ConnectionOptions, SslOptions } from 'mysql2';

import { translateMysqlError } from './mysql-error.ts';

export interface MysqlTlsOptions {
  readonly mode: 'disabled' | 'preferred' | 'required' | 'verify-ca' | 'verify-identity';
  /** PEM texts. */
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
}

export interface MysqlConnectionOptions {
  readonly host: string;
  readonly port: number;
  /** A Unix socket instead of host and port. */
  readonly socketPath: string | null;
  readonly user: string;
  readonly password: string;
  readonly tls: MysqlTlsOptions;
  /** Without TLS, take the server's RSA key from the server itself; a man in the middle could supply his own. */
  readonly allowPublicKeyRetrieval: boolean;
  readonly connectTimeoutMs: number;
}

/** A row of a small query: every value as the text protocol prints it. */
export type SqlRow = Readonly<Record<string, string | null>>;

const sessionStatements = [
  'SET NAMES utf8mb4',
  // An empty sql_mode: no padding of CHAR, no refusal of zero dates in comparisons, backslash escapes as we write them.
  "SET SESSION time_zone = '+00:00', sql_mode = '', lock_wait_timeout = 10, net_write_timeout = 3600, wait_timeout = 604800",
  'SET SESSION TRANSACTION READ ONLY',
];

/** One logged-in session. Statements run one after the other. */
export class SqlSession implements AsyncDisposable {
  readonly serverVersion: string;
  readonly encrypted: boolean;
  readonly #connection: Connection;
  #closed = false;

  constructor(connection: Connection, serverVersion: string, encrypted: boolean) {
    this.#connection = connection;
    this.serverVersion = serverVersion;
    this.encrypted = encrypted;
    connection.on('error', () => {
      this.#closed = true;
    });
    connection.on('end', () => {
      this.#closed = true;
    });
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Aborting closes the session: a running statement cannot be taken back otherwise. */
  async query(sql: string, signal: AbortSignal, doing = 'running a query'): Promise<readonly SqlRow[]> {
    signal.throwIfAborted();
    return new Promise<readonly SqlRow[]>((resolve, reject) => {
      const onAbort = (): void => {
        this.close();
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#connection.query({ sql, typeCast: (field) => field.string() }, (error, result) => {
        signal.removeEventListener('abort', onAbort);
        if (error === null) resolve(Array.isArray(result) ? (result as unknown as SqlRow[]) : []);
        else reject(translateMysqlError(error, doing));
      });
    });
  }

  /** Hands out the socket between two commands; from then on the caller alone reads, writes and destroys it. */
  takeOver(): Socket {
    this.#closed = true;
    const socket = (this.#connection as unknown as { readonly stream: Socket }).stream;
    socket.removeAllListeners('data');
    socket.pause();
    return socket;
  }

  close(): void {
    this.#closed = true;
    this.#connection.destroy();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }
}

function sslOptions(options: MysqlConnectionOptions): SslOptions | undefined {
  const { tls } = options;
  if (tls.mode === 'disabled' || (tls.mode === 'preferred' && options.socketPath !== null)) return undefined;
  return {
    ...(tls.ca === null ? {} : { ca: tls.ca }),
    ...(tls.cert === null ? {} : { cert: tls.cert }),
    ...(tls.key === null ? {} : { key: tls.key }),
    minVersion: 'TLSv1.2',
    rejectUnauthorized: tls.mode === 'verify-ca' || tls.mode === 'verify-identity',
    // For an IP address the client would compare with `localhost`: `checkIdentity` below does it instead.
    verifyIdentity: tls.mode === 'verify-identity' && isIP(options.host) === 0,
  };
}

/** Refuses to encrypt the password with a key that the server sent over an open line, unless that was allowed. */
function keyFromServer(): never {
  throw new CdcError('SOURCE_AUTH_FAILED', 'the password would be sent under a key that the server supplies', {
    hint: 'Use TLS (ssl.mode), or set allow-public-key-retrieval: true on a network that you trust.',
  });
}

function clientOptions(options: MysqlConnectionOptions, ssl: SslOptions | undefined): ConnectionOptions {
  const guardKey = ssl === undefined && options.socketPath === null && !options.allowPublicKeyRetrieval;
  return {
    ...(options.socketPath === null ? { host: options.host, port: options.port } : { socketPath: options.socketPath }),
    user: options.user,
    password: options.password,
    charset: 'UTF8MB4_GENERAL_CI',
    connectTimeout: options.connectTimeoutMs,
    // Query attributes would change the layout of the commands that we send by hand; local files are never served.
    flags: ['-CLIENT_QUERY_ATTRIBUTES', '-LOCAL_FILES', '-FOUND_ROWS', '-ODBC'],
    disableEval: true,
    ...(ssl === undefined ? {} : { ssl }),
    ...(guardKey
      ? {
          authPlugins: {
            caching_sha2_password: authPlugins.caching_sha2_password({ onServerPublicKey: keyFromServer }),
            sha256_password: authPlugins.sha256_password({ onServerPublicKey: keyFromServer }),
          },
        }
      : {}),
  };
}

function checkIdentity(options: MysqlConnectionOptions, connection: Connection): void {
  if (options.tls.mode !== 'verify-identity' || isIP(options.host) === 0) return;
  const socket = (connection as unknown as { readonly stream: TLSSocket }).stream;
  const failure = checkServerIdentity(options.host, socket.getPeerCertificate());
  if (failure === undefined) return;
  throw new CdcError('SOURCE_AUTH_FAILED', 'the server certificate is for another name', {
    details: { host: options.host, reason: failure.message },
  });
}

async function connectOnce(
  options: MysqlConnectionOptions,
  ssl: SslOptions | undefined,
  signal: AbortSignal,
): Promise<SqlSession> {
  signal.throwIfAborted();
  const connection = createConnection(clientOptions(options, ssl));
  const onAbort = (): void => {
    connection.destroy();
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const version = await new Promise<string>((resolve, reject) => {
      connection.once('error', reject);
      connection.once('connect', (hello: { serverVersion?: string }) => {
        connection.removeListener('error', reject);
        resolve(hello.serverVersion ?? '');
      });
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    });
    checkIdentity(options, connection);
    return new SqlSession(connection, version, ssl !== undefined);
  } catch (error) {
    connection.on('error', () => undefined);
    connection.destroy();
    signal.throwIfAborted();
    const where = options.socketPath ?? `${options.host}:${options.port}`;
    throw error instanceof CdcError ? error : translateMysqlError(error, 'connecting', { server: where });
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function isWithoutTls(error: unknown): boolean {
  return (
    error instanceof CdcError && (error.cause as { code?: unknown } | undefined)?.code === 'HANDSHAKE_NO_SSL_SUPPORT'
  );
}

/**
 * Logs in and prepares the session as every reader of ours needs it: UTF-8, UTC, no padding, read only.
 * In mode `preferred` a server without TLS is used in the clear, and `onWarning` hears of it each time (T118).
 */
export async function connectMysql(
  options: MysqlConnectionOptions,
  signal: AbortSignal,
  onWarning: (warning: string) => void,
): Promise<SqlSession> {
  const ssl = sslOptions(options);
  let session: SqlSession;
  try {
    session = await connectOnce(options, ssl, signal);
  } catch (error) {
    if (options.tls.mode !== 'preferred' || !isWithoutTls(error)) throw error;
    onWarning('the source offers no TLS: data and the login go over the network in the clear');
    session = await connectOnce(options, undefined, signal);
  }
  try {
    for (const statement of sessionStatements) await session.query(statement, signal, 'preparing a session');
    return session;
  } catch (error) {
    session.close();
    throw error;
  }
}

/** One session that is opened when first needed and again after it was lost. Statements queue up behind each other. */
export class SharedSession implements AsyncDisposable {
  readonly #open: (signal: AbortSignal) => Promise<SqlSession>;
  #session: SqlSession | null = null;
  #opening: Promise<SqlSession> | null = null;

  constructor(open: (signal: AbortSignal) => Promise<SqlSession>) {
    this.#open = open;
  }

  async get(signal: AbortSignal): Promise<SqlSession> {
    if (this.#session !== null && !this.#session.closed) return this.#session;
    this.#opening ??= this.#open(signal).finally(() => {
      this.#opening = null;
    });
    this.#session = await this.#opening;
    return this.#session;
  }

  async query(sql: string, signal: AbortSignal, doing?: string): Promise<readonly SqlRow[]> {
    const session = await this.get(signal);
    return session.query(sql, signal, doing);
  }

  /** For statements that only read: one that met a session which the server had closed is run again on a new one. */
  async read(sql: string, signal: AbortSignal, doing?: string): Promise<readonly SqlRow[]> {
    try {
      return await this.query(sql, signal, doing);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof CdcError) || error.code !== 'SOURCE_CONNECTION_LOST') throw error;
    }
    this.renew();
    return this.query(sql, signal, doing);
  }

  /** Closes the session: a new one has the grants and settings of now. */
  renew(): void {
    this.#session?.close();
    this.#session = null;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.renew();
    return Promise.resolve();
  }
}
