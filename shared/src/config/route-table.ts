import { RE2JS } from 're2js';

import { sameTable, tableIdText } from '../event/table-id.ts';
import type { TableId } from '../event/table-id.ts';
import { parsed, unparsable } from './parsed.ts';
import type { Parsed } from './parsed.ts';
import { splitList } from './split-outside-brackets.ts';
import { parseTableSelectors } from './table-selectors.ts';
import type { TableSelectors } from './table-selectors.ts';

/** One entry of `route`. */
export interface RouteRule {
  readonly tables: TableSelectors;
  /** Target as the document says it: a literal, or with `$1`, or with the replace symbol. */
  readonly sinkTable: string;
  readonly replaceSymbol: string | null;
  readonly description: string | null;
  /** Where this rule sends a table; null = it does not apply. */
  target(id: TableId, caseSensitive: boolean): TableId | null;
}

const groupReference = /\$(\d)/g;

/** `.` and `\.` change places: the bare dot is a literal separator of the id's text, the escaped one any character. */
function swappedDots(selector: string): string {
  return selector.replaceAll(/\\.|\./gs, (found) => (found === '.' ? '\\.' : found === '\\.' ? '.' : found));
}

function compileWhole(text: string, caseSensitive: boolean): RE2JS {
  const alternatives = splitList(text, ',').map((piece) => `(?:${swappedDots(piece.text)})`);
  return RE2JS.compile(alternatives.join('|'), RE2JS.DOTALL | (caseSensitive ? 0 : RE2JS.CASE_INSENSITIVE));
}

function tableIdOf(parts: readonly string[]): TableId {
  const [table = '', schema = '', namespace = ''] = parts.toReversed();
  return { namespace, schema, table };
}

/** Groups of the source selector, by number, when it matches the whole text of the id. */
type Groups = (group: number) => string;

function groupsOf(regex: RE2JS, text: string): Groups | null {
  const matcher = regex.matcher(text);
  return matcher.matches() ? (group) => matcher.group(group) ?? '' : null;
}

function substituted(template: readonly string[], groups: Groups): TableId {
  const fill = (part: string): string => part.replaceAll(groupReference, (_, digit: string) => groups(Number(digit)));
  const parts = template.map(fill);
  return tableIdOf(parts.length === 1 ? (parts[0] ?? '').split('.') : parts);
}

export interface RouteText {
  readonly sourceTable: string;
  readonly sinkTable: string;
  readonly replaceSymbol: string | null;
  readonly description: string | null;
}

/**
 * The selector is tried as one regular expression on the whole text of the id, as OSS does, and then by parts;
 * `$1` refers to groups of the former. Rules are compiled once.
 */
export function parseRouteRule(rule: RouteText): {
  readonly source: Parsed<TableSelectors>;
  readonly sink: Parsed<RouteRule>;
} {
  const source = parseTableSelectors(rule.sourceTable);
  if (!source.ok) return { source, sink: unparsable('a source-table that parses') };
  let whole: RE2JS;
  try {
    whole = compileWhole(rule.sourceTable, true);
  } catch {
    return {
      source: unparsable('groups that are balanced between commas'),
      sink: unparsable('a source-table that parses'),
    };
  }
  return { source, sink: parseSink(rule, source.value, whole) };
}

function parseSink(rule: RouteText, tables: TableSelectors, whole: RE2JS): Parsed<RouteRule> {
  const template = rule.sinkTable.split('.');
  const usesGroups = rule.replaceSymbol === null && rule.sinkTable.search(groupReference) >= 0;
  if (template.includes('') || template.length > 3 || (template.length === 1 && !usesGroups)) {
    return unparsable('a table id of two or three parts joined by dots');
  }
  for (const reference of usesGroups ? rule.sinkTable.matchAll(groupReference) : []) {
    if (Number(reference[1]) > whole.groupCount()) {
      return unparsable('only groups that the source-table has', reference.index + 1);
    }
  }
  let wholeInsensitive: RE2JS | null = null;
  return parsed({
    tables,
    sinkTable: rule.sinkTable,
    replaceSymbol: rule.replaceSymbol,
    description: rule.description,
    target: (id, caseSensitive) => {
      wholeInsensitive ??= caseSensitive ? null : compileWhole(rule.sourceTable, false);
      const groups = groupsOf(caseSensitive ? whole : (wholeInsensitive ?? whole), tableIdText(id));
      if (usesGroups) return groups === null ? null : substituted(template, groups);
      if (groups === null && !tables.matches(id, caseSensitive)) return null;
      const symbol = rule.replaceSymbol;
      return tableIdOf(symbol === null ? template : template.map((part) => part.replaceAll(symbol, () => id.table)));
    },
  });
}

/**
 * Where a table goes: the targets of all rules that match (`first-match`: of the first), each once, never chained;
 * its own id when none does.
 */
export function routeTable(
  id: TableId,
  rules: readonly RouteRule[],
  mode: 'all-match' | 'first-match' = 'all-match',
  caseSensitive = true,
): readonly TableId[] {
  const targets: TableId[] = [];
  for (const rule of rules) {
    const target = rule.target(id, caseSensitive);
    if (target === null || targets.some((other) => sameTable(other, target))) continue;
    targets.push(target);
    if (mode === 'first-match') break;
  }
  return targets.length === 0 ? [id] : targets;
}
