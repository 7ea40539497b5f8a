import type { TableSchema } from '@millrace/shared/event/schema.ts';
import { tableIdText } from '@millrace/shared/event/table-id.ts';
import type { TableId } from '@millrace/shared/event/table-id.ts';

import { InferredColumns } from './inferred-columns.ts';
import type { InferenceRules } from './inferred-columns.ts';
import type { SourceColumns, Target } from './target.ts';

/** What the document says about one source table. */
export interface TableRules {
  /** False: its records are counted and skipped. */
  readonly included: boolean;
  /** Columns to keep, in this order; null = all, later ones included. */
  readonly columns: readonly string[] | null;
  /** Declared key; wins over every other. */
  readonly primaryKeys: readonly string[] | null;
  /** Declared types, for streams that carry none. */
  readonly initialSchema: TableSchema | null;
}

/** Where the schemas of a source table come from. */
export interface SchemaSources {
  /** The version with this fingerprint from the schema log; null when the log does not hold it. */
  schemaFor(fingerprint: string, tableIdText: string, signal: AbortSignal): Promise<TableSchema | null>;
  /** The target as it is at the destination; null when it does not exist. */
  describe(target: TableId, signal: AbortSignal): Promise<TableSchema | null>;
}

/** What the first record of a version says about the key beside the schema log. */
export interface KeyHints {
  /** Named by the value (canal's `pkNames`); null when it names none. */
  readonly byValue: readonly string[] | null;
  /** Columns of the record key; empty when it has none. */
  readonly byKey: readonly string[];
}

const none = Buffer.alloc(0);

/** One table as the records name it, with the versions met so far. */
export class SourceTable {
  readonly id: TableId;
  readonly text: string;
  /** Small number, unique in the process. */
  readonly ordinal: number;
  readonly rules: TableRules;
  readonly targets: readonly Target[];
  /** Set when rows come without a known version. */
  inferred: InferredColumns | null = null;
  readonly #inference: InferenceRules;
  /** Fingerprint of the record before, as bytes; most records have the same. */
  #last: Buffer | null = null;
  readonly #known = new Set<string>();
  readonly #withoutVersion = new Set<string>();
  readonly #resolving = new Map<string, Promise<void>>();
  #describedKey: readonly string[] | null = null;

  constructor(id: TableId, ordinal: number, rules: TableRules, targets: readonly Target[], inference: InferenceRules) {
    this.id = id;
    this.text = tableIdText(id);
    this.ordinal = ordinal;
    this.rules = rules;
    this.targets = targets;
    this.#inference = inference;
  }

  /** Whether the version of a record is known; `start` −1 stands for a record without fingerprint. Does no I/O. */
  knows(bytes: Buffer, start: number, end: number): boolean {
    const last = this.#last;
    const length = start < 0 ? 0 : end - start;
    if (last !== null && last.length === length && sameBytes(last, bytes, start)) return true;
    const fingerprint = start < 0 ? '' : bytes.toString('latin1', start, end);
    if (!this.#known.has(fingerprint)) return false;
    this.#last = start < 0 ? none : Buffer.from(fingerprint, 'latin1');
    return true;
  }

  /** True when the rows of the version accepted last by `knows` must be looked at for their types. */
  get needsInference(): boolean {
    return this.inferred !== null && this.#last !== null && this.#withoutVersion.has(this.#last.toString('latin1'));
  }

  /**
   * Makes a version known and lets the targets grow to it; '' stands for records without fingerprint. Several callers
   * may ask for one version at once.
   */
  resolve(fingerprint: string, hints: KeyHints, sources: SchemaSources, signal: AbortSignal): Promise<void> {
    const running = this.#resolving.get(fingerprint);
    if (running !== undefined) return running;
    const resolving = this.#resolve(fingerprint, hints, sources, signal).finally(() => {
      this.#resolving.delete(fingerprint);
    });
    this.#resolving.set(fingerprint, resolving);
    return resolving;
  }

  /** Looks at a row without a version; its target may grow. */
  observe(bytes: Buffer, start: number, end: number, hints: () => KeyHints): void {
    const { inferred } = this;
    if (inferred?.observe(bytes, start, end) === true || !this.targets.every((target) => target.isOpen)) {
      this.#evolve(this.#inferredColumns(hints()));
    }
  }

  async #resolve(fingerprint: string, hints: KeyHints, sources: SchemaSources, signal: AbortSignal): Promise<void> {
    const schema = fingerprint === '' ? null : await sources.schemaFor(fingerprint, this.text, signal);
    if (schema === null) {
      await this.#startInference(sources, signal);
      this.#withoutVersion.add(fingerprint);
    } else {
      const primaryKey = this.#keyFrom(hints) ?? schema.primaryKey;
      this.#evolve({ columns: schema.columns, primaryKey, comment: schema.comment });
    }
    this.#known.add(fingerprint);
  }

  async #startInference(sources: SchemaSources, signal: AbortSignal): Promise<void> {
    if (this.inferred !== null) return;
    const declared = this.rules.initialSchema;
    const target = this.targets[0];
    const described = target === undefined ? null : await sources.describe(target.id, signal);
    this.#describedKey = described?.primaryKey ?? null;
    this.inferred = new InferredColumns((declared ?? described)?.columns ?? [], declared !== null, this.#inference);
  }

  #inferredColumns(hints: KeyHints): SourceColumns {
    const declaredKey = this.rules.initialSchema?.primaryKey ?? [];
    const primaryKey = this.#keyFrom(hints) ?? (declaredKey.length > 0 ? declaredKey : this.#describedKey);
    return { columns: this.inferred?.columns ?? [], primaryKey, comment: null };
  }

  /** First hit: the document, the value, the record key. */
  #keyFrom(hints: KeyHints): readonly string[] | null {
    if (this.rules.primaryKeys !== null) return this.rules.primaryKeys;
    if (hints.byValue !== null && hints.byValue.length > 0) return hints.byValue;
    return hints.byKey.length > 0 ? hints.byKey : null;
  }

  #evolve(source: SourceColumns): void {
    const { columns } = this.rules;
    const byName = new Map(source.columns.map((column) => [column.name, column]));
    const projected = columns === null ? source.columns : columns.flatMap((name) => byName.get(name) ?? []);
    for (const target of this.targets) target.evolve({ ...source, columns: projected });
  }
}

function sameBytes(expected: Buffer, bytes: Buffer, start: number): boolean {
  for (let i = 0; i < expected.length; i++) if (expected[i] !== bytes[start + i]) return false;
  return true;
}
