import { parseEnv } from 'node:util';

import type { Findings } from './problem.ts';
import { parseYamlTree } from './yaml-tree.ts';
import type { TreeNode } from './yaml-tree.ts';

export interface VariableSources {
  /** `name=value`, in the order given; the last of a name wins. */
  readonly sets: readonly string[];
  /** YAML, JSON or `.env`; a later file wins. */
  readonly varsFiles: readonly string[];
  readonly secretsDir: string | null;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Throws when the file cannot be read. */
  readonly readFile: (path: string) => string;
}

export interface Resolved {
  readonly text: string;
  readonly secret: boolean;
}

/** Not resolved: everything that would have satisfied the placeholder. */
export interface Unresolved {
  readonly candidates: readonly string[];
}

const secretPrefix = 'secret_values.';

/** `mysql.port` → `MYSQL_PORT`. */
export function upperSnakeCase(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9_]+/g, '_').toUpperCase();
}

function withoutFinalNewline(text: string): string {
  return text.replace(/\r?\n$/, '');
}

function collect(node: TreeNode, path: string, into: Map<string, string>): void {
  if (node.kind === 'scalar') into.set(path, node.text);
  else if (node.kind === 'list') node.items.forEach((item, index) => collect(item, `${path}.${index}`, into));
  else for (const entry of node.entries) collect(entry.value, path === '' ? entry.key : `${path}.${entry.key}`, into);
}

function isDotEnv(path: string): boolean {
  const name = path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
  return name.startsWith('.env') || name.endsWith('.env');
}

/** Values for placeholders, in their order of precedence. Nothing that it returns is substituted again. */
export class Variables {
  readonly #set = new Map<string, string>();
  readonly #fromFiles = new Map<string, string>();
  readonly #sources: VariableSources;

  constructor(sources: VariableSources, findings: Findings) {
    this.#sources = sources;
    for (const set of sources.sets) {
      const equals = set.indexOf('=');
      if (equals > 0) this.#set.set(set.slice(0, equals), set.slice(equals + 1));
      else {
        const place = { file: '--set', line: 1, column: 1 };
        findings.problem({ kind: 'syntax', place, path: '--set', rule: 'name=value' });
      }
    }
    for (const path of sources.varsFiles) this.#load(path, findings);
  }

  #load(path: string, findings: Findings): void {
    let text: string;
    try {
      text = this.#sources.readFile(path);
    } catch {
      const place = { file: path, line: 1, column: 1 };
      findings.problem({ kind: 'unresolved', place, path: '--vars', rule: 'a file that can be read' });
      return;
    }
    if (isDotEnv(path)) {
      for (const [name, value] of Object.entries(parseEnv(text))) this.#fromFiles.set(name, value ?? '');
      return;
    }
    if (text.trim() === '') return;
    const tree = parseYamlTree(text, path, findings);
    if (tree?.kind === 'map') collect(tree, '', this.#fromFiles);
    else if (tree !== null) {
      findings.problem({ kind: 'yaml', place: tree.place, path: '--vars', rule: 'a map of names to values' });
    }
  }

  #plain(name: string): string | undefined {
    const { environment } = this.#sources;
    return this.#set.get(name) ?? this.#fromFiles.get(name) ?? environment[name] ?? environment[upperSnakeCase(name)];
  }

  variable(name: string): Resolved | Unresolved {
    const secret = name.startsWith(secretPrefix);
    const text = this.#plain(name);
    if (text !== undefined) return { text, secret };
    const candidates = [`--set ${name}=…`, upperSnakeCase(name)];
    if (!secret) return { candidates };
    const bare = name.slice(secretPrefix.length);
    const bareText = this.#plain(bare);
    if (bareText !== undefined) return { text: bareText, secret };
    candidates.push(upperSnakeCase(bare));
    const directory = this.#sources.secretsDir;
    if (directory === null) return { candidates: [...candidates, `file ${bare} in --secrets-dir`] };
    const path = `${directory.replace(/\/+$/, '')}/${bare}`;
    const content = this.#read(path);
    return content === null ? { candidates: [...candidates, `file ${path}`] } : { text: content, secret };
  }

  environment(name: string): Resolved | Unresolved {
    const text = this.#sources.environment[name];
    return text === undefined ? { candidates: [name] } : { text, secret: false };
  }

  file(path: string): Resolved | Unresolved {
    const text = this.#read(path);
    return text === null ? { candidates: [`file ${path}`] } : { text, secret: true };
  }

  #read(path: string): string | null {
    try {
      return withoutFinalNewline(this.#sources.readFile(path));
    } catch {
      return null;
    }
  }
}
