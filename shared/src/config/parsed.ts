/** Outcome of reading a value with an inner grammar. `column` is 1-based inside the value; null where it has no one place. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly rule: string; readonly column: number | null };

export function parsed<T>(value: T): Parsed<T> {
  return { ok: true, value };
}

/** `rule` is constant text: it is printed even where the value is a secret. */
export function unparsable(rule: string, column: number | null = null): Parsed<never> {
  return { ok: false, rule, column };
}
