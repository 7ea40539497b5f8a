import { readFileSync } from 'node:fs';

import { AdminServer } from '@millrace/shared/admin/admin-server.ts';
import { conflictsBetween } from '@millrace/shared/config/check-together.ts';
import type { NamedPipeline } from '@millrace/shared/config/check-together.ts';
import { withOverrides } from '@millrace/shared/config/command-line.ts';
import type { CommandLine } from '@millrace/shared/config/command-line.ts';
import { loadPipeline } from '@millrace/shared/config/load-pipeline.ts';
import type { LoadedPipeline } from '@millrace/shared/config/load-pipeline.ts';
import type { IngestPipeline } from '@millrace/shared/config/pipeline.ts';
import { CdcError } from '@millrace/shared/errors/cdc-error.ts';
import { createLogger } from '@millrace/shared/observe/logger.ts';
import type { LogSink } from '@millrace/shared/observe/logger.ts';
import { Metrics } from '@millrace/shared/observe/metrics.ts';
import { PipelineStatus } from '@millrace/shared/observe/pipeline-status.ts';
import { listenForShutdown } from '@millrace/shared/runtime/shutdown.ts';
import { supervise } from '@millrace/shared/runtime/supervise.ts';

import { planIngest, renderPlan } from './app/plan.ts';
import { runPipeline } from './app/run-pipeline.ts';
import { IngestReport } from './pipeline/ingest-report.ts';

/** What the program takes from its process. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Prints a line for the caller, on standard output. */
  readonly print: (line: string) => void;
  readonly logSink: LogSink;
  /** Logs are read by a person at a terminal. */
  readonly logToTerminal: boolean;
}

const version = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { readonly version: string }
).version;

function load(file: string, line: CommandLine, { environment }: Surroundings): LoadedPipeline {
  return loadPipeline({
    file,
    sets: line.sets,
    varsFiles: line.varsFiles,
    secretsDir: line.secretsDir,
    environment,
    readFile: (path) => readFileSync(path, 'utf8'),
  });
}

function ingestOf({ pipeline }: LoadedPipeline, file: string): IngestPipeline {
  if (pipeline.kind === 'ingest') return pipeline;
  throw new CdcError('CONFIG_INVALID', 'this is a capture document', {
    details: { file },
    hint: `Run: millrace-capture run ${file}`,
  });
}

/** Secrets of the document, which no log line may hold. */
function secretsOf({ source, sink }: IngestPipeline): readonly string[] {
  const { sasl, tls } = source.client.security;
  const ofSasl = sasl === null ? [] : sasl.mechanism === 'OAUTHBEARER' ? [sasl.clientSecret] : [sasl.password];
  const ofTls = tls?.keyPassphrase ?? null;
  const ofSink = sink.kind === 'postgres' ? [sink.password] : [];
  return [...ofSasl, ...(ofTls === null ? [] : [ofTls]), ...ofSink];
}

async function run(file: string, line: CommandLine, surroundings: Surroundings): Promise<number> {
  const loaded = load(file, line, surroundings);
  const pipeline = withOverrides(ingestOf(loaded, file), line);
  const { name, runtime, source } = pipeline;
  const logger = createLogger({
    level: runtime.logLevel,
    sink: surroundings.logSink,
    terminal: surroundings.logToTerminal,
    fields: { component: 'ingest', pipeline: name },
    secrets: secretsOf(pipeline),
  });
  for (const warning of loaded.warnings) logger.warn('the document has a warning', { warning });
  const metrics = new Metrics(name, 'ingest');
  metrics.set('build_info', { version, kind: 'ingest', node: process.version }, 1);
  const status = new PipelineStatus({
    pipeline: name,
    kind: 'ingest',
    version,
    memoryLimitBytes: runtime.memoryLimitBytes,
  });
  const watchDistribution = source.distributedTables === null;
  const observer = new IngestReport({ metrics, status, log: logger, watchDistribution });
  using shutdown = listenForShutdown({ logger });
  await using admin = await AdminServer.start(runtime.metrics, { metrics, status, logger });
  logger.info('ingest starts', { version, file, status: admin?.url ?? 'off' });
  const onReady = (): void => status.markLoaded();
  const exitCode = await supervise(
    (signal) => runPipeline(pipeline, { version, untilIdle: line.untilIdle, log: logger, observer, onReady }, signal),
    { retry: runtime.retry, status, metrics, logger },
    shutdown.signal,
  );
  logger.info('ingest ended', { exitCode });
  return exitCode;
}

function validate(line: CommandLine, surroundings: Surroundings): number {
  const named: NamedPipeline[] = [];
  const warnings: string[] = [];
  for (const file of line.files) {
    const loaded = load(file, line, surroundings);
    named.push({ file, pipeline: ingestOf(loaded, file) });
    warnings.push(...loaded.warnings);
  }
  const conflicts = conflictsBetween(named);
  if (conflicts.length > 0) {
    throw new CdcError('CONFIG_INVALID', 'the documents contradict each other', { details: { errors: conflicts } });
  }
  if (line.json) surroundings.print(JSON.stringify({ valid: true, files: line.files, warnings }));
  else {
    for (const warning of warnings) surroundings.print(`warning  ${warning}`);
    for (const { file, pipeline } of named) surroundings.print(`ok  ${file}  (${pipeline.name})`);
    surroundings.print(`next: millrace-ingest plan ${line.files[0] ?? ''}`);
  }
  return line.strict && warnings.length > 0 ? 2 : 0;
}

async function plan(file: string, line: CommandLine, surroundings: Surroundings): Promise<number> {
  const pipeline = withOverrides(ingestOf(load(file, line, surroundings), file), line);
  const planned = await planIngest(pipeline, version, new AbortController().signal);
  surroundings.print(line.json ? JSON.stringify(planned) : renderPlan(planned, file));
  return 0;
}

/** Does what the command line says and returns the exit code; throws `CdcError` for what no run could mend. */
export async function ingestApp(line: CommandLine, surroundings: Surroundings): Promise<number> {
  const file = line.files[0] ?? '';
  switch (line.verb) {
    case 'run':
      return await run(file, line, surroundings);
    case 'validate':
      return validate(line, surroundings);
    case 'plan':
      return await plan(file, line, surroundings);
    case null:
      return 0;
    default:
      return line.verb satisfies never;
  }
}
