import { isAlias, isMap, isScalar, isSeq, LineCounter, parseAllDocuments } from 'yaml';
import type { Document, Node, YAMLError } from 'yaml';

import type { Findings, Place } from './problem.ts';

/** Every scalar is its text: what a value means is decided by the option that it is given to. */
export interface ScalarNode {
  readonly kind: 'scalar';
  readonly text: string;
  readonly place: Place;
}

export interface ListNode {
  readonly kind: 'list';
  readonly items: readonly TreeNode[];
  readonly place: Place;
}

export interface MapEntry {
  readonly key: string;
  readonly place: Place;
  readonly value: TreeNode;
}

export interface MapNode {
  readonly kind: 'map';
  readonly entries: readonly MapEntry[];
  readonly place: Place;
}

export type TreeNode = ScalarNode | ListNode | MapNode;

const maximumDepth = 64;
const maximumNodes = 100_000;

/** Texts of our own: those of the parser quote the document, which may hold secrets. */
const errorRules: Readonly<Record<string, string>> = {
  ALIAS_PROPS: 'an alias takes no anchor and no tag',
  BAD_ALIAS: "`*` begins a YAML alias: for all columns write \\* or '*'",
  BAD_DQ_ESCAPE: "a backslash escape that YAML does not know: write the value in single quotes, such as '\\.'",
  BAD_INDENT: 'indentation that fits the lines above',
  BLOCK_AS_IMPLICIT_KEY: 'one `key: value` per line; a value that holds `: ` must be quoted',
  BLOCK_IN_FLOW: 'no block collection inside [] or {}',
  MISSING_CHAR: 'a closing quote, bracket or comma is missing',
  MULTIPLE_ANCHORS: 'one anchor at most',
  TAB_AS_INDENT: 'blanks for indentation, not tabs',
  TAG_RESOLVE_FAILED: 'a known tag',
};

interface Builder {
  readonly document: Document;
  readonly placeOf: (offset: number) => Place;
  readonly findings: Findings;
  nodes: number;
  failed: boolean;
}

function fail(builder: Builder, place: Place, rule: string): void {
  builder.findings.problem({ kind: 'yaml', place, path: '', rule });
  builder.failed = true;
}

function build(node: Node | null, fallback: Place, depth: number, builder: Builder): TreeNode {
  builder.nodes += 1;
  const place = node?.range ? builder.placeOf(node.range[0]) : fallback;
  if (depth > maximumDepth || builder.nodes > maximumNodes) {
    if (!builder.failed) fail(builder, place, 'a document that is less deep and less large');
    return { kind: 'scalar', text: '', place };
  }
  if (isAlias(node)) {
    const target = node.resolve(builder.document);
    if (target !== undefined) return { ...build(target, place, depth + 1, builder), place };
    fail(builder, place, errorRules['BAD_ALIAS'] ?? '');
    return { kind: 'scalar', text: '', place };
  }
  if (isMap<Node, Node | null>(node)) {
    const entries = node.items.map((pair): MapEntry => {
      const key = build(pair.key, place, depth + 1, builder);
      if (key.kind !== 'scalar') fail(builder, key.place, 'a plain text as key');
      return {
        key: key.kind === 'scalar' ? key.text : '',
        place: key.place,
        value: build(pair.value, key.place, depth + 1, builder),
      };
    });
    return { kind: 'map', entries, place };
  }
  if (isSeq<Node>(node)) {
    return { kind: 'list', items: node.items.map((item) => build(item, place, depth + 1, builder)), place };
  }
  return { kind: 'scalar', text: isScalar(node) ? (node.source ?? '') : '', place };
}

function report(errors: readonly YAMLError[], placeOf: (offset: number) => Place, findings: Findings): void {
  let lastLine = 0;
  for (const error of errors) {
    const place = placeOf(error.pos[0]);
    // What follows on the same line is a consequence.
    if (place.line === lastLine) continue;
    lastLine = place.line;
    const rule = errorRules[error.code] ?? `well-formed YAML (${error.code.toLowerCase().replaceAll('_', ' ')})`;
    findings.problem({ kind: 'yaml', place, path: '', rule });
  }
}

/** Parses one YAML 1.2 document; null when it is not one, with the reasons in `findings`. */
export function parseYamlTree(text: string, file: string, findings: Findings): TreeNode | null {
  const lines = new LineCounter();
  const placeOf = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const documents = parseAllDocuments(text, {
    lineCounter: lines,
    uniqueKeys: false,
    prettyErrors: false,
    schema: 'core',
    version: '1.2',
    merge: false,
    logLevel: 'silent',
  });
  const [document, second] = documents;
  const start: Place = { file, line: 1, column: 1 };
  if (document === undefined) {
    findings.problem({ kind: 'yaml', place: start, path: '', rule: 'a document that is not empty' });
    return null;
  }
  if (second !== undefined) {
    const place = placeOf(second.range[0]);
    findings.problem({ kind: 'yaml', place, path: '', rule: 'one document per file' });
    return null;
  }
  const errors = [...document.errors, ...document.warnings];
  report(errors, placeOf, findings);
  if (errors.length > 0) return null;
  const builder: Builder = { document, placeOf, findings, nodes: 0, failed: false };
  const tree = build(document.contents, start, 0, builder);
  return builder.failed ? null : tree;
}
