import { impureModules, isLayered, layers, ownedLibraries, packageImports, pureFolders } from './layers.ts';
import type { SourceFile } from './source-files.ts';

interface Place {
  readonly package: string;
  /** First folder below `src`, or the file's name. */
  readonly layer: string;
}

function placeOf(path: string): Place {
  const [name = '', src = '', ...rest] = path.split('/');
  return { package: name, layer: src === 'src' ? (rest[0] ?? '') : src };
}

const isTest = (path: string): boolean => path.endsWith('.test.ts') || path.includes('/testing/');

/** Everything in which the files break the laws of the design, as `path: what`. */
export function violations(files: readonly SourceFile[]): readonly string[] {
  const known = new Set(files.map(({ path }) => path));
  return [
    ...files.flatMap((file) => [...importViolations(file, known), ...textViolations(file)]),
    ...cycles(files).map((cycle) => `${cycle[0]}: import cycle ${cycle.join(' → ')}`),
  ];
}

function importViolations(file: SourceFile, known: ReadonlySet<string>): string[] {
  const found: string[] = [];
  for (const { specifier, target } of file.imports) {
    const wrong = target === undefined ? wrongLibrary(file.path, specifier) : wrongTarget(file.path, target, known);
    if (wrong !== undefined) found.push(`${file.path}: ${wrong}`);
  }
  return found;
}

function wrongTarget(path: string, target: string, known: ReadonlySet<string>): string | undefined {
  if (!known.has(target)) return `imports ${target}, which is not there`;
  const from = placeOf(path);
  const to = placeOf(target);
  if (from.package !== to.package) {
    const allowed = packageImports[from.package]?.includes(to.package) ?? false;
    return allowed ? undefined : `${from.package} must not import ${to.package} (${target})`;
  }
  if (target.includes('/testing/') && !isTest(path)) return `only tests import ${target}`;
  return from.layer === to.layer || isTest(path) ? undefined : wrongLayer(from, to);
}

function wrongLayer(from: Place, to: Place): string | undefined {
  if (!isLayered(from.package)) return undefined;
  const rank = (layer: string): number =>
    layers[from.package as keyof typeof layers].findIndex((row) => (row as readonly string[]).includes(layer));
  if (rank(from.layer) < 0) return `${from.layer} is in no layer of ${from.package}`;
  if (rank(to.layer) < 0) return `${to.layer} is in no layer of ${to.package}`;
  return rank(to.layer) < rank(from.layer) ? undefined : `${from.layer} must not import ${to.layer}`;
}

function wrongLibrary(path: string, specifier: string): string | undefined {
  const { package: name, layer } = placeOf(path);
  if (!isLayered(name) || isTest(path)) return undefined;
  if (pureFolders.has(`${name}/src/${layer}`) && impureModules.has(specifier))
    return `${layer} does no I/O (${specifier})`;
  const library = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
  const owner = ownedLibraries[library];
  return owner === undefined || path.startsWith(`${owner}/`) ? undefined : `only ${owner} imports ${library}`;
}

const mayTalkToTheProcess = /(?:^|\/)(?:main|environment)\.ts$|^scripts\//;

function textViolations({ path, text }: SourceFile): string[] {
  const found: string[] = [];
  if (/^export default\b/m.test(text)) found.push(`${path}: default export`);
  if (/^export (?:type )?(?:\*|\{[^}]*\}) from /m.test(text))
    found.push(`${path}: re-export; import from where it is declared`);
  if (mayTalkToTheProcess.test(path)) return found;
  if (/\bprocess\.env\b/.test(withoutTexts(text))) found.push(`${path}: process.env`);
  if (/\bconsole\.\w+\(/.test(withoutTexts(text))) found.push(`${path}: console`);
  return found;
}

/** The code without comments and quoted texts, roughly: enough to look for a word. */
function withoutTexts(text: string): string {
  return text.replace(/\/\*[^]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g, "''");
}

/** One cycle for each strongly connected knot of files, found depth first. */
function cycles(files: readonly SourceFile[]): readonly (readonly string[])[] {
  const targets = new Map(files.map(({ path, imports }) => [path, imports.flatMap(({ target }) => target ?? [])]));
  const done = new Set<string>();
  const found: string[][] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) {
      found.push([...trail.slice(trail.indexOf(path)), path]);
      return;
    }
    if (done.has(path)) return;
    for (const target of targets.get(path) ?? []) visit(target, [...trail, path]);
    done.add(path);
  };
  for (const { path } of files) visit(path, []);
  return found;
}
