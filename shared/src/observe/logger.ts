import { pino } from 'pino';
import type { Logger as Pino } from 'pino';
import type { LogLevel } from '../config/runtime-options.ts';
import { CdcError } from '../errors/cdc-error.ts';
import { formatForTerminal } from './log-line.ts';
import { redact } from './redaction.ts';
import type { LogValue, PlainValue } from './redaction.ts';
import { RepeatLimiter } from './repeat-limiter.ts';

/** Usual names: component, pipeline, table, position, topic, partition, offset; `error` becomes `code` and `err`. */
export type LogFields = Readonly<Record<string, LogValue>>;

/** Messages are constant text, whatever varies is a field; never row values, never per event or batch. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  /** It will recover by itself. */
  warn(message: string, fields?: LogFields): void;
  /** A person must act. */
  error(message: string, fields?: LogFields): void;
  /** A warning that may come often: at most one line per message each 10 s, with `count`. */
  repeatable(message: string, fields?: LogFields): void;
  child(fields: LogFields): Logger;
}

/** Where lines go. Must not throw and must not block. */
export interface LogSink {
  write(line: string): void;
}

export interface LoggerOptions {
  readonly level: LogLevel;
  readonly sink: LogSink;
  /** Plain text lines instead of JSON. */
  readonly terminal: boolean;
  readonly fields?: LogFields;
  /** Exact texts that never appear in a line, wherever they came from: the document's resolved secrets. */
  readonly secrets?: readonly string[];
}

const repeatIntervalMs = 10_000;

export function createLogger(options: LoggerOptions): Logger {
  const sink = withoutSecrets(options.sink, options.secrets ?? []);
  const instance = pino(
    {
      level: options.level,
      base: null,
      // Errors are data already; pino's own serializer would join the messages that were withheld.
      serializers: { err: (described: PlainValue) => described },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    options.terminal ? terminalSink(sink) : sink,
  );
  return wrap(instance, options.fields ?? {});
}

/** For tests and for code paths that have nobody to tell. */
export const silentLogger: Logger = wrap(pino({ level: 'silent' }), {});

function wrap(instance: Pino, inherited: LogFields): Logger {
  const limiter = new RepeatLimiter<LogFields | undefined>(repeatIntervalMs, (message, fields, count) => {
    instance.warn(lineFields(inherited, count === 1 ? fields : { ...fields, count }), message);
  });
  return {
    debug: (message, fields) => instance.debug(lineFields(inherited, fields), message),
    info: (message, fields) => instance.info(lineFields(inherited, fields), message),
    warn: (message, fields) => instance.warn(lineFields(inherited, fields), message),
    error: (message, fields) => instance.error(lineFields(inherited, fields), message),
    repeatable: (message, fields) => limiter.occurred(message, fields),
    child: (fields) => wrap(instance, { ...inherited, ...fields }),
  };
}

function lineFields(inherited: LogFields, fields: LogFields | undefined): PlainValue {
  const { error, ...rest } = { ...inherited, ...fields };
  const line = redact(rest) as Record<string, PlainValue>;
  if (error === undefined) return line;
  if (error instanceof CdcError) line['code'] = error.code;
  line['err'] = redact(error instanceof Error ? error : new TypeError('something other than an error was thrown'));
  return line;
}

function terminalSink(sink: LogSink): LogSink {
  return { write: (line) => sink.write(formatForTerminal(JSON.parse(line) as Record<string, PlainValue>)) };
}

function withoutSecrets(sink: LogSink, secrets: readonly string[]): LogSink {
  // Short ones would tear holes into ordinary words and give themselves away by it.
  const needles = secrets.filter((secret) => secret.length >= 4).map((secret) => JSON.stringify(secret).slice(1, -1));
  if (needles.length === 0) return sink;
  return { write: (line) => sink.write(needles.reduce((text, needle) => text.replaceAll(needle, '***'), line)) };
}
