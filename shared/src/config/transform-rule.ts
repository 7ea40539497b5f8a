import type { TableId } from '../event/table-id.ts';
import type { TableSelectors } from './table-selectors.ts';

/** One entry of `transform`. The first rule whose tables match applies; other tables pass unchanged. */
export interface TransformRule {
  readonly tables: TableSelectors;
  /** Columns to keep, in this order; null = all, columns added later included. */
  readonly columns: readonly string[] | null;
  /** Replaces the source's key; null = the source's own. */
  readonly primaryKeys: readonly string[] | null;
  readonly description: string | null;
}

export function transformFor(rules: readonly TransformRule[], id: TableId, caseSensitive = true): TransformRule | null {
  return rules.find((rule) => rule.tables.matches(id, caseSensitive)) ?? null;
}
