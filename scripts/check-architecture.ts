import { fileURLToPath } from 'node:url';
import { readSources } from './architecture/source-files.ts';
import { unsetMetrics } from './architecture/unset-metrics.ts';
import { violations } from './architecture/violations.ts';

// `node scripts/check-architecture.ts`: layers, cycles and the other laws that a program can check.

const root = fileURLToPath(new URL('..', import.meta.url));
const sources = readSources(root);
const found = [...violations(sources), ...unsetMetrics(sources)];
for (const line of found) console.error(line);
console.log(`architecture: ${sources.length} files, ${found.length} violations`);
process.exitCode = found.length === 0 ? 0 : 1;
