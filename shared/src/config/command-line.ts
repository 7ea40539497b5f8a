import { parseArgs } from 'node:util';

import { CdcError } from '../errors/cdc-error.ts';
import { nearestName } from './declare/nearest-name.ts';
import type { Pipeline } from './pipeline.ts';
import type { LogLevel } from './runtime-options.ts';

export type Verb = 'run' | 'validate' | 'plan';

/** What the command line says; both programs take the same. */
export interface CommandLine {
  /** Null with `help` alone. */
  readonly verb: Verb | null;
  /** One document, or several for `validate`. */
  readonly files: readonly string[];
  /** `name=value`, in order. */
  readonly sets: readonly string[];
  readonly varsFiles: readonly string[];
  readonly secretsDir: string | null;
  /** Machine output on stdout, logs on stderr. */
  readonly json: boolean;
  readonly color: boolean;
  /** Warnings of `validate` fail. */
  readonly strict: boolean;
  /** These three overrule the document. */
  readonly logLevel: LogLevel | null;
  /** 0 = any free port, −1 = off. */
  readonly metricsPort: number | null;
  readonly stateDir: string | null;
  /** Discard the checkpoint, after a confirmation that the program asks for. */
  readonly fromScratch: boolean;
  /** Stop when caught up. */
  readonly untilIdle: boolean;
  readonly help: boolean;
}

const verbs: readonly Verb[] = ['run', 'validate', 'plan'];
const logLevels: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];

const options = {
  set: { type: 'string', multiple: true },
  vars: { type: 'string', multiple: true },
  'secrets-dir': { type: 'string' },
  json: { type: 'boolean' },
  'no-color': { type: 'boolean' },
  strict: { type: 'boolean' },
  'log-level': { type: 'string' },
  'metrics-port': { type: 'string' },
  'state-dir': { type: 'string' },
  'from-scratch': { type: 'boolean' },
  'until-idle': { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** Options that only one verb has. */
const ownerOf: Readonly<Record<string, Verb>> = { strict: 'validate', 'from-scratch': 'run', 'until-idle': 'run' };

function usageError(errors: readonly string[]): CdcError {
  return new CdcError('CONFIG_INVALID', 'the command line is not valid', {
    details: { errors },
    hint: 'See --help.',
  });
}

function parseLogLevel(given: string | undefined, errors: string[]): LogLevel | null {
  if (given === undefined) return null;
  const level = logLevels.find((known) => known === given.toLowerCase());
  if (level === undefined) errors.push(`--log-level  enum: expected one of ${logLevels.join(', ')}`);
  return level ?? null;
}

function parsePort(given: string | undefined, errors: string[]): number | null {
  if (given === undefined) return null;
  const port = /^-?\d{1,5}$/.test(given) ? Number(given) : Number.NaN;
  if (port >= -1 && port <= 65_535) return port;
  errors.push('--metrics-port  range: expected an integer from -1 to 65535');
  return null;
}

function parseVerb(given: string | undefined, help: boolean, errors: string[]): Verb | null {
  const verb = verbs.find((known) => known === given);
  if (verb !== undefined) return verb;
  if (given === undefined) {
    if (!help) errors.push(`missing: a verb, one of ${verbs.join(', ')}`);
    return null;
  }
  const nearest = nearestName(given, verbs);
  const hint = nearest === null ? '' : `  (nearest: ${nearest})`;
  errors.push(`'${given}'  unknown-key: not a verb: ${verbs.join(', ')} are${hint}`);
  return null;
}

function checkFiles(verb: Verb | null, files: readonly string[], help: boolean, errors: string[]): void {
  if (verb === null || help) return;
  if (files.length === 0) errors.push(`missing: a pipeline document for ${verb}`);
  if (files.length > 1 && verb !== 'validate') errors.push(`conflict: ${verb} takes one document`);
}

function tokensOf(args: readonly string[]) {
  return parseArgs({ args: [...args], options, allowPositionals: true, strict: false, tokens: true }).tokens;
}

/** What `parseArgs` leaves to the caller when it is to report everything at once. */
function checkOptions(args: readonly string[], errors: string[]): void {
  const known: Readonly<Record<string, { readonly type: string; readonly multiple?: boolean }>> = options;
  const seen = new Set<string>();
  for (const token of tokensOf(args)) {
    if (token.kind !== 'option') continue;
    const option = Object.hasOwn(known, token.name) ? known[token.name] : undefined;
    if (option === undefined) {
      const nearest = nearestName(token.name, Object.keys(known));
      const hint = nearest === null ? '' : `  (nearest: --${nearest})`;
      errors.push(`${token.rawName}  unknown-key: not an option${hint}`);
      continue;
    }
    if (option.type === 'string' && token.value === undefined) errors.push(`${token.rawName}  missing: its value`);
    if (option.type === 'boolean' && token.value !== undefined) errors.push(`${token.rawName}  type: takes no value`);
    if (seen.has(token.name) && option.multiple !== true) errors.push(`${token.rawName}  duplicate: given twice`);
    seen.add(token.name);
  }
}

/** Arguments after the program's name. Throws one `CONFIG_INVALID` with every problem; values of `--set` are never shown. */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const errors: string[] = [];
  // `--metrics-port -1`: a value that begins with a dash must be joined, or it is taken for an option.
  const joined = joinNegativePort(args);
  checkOptions(joined, errors);
  if (errors.length > 0) throw usageError(errors);
  const { values, positionals } = parseArgs({ args: joined, options, allowPositionals: true, strict: true });
  const [first, ...files] = positionals;
  const help = values.help ?? false;
  const verb = parseVerb(first, help, errors);
  checkFiles(verb, files, help, errors);
  for (const set of values.set ?? []) {
    if (set.indexOf('=') < 1) errors.push('--set  syntax: expected name=value');
  }
  for (const [name, owner] of Object.entries(ownerOf)) {
    const given = (values as Readonly<Record<string, unknown>>)[name] === true;
    if (given && verb !== null && verb !== owner) errors.push(`--${name}  conflict: belongs to ${owner}`);
  }
  const line: CommandLine = {
    verb,
    files,
    sets: values.set ?? [],
    varsFiles: values.vars ?? [],
    secretsDir: values['secrets-dir'] ?? null,
    json: values.json ?? false,
    color: values['no-color'] !== true,
    strict: values.strict ?? false,
    logLevel: parseLogLevel(values['log-level'], errors),
    metricsPort: parsePort(values['metrics-port'], errors),
    stateDir: values['state-dir'] ?? null,
    fromScratch: values['from-scratch'] ?? false,
    untilIdle: values['until-idle'] ?? false,
    help,
  };
  if (errors.length > 0) throw usageError(errors);
  return line;
}

function joinNegativePort(args: readonly string[]): string[] {
  const joined: string[] = [];
  for (const arg of args) {
    if (joined.at(-1) === '--metrics-port' && arg === '-1') joined[joined.length - 1] = '--metrics-port=-1';
    else joined.push(arg);
  }
  return joined;
}

/** The document with what the command line overrules. */
export function withOverrides<P extends Pipeline>(pipeline: P, line: CommandLine): P {
  const { runtime } = pipeline;
  const { metricsPort, logLevel, stateDir } = line;
  const metrics =
    metricsPort === null
      ? runtime.metrics
      : { ...runtime.metrics, port: metricsPort === -1 ? null : metricsPort, portIsDefault: false };
  const state = stateDir === null ? {} : { stateDir, stateDirGiven: true };
  return { ...pipeline, runtime: { ...runtime, ...state, metrics, logLevel: logLevel ?? runtime.logLevel } };
}

export function usage(program: string): string {
  return `Usage: ${program} <verb> <file…> [options]

  run <file>        check, then run until stopped
  validate <file…>  grammar, placeholders, conflicts between the documents; works offline
  plan <file>       what run would do; reads only

Options
  --set <name=value>    value of a placeholder; repeatable
  --vars <file>         values from YAML, JSON or .env; repeatable, a later file wins
  --secrets-dir <dir>   files that hold \${secret_values.…}
  --json                machine output on stdout, logs on stderr
  --no-color            plain text
  --log-level <level>   ${logLevels.join(', ')}
  --metrics-port <n>    metrics, health and console; 0 = any, -1 = off
  --state-dir <dir>     local state
  --strict              validate: warnings fail
  --from-scratch        run: discard the checkpoint
  --until-idle          run: stop when caught up
  --help                this text

Exit codes: 0 done, 1 failure, 2 invalid document or usage, 3 dependency unreachable, 5 fenced, 6 a person must decide.
`;
}
