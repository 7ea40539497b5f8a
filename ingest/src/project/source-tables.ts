import { tableIdText } from '@millrace/shared/event/table-id.ts';
import type { TableId } from '@millrace/shared/event/table-id.ts';
import type { RecordFrame, Span } from '@millrace/shared/format/record-frame.ts';
import { spanText } from '@millrace/shared/format/record-frame.ts';

import type { InferenceRules } from './inferred-columns.ts';
import { SourceTable } from './source-table.ts';
import type { TableRules } from './source-table.ts';
import { Target } from './target.ts';

/** The document's rules, as far as they concern tables. */
export interface ProjectionRules {
  readonly rulesFor: (id: TableId) => TableRules;
  /** Where a table goes; at least one target. */
  readonly route: (id: TableId) => readonly TableId[];
  readonly inference: InferenceRules;
}

/** All tables that were met in the records of this process, and the targets that they feed. */
export class SourceTables {
  readonly #rules: ProjectionRules;
  readonly #byText = new Map<string, SourceTable>();
  readonly #targets = new Map<string, Target>();

  constructor(rules: ProjectionRules) {
    this.#rules = rules;
  }

  table(id: TableId): SourceTable {
    const key = JSON.stringify([id.namespace, id.schema, id.table]);
    let table = this.#byText.get(key);
    if (table === undefined) {
      const rules = this.#rules.rulesFor(id);
      const targets = rules.included ? this.#rules.route(id).map((target) => this.#target(target)) : [];
      table = new SourceTable(id, this.#byText.size, rules, targets, this.#rules.inference);
      this.#byText.set(key, table);
    }
    return table;
  }

  /** A table whose id has this text; one that was met in a record's value is preferred to a guess at the dots. */
  byIdText(text: string): SourceTable {
    for (const table of this.#byText.values()) if (table.text === text) return table;
    const [first = '', second, ...rest] = text.split('.');
    if (second === undefined) return this.table({ namespace: '', schema: '', table: first });
    if (rest.length === 0) return this.table({ namespace: '', schema: first, table: second });
    return this.table({ namespace: first, schema: second, table: rest.join('.') });
  }

  #target(id: TableId): Target {
    const text = tableIdText(id);
    let target = this.#targets.get(text);
    if (target === undefined) {
      target = new Target(id);
      this.#targets.set(text, target);
    }
    return target;
  }
}

/** Finds the table of a record; consecutive records are mostly of one table, which is recognised by its bytes. */
export class TableFinder {
  readonly #tables: SourceTables;
  #last: SourceTable | null = null;
  #namespace = new NamePart();
  #schema = new NamePart();
  #table = new NamePart();

  constructor(tables: SourceTables) {
    this.#tables = tables;
  }

  find(bytes: Buffer, frame: RecordFrame): SourceTable {
    const known =
      this.#table.equals(bytes, frame.table) &&
      this.#schema.equals(bytes, frame.schema) &&
      this.#namespace.equals(bytes, frame.namespace);
    if (known && this.#last !== null) return this.#last;
    this.#namespace.remember(bytes, frame.namespace);
    this.#schema.remember(bytes, frame.schema);
    this.#table.remember(bytes, frame.table);
    this.#last = this.#tables.table({
      namespace: frame.namespace.present ? spanText(bytes, frame.namespace) : '',
      schema: frame.schema.present ? spanText(bytes, frame.schema) : '',
      table: spanText(bytes, frame.table),
    });
    return this.#last;
  }
}

class NamePart {
  #bytes: Buffer | null = null;

  equals(bytes: Buffer, span: Span): boolean {
    const known = this.#bytes;
    if (known === null) return !span.present;
    if (!span.present || known.length !== span.end - span.start) return false;
    for (let i = 0; i < known.length; i++) if (known[i] !== bytes[span.start + i]) return false;
    return true;
  }

  remember(bytes: Buffer, span: Span): void {
    this.#bytes = span.present ? Buffer.from(bytes.subarray(span.start, span.end)) : null;
  }
}
