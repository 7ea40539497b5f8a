import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { Gate } from '@millrace/shared/async/gate.ts';
import { checkoutPath, childEnvironment } from './environment.ts';

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ServiceOptions {
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Node's own options, for example `--max-old-space-size=64`. */
  readonly nodeOptions?: readonly string[];
  readonly workingFolder?: string;
  /** What a person types; standard input ends after it. */
  readonly input?: string;
}

const drainLimitMs = 40_000;

/** A program of ours as a child process: what a kill -9 hits, and what an operator sees of it. */
export class Service implements AsyncDisposable {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #exited: Promise<Exit>;
  readonly #grown = new Gate();
  /** Lines of standard error: the log. */
  readonly log: string[] = [];
  readonly output: string[] = [];
  #over = false;

  constructor(script: string, args: readonly string[], options: ServiceOptions = {}) {
    this.#child = spawn(process.execPath, [...(options.nodeOptions ?? []), script, ...args], {
      cwd: options.workingFolder ?? checkoutPath,
      env: childEnvironment(options.env),
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    // A program that ends without reading breaks the pipe.
    this.#child.stdin.on('error', () => undefined);
    this.#child.stdin.end(options.input ?? '');
    this.#collect(this.#child.stdout, this.output);
    this.#collect(this.#child.stderr, this.log);
    this.#exited = once(this.#child, 'close').then(([code, signal]) => {
      this.#over = true;
      this.#grown.open();
      return { code: code as number | null, signal: signal as NodeJS.Signals | null };
    });
  }

  #collect(stream: Readable, into: string[]): void {
    createInterface({ input: stream }).on('line', (line) => {
      into.push(line);
      this.#grown.open();
    });
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('the program did not start');
    return this.#child.pid;
  }

  get running(): boolean {
    return !this.#over;
  }

  /** The first log or output line that matches, past or future. Fails with the log's end when the program exits first. */
  async line(pattern: RegExp | string, timeoutMs = 60_000): Promise<string> {
    const signal = AbortSignal.timeout(timeoutMs);
    const matches = (line: string): boolean =>
      typeof pattern === 'string' ? line.includes(pattern) : pattern.test(line);
    for (;;) {
      const found = this.log.find(matches) ?? this.output.find(matches);
      if (found !== undefined) return found;
      if (this.#over) throw new Error(`exited before a line matched ${String(pattern)}\n${this.tail()}`);
      await this.#grown.wait(signal).catch((error: unknown) => {
        throw new Error(`no line matched ${String(pattern)} in time\n${this.tail()}`, { cause: error });
      });
    }
  }

  /** The end of the log, for messages of failed assertions. */
  tail(lines = 30): string {
    return this.log.slice(-lines).join('\n');
  }

  exit(): Promise<Exit> {
    return this.#exited;
  }

  /** Sends the signal and waits for the end. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<Exit> {
    this.#child.kill(signal);
    return await this.#exited;
  }

  /** Sends a signal without waiting, for example SIGSTOP and SIGCONT. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** An orderly stop; what does not drain in time is killed. */
  async stop(): Promise<Exit> {
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), drainLimitMs);
    try {
      return await this.kill('SIGTERM');
    } finally {
      clearTimeout(timer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#over) await this.kill('SIGKILL');
  }
}

/** Starts `millrace-capture` or `millrace-ingest` from its sources. */
export function spawnService(
  program: 'capture' | 'ingest',
  args: readonly string[],
  options?: ServiceOptions,
): Service {
  return new Service(`${checkoutPath}/${program}/src/main.ts`, args, options);
}
