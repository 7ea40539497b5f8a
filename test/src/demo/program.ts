import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';

import { checkoutPath, childEnvironment } from '../harness/environment.ts';

const progress = z.object({ done: z.number(), total: z.number().nullable() }).nullish();
const status = z.object({
  state: z.string(),
  tables: z.array(z.object({ table: z.string(), state: z.string(), rows: z.unknown(), progress })),
  lag: z.record(z.string(), z.object({ events: z.number().nullish(), seconds: z.number().nullish() })).nullish(),
});
export type ProgramStatus = z.infer<typeof status>;

/** A port that nobody listens on now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** One deployment of the demo: a program of ours in a process of its own, its log in a file. */
export class DemoProgram implements AsyncDisposable {
  readonly label: string;
  readonly url: string;
  readonly logFile: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;

  private constructor(label: string, url: string, logFile: string, child: ChildProcess) {
    this.label = label;
    this.url = url;
    this.logFile = logFile;
    this.#child = child;
    this.#exited = once(child, 'exit');
  }

  static async start(
    label: string,
    program: 'capture' | 'ingest',
    pipeline: string,
    logFile: string,
    variables: Readonly<Record<string, string>>,
  ): Promise<DemoProgram> {
    const port = await freePort();
    const log = openSync(logFile, 'w');
    const args = [`${checkoutPath}/${program}/src/main.ts`, 'run', pipeline, '--metrics-port', String(port)];
    const child = spawn(process.execPath, args, {
      cwd: checkoutPath,
      env: childEnvironment(variables),
      stdio: ['ignore', log, log],
    });
    return new DemoProgram(label, `http://127.0.0.1:${port}`, logFile, child);
  }

  /** Throws with the end of the log when the program has ended. */
  assertRunning(): void {
    const { exitCode, signalCode } = this.#child;
    if (exitCode === null && signalCode === null) return;
    const tail = readFileSync(this.logFile, 'utf8').trimEnd().split('\n').slice(-15).join('\n');
    throw new Error(`${this.label} ended with ${exitCode ?? signalCode}:\n${tail}`);
  }

  /** Null until the program listens. */
  async status(): Promise<ProgramStatus | null> {
    this.assertRunning();
    try {
      const response = await fetch(`${this.url}/status.json`, { signal: AbortSignal.timeout(2000) });
      return status.parse(await response.json());
    } catch (error) {
      if (error instanceof z.ZodError) throw error;
      return null;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGTERM');
    const hard = setTimeout(() => this.#child.kill('SIGKILL'), 30_000);
    await this.#exited;
    clearTimeout(hard);
  }
}
