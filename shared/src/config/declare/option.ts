import type { OptionType } from './option-type.ts';

/** W works · D works with a meaning of its own · N accepted without effect · R refused. */
export type OptionStatus = 'W' | 'D' | 'N' | 'R';

/** A value of an option that is known and not simply taken. */
export interface ValueNote {
  /** `refused`: an error `unsupported`. `ignored`: a warning, and the default applies. */
  readonly as: 'refused' | 'ignored';
  readonly reason: string;
}

/**
 * One option of a block. Everything about it is said here once: reading, checking, `docs/reference/options.md` and the
 * JSON Schema derive from it. A name that ends in `*` stands for every name with that beginning.
 */
export interface Option<T> {
  readonly type: OptionType<T> | null;
  readonly presence: 'required' | 'defaulted' | 'optional' | 'collected' | 'without-effect' | 'refused';
  /** Text as one would write it. */
  readonly default: string | null;
  readonly status: OptionStatus;
  readonly aliases: readonly string[];
  /** An option of Millrace's own, which no other product has. */
  readonly own: boolean;
  /** Meaning in one line; for N and R the reason. */
  readonly doc: string;
  /** Why a value other than the default is refused in this version. */
  readonly later: string | null;
  readonly notes: Readonly<Record<string, ValueNote>>;
}

export interface About {
  readonly doc: string;
  readonly status?: OptionStatus;
  readonly aliases?: readonly string[];
  readonly own?: boolean;
  readonly later?: string;
  /** By value, lower case. */
  readonly notes?: Readonly<Record<string, ValueNote>>;
}

type Fixed = Pick<Option<unknown>, 'presence' | 'default'>;

function option<T>(type: OptionType<T>, fixed: Fixed, about: About): Omit<Option<T>, 'type'> & { type: OptionType<T> } {
  return { type, status: 'W', aliases: [], own: false, later: null, notes: {}, ...fixed, ...about };
}

export function required<T>(type: OptionType<T>, about: About): Option<T> {
  return option(type, { presence: 'required', default: null }, about);
}

export function defaulted<T>(type: OptionType<T>, value: string, about: About): Option<T> {
  return option(type, { presence: 'defaulted', default: value }, about);
}

/** Null where the document does not give it. */
export function optional<T>(type: OptionType<T>, about: About): Option<T | null> {
  // Reading never yields null; the type only says what the absent option becomes.
  return option(type as OptionType<T | null>, { presence: 'optional', default: null }, about);
}

const untyped = { type: null, default: null, aliases: [], own: false, later: null, notes: {} };

/** All names with a beginning, by the rest of the name. */
export function collected(about: About): Option<ReadonlyMap<string, string>> {
  return { ...untyped, presence: 'collected', status: 'W', ...about };
}

/** Accepted with a warning that says why it does nothing. */
export function withoutEffect(reason: string): Option<null> {
  return { ...untyped, presence: 'without-effect', status: 'N', doc: reason };
}

/** Known, and refused with the reason. */
export function refused(reason: string): Option<null> {
  return { ...untyped, presence: 'refused', status: 'R', doc: reason };
}

export const notYet = 'not in this version';

export type Declarations = Readonly<Record<string, Option<unknown>>>;

export type ValuesOf<D extends Declarations> = {
  readonly [K in keyof D]: D[K] extends Option<infer T> ? T : never;
};
