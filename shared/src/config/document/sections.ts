import { nearestName } from '../declare/nearest-name.ts';
import type { Findings, Place } from './problem.ts';
import { readSettings } from './setting.ts';
import type { Setting } from './setting.ts';
import type { Variables } from './variables.ts';
import type { MapNode, TreeNode } from './yaml-tree.ts';

export interface Section {
  readonly path: string;
  readonly place: Place;
  readonly settings: ReadonlyMap<string, Setting>;
}

/** The top level of a document, every value substituted. */
export interface Sections {
  /** Null when absent, which is reported. */
  readonly source: Section | null;
  readonly sink: Section | null;
  readonly pipeline: Section;
  readonly transform: readonly Section[];
  readonly route: readonly Section[];
}

const names = ['source', 'sink', 'transform', 'route', 'pipeline'] as const;
type Name = (typeof names)[number];

interface Entry {
  readonly place: Place;
  readonly value: TreeNode;
}

function topEntries(root: MapNode, findings: Findings): ReadonlyMap<Name, Entry> {
  const entries = new Map<Name, Entry>();
  for (const { key, place, value } of root.entries) {
    const name = names.find((known) => known === key);
    const earlier = name === undefined ? undefined : entries.get(name);
    if (name === undefined) {
      const rule = `not a part of a document: ${names.join(', ')} are`;
      findings.problem({ kind: 'unknown-key', place, path: key, rule, nearest: nearestName(key, names) });
    } else if (earlier !== undefined) {
      findings.problem({ kind: 'duplicate', place, path: key, rule: `given already in line ${earlier.place.line}` });
    } else {
      entries.set(name, { place, value });
    }
  }
  return entries;
}

function isEmpty(node: TreeNode): boolean {
  return node.kind === 'scalar' && node.text === '';
}

class SectionReader {
  readonly #findings: Findings;
  readonly #variables: Variables;
  readonly #entries: ReadonlyMap<Name, Entry>;
  readonly #start: Place;

  constructor(root: MapNode, variables: Variables, findings: Findings) {
    this.#findings = findings;
    this.#variables = variables;
    this.#start = root.place;
    this.#entries = topEntries(root, findings);
  }

  #section(node: MapNode, path: string, place: Place): Section {
    return {
      path,
      place,
      settings: readSettings(node, path, { variables: this.#variables, findings: this.#findings }),
    };
  }

  block(name: 'source' | 'sink'): Section | null {
    const entry = this.#entries.get(name);
    if (entry === undefined) {
      this.#findings.problem({ kind: 'missing', place: this.#start, path: name, rule: 'required' });
      return null;
    }
    return this.#mapOf(name, entry);
  }

  pipeline(): Section {
    const entry = this.#entries.get('pipeline');
    const absent: Section = { path: 'pipeline', place: this.#start, settings: new Map() };
    return entry === undefined ? absent : (this.#mapOf('pipeline', entry) ?? absent);
  }

  #mapOf(name: Name, { place, value }: Entry): Section | null {
    if (value.kind === 'map') return this.#section(value, name, place);
    if (isEmpty(value)) return { path: name, place, settings: new Map() };
    const rule = value.kind === 'list' ? 'a map of options, without `-`' : 'a map of options';
    this.#findings.problem({ kind: 'yaml', place: value.place, path: name, rule });
    return null;
  }

  rules(name: 'transform' | 'route'): readonly Section[] {
    const value = this.#entries.get(name)?.value;
    if (value === undefined || isEmpty(value)) return [];
    if (value.kind !== 'list') {
      const rule = value.kind === 'map' ? 'a list of rules: missing `-`?' : 'a list of rules';
      this.#findings.problem({ kind: 'yaml', place: value.place, path: name, rule });
      return [];
    }
    const sections: Section[] = [];
    for (const [index, item] of value.items.entries()) {
      const path = `${name}[${index}]`;
      if (item.kind === 'map') sections.push(this.#section(item, path, item.place));
      else this.#findings.problem({ kind: 'yaml', place: item.place, path, rule: 'a map of options' });
    }
    return sections;
  }
}

export function readSections(root: MapNode, variables: Variables, findings: Findings): Sections {
  const reader = new SectionReader(root, variables, findings);
  return {
    source: reader.block('source'),
    sink: reader.block('sink'),
    pipeline: reader.pipeline(),
    transform: reader.rules('transform'),
    route: reader.rules('route'),
  };
}
