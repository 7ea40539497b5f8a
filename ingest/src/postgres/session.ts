import { Client } from 'pg';
import type { ClientConfig } from 'pg';

import type { PostgresAddress } from './options.ts';
import { BufferPool, Pipeline } from './pipeline.ts';
import type { PreparedNames, StepResult } from './pipeline.ts';
import { effectiveTlsMode, tlsConfig } from './tls.ts';

const connectTimeoutMs = 10_000;
const keepAliveDelayMs = 10_000;
const minAnswerTimeoutMs = 75_000;
const answerGraceMs = 15_000;

/** Settings that the meaning or the speed of our statements rests on; `session.*` may change those that only tune. */
const fixedSettings: ReadonlyMap<string, string> = new Map([
  ['TimeZone', 'UTC'],
  ['DateStyle', 'ISO, YMD'],
  ['IntervalStyle', 'postgres'],
  ['client_encoding', 'UTF8'],
  ['standard_conforming_strings', 'on'],
  ['default_transaction_isolation', 'read committed'],
  ['default_transaction_deferrable', 'off'],
]);

const tunableSettings: ReadonlyMap<string, string> = new Map([
  // Our own statements qualify every name; triggers of the target may need more.
  ['search_path', 'pg_catalog'],
  ['temp_buffers', '64MB'],
  ['lock_timeout', '10s'],
  ['statement_timeout', '60s'],
  ['idle_in_transaction_session_timeout', '30s'],
]);

export function sessionSettings(applicationName: string, overrides: ReadonlyMap<string, string>): Map<string, string> {
  return new Map([...tunableSettings, ['application_name', applicationName], ...overrides, ...fixedSettings]);
}

/** Milliseconds of a PostgreSQL duration such as `60s`; 0 (off) and unknown forms give null. */
export function durationMs(text: string): number | null {
  const match = /^\s*(\d+)\s*(ms|s|min|h)?\s*$/.exec(text);
  if (match === null) return null;
  const unit = { ms: 1, s: 1000, min: 60_000, h: 3_600_000 }[match[2] ?? 'ms'] ?? 1;
  const ms = Number(match[1]) * unit;
  return ms === 0 ? null : ms;
}

type Row = Readonly<Record<string, unknown>>;

/** One connection with our session settings. Calls never overlap. */
export class PostgresSession implements AsyncDisposable {
  readonly #client: Client;
  readonly #prepared: PreparedNames = new Set();
  readonly #pool: BufferPool;
  readonly #answerTimeoutMs: number;
  #broken = false;

  constructor(client: Client, pool: BufferPool, answerTimeoutMs: number) {
    this.#client = client;
    this.#pool = pool;
    this.#answerTimeoutMs = answerTimeoutMs;
    client.on('error', () => {
      this.#broken = true;
    });
    client.on('end', () => {
      this.#broken = true;
    });
  }

  /** False as soon as the socket is known to be gone. */
  get usable(): boolean {
    return !this.#broken;
  }

  /** Rows with values as `pg` parses them: bigint and numeric stay text. */
  async query(sql: string, parameters: readonly unknown[] = []): Promise<readonly Row[]> {
    const result = await this.#client.query<Row>(sql, [...parameters]);
    return result.rows;
  }

  /** Statements without parameters, several in one round trip. */
  async run(sql: string): Promise<void> {
    await this.#client.query(sql);
  }

  /** One pipeline from its first step to its last answer; a failure leaves the session ready for a rollback. */
  async pipelined(
    signal: AbortSignal,
    fill: (pipeline: Pipeline) => Promise<void> | void,
  ): Promise<readonly StepResult[]> {
    const pipeline = new Pipeline(this.#prepared, this.#pool, this.#answerTimeoutMs);
    this.#client.query(pipeline);
    try {
      await pipeline.ready(signal);
      await fill(pipeline);
      return await pipeline.finish(signal);
    } catch (error) {
      pipeline.abandon();
      throw error;
    }
  }

  /** Back to a clean session after a failed transaction; which statements were prepared before it is not known. */
  async rollback(): Promise<void> {
    await this.run('ROLLBACK; DEALLOCATE ALL');
    this.#prepared.clear();
  }

  /** After `DEALLOCATE ALL`. */
  forgetStatements(): void {
    this.#prepared.clear();
  }

  /** Drops the connection at once; an open transaction is rolled back by the server. */
  destroy(): void {
    this.#broken = true;
    this.#client.connection.stream.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#broken) {
      this.#client.connection.stream.destroy();
      return;
    }
    this.#broken = true;
    await this.#client.end();
  }
}

function refusesTls(error: unknown): boolean {
  return error instanceof Error && error.message.includes('does not support SSL');
}

async function connect(config: ClientConfig, signal: AbortSignal): Promise<Client> {
  signal.throwIfAborted();
  const client = new Client(config);
  // Without a listener a connection that breaks between two calls would end the process.
  client.on('error', () => undefined);
  const onAbort = (): void => {
    client.connection.stream.destroy();
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await client.connect();
    return client;
  } catch (error) {
    client.connection.stream.destroy();
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

async function connectWithTls(address: PostgresAddress, signal: AbortSignal): Promise<Client> {
  const mode = effectiveTlsMode(address);
  const config: ClientConfig = {
    host: address.hostname,
    port: address.port,
    database: address.database,
    user: address.username,
    password: async () => address.password(),
    ssl: tlsConfig(address, mode),
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveDelayMs,
    connectionTimeoutMillis: connectTimeoutMs,
  };
  try {
    return await connect(config, signal);
  } catch (error) {
    if (mode !== 'prefer' || !refusesTls(error)) throw error;
    return connect({ ...config, ssl: false }, signal);
  }
}

export interface SessionOptions {
  readonly address: PostgresAddress;
  readonly applicationName: string;
  readonly settings: ReadonlyMap<string, string>;
}

/** Connects and sets the session up. Throws what `pg` throws. */
export async function openSession(options: SessionOptions, signal: AbortSignal): Promise<PostgresSession> {
  const client = await connectWithTls(options.address, signal);
  const settings = sessionSettings(options.applicationName, options.settings);
  const statementTimeoutMs = durationMs(settings.get('statement_timeout') ?? '') ?? 0;
  const answerTimeoutMs = Math.max(minAnswerTimeoutMs, statementTimeoutMs + answerGraceMs);
  const session = new PostgresSession(client, new BufferPool(), answerTimeoutMs);
  try {
    const names = [...settings.keys()];
    const calls = names.map((_, index) => `set_config($${2 * index + 1}, $${2 * index + 2}, false)`);
    await session.query(`SELECT ${calls.join(', ')}`, [...settings].flat());
    return session;
  } catch (error) {
    session.destroy();
    throw error;
  }
}
