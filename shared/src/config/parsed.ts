/** Outcome of reading a value with an inner grammar. */
export type Parsed<T> = { readonly ok: true; readonly value: T } | Unparsable;

export interface Unparsable {
  readonly ok: false;
  /** Constant text: it is printed even where the value is a secret. */
  readonly rule: string;
  /** 1-based inside the value; null where the fault has no one place. */
  readonly column: number | null;
  /** Where the fault is not one of syntax. */
  readonly kind?: 'type' | 'range' | 'enum' | 'unsupported';
}

export function parsed<T>(value: T): Parsed<T> {
  return { ok: true, value };
}

export function unparsable(rule: string, column: number | null = null): Unparsable {
  return { ok: false, rule, column };
}
