import type { TableSelectors } from '@millrace/shared/config/table-selectors.ts';
import { tableIdText } from '@millrace/shared/event/table-id.ts';
import type { TableId } from '@millrace/shared/event/table-id.ts';

import type { NewTables } from '../pipeline/start-state.ts';

/**
 * Which tables are captured, as the source asks for each table map. Until `begin` it is the selectors alone, afterwards
 * also what the document says of tables that came later.
 */
export class CapturedTables {
  readonly #selectors: TableSelectors;
  readonly #newTables: NewTables;
  readonly #onIgnored: (table: string) => void;
  readonly #known = new Set<string>();
  readonly #ignored = new Set<string>();
  #begun = false;
  /** As the source compares names; known once it is connected. */
  caseSensitive = true;

  /** `onIgnored` hears once of each table that matches and is not captured. */
  constructor(selectors: TableSelectors, newTables: NewTables, onIgnored: (table: string) => void = () => undefined) {
    this.#selectors = selectors;
    this.#newTables = newTables;
    this.#onIgnored = onIgnored;
  }

  begin(known: Iterable<string>, ignored: Iterable<string>): void {
    for (const table of known) this.#known.add(table);
    for (const table of ignored) this.#ignored.add(table);
    this.#begun = true;
  }

  /** A table that matches and is not captured. */
  ignore(table: string): void {
    if (this.#ignored.has(table)) return;
    this.#ignored.add(table);
    this.#onIgnored(table);
  }

  add(table: string): void {
    this.#known.add(table);
  }

  has(table: string): boolean {
    return this.#known.has(table);
  }

  readonly matches = (id: TableId): boolean => this.#selectors.matches(id, this.caseSensitive);

  readonly captures = (id: TableId): boolean => {
    if (!this.matches(id)) return false;
    if (!this.#begun) return true;
    const table = tableIdText(id);
    if (this.#known.has(table)) return true;
    if (this.#ignored.has(table)) return false;
    if (this.#newTables !== 'ignore') return true;
    this.ignore(table);
    return false;
  };
}
