import { parsed, unparsable } from './parsed.ts';
import type { Parsed } from './parsed.ts';
import { splitOutsideBrackets } from './split-outside-brackets.ts';
import { parseTableSelectors } from './table-selectors.ts';
import type { TableSelectors } from './table-selectors.ts';

/** One entry `selectors:target` of a mapping. */
export interface MappingEntry {
  readonly tables: TableSelectors;
  readonly target: string;
  /** 1-based column of the target in the whole text. */
  readonly column: number;
}

function separatorLength(separator: string): (text: string, index: number) => number {
  return (text, index) => (text[index] === separator ? 1 : 0);
}

/** `sel[,sel]:target;…`: exactly one `:` outside brackets per entry; a `;` at the very end is allowed. */
export function parseMapping(text: string, targetName: string, minimumParts = 1): Parsed<readonly MappingEntry[]> {
  const entries: MappingEntry[] = [];
  const pieces = splitOutsideBrackets(text, separatorLength(';'));
  for (const [index, piece] of pieces.entries()) {
    if (piece.text.trim() === '' && index === pieces.length - 1 && index > 0) break;
    const [left, right, surplus] = splitOutsideBrackets(piece.text, separatorLength(':'));
    if (left === undefined || right === undefined || surplus !== undefined || right.text.trim() === '') {
      return unparsable(`one selector:${targetName} per entry, entries separated by ;`, piece.start + 1);
    }
    const tables = parseTableSelectors(left.text, { minimumParts });
    if (!tables.ok) return unparsable(tables.rule, piece.start + (tables.column ?? 1));
    const blanks = right.text.length - right.text.trimStart().length;
    const column = piece.start + right.start + blanks + 1;
    entries.push({ tables: tables.value, target: right.text.trim(), column });
  }
  return parsed(entries);
}

/** Selectors of a mapping that were read in a relaxed way. */
export function relaxedEntries(entries: readonly { readonly tables: TableSelectors }[]): readonly string[] {
  return entries.flatMap(({ tables }) => tables.relaxed);
}

/** A mapping whose targets are read by `read`; null from it is a target that does not fit `rule`. */
export function parseMappingTo<T>(
  text: string,
  target: { readonly name: string; readonly rule: string; readonly minimumParts?: number },
  read: (entry: MappingEntry) => T | null,
): Parsed<readonly T[]> {
  const entries = parseMapping(text, target.name, target.minimumParts);
  if (!entries.ok) return entries;
  const results: T[] = [];
  for (const entry of entries.value) {
    const result = read(entry);
    if (result === null) return unparsable(target.rule, entry.column);
    results.push(result);
  }
  return parsed(results);
}
