import { createConnection } from 'mysql2/promise';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { stackEnvironment } from './environment.ts';
import { uniqueName } from './unique-name.ts';

/** A value as the server renders it as text; null is SQL NULL. */
export type TextRow = Readonly<Record<string, string | null>>;

/** A database of the test's own, dropped with its scope. The connection is an administrator's and uses it. */
export class MysqlDatabase implements AsyncDisposable {
  readonly name: string;
  readonly connection: Connection;

  private constructor(name: string, connection: Connection) {
    this.name = name;
    this.connection = connection;
  }

  static async create(prefix = 'test'): Promise<MysqlDatabase> {
    const name = uniqueName(prefix);
    const connection = await createConnection({
      ...stackEnvironment().mysql,
      multipleStatements: true,
      timezone: 'Z',
      dateStrings: true,
      supportBigNumbers: true,
      bigNumberStrings: true,
    });
    await connection.query(`CREATE DATABASE ${name}; USE ${name}`);
    return new MysqlDatabase(name, connection);
  }

  /** One or more statements separated by `;`. */
  async run(sql: string, values: readonly (string | number | bigint | boolean | Buffer | null)[] = []): Promise<void> {
    await this.connection.query(sql, [...values]);
  }

  /** Every value as the server's own text: nothing is rounded or shifted on the way. Binary columns: select HEX(). */
  async rows(sql: string): Promise<readonly TextRow[]> {
    const [rows] = await this.connection.query<RowDataPacket[]>({
      sql,
      typeCast: (field) => field.string(),
    });
    return rows;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.connection.query(`DROP DATABASE IF EXISTS ${this.name}`);
    await this.connection.end();
  }
}
