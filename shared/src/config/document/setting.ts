import { assertNever } from '../../errors/cdc-error.ts';
import { redacted } from './problem.ts';
import type { Findings, Place } from './problem.ts';
import { parsePlaceholders } from './placeholder.ts';
import type { ValuePiece } from './placeholder.ts';
import type { Resolved, Unresolved, Variables } from './variables.ts';
import type { MapNode, ScalarNode, TreeNode } from './yaml-tree.ts';

/** A scalar after substitution. */
export interface SettingText {
  readonly text: string;
  readonly secret: boolean;
  /** Came out of a placeholder, at least in part. */
  readonly substituted: boolean;
  readonly place: Place;
}

/** One option as a document gives it: its texts (one, or the items of a sequence), or null when a placeholder has no value. */
export interface Setting {
  readonly key: string;
  /** Dotted path from the top of the document. */
  readonly path: string;
  readonly keyPlace: Place;
  readonly texts: readonly SettingText[] | null;
  readonly sequence: boolean;
}

/** Placeholders of the outbox router's own, which it fills in per record. */
const outboxLiterals: ReadonlySet<string> = new Set(['routedByValue']);
const noLiterals: ReadonlySet<string> = new Set();

interface Reader {
  readonly variables: Variables;
  readonly findings: Findings;
}

interface Lookup {
  readonly name: string;
  readonly found: Resolved | Unresolved;
}

function lookUp(piece: Exclude<ValuePiece, { kind: 'text' | 'malformed' }>, variables: Variables): Lookup {
  switch (piece.kind) {
    case 'variable':
      return { name: piece.name, found: variables.variable(piece.name) };
    case 'environment':
      return { name: `env:${piece.name}`, found: variables.environment(piece.name) };
    case 'file':
      return { name: `file:${piece.path}`, found: variables.file(piece.path) };
    default:
      return assertNever(piece);
  }
}

/** Fills placeholders in; null, with a problem, when one has no value. */
export function substitute(node: ScalarNode, path: string, reader: Reader): SettingText | null {
  const literals = /(^|\.)outbox\./.test(path) ? outboxLiterals : noLiterals;
  const pieces = parsePlaceholders(node.text, literals);
  let text = '';
  let secret = false;
  let complete = true;
  for (const piece of pieces) {
    if (piece.kind === 'text') {
      text += piece.text;
      continue;
    }
    if (piece.kind === 'malformed') {
      const rule = `\${name}, \${name:-default}, \${env:NAME} or \${file:path}; $\${ is a literal \${ (column ${piece.column} of the value)`;
      reader.findings.problem({ kind: 'syntax', place: node.place, path, rule });
      complete = false;
      continue;
    }
    const { name, found } = lookUp(piece, reader.variables);
    if ('text' in found) {
      text += found.text;
      secret ||= found.secret;
    } else if (piece.kind === 'variable' && piece.fallback !== null) {
      text += piece.fallback;
    } else {
      const rule = `no value for the placeholder; set one of: ${found.candidates.join(', ')}`;
      reader.findings.problem({ kind: 'unresolved', place: node.place, path, value: `\${${name}}`, rule });
      complete = false;
    }
  }
  const substituted = pieces.some((piece) => piece.kind !== 'text');
  return complete ? { text, secret, substituted, place: node.place } : null;
}

function textsOf(node: TreeNode, path: string, reader: Reader): Pick<Setting, 'texts' | 'sequence'> {
  if (node.kind === 'scalar') {
    const text = substitute(node, path, reader);
    return { texts: text === null ? null : [text], sequence: false };
  }
  const texts: SettingText[] = [];
  let complete = true;
  for (const item of node.kind === 'list' ? node.items : []) {
    if (item.kind !== 'scalar') {
      reader.findings.problem({ kind: 'type', place: item.place, path, rule: 'a list of plain values' });
      complete = false;
      continue;
    }
    const text = substitute(item, path, reader);
    if (text === null) complete = false;
    else texts.push(text);
  }
  return { texts: complete ? texts : null, sequence: true };
}

/** Flattens a block: nested maps are their dotted form; a path that is given twice is a `duplicate`. */
export function readSettings(block: MapNode, blockPath: string, reader: Reader): ReadonlyMap<string, Setting> {
  const settings = new Map<string, Setting>();
  const visit = (map: MapNode, prefix: string): void => {
    for (const entry of map.entries) {
      const key = prefix + entry.key;
      if (entry.value.kind === 'map') {
        visit(entry.value, `${key}.`);
        continue;
      }
      const path = blockPath === '' ? key : `${blockPath}.${key}`;
      const earlier = settings.get(key);
      if (earlier !== undefined) {
        const rule = `given already in line ${earlier.keyPlace.line}`;
        reader.findings.problem({ kind: 'duplicate', place: entry.place, path, rule });
        continue;
      }
      settings.set(key, { key, path, keyPlace: entry.place, ...textsOf(entry.value, path, reader) });
    }
  };
  visit(block, '');
  return settings;
}

/** What may be shown of a setting. */
export function shownValue(setting: Setting, secretOption: boolean): string | null {
  if (setting.texts === null) return null;
  if (secretOption || setting.texts.some((text) => text.secret)) return redacted;
  return setting.texts.map((text) => text.text).join(',');
}
