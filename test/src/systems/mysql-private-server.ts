import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { execFileSync } from 'node:child_process';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

import { createConnection } from 'mysql2/promise';
import type { Connection, RowDataPacket } from 'mysql2/promise';

import { checkoutPath, parseExports } from '../harness/environment.ts';
import type { MysqlAddress } from '../harness/environment.ts';
import { eventually } from '../harness/eventually.ts';
import { scratchFolder } from '../harness/scratch-folder.ts';

/** The server program of the native stack; undefined where the stack runs in containers. */
function serverCommand(): readonly string[] | undefined {
  const variables = parseExports(execFileSync(`${checkoutPath}/scripts/stack`, ['env'], { encoding: 'utf8' }));
  const tool = variables['MYSQL_BINLOG_TOOL'];
  const command = tool?.replace('/usr/bin/mysqlbinlog --no-defaults', '/usr/sbin/mysqld');
  if (command === undefined || command === tool || !command.startsWith('/')) return undefined;
  return command.split(' ');
}

export const privateServers = serverCommand() !== undefined;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return port;
}

/** A MySQL server of the test's own, with any settings; for what must not be done to the shared one. */
export class PrivateMysql implements AsyncDisposable {
  readonly address: MysqlAddress;
  readonly #command: readonly string[];
  readonly #stack: AsyncDisposableStack;
  #process: ChildProcess | null = null;

  private constructor(address: MysqlAddress, command: readonly string[], stack: AsyncDisposableStack) {
    this.address = address;
    this.#command = command;
    this.#stack = stack;
  }

  static async start(settings: readonly string[] = []): Promise<PrivateMysql> {
    const program = serverCommand();
    if (program === undefined) throw new Error('the stack runs no native MySQL');
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(await scratchFolder());
    const home = (program.at(-1) ?? '').replace('/usr/sbin/mysqld', '/usr');
    const data = join(folder.path, 'data');
    const command = [
      ...program,
      '--no-defaults',
      '--user=root',
      `--datadir=${data}`,
      `--basedir=${home}`,
      `--lc-messages-dir=${home}/share/mysql`,
      `--character-sets-dir=${home}/share/mysql/charsets`,
      `--plugin-dir=${home}/lib/mysql/plugin`,
    ];
    const [file = '', ...initial] = command;
    execFileSync(file, [...initial, '--initialize-insecure'], { stdio: 'ignore' });
    const port = await freePort();
    const server = new PrivateMysql(
      { host: '127.0.0.1', port, user: 'root', password: '' },
      [
        ...command,
        `--socket=${join(folder.path, 's')}`,
        `--port=${port}`,
        '--bind-address=127.0.0.1',
        '--mysqlx=OFF',
        '--performance-schema=OFF',
        '--innodb-buffer-pool-size=32M',
        '--sync-binlog=0',
        '--innodb-flush-log-at-trx-commit=0',
        '--server-id=1',
        '--secure-file-priv=',
        ...settings,
      ],
      stack.move(),
    );
    await server.up();
    return server;
  }

  async up(): Promise<void> {
    const [file = '', ...rest] = this.#command;
    this.#process = spawn(file, rest, { stdio: 'ignore' });
    await eventually('the private server answers', async () => {
      const connection = await this.connect();
      await connection.end();
      return true;
    });
  }

  /** `SIGKILL` crashes it. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const child = this.#process;
    this.#process = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => {
      child.once('exit', resolve);
    });
    child.kill(signal);
    await exited;
  }

  connect(): Promise<Connection> {
    return createConnection({ ...this.address, multipleStatements: true });
  }

  /** Runs statements in a session of their own; rows of the last one. */
  async run(sql: string): Promise<readonly RowDataPacket[]> {
    const connection = await this.connect();
    try {
      const [rows] = await connection.query<RowDataPacket[]>(sql);
      return rows;
    } finally {
      await connection.end();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('SIGKILL');
    await this.#stack.disposeAsync();
  }
}
