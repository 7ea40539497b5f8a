#!/usr/bin/env node
import { parseCommandLine, usage } from '@millrace/shared/config/command-line.ts';
import { renderError } from '@millrace/shared/errors/render-error.ts';
import { DescriptorSink } from '@millrace/shared/observe/descriptor-sink.ts';
import { rootFailure } from '@millrace/shared/runtime/root-failure.ts';

import { ingestApp } from './app.ts';

const program = 'millrace-ingest';
const standardError = 2;

async function main(): Promise<number> {
  const line = parseCommandLine(process.argv.slice(2));
  if (line.help || line.verb === null) {
    console.log(usage(program));
    return 0;
  }
  return await ingestApp(line, {
    environment: process.env,
    print: (text) => console.log(text),
    logSink: new DescriptorSink(standardError),
    logToTerminal: process.stderr.isTTY && !line.json,
  });
}

try {
  process.exitCode = await main();
} catch (error) {
  const failure = rootFailure(error);
  console.error(renderError(failure));
  process.exitCode = failure.policy.exitCode;
}
