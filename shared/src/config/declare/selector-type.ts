import { parseNamePattern } from '../name-pattern.ts';
import type { NamePattern } from '../name-pattern.ts';
import { parseTableSelectors } from '../table-selectors.ts';
import type { TableSelectors } from '../table-selectors.ts';
import { grammar } from './option-type.ts';
import type { OptionType } from './option-type.ts';

/** Table selectors whose ids have at least `minimumParts` parts. */
export function selectors(minimumParts: number): OptionType<TableSelectors> {
  return grammar('selectors', (text) => parseTableSelectors(text, { minimumParts }), {
    separator: ',',
    remarks: (value) => value.relaxed,
  });
}

export const regex: OptionType<NamePattern> = grammar('regex', (text) => parseNamePattern(text));
