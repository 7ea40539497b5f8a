import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { optionsReference } from '../shared/src/config/options-reference.ts';
import { errorsPage } from './reference/errors-page.ts';
import { metricsPage } from './reference/metrics-page.ts';

// `node scripts/generate-reference.ts` writes the pages under docs/reference that are made from declarations;
// with `--check` it writes nothing and fails when a page is stale.

const folder = fileURLToPath(new URL('../docs/reference/', import.meta.url));
const pages: Readonly<Record<string, () => string>> = {
  'errors.md': errorsPage,
  'metrics.md': metricsPage,
  'options.md': optionsReference,
};

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
const stale = Object.entries(pages).filter(([name, render]) => read(folder + name) !== render());
if (values.check) {
  for (const [name] of stale) console.error(`docs/reference/${name} is stale: run pnpm reference`);
  process.exitCode = stale.length === 0 ? 0 : 1;
} else {
  mkdirSync(folder, { recursive: true });
  for (const [name, render] of stale) writeFileSync(folder + name, render());
}
console.log(`reference: ${Object.keys(pages).length} pages, ${stale.length} ${values.check ? 'stale' : 'written'}`);
