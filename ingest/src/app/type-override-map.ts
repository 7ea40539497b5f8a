import type { TypeOverride } from '@millrace/shared/config/postgres-sink-options.ts';

/** Answers `schema.table.column` from the overrides' selectors; the first one that fits wins. */
export class TypeOverrideMap extends Map<string, string> {
  readonly #overrides: readonly TypeOverride[];

  constructor(overrides: readonly TypeOverride[]) {
    super();
    this.#overrides = overrides;
  }

  override get(name: string): string | undefined {
    return this.#overrides.find((override) => fits(override, name))?.type;
  }

  override has(name: string): boolean {
    return this.get(name) !== undefined;
  }
}

function fits({ tables, column }: TypeOverride, name: string): boolean {
  if (!name.endsWith(`.${column}`)) return false;
  const id = name.slice(0, -column.length - 1);
  const dot = id.indexOf('.');
  return tables.matches({ namespace: '', schema: id.slice(0, dot), table: id.slice(dot + 1) });
}
