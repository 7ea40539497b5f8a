import { AdminServer } from '../admin/admin-server.ts';
import { conflictsBetween } from '../config/check-together.ts';
import { parseCommandLine, usage, withOverrides } from '../config/command-line.ts';
import type { CommandLine } from '../config/command-line.ts';
import { loadPipeline } from '../config/load-pipeline.ts';
import type { LoadedPipeline } from '../config/load-pipeline.ts';
import type { Pipeline } from '../config/pipeline.ts';
import { renderValidation } from '../config/validation-error.ts';
import { CdcError, toCdcError } from '../errors/cdc-error.ts';
import { renderError } from '../errors/render-error.ts';
import { createLogger } from '../observe/logger.ts';
import type { Logger, LogSink } from '../observe/logger.ts';
import { Metrics } from '../observe/metrics.ts';
import { PipelineStatus } from '../observe/pipeline-status.ts';
import { listenForShutdown } from '../runtime/shutdown.ts';
import { supervise } from '../runtime/supervise.ts';

/** What a program touches of its process; `main` gives the real ones. */
export interface ProgramHost {
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly readFile: (path: string) => string;
  /** Results for people or scripts. */
  readonly print: (text: string) => void;
  readonly complain: (text: string) => void;
  readonly logSink: LogSink;
  /** Log lines are read by a person. */
  readonly logTerminal: boolean;
  /** Next line that a person types, null at the end of input. */
  readonly ask: (question: string) => Promise<string | null>;
}

/** What a pipeline gets for as long as its process runs. */
export interface RunContext {
  /** Path of the document, for hints that a person can paste. */
  readonly file: string;
  readonly logger: Logger;
  readonly status: PipelineStatus;
  readonly metrics: Metrics;
  readonly untilIdle: boolean;
}

/**
 * One attempt: opens everything, runs until stopped (the signal asks) or idle, closes everything. `fromScratch` only at
 * the first attempt.
 */
export type Attempt = (options: { readonly fromScratch: boolean }, signal: AbortSignal) => Promise<void>;

export interface ProgramDefinition<P extends Pipeline> {
  readonly name: 'millrace-capture' | 'millrace-ingest';
  readonly kind: P['kind'];
  readonly version: string;
  /** Texts of the document that no log line may hold. */
  readonly secrets: (pipeline: P) => readonly string[];
  /** Called once; what it returns is called for each attempt. */
  readonly prepare: (pipeline: P, context: RunContext) => Attempt;
  /** What `run` would do, without changing anything. */
  readonly plan: (pipeline: P, context: RunContext, signal: AbortSignal) => Promise<PlanReport>;
}

/** Text for a person and the same as data. */
export interface PlanReport {
  readonly lines: readonly string[];
  readonly data: Readonly<Record<string, unknown>>;
}

const other = { capture: 'millrace-ingest', ingest: 'millrace-capture' } as const;

function isKind<P extends Pipeline>(pipeline: Pipeline, definition: ProgramDefinition<P>): pipeline is P {
  return pipeline.kind === definition.kind;
}

function load(file: string, line: CommandLine, host: ProgramHost): LoadedPipeline {
  const { sets, varsFiles, secretsDir } = line;
  const { environment, readFile } = host;
  return loadPipeline({ file, sets, varsFiles, secretsDir, environment, readFile });
}

function ownPipeline<P extends Pipeline>(file: string, pipeline: Pipeline, definition: ProgramDefinition<P>): P {
  if (isKind(pipeline, definition)) return pipeline;
  throw new CdcError('CONFIG_INVALID', 'the document is for the other program', {
    details: { file, kind: pipeline.kind },
    hint: `Run it with ${other[definition.kind]}.`,
  });
}

function renderFailure(error: CdcError, json: boolean): string {
  if (json) {
    const { code, message, details, hint } = error;
    return JSON.stringify({ code, message, details, hint }, (_key, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    );
  }
  return error.code === 'CONFIG_INVALID' ? renderValidation(error) : renderError(error);
}

/** Runs a program from its arguments to its exit code (operations: 0 done, 2 invalid, 3, 5, 6 …). Never rejects. */
export async function runProgram<P extends Pipeline>(
  definition: ProgramDefinition<P>,
  host: ProgramHost,
): Promise<number> {
  let json = false;
  try {
    const line = parseCommandLine(host.args);
    ({ json } = line);
    if (line.help || line.verb === null) {
      host.print(usage(definition.name));
      return 0;
    }
    if (line.verb === 'validate') return validate(line, definition, host);
    const file = line.files[0] ?? '';
    const { pipeline, warnings } = load(file, line, host);
    const own = withOverrides(ownPipeline(file, pipeline, definition), line);
    if (line.verb === 'plan') return await plan(own, warnings, line, definition, host);
    return await run(own, warnings, line, definition, host);
  } catch (error) {
    const failure = toCdcError(error);
    host.complain(renderFailure(failure, json));
    return failure.policy.exitCode;
  }
}

function validate<P extends Pipeline>(line: CommandLine, definition: ProgramDefinition<P>, host: ProgramHost): number {
  const failures: CdcError[] = [];
  const loaded: { readonly file: string; readonly pipeline: Pipeline }[] = [];
  const warnings: string[] = [];
  for (const file of line.files) {
    try {
      const document = load(file, line, host);
      warnings.push(...document.warnings);
      loaded.push({ file, pipeline: document.pipeline });
      if (line.files.length === 1) ownPipeline(file, document.pipeline, definition);
    } catch (error) {
      failures.push(toCdcError(error));
    }
  }
  const conflicts = failures.length === 0 ? conflictsBetween(loaded) : [];
  if (conflicts.length > 0) {
    failures.push(
      new CdcError('CONFIG_INVALID', 'the documents do not go together', { details: { errors: conflicts } }),
    );
  }
  const failed = failures.length > 0 || (line.strict && warnings.length > 0);
  if (line.json) {
    host.print(JSON.stringify({ valid: !failed, warnings, failures: failures.map((failure) => failure.details) }));
  } else {
    for (const failure of failures) host.complain(renderFailure(failure, false));
    for (const warning of warnings) host.complain(`warning  ${warning}`);
    if (!failed) host.print(`valid: ${line.files.join(', ')}\nnext: ${definition.name} plan ${line.files[0] ?? ''}`);
  }
  return failed ? 2 : 0;
}

function observing<P extends Pipeline>(
  pipeline: P,
  definition: ProgramDefinition<P>,
  line: CommandLine,
  host: ProgramHost,
): RunContext {
  const logger = createLogger({
    level: pipeline.runtime.logLevel,
    sink: host.logSink,
    terminal: host.logTerminal && !line.json,
    fields: { component: definition.kind, pipeline: pipeline.name },
    secrets: definition.secrets(pipeline),
  });
  const metrics = new Metrics(pipeline.name, pipeline.kind);
  metrics.set('build_info', { version: definition.version, kind: pipeline.kind, node: process.version }, 1);
  const status = new PipelineStatus({
    pipeline: pipeline.name,
    kind: pipeline.kind,
    version: definition.version,
    memoryLimitBytes: pipeline.runtime.memoryLimitBytes,
  });
  return { file: line.files[0] ?? '', logger, metrics, status, untilIdle: line.untilIdle };
}

async function plan<P extends Pipeline>(
  pipeline: P,
  warnings: readonly string[],
  line: CommandLine,
  definition: ProgramDefinition<P>,
  host: ProgramHost,
): Promise<number> {
  const context = observing(pipeline, definition, line, host);
  using shutdown = listenForShutdown({ logger: context.logger });
  const report = await definition.plan(pipeline, context, shutdown.signal);
  if (line.json) host.print(JSON.stringify({ ...report.data, warnings }));
  else {
    const next = ['', `next: ${definition.name} run ${context.file}`];
    host.print([...warnings.map((warning) => `warning  ${warning}`), ...report.lines, ...next].join('\n'));
  }
  return 0;
}

function scratchIsForCapture(): CdcError {
  return new CdcError('CONFIG_INVALID', '--from-scratch belongs to millrace-capture', {
    hint: 'Offsets of an ingest are in its destination: give the pipeline another name to read its topics from the start.',
  });
}

async function confirmScratch(pipeline: Pipeline, host: ProgramHost): Promise<void> {
  const question = `--from-scratch discards the checkpoint of ${pipeline.name}. Type the pipeline's name to go on: `;
  if ((await host.ask(question)) === pipeline.name) return;
  throw new CdcError('CONFIG_INVALID', 'not confirmed', {
    details: { pipeline: pipeline.name },
    hint: 'Type the name of the pipeline, or leave --from-scratch out.',
  });
}

async function run<P extends Pipeline>(
  pipeline: P,
  warnings: readonly string[],
  line: CommandLine,
  definition: ProgramDefinition<P>,
  host: ProgramHost,
): Promise<number> {
  if (line.fromScratch) {
    if (definition.kind === 'ingest') throw scratchIsForCapture();
    await confirmScratch(pipeline, host);
  }
  const context = observing(pipeline, definition, line, host);
  const { logger, metrics, status } = context;
  using shutdown = listenForShutdown({ logger });
  await using admin = await AdminServer.start(pipeline.runtime.metrics, { metrics, status, logger });
  logger.info('started', { program: definition.name, version: definition.version, admin: admin?.url ?? 'off' });
  for (const warning of warnings) logger.warn('configuration', { warning });
  const attempt = definition.prepare(pipeline, context);
  let fromScratch = line.fromScratch;
  const next = async (signal: AbortSignal): Promise<void> => {
    const options = { fromScratch };
    fromScratch = false;
    await attempt(options, signal);
  };
  const code = await supervise(next, { retry: pipeline.runtime.retry, status, metrics, logger }, shutdown.signal);
  logger.info('stopped', { exitCode: code });
  return code;
}
