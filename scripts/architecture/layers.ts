/**
 * Layers inside each package, lowest first. A folder or file imports only what stands before it; names in one row
 * stand side by side and do not know each other. `testing` holds models for tests and is imported by tests alone.
 */
export const layers = {
  shared: [
    ['errors'],
    ['async'],
    ['bytes'],
    ['event'],
    ['format'],
    ['config'],
    ['kafka'],
    ['schema-log', 'checkpoint'],
    ['observe'],
    ['runtime'],
    ['admin'],
    ['program'],
  ],
  capture: [
    ['source.ts'],
    ['rules', 'route'],
    ['mysql', 'publish'],
    ['snapshot'],
    ['pipeline'],
    ['app'],
    ['app.ts'],
    ['main.ts'],
  ],
  ingest: [
    ['destination.ts'],
    ['merge'],
    ['project'],
    ['decode', 'consume'],
    ['postgres', 'lakehouse'],
    ['pipeline'],
    ['app'],
    ['app.ts'],
    ['main.ts'],
  ],
} as const satisfies Readonly<Record<string, readonly (readonly string[])[]>>;

export type LayeredPackage = keyof typeof layers;

export function isLayered(name: string): name is LayeredPackage {
  return Object.hasOwn(layers, name);
}

/** Our packages that each package may import, besides itself. */
export const packageImports: Readonly<Record<string, readonly string[]>> = {
  shared: [],
  capture: ['shared'],
  ingest: ['shared'],
  test: ['shared', 'capture', 'ingest'],
  scripts: ['shared'],
};

/** Folders that decide and do no I/O, so that they are tested without doubles. */
export const pureFolders: ReadonlySet<string> = new Set([
  'shared/src/event',
  'shared/src/format',
  'capture/src/rules',
  'ingest/src/merge',
  'ingest/src/project',
]);

/** What only one folder may import. */
export const ownedLibraries: Readonly<Record<string, string>> = {
  '@platformatic/kafka': 'shared/src/kafka',
  mysql2: 'capture/src/mysql',
  pg: 'ingest/src/postgres',
  'pg-copy-streams': 'ingest/src/postgres',
  'hyparquet-writer': 'ingest/src/lakehouse',
  hyparquet: 'ingest/src/lakehouse',
  avsc: 'ingest/src/lakehouse',
  pino: 'shared/src/observe',
  'prom-client': 'shared/src/observe',
  yaml: 'shared/src/config',
};

/** Modules that reach outside the process. */
export const impureModules: ReadonlySet<string> = new Set([
  'node:child_process',
  'node:dgram',
  'node:dns',
  'node:fs',
  'node:fs/promises',
  'node:http',
  'node:https',
  'node:net',
  'node:timers',
  'node:timers/promises',
  'node:tls',
  'node:worker_threads',
]);
