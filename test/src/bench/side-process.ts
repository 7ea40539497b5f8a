import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

import { childEnvironment } from '../harness/environment.ts';

/**
 * Runs a module of `sides/` in a process of its own, `input` on its standard input; its last output line is the
 * answer. Its time zone is UTC, because one of the libraries renders timestamps in local time.
 */
export async function childProcess<Answer>(label: string, module: string, input: unknown): Promise<Answer> {
  const script = fileURLToPath(new URL(`sides/${module}.ts`, import.meta.url));
  const child = spawn(process.execPath, [script], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: childEnvironment({ TZ: 'UTC' }),
  });
  const exited = once(child, 'exit');
  child.stdin.end(JSON.stringify(input));
  const output = await text(child.stdout);
  const [code, signal] = await exited;
  if (code !== 0) throw new Error(`${label} ended with ${String(code ?? signal)}`);
  return JSON.parse(output.trim().split('\n').at(-1) ?? '') as Answer;
}

/** What the driver handed to this side. */
export async function sideInput<T>(): Promise<T> {
  return JSON.parse(await text(process.stdin)) as T;
}

/** The answer to the driver. Ends the process: libraries keep connections open that nobody needs any more. */
export function answer(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`, () => process.exit(0));
}
