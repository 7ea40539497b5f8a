import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { checkoutPath } from '../harness/environment.ts';

export type TextRows = readonly Readonly<Record<string, string | null>>[];

export type Engine = 'duckdb' | 'pyiceberg';

export interface LakeReaders extends AsyncDisposable {
  /** The table as each engine reads it through its version hint, every value as DuckDB's text. */
  read(table: string, order: string, engines?: readonly Engine[]): Promise<Readonly<Record<Engine, TextRows>>>;
}

interface Answer {
  readonly error?: string;
  readonly duckdb?: TextRows;
  readonly pyiceberg?: TextRows;
}

/** Starts DuckDB and PyIceberg in one Python process, installing them into the checkout's cache at first use. */
export function openLakeReaders(): LakeReaders {
  const python = execFileSync(`${checkoutPath}/scripts/stack`, ['readers'], { encoding: 'utf8' }).trim();
  const script = fileURLToPath(new URL('lake_readers.py', import.meta.url));
  const child = spawn(python, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let last: Promise<unknown> = Promise.resolve();
  const ask = async (request: object): Promise<Answer> => {
    child.stdin.write(`${JSON.stringify(request)}\n`);
    const line = await lines.next();
    if (line.done === true) throw new Error('the lake readers ended');
    return JSON.parse(line.value) as Answer;
  };
  return {
    async read(table, order, engines = ['duckdb', 'pyiceberg']) {
      const asked = last.then(() => ask({ table, order, engines }));
      last = asked.catch(() => undefined);
      const answer = await asked;
      if (answer.error !== undefined) throw new Error(answer.error);
      return { duckdb: answer.duckdb ?? [], pyiceberg: answer.pyiceberg ?? [] };
    },
    async [Symbol.asyncDispose]() {
      const exited = once(child, 'exit');
      child.stdin.end();
      await exited;
    },
  };
}
