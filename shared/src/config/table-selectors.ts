import { tableIdParts } from '../event/table-id.ts';
import type { TableId } from '../event/table-id.ts';
import { parseNamePattern } from './name-pattern.ts';
import type { NamePattern } from './name-pattern.ts';
import { parsed, unparsable } from './parsed.ts';
import type { Parsed } from './parsed.ts';
import { splitList, splitOutsideBrackets } from './split-outside-brackets.ts';
import type { Piece } from './split-outside-brackets.ts';

/** Chooses tables by name. */
export interface TableSelectors {
  /** As the document says it. */
  readonly text: string;
  /** One entry per selector, in the spelling that has one reading only: parts joined by `.`, any character as `\.`. */
  readonly normalised: readonly string[];
  /** Entries that were understood in a way their spelling does not strictly have, as `given is read as normalised`. */
  readonly relaxed: readonly string[];
  /** `caseSensitive` as the source server compares names; destinations and PostgreSQL are case-sensitive. */
  matches(id: TableId, caseSensitive?: boolean): boolean;
}

interface Part {
  readonly text: string;
  /** Null = any name. */
  readonly pattern: NamePattern | null;
}

interface Selector {
  /** By number of parts. */
  readonly readings: ReadonlyMap<number, readonly Part[]>;
  readonly normalised: string;
  readonly relaxed: boolean;
}

export interface SelectorRules {
  /** Parts that every id of the source has at least. */
  readonly minimumParts: number;
}

const anyName = new Set(['*', '\\*']);

function dotLength(text: string, index: number): number {
  return text[index] === '.' ? 1 : 0;
}

/** `\.` stands for the separator unless a quantifier follows, which only makes sense after "any character". */
function escapedDotLength(text: string, index: number): number {
  return text[index] === '\\' && text[index + 1] === '.' && !'*+?{'.includes(text[index + 2] ?? ' ') ? 2 : 0;
}

/** In a selector `\.` is any character, so that the bare dot can be the separator. */
export function withPlainDots(text: string): string {
  return text.replaceAll(/\\(.)/gs, (pair, escaped: string) => (escaped === '.' ? '.' : pair));
}

function parseParts(pieces: readonly Piece[], offset: number): Parsed<readonly Part[]> {
  const parts: Part[] = [];
  for (const piece of pieces) {
    const column = offset + piece.start + 1;
    if (piece.text === '') return unparsable('a name on each side of every dot', column);
    if (anyName.has(piece.text)) {
      parts.push({ text: '\\.*', pattern: null });
      continue;
    }
    const pattern = parseNamePattern(withPlainDots(piece.text), piece.text);
    if (!pattern.ok) return unparsable(pattern.rule, column);
    parts.push({ text: piece.text, pattern: pattern.value });
  }
  return parsed(parts);
}

function parseSelector(piece: Piece, rules: SelectorRules): Parsed<Selector> {
  const strictPieces = splitOutsideBrackets(piece.text, dotLength);
  const strict = parseParts(strictPieces, piece.start);
  if (!strict.ok) return strict;
  const readings = new Map([[strict.value.length, strict.value]]);
  let shown = strict.value;
  let relaxed = strictPieces.some((part) => anyName.has(part.text));
  if (strict.value.length === 1) {
    const secondPieces = splitOutsideBrackets(piece.text, escapedDotLength);
    if (secondPieces.length > 1) {
      const second = parseParts(secondPieces, piece.start);
      if (!second.ok) return second;
      readings.set(second.value.length, second.value);
      shown = second.value;
      relaxed = true;
    }
  }
  if (Math.max(...readings.keys()) < rules.minimumParts) {
    return unparsable(`a selector of at least ${rules.minimumParts} parts joined by dots`, piece.start + 1);
  }
  return parsed({ readings, normalised: shown.map((part) => part.text).join('.'), relaxed });
}

function selects(selector: Selector, names: readonly string[], caseSensitive: boolean): boolean {
  const parts = selector.readings.get(names.length);
  if (parts === undefined) return false;
  return parts.every((part, index) => part.pattern === null || part.pattern.matches(names[index] ?? '', caseSensitive));
}

/** A comma list of selectors. Each part of a selector is a regular expression for the whole part of the id. */
export function parseTableSelectors(text: string, rules: SelectorRules = { minimumParts: 1 }): Parsed<TableSelectors> {
  const selectors: Selector[] = [];
  const relaxed: string[] = [];
  for (const piece of splitList(text, ',')) {
    if (piece.text === '') return unparsable('a selector on each side of every comma', piece.start + 1);
    const selector = parseSelector(piece, rules);
    if (!selector.ok) return selector;
    selectors.push(selector.value);
    if (selector.value.relaxed && piece.text !== selector.value.normalised) {
      relaxed.push(`${piece.text} is read as ${selector.value.normalised}`);
    }
  }
  return parsed({
    text,
    normalised: selectors.map((selector) => selector.normalised),
    relaxed,
    matches: (id, caseSensitive = true) => {
      const names = tableIdParts(id);
      return selectors.some((selector) => selects(selector, names, caseSensitive));
    },
  });
}

export const allTables: TableSelectors = { text: '', normalised: [], relaxed: [], matches: () => true };

/** What `included` selects and `excluded` does not. */
export function excluding(included: TableSelectors, excluded: TableSelectors): TableSelectors {
  return {
    text: `${included.text} without ${excluded.text}`,
    normalised: included.normalised,
    relaxed: [...included.relaxed, ...excluded.relaxed],
    matches: (id, caseSensitive) => included.matches(id, caseSensitive) && !excluded.matches(id, caseSensitive),
  };
}

/** What both select. */
export function intersecting(one: TableSelectors, other: TableSelectors): TableSelectors {
  return {
    text: `${one.text} within ${other.text}`,
    normalised: one.normalised,
    relaxed: [...one.relaxed, ...other.relaxed],
    matches: (id, caseSensitive) => one.matches(id, caseSensitive) && other.matches(id, caseSensitive),
  };
}
