/** Kinds of a `CONFIG_INVALID`, as people search for them in the manual. */
export type ProblemKind =
  | 'yaml'
  | 'unknown-key'
  | 'duplicate'
  | 'missing'
  | 'type'
  | 'range'
  | 'enum'
  | 'syntax'
  | 'conflict'
  | 'unresolved'
  | 'unsupported';

/** A place in a document; line and column count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface Problem {
  readonly kind: ProblemKind;
  readonly place: Place;
  /** Dotted path from the top of the document; empty for the document itself. */
  readonly path: string;
  /** As given after placeholders; `***` for a secret; null where no value is at fault. */
  readonly value: string | null;
  /** What is expected or why it is refused. Never holds the value. */
  readonly rule: string;
  /** The known name that is most like the given one. */
  readonly nearest: string | null;
}

export const redacted = '***';

const shownLength = 80;

function shown(value: string): string {
  if (value === redacted) return redacted;
  const oneLine = JSON.stringify(value).slice(1, -1).replaceAll('\\\\', '\\').replaceAll('\\"', '"');
  return oneLine.length > shownLength ? `'${oneLine.slice(0, shownLength)}…'` : `'${oneLine}'`;
}

export function renderPlace(place: Place): string {
  return `${place.file}:${place.line}:${place.column}`;
}

export function renderProblem(problem: Problem): string {
  const fields = [renderPlace(problem.place)];
  if (problem.path !== '') fields.push(problem.path);
  if (problem.value !== null) fields.push(shown(problem.value));
  fields.push(`${problem.kind}: ${problem.rule}`);
  if (problem.nearest !== null) fields.push(`(nearest: ${problem.nearest})`);
  return fields.join('  ');
}

function byPlace(a: { readonly place: Place }, b: { readonly place: Place }): number {
  return a.place.line - b.place.line || a.place.column - b.place.column;
}

/** Everything found in one document, so that all of it can be reported at once. */
export class Findings {
  readonly #problems: Problem[] = [];
  readonly #warnings: { readonly place: Place; readonly text: string }[] = [];
  readonly #allowed = new Map<string, readonly string[]>();

  problem(problem: Omit<Problem, 'value' | 'nearest'> & Partial<Problem>): void {
    this.#problems.push({ value: null, nearest: null, ...problem });
  }

  warning(place: Place, path: string, text: string): void {
    this.#warnings.push({ place, text: `${renderPlace(place)}  ${path}  ${text}` });
  }

  /** Keys to choose from, listed once per block. */
  allowed(block: string, keys: readonly string[]): void {
    this.#allowed.set(block, keys);
  }

  get failed(): boolean {
    return this.#problems.length > 0;
  }

  /** In document order. */
  get problems(): readonly Problem[] {
    return this.#problems.toSorted(byPlace);
  }

  get allowedKeys(): ReadonlyMap<string, readonly string[]> {
    return this.#allowed;
  }

  /** In document order. */
  get warnings(): readonly string[] {
    return this.#warnings.toSorted(byPlace).map((warning) => warning.text);
  }
}
