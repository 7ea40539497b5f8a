import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parseSource, readSources } from './source-files.ts';
import { violations } from './violations.ts';

function check(files: Readonly<Record<string, string>>): readonly string[] {
  return violations(Object.entries(files).map(([path, text]) => parseSource(path, text)));
}

test('a higher layer may import a lower one', () => {
  expect(
    check({
      'shared/src/errors/codes.ts': '',
      'shared/src/async/delay.ts': "import { codes } from '../errors/codes.ts';",
      'capture/src/app/start.ts': "import { delay } from '@millrace/shared/async/delay.ts';",
    }),
  ).toEqual([]);
});

test.each([
  [
    'a lower layer that imports a higher one',
    'shared/src/errors/a.ts',
    'shared/src/async/b.ts',
    'errors must not import async',
  ],
  ['layers side by side', 'capture/src/rules/a.ts', 'capture/src/route/b.ts', 'rules must not import route'],
  ['a folder that is in no layer', 'shared/src/utils/a.ts', 'shared/src/errors/b.ts', 'utils is in no layer of shared'],
  ['a model of the tests in the product', 'ingest/src/app/a.ts', 'ingest/src/testing/b.ts', 'only tests import'],
])('%s is found', (_what, from, to, expected) => {
  const specifier = `../../../${to}`;
  expect(check({ [from]: `import { x } from '${specifier}';`, [to]: '' })).toEqual([expect.stringContaining(expected)]);
});

test.each([
  ['capture', 'ingest/src/app/b.ts'],
  ['ingest', 'capture/src/app/b.ts'],
  ['shared', 'capture/src/app/b.ts'],
])('%s does not import %s', (from, to) => {
  const path = `${from}/src/${from === 'shared' ? 'admin' : 'app'}/a.ts`;
  const specifier = `@millrace/${to.replace('/src', '')}`;
  expect(check({ [path]: `import type { x } from '${specifier}';`, [to]: '' })).toEqual([
    expect.stringContaining(`${from} must not import`),
  ]);
});

test('cycles are found, also through type imports and several files', () => {
  expect(
    check({
      'shared/src/errors/a.ts': "import type { B } from './b.ts';",
      'shared/src/errors/b.ts': "import {\n  C,\n} from './c.ts';",
      // In two pieces, so that this file itself imports nothing by it.
      'shared/src/errors/c.ts': ['export const a = await import', "('./a.ts');"].join(''),
    }),
  ).toEqual([
    expect.stringContaining('a.ts → shared/src/errors/b.ts → shared/src/errors/c.ts → shared/src/errors/a.ts'),
  ]);
});

test('an import of a file that is not there is found', () => {
  expect(check({ 'shared/src/errors/a.ts': "import './b.ts';" })).toEqual([expect.stringContaining('not there')]);
});

test.each([
  ['export default 1;', 'default export'],
  ["export { a } from 'node:fs';", 're-export'],
  ["export * from 'node:fs';", 're-export'],
  ['const a = process.env;', 'process.env'],
  ['console.log(1);', 'console'],
])('%s is found', (text, expected) => {
  expect(check({ 'capture/src/app/a.ts': text })).toEqual([expect.stringContaining(expected)]);
});

test('the programs may read the environment, and words in comments and texts do not count', () => {
  expect(
    check({
      'capture/src/main.ts': 'console.error(process.env);',
      'capture/src/app/a.ts': "// process.env\nconst a = 'console.log(1)';\n/* export default */",
    }),
  ).toEqual([]);
});

test('a folder of pure decisions opens no file, and libraries stay with their owners', () => {
  expect(check({ 'ingest/src/merge/a.ts': "import { open } from 'node:fs/promises';" })).toEqual([
    expect.stringContaining('merge does no I/O'),
  ]);
  expect(check({ 'capture/src/app/a.ts': "import { Base } from '@platformatic/kafka';" })).toEqual([
    expect.stringContaining('only shared/src/kafka imports @platformatic/kafka'),
  ]);
});

test('the files of the checkout are found with their imports', () => {
  const sources = readSources(fileURLToPath(new URL('../..', import.meta.url)));
  const own = sources.find(({ path }) => path === 'scripts/architecture/violations.test.ts');
  expect(own?.imports.map(({ target }) => target)).toContain('scripts/architecture/violations.ts');
});
