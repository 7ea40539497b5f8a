import { parsed, unparsable } from './parsed.ts';
import type { Parsed } from './parsed.ts';

const item = /\s*(?:(\\?\*)|`((?:[^`]|``)+)`|([\p{L}_$][\p{L}\p{N}_$]*))?\s*(,|$)/uy;

/**
 * A select list of `\*` or plain columns; null = all. A plain list freezes the columns. Backticks quote names.
 * Computed and metadata columns are refused as unsupported.
 */
export function parseProjection(text: string): Parsed<readonly string[] | null> {
  const names: string[] = [];
  let all = false;
  let at = 0;
  for (let more = true; more;) {
    item.lastIndex = at;
    const match = item.exec(text);
    const column = at + 1;
    if (match === null) {
      const rule = 'computed columns are not in this version; list \\* or plain columns';
      return { ...unparsable(rule, column), kind: 'unsupported' };
    }
    const name = match[2]?.replaceAll('``', '`') ?? match[3];
    if (match[1] !== undefined) all = true;
    else if (name === undefined) return unparsable('a column on each side of every comma', column);
    else if (/^__\w+__$/.test(name)) {
      return { ...unparsable('metadata columns are not in this version', column), kind: 'unsupported' };
    } else if (names.includes(name)) return unparsable('each column once', column);
    else names.push(name);
    at += match[0].length;
    more = match[4] === ',';
  }
  if (all && names.length > 0) {
    return { ...unparsable('\\* beside other columns is not in this version'), kind: 'unsupported' };
  }
  return parsed(all ? null : names);
}

/** `a, b`: names, each once, backticks around what is no plain name. */
export function parseColumnNames(text: string): Parsed<readonly string[]> {
  const rule = 'column names separated by commas';
  const columns = parseProjection(text);
  if (columns.ok && columns.value !== null) return parsed(columns.value);
  return unparsable(columns.ok ? rule : columns.kind === undefined ? columns.rule : rule);
}
