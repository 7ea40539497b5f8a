import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';

import { DescriptorSink } from '../observe/descriptor-sink.ts';
import type { ProgramHost } from './program.ts';

/** The part of Node's process that a program uses; handed in by `main`, the one file that may touch it. */
export interface ProcessParts {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

const standardError = 2;

export function processHost(parts: ProcessParts): ProgramHost {
  return {
    args: parts.argv.slice(2),
    environment: parts.env,
    readFile: (path) => readFileSync(path, 'utf8'),
    print: (text) => void parts.stdout.write(`${text}\n`),
    complain: (text) => void parts.stderr.write(`${text}\n`),
    logSink: new DescriptorSink(standardError),
    logTerminal: parts.stderr.isTTY,
    ask: async (question) => {
      using lines = createInterface({ input: parts.stdin, output: parts.stderr });
      // Where the input ends without a line, the question would stay open for ever.
      const ended = once(lines, 'close').then(() => null);
      const answer = await Promise.race([lines.question(question), ended]);
      return answer?.trim() ?? null;
    },
  };
}
