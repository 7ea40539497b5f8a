import { CdcError } from '../errors/cdc-error.ts';

/** What a log line may carry; everything else is turned into text. */
export type LogValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | undefined
  | Error
  | readonly LogValue[]
  | { readonly [key: string]: LogValue };

export type PlainValue =
  | string
  | number
  | boolean
  | null
  | readonly PlainValue[]
  | { readonly [key: string]: PlainValue };

const mask = '***';
const secretName =
  /pass(?:word|wd|phrase)|secret|credential|api[._-]?key|private[._-]?key|jaas|authorization|(?:^|[._-])token$/i;
const urlCredentials = /(\b[a-z][a-z0-9+.-]*:\/\/[^\s/?#:@]*):[^\s/?#]*@/gi;
const maxDepth = 6;

/** Replaces the password of every URL in a text. */
export function maskUrls(text: string): string {
  return text.replace(urlCredentials, `$1:${mask}@`);
}

/** Plain data for a log line or a page: secrets by name and in URLs are masked, errors become data. */
export function redact(value: LogValue, depth = 0): PlainValue {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string') return maskUrls(value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object') return value;
  if (depth >= maxDepth) return '…';
  if (value instanceof Error) return describeError(value, depth + 1);
  if (Array.isArray(value)) return value.map((item: LogValue) => redact(item, depth + 1));
  const fields: Record<string, PlainValue> = {};
  for (const [name, field] of Object.entries(value)) {
    if (field !== undefined) fields[name] = secretName.test(name) ? mask : redact(field, depth + 1);
  }
  return fields;
}

function describeError(error: Error, depth: number): PlainValue {
  const described: Record<string, PlainValue> = { name: error.name };
  const code = (error as { readonly code?: unknown }).code;
  if (typeof code === 'string' || typeof code === 'number') described['code'] = code;
  if (error instanceof CdcError) {
    described['details'] = redact(error.details, depth);
    described['hint'] = error.hint;
  }
  described['message'] = messageIsSafe(error) ? maskUrls(error.message) : 'withheld: it may quote data';
  const frames = stackFrames(error);
  if (frames !== '') described['stack'] = frames;
  if (error.cause instanceof Error) described['cause'] = redact(error.cause, depth);
  return described;
}

/**
 * Servers and parsers quote what they choke on: a duplicate key, a piece of JSON. Only our own errors, failed
 * system calls and the engine's complaints about code are known to hold no row values.
 */
function messageIsSafe(error: Error): boolean {
  return (
    error instanceof CdcError ||
    'syscall' in error ||
    error instanceof TypeError ||
    error instanceof RangeError ||
    error instanceof ReferenceError
  );
}

/** The stack without its first lines, which repeat the message. */
function stackFrames(error: Error): string {
  const lines = error.stack?.split('\n') ?? [];
  return lines.filter((line) => /^\s+at /.test(line)).join('\n');
}
