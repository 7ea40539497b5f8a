import { globSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';

export interface SourceFile {
  /** From the checkout's root, with slashes. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
}

export interface Import {
  readonly specifier: string;
  /** Path of a file of ours, or undefined for a library. */
  readonly target: string | undefined;
}

// Formatted code has its import and re-export statements at the line's beginning.
const importing = /^(?:import|export)\s(?:[^;'"=]*?\sfrom\s*)?'([^'\n]+)'|\bimport\(\s*'([^'\n]+)'/gm;
const ourPackage = /^@millrace\/(\w+)\/(.+)$/;

function resolve(from: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return posix.normalize(posix.join(posix.dirname(from), specifier));
  const ours = ourPackage.exec(specifier);
  return ours === null ? undefined : `${ours[1]}/src/${ours[2]}`;
}

export function parseSource(path: string, text: string): SourceFile {
  const imports = [...text.matchAll(importing)].map((match) => {
    const specifier = match[1] ?? match[2] ?? '';
    return { specifier, target: resolve(path, specifier) };
  });
  return { path, text, imports };
}

export function readSources(root: string): readonly SourceFile[] {
  const paths = globSync(['{shared,capture,ingest,test}/src/**/*.ts', 'scripts/**/*.ts'], { cwd: root });
  return paths
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => !path.includes('node_modules'))
    .toSorted((a, b) => a.localeCompare(b))
    .map((path) => parseSource(path, readFileSync(`${root}/${path}`, 'utf8')));
}
