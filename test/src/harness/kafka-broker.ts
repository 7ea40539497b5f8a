import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer, Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { stackEnvironment } from './environment.ts';
import { eventually } from './eventually.ts';
import { scratchFolder } from './scratch-folder.ts';
import type { ScratchFolder } from './scratch-folder.ts';

const execute = promisify(execFile);

/** Own brokers need the stack's Kafka jars on this machine; a stack of containers has none to lend. */
export function canStartBrokers(): boolean {
  return stackEnvironment().kafkaRunClass[0] === 'java';
}

export interface BrokerSettings {
  /** `PLAINTEXT`, `SSL`, `SASL_PLAINTEXT` or `SASL_SSL` for the listener that clients use. */
  readonly protocol?: string;
  readonly properties?: Readonly<Record<string, string>>;
}

/** A broker of the test's own that may be frozen, killed and started again on its data. */
export class OwnBroker implements AsyncDisposable {
  readonly port: number;
  /** A listener without any security, for tools. */
  readonly #internalPort: number;
  readonly #folder: ScratchFolder;
  readonly #configuration: string;
  #process: ChildProcess | null = null;

  private constructor(port: number, internalPort: number, folder: ScratchFolder, configuration: string) {
    this.port = port;
    this.#internalPort = internalPort;
    this.#folder = folder;
    this.#configuration = configuration;
  }

  static async start(settings: BrokerSettings = {}): Promise<OwnBroker> {
    const folder = await scratchFolder();
    const [port, internalPort, controllerPort] = await freePorts(3);
    if (port === undefined || internalPort === undefined) throw new Error('no free port');
    const protocol = settings.protocol ?? 'PLAINTEXT';
    const listeners = `CLIENT://127.0.0.1:${port},INTERNAL://127.0.0.1:${internalPort}`;
    const properties = {
      'process.roles': 'broker,controller',
      'node.id': '1',
      'controller.quorum.bootstrap.servers': `127.0.0.1:${controllerPort}`,
      listeners: `${listeners},CONTROLLER://127.0.0.1:${controllerPort}`,
      'advertised.listeners': listeners,
      'controller.listener.names': 'CONTROLLER',
      'inter.broker.listener.name': 'INTERNAL',
      'listener.security.protocol.map': `CONTROLLER:PLAINTEXT,INTERNAL:PLAINTEXT,CLIENT:${protocol}`,
      'log.dirs': join(folder.path, 'data'),
      'auto.create.topics.enable': 'false',
      'offsets.topic.replication.factor': '1',
      'offsets.topic.num.partitions': '1',
      'transaction.state.log.replication.factor': '1',
      'transaction.state.log.min.isr': '1',
      'group.initial.rebalance.delay.ms': '0',
      'log.cleaner.dedupe.buffer.size': '16777216',
      ...settings.properties,
    };
    const configuration = join(folder.path, 'server.properties');
    await writeFile(
      configuration,
      Object.entries(properties)
        .map(([name, value]) => `${name}=${value}\n`)
        .join(''),
    );
    const broker = new OwnBroker(port, internalPort, folder, configuration);
    const id = Buffer.from(crypto.randomUUID().replaceAll('-', ''), 'hex').toString('base64url');
    await broker.#run('kafka.tools.StorageTool', ['format', '--standalone', '-t', id, '-c', configuration]);
    await broker.startAgain();
    return broker;
  }

  /** Starts the stopped broker on its data and resolves when it listens. */
  async startAgain(): Promise<void> {
    const [command = '', ...args] = stackEnvironment().kafkaRunClass;
    const child = spawn(command, [...args, 'kafka.Kafka', this.#configuration], { stdio: ['ignore', 'pipe', 'pipe'] });
    const log = createWriteStream(join(this.#folder.path, 'broker.log'), { flags: 'a' });
    child.stdout.pipe(log);
    child.stderr.pipe(log);
    this.#process = child;
    await eventually('the broker listens', async () => {
      if (child.exitCode !== null) throw new Error(`the broker ended with ${child.exitCode}`);
      const socket = new Socket();
      socket.connect(this.port, '127.0.0.1');
      await once(socket, 'connect');
      socket.destroy();
      return true;
    });
  }

  /** Frozen, it accepts connections (the system does) and answers nothing. */
  freeze(): void {
    this.#process?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#process?.kill('SIGCONT');
  }

  async kill(): Promise<void> {
    const child = this.#process;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  /** Runs one of Kafka's own tools against this broker. */
  runTool(className: string, args: readonly string[]): Promise<void> {
    return this.#run(className, ['--bootstrap-server', `127.0.0.1:${this.#internalPort}`, ...args]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await this.#folder[Symbol.asyncDispose]();
  }

  async #run(className: string, args: readonly string[]): Promise<void> {
    const [command = '', ...before] = stackEnvironment().kafkaRunClass;
    await execute(command, [...before, className, ...args]);
  }
}

async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as { readonly port: number }).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}
