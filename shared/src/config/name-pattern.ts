import { RE2JS } from 're2js';

import { parsed, unparsable } from './parsed.ts';
import type { Parsed } from './parsed.ts';

/** A regular expression that always matches the whole name, in time linear in its length. */
export interface NamePattern {
  readonly text: string;
  matches(name: string, caseSensitive?: boolean): boolean;
}

function compile(regex: string, caseSensitive: boolean): RE2JS {
  return RE2JS.compile(regex, RE2JS.DOTALL | (caseSensitive ? 0 : RE2JS.CASE_INSENSITIVE));
}

/** `text` is what the document says, where it differs from the regular expression itself. */
export function parseNamePattern(regex: string, text: string = regex): Parsed<NamePattern> {
  let sensitive: RE2JS;
  try {
    sensitive = compile(regex, true);
  } catch {
    return unparsable('a regular expression of the RE2 syntax: balanced, without back-references and look-around');
  }
  let insensitive: RE2JS | null = null;
  return parsed({
    text,
    matches: (name, caseSensitive = true) => {
      if (caseSensitive) return sensitive.matches(name);
      insensitive ??= compile(regex, false);
      return insensitive.matches(name);
    },
  });
}
