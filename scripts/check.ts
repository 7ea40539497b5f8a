import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

// `pnpm check`: everything that must hold before a change is done. Runs all steps and reports each.

const root = fileURLToPath(new URL('..', import.meta.url));
const tool = (name: string): string => `${root}node_modules/.bin/${name}`;

const steps: readonly (readonly [string, readonly string[]])[] = [
  ['types', [tool('tsc'), '-b']],
  ['lint', [tool('oxlint'), '--type-aware', '--deny-warnings']],
  ['format', [tool('oxfmt'), '--check', '.']],
  ['unused code', [tool('knip')]],
  ['architecture', [process.execPath, 'scripts/check-architecture.ts']],
  ['reference pages', [process.execPath, 'scripts/generate-reference.ts', '--check']],
  ['unit tests', [tool('vitest'), 'run', '--project', 'unit']],
];

function run([title, [command = '', ...args]]: (typeof steps)[number]): string | undefined {
  console.log(`\n── ${title}`);
  const startedMs = performance.now();
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  console.log(`── ${title}: ${status === 0 ? 'ok' : 'FAILED'} (${seconds} s)`);
  return status === 0 ? undefined : title;
}

const failed = steps.map(run).filter((title) => title !== undefined);
console.log(failed.length === 0 ? '\nall checks passed' : `\nfailed: ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;
