import { isDeepStrictEqual } from 'node:util';

import type { Findings, Place, ProblemKind } from '../document/problem.ts';
import { shownValue } from '../document/setting.ts';
import type { Setting } from '../document/setting.ts';
import { nearestName } from './nearest-name.ts';
import { readOption } from './option-type.ts';
import type { OptionType, Outcome } from './option-type.ts';
import type { Declarations, Option, ValuesOf } from './option.ts';

/** A block of the document read by its declarations. */
export interface Block<D extends Declarations> {
  /** What could be read: an option with a problem is absent. */
  readonly values: Partial<ValuesOf<D>>;
  /** Everything, or null once an option has a problem. */
  readonly complete: ValuesOf<D> | null;
  /** The document gives this option, under its own name or an alias. */
  given(name: keyof D & string): boolean;
  problem(kind: ProblemKind, name: keyof D & string, rule: string): void;
  warning(name: keyof D & string, text: string): void;
}

export interface BlockSource {
  readonly settings: ReadonlyMap<string, Setting>;
  /** Dotted path of the block. */
  readonly path: string;
  readonly place: Place;
  readonly findings: Findings;
}

function isPattern(name: string): boolean {
  return name.endsWith('*');
}

function textOf(setting: Setting, type: OptionType<unknown>): string | null {
  if (setting.texts === null) return null;
  return setting.texts.map((text) => text.text).join(type.separator ?? ',');
}

class BlockReader<D extends Declarations> implements Block<D> {
  readonly values: Partial<Record<string, unknown>> & Partial<ValuesOf<D>> = {};
  readonly #declarations: D;
  readonly #source: BlockSource;
  readonly #nameOf = new Map<string, string>();
  readonly #patterns: readonly string[];
  /** Settings of each declared name, own spelling and aliases. */
  readonly #settings = new Map<string, Setting[]>();
  #broken = false;

  constructor(declarations: D, source: BlockSource) {
    this.#declarations = declarations;
    this.#source = source;
    for (const [name, { aliases }] of Object.entries(declarations)) {
      for (const spelling of [name, ...aliases]) this.#nameOf.set(spelling, name);
    }
    this.#patterns = Object.keys(declarations)
      .filter(isPattern)
      .toSorted((a, b) => b.length - a.length);
    for (const setting of source.settings.values()) this.#assign(setting);
    this.#readAll();
  }

  get complete(): ValuesOf<D> | null {
    return this.#broken ? null : (this.values as ValuesOf<D>);
  }

  given(name: keyof D & string): boolean {
    return this.#settings.has(name);
  }

  problem(kind: ProblemKind, name: keyof D & string, rule: string): void {
    const setting = this.#settings.get(name)?.[0];
    this.#refuse(kind, name, setting ?? null, rule);
  }

  warning(name: keyof D & string, text: string): void {
    const setting = this.#settings.get(name)?.[0];
    const { place, path, findings } = this.#source;
    findings.warning(setting?.keyPlace ?? place, setting?.path ?? `${path}.${name}`, text);
  }

  #refuse(kind: ProblemKind, name: string, setting: Setting | null, rule: string, nearest: string | null = null): void {
    const { place, path, findings } = this.#source;
    const declared = this.#declarations[name];
    findings.problem({
      kind,
      place: (kind === 'missing' ? null : setting?.texts?.[0]?.place) ?? setting?.keyPlace ?? place,
      path: setting?.path ?? `${path}.${name}`,
      value: setting === null ? null : shownValue(setting, declared?.type?.secret ?? false),
      rule,
      nearest,
    });
    this.#broken = true;
  }

  #assign(setting: Setting): void {
    const name =
      this.#nameOf.get(setting.key) ?? this.#patterns.find((known) => setting.key.startsWith(known.slice(0, -1)));
    if (name === undefined) {
      this.#refuseUnknown(setting);
      return;
    }
    const others = this.#settings.get(name);
    if (others === undefined) this.#settings.set(name, [setting]);
    else others.push(setting);
  }

  #refuseUnknown(setting: Setting): void {
    const known = this.#knownNames();
    this.#source.findings.problem({
      kind: 'unknown-key',
      place: setting.keyPlace,
      path: setting.path,
      rule: `not an option of ${this.#source.path}`,
      nearest: nearestName(setting.key, known),
    });
    this.#source.findings.allowed(this.#source.path.replace(/\[\d+\]$/, ''), known);
    this.#broken = true;
  }

  #knownNames(): readonly string[] {
    return Object.entries(this.#declarations)
      .filter(([, { status, later }]) => (status === 'W' || status === 'D') && later === null)
      .map(([name]) => name);
  }

  #readAll(): void {
    for (const [name, option] of Object.entries(this.#declarations)) {
      const settings = this.#settings.get(name) ?? [];
      const value = this.#read(name, option, settings);
      if (value !== undefined) Object.assign(this.values, { [name]: value });
    }
  }

  /** Undefined after a problem. */
  #read(name: string, option: Option<unknown>, settings: readonly Setting[]): unknown {
    switch (option.presence) {
      case 'refused':
        for (const setting of settings) this.#refuse('unsupported', name, setting, option.doc);
        return null;
      case 'without-effect':
        this.#warnWithoutEffect(option, settings);
        return null;
      case 'collected':
        return this.#collect(name, option, settings);
      default:
        return this.#readOne(name, option, settings);
    }
  }

  #warnWithoutEffect(option: Option<unknown>, settings: readonly Setting[]): void {
    const [first, ...more] = settings;
    if (first === undefined) return;
    const names = more.map((setting) => setting.key);
    const others = names.length === 0 ? '' : ` (also ${names.join(', ')})`;
    this.#source.findings.warning(first.keyPlace, first.path, `has no effect: ${option.doc}${others}`);
  }

  #collect(name: string, option: Option<unknown>, settings: readonly Setting[]): ReadonlyMap<string, string> {
    const collected = new Map<string, string>();
    for (const setting of settings) {
      const text = setting.texts?.[0]?.text;
      if (text === undefined || setting.sequence) {
        if (setting.texts === null) this.#broken = true;
        else this.#refuse('type', name, setting, 'expected one value');
        continue;
      }
      if (option.later !== null) this.#refuse('unsupported', name, setting, option.later);
      collected.set(setting.key.slice(name.length - 1), text);
    }
    return collected;
  }

  #readOne(name: string, option: Option<unknown>, settings: readonly Setting[]): unknown {
    const { type } = option;
    if (type === null) return null;
    const fallback = this.#defaultOf(option, type);
    const [first] = settings;
    if (first === undefined) {
      if (option.presence !== 'required') return fallback;
      this.#refuse('missing', name, null, `required: ${option.doc}`);
      return undefined;
    }
    const outcomes = settings.map((setting) => this.#readSetting(name, option, type, setting));
    const [value] = outcomes;
    if (outcomes.includes(undefined)) return undefined;
    const other = settings.find((_, index) => !isDeepStrictEqual(comparable(outcomes[index]), comparable(value)));
    if (other !== undefined) {
      this.#refuse('conflict', name, other, `the same option as ${first.path}, with another value`);
      return undefined;
    }
    if (option.later !== null && !isDeepStrictEqual(comparable(value), comparable(fallback))) {
      this.#refuse('unsupported', name, first, option.later);
      return undefined;
    }
    return value;
  }

  #defaultOf(option: Option<unknown>, type: OptionType<unknown>): unknown {
    if (option.default === null) return null;
    const outcome = readOption(type, option.default);
    return outcome.ok ? outcome.value : null;
  }

  #readSetting(name: string, option: Option<unknown>, type: OptionType<unknown>, setting: Setting): unknown {
    const given = textOf(setting, type);
    if (given === null) {
      this.#broken = true;
      return undefined;
    }
    if (setting.sequence && type.separator === null) {
      this.#refuse('type', name, setting, `expected ${type.expected}, not a list`);
      return undefined;
    }
    const note = option.notes[given.trim().toLowerCase()];
    if (note?.as === 'refused') {
      this.#refuse('unsupported', name, setting, note.reason);
      return undefined;
    }
    if (note?.as === 'ignored') {
      this.#source.findings.warning(setting.keyPlace, setting.path, `has no effect: ${note.reason}`);
      return this.#defaultOf(option, type);
    }
    if (given === '' && option.presence === 'required' && !type.schema.safeParse('').success) {
      this.#refuse('missing', name, setting, `required: ${option.doc}`);
      return undefined;
    }
    return this.#take(name, type, setting, readOption(type, given), given);
  }

  #take(name: string, type: OptionType<unknown>, setting: Setting, outcome: Outcome<unknown>, given: string): unknown {
    if (!outcome.ok) {
      const secret = type.secret || setting.texts?.some((text) => text.secret) === true;
      const near = outcome.refusal.kind === 'enum' && !secret ? nearestName(given, type.label.split(', ')) : null;
      this.#refuse(outcome.refusal.kind, name, setting, outcome.refusal.rule, near);
      return undefined;
    }
    const literal = setting.texts?.some((text) => text.substituted) === false;
    if (type.warnLiteral && literal && given !== '') {
      const advice = 'a secret in the document itself: use ${secret_values.…}, ${env:…} or ${file:…}';
      this.#source.findings.warning(setting.keyPlace, setting.path, advice);
    }
    const secret = type.secret || setting.texts?.some((text) => text.secret) === true;
    for (const remark of secret ? [] : type.remarks(outcome.value)) {
      this.#source.findings.warning(setting.keyPlace, setting.path, remark);
    }
    return outcome.value;
  }
}

/** Values with functions (selectors, patterns) are equal when their texts are. */
function comparable(value: unknown): unknown {
  return JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? `${inner}n` : inner));
}

export function readBlock<D extends Declarations>(declarations: D, source: BlockSource): Block<D> {
  return new BlockReader(declarations, source);
}
