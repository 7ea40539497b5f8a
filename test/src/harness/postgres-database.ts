import pg from 'pg';
import { stackEnvironment } from './environment.ts';
import type { TextRow } from './mysql-database.ts';
import { uniqueName } from './unique-name.ts';

/** The server's text of every value, whatever its type. */
const asText = { getTypeParser: () => (value: string) => value };

/** A PostgreSQL database of the test's own, dropped with its scope, whoever is still connected to it. */
export class PostgresDatabase implements AsyncDisposable {
  readonly name: string;
  /** Connects to this database as the stack's superuser. */
  readonly url: string;
  readonly client: pg.Client;

  private constructor(name: string, url: string, client: pg.Client) {
    this.name = name;
    this.url = url;
    this.client = client;
  }

  static async create(prefix = 'test'): Promise<PostgresDatabase> {
    const name = uniqueName(prefix);
    await onServer(`CREATE DATABASE ${name}`);
    const url = new URL(stackEnvironment().postgresUrl);
    url.pathname = `/${name}`;
    const client = new pg.Client({ connectionString: url.href });
    await client.connect();
    return new PostgresDatabase(name, url.href, client);
  }

  /** One or more statements separated by `;`. */
  async run(sql: string): Promise<void> {
    await this.client.query(sql);
  }

  async rows(sql: string): Promise<readonly TextRow[]> {
    const result = await this.client.query<TextRow>({ text: sql, types: asText });
    return result.rows;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.end();
    await onServer(`DROP DATABASE IF EXISTS ${this.name} WITH (FORCE)`);
  }
}

async function onServer(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: stackEnvironment().postgresUrl });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
