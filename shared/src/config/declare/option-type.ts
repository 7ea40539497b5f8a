import { z } from 'zod';

import type { Parsed } from '../parsed.ts';
import { splitList } from '../split-outside-brackets.ts';
import { parseDuration } from './duration.ts';
import { parseSize } from './size.ts';
import type { ProblemKind } from '../document/problem.ts';

/** Reads the text of an option. Built on zod, so that types, checks and JSON Schema come from one place. */
export interface OptionType<T> {
  /** Shown in the reference. */
  readonly label: string;
  /** Completes "expected …". */
  readonly expected: string;
  readonly schema: z.ZodType<T, string>;
  /** Printed as `***` everywhere. */
  readonly secret: boolean;
  /** A literal in the document itself is worth a warning. */
  readonly warnLiteral: boolean;
  /** How the items of a YAML sequence are joined; null = a sequence is refused. */
  readonly separator: string | null;
  /** Things to warn about in a value that is accepted. */
  remarks(value: T): readonly string[];
}

/** Why a text is refused, in the kinds of a `CONFIG_INVALID`. */
export interface Refusal {
  readonly kind: ProblemKind;
  readonly rule: string;
}

interface Shape {
  readonly label: string;
  readonly expected: string;
  readonly secret?: boolean;
  readonly separator?: string;
}

function optionType<T>(shape: Shape, schema: z.ZodType<T, string>): OptionType<T> {
  return { secret: false, warnLiteral: false, separator: null, remarks: () => [], ...shape, schema };
}

/** A zod schema around a parser; its issues carry our kind. */
function through<T>(kind: ProblemKind, parse: (text: string) => Parsed<T>): z.ZodType<T, string> {
  return z.string().transform((text, context) => {
    const result = parse(text);
    if (result.ok) return result.value;
    const message = result.column === null ? result.rule : `${result.rule} (column ${result.column} of the value)`;
    context.issues.push({ code: 'custom', input: text, message, params: { kind: result.kind ?? kind } });
    return z.NEVER;
  });
}

export interface Bounds {
  readonly min?: number;
  readonly max?: number;
}

function bounded(schema: z.ZodType<number, string>, bounds: Bounds): z.ZodType<number, string> {
  let number = z.number();
  if (bounds.min !== undefined) number = number.min(bounds.min);
  if (bounds.max !== undefined) number = number.max(bounds.max);
  return schema.pipe(number);
}

function boundsText(bounds: Bounds, unit: string): string {
  const { min, max } = bounds;
  if (min !== undefined && max !== undefined) return ` from ${min}${unit} to ${max}${unit}`;
  if (min !== undefined) return ` of at least ${min}${unit}`;
  return max === undefined ? '' : ` of at most ${max}${unit}`;
}

/** For the reference: only bounds that are not plain from the meaning. */
function boundsLabel(bounds: Bounds, unit: string): string {
  const { min, max } = bounds;
  if (max !== undefined) return ` ${min ?? 0}${unit} to ${max}${unit}`;
  return min === undefined || min <= 1 ? '' : ` ≥ ${min}${unit}`;
}

function parseInteger(text: string): Parsed<number> {
  const trimmed = text.trim();
  const value = /^([+-]?\d+|0x[\da-f]+|0o[0-7]+)$/i.test(trimmed) ? Number(trimmed) : Number.NaN;
  return Number.isSafeInteger(value)
    ? { ok: true, value }
    : { ok: false, rule: 'an integer, without fraction and separators', column: null };
}

export function integer(bounds: Bounds = {}): OptionType<number> {
  const expected = `an integer${boundsText(bounds, '')}`;
  return optionType(
    { label: `int${boundsLabel(bounds, '')}`, expected },
    bounded(through('type', parseInteger), bounds),
  );
}

/** Milliseconds. */
export function duration(bounds: Bounds = { min: 0 }): OptionType<number> {
  const expected = `a duration${boundsText(bounds, 'ms')}`;
  return optionType(
    { label: `duration${boundsLabel(bounds, 'ms')}`, expected },
    bounded(through('type', parseDuration), bounds),
  );
}

/** Bytes. */
export function size(bounds: Bounds = { min: 1 }): OptionType<number> {
  const expected = `a size${boundsText(bounds, ' bytes')}`;
  return optionType({ label: 'size', expected }, bounded(through('type', parseSize), bounds));
}

/** A plain fraction such as `0.2`. */
export function fraction(bounds: Bounds): OptionType<number> {
  const expected = `a number${boundsText(bounds, '')}`;
  const schema = through('type', (text) => {
    const trimmed = text.trim();
    return /^\d+(\.\d+)?$/.test(trimmed)
      ? { ok: true, value: Number(trimmed) }
      : { ok: false, rule: 'a number such as 0.2', column: null };
  });
  return optionType({ label: `number${boundsLabel(bounds, '')}`, expected }, bounded(schema, bounds));
}

export const boolean: OptionType<boolean> = optionType(
  { label: 'bool', expected: 'true or false' },
  through('type', (text) => {
    const lower = text.trim().toLowerCase();
    if (lower === 'true' || lower === 'false') return { ok: true, value: lower === 'true' };
    return { ok: false, rule: 'true or false', column: null };
  }),
);

/** One of the values, any case; the result has the listed spelling. `_` may stand for `-`. */
export function oneOf<const V extends string>(values: readonly [V, ...V[]]): OptionType<V> {
  const plain = (value: string): string => value.trim().toLowerCase().replaceAll('_', '-');
  const listed = new Map(values.map((value) => [plain(value), value]));
  const schema = z
    .string()
    .transform((text) => listed.get(plain(text)) ?? text)
    .pipe(z.enum(values));
  // The pipe takes any text and guards the union itself.
  return optionType(
    { label: values.join(', '), expected: `one of ${values.join(', ')}` },
    schema as z.ZodType<V, string>,
  );
}

export interface TextRules {
  readonly label?: string;
  readonly pattern?: RegExp;
  readonly expected?: string;
  readonly allowEmpty?: boolean;
}

export function text(rules: TextRules = {}): OptionType<string> {
  const expected = rules.expected ?? 'a text that is not empty';
  const { pattern } = rules;
  const schema = through<string>(pattern === undefined ? 'type' : 'syntax', (given) =>
    (given !== '' || rules.allowEmpty === true) && (pattern === undefined || given === '' || pattern.test(given))
      ? { ok: true, value: given }
      : { ok: false, rule: expected, column: null },
  );
  return optionType({ label: rules.label ?? 'text', expected }, schema);
}

export const secret: OptionType<string> = {
  ...text({ allowEmpty: true, label: 'secret', expected: 'a text' }),
  secret: true,
  warnLiteral: true,
};

/** Names separated by `separator` (and `also`), or a YAML sequence. */
export function list(separator = ',', also = ''): OptionType<readonly string[]> {
  const expected = `a list of names separated by ${separator}`;
  const schema = through<readonly string[]>('type', (given) => {
    const names = splitList(given, separator + also).map((piece) => piece.text);
    return names.every((name) => name !== '')
      ? { ok: true, value: names }
      : { ok: false, rule: `${expected}, none of them empty`, column: null };
  });
  return optionType({ label: 'list', expected, separator }, schema);
}

/** A value with a grammar of its own. */
export function grammar<T>(
  label: string,
  parse: (text: string) => Parsed<T>,
  more: Pick<Partial<OptionType<T>>, 'separator' | 'secret' | 'warnLiteral' | 'remarks'> = {},
): OptionType<T> {
  return { ...optionType({ label, expected: label }, through('syntax', parse)), ...more };
}

export type Outcome<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly refusal: Refusal };

function refusalOf(issue: z.core.$ZodIssue | undefined, type: OptionType<unknown>): Refusal {
  if (issue?.code === 'custom') {
    const kind = (issue.params?.['kind'] ?? 'type') as ProblemKind;
    return { kind, rule: kind === 'unsupported' ? issue.message : `expected ${issue.message}` };
  }
  const kind = issue?.code === 'too_small' || issue?.code === 'too_big' ? 'range' : 'enum';
  return { kind, rule: `expected ${type.expected}` };
}

export function readOption<T>(type: OptionType<T>, given: string): Outcome<T> {
  const result = type.schema.safeParse(given);
  if (result.success) return { ok: true, value: result.data };
  return { ok: false, refusal: refusalOf(result.error.issues[0], type) };
}
