import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { countTests } from './test-report.ts';
import type { Count, TestReport } from './test-report.ts';

// `node scripts/run-tests.ts <summary file> [name part…]`: unit tests, then those against the servers that the
// environment names; writes `N passed, N failed` over both into the file.

const root = fileURLToPath(new URL('..', import.meta.url));
const [summaryFile = '', ...filters] = process.argv.slice(2);
const folder = mkdtempSync(`${tmpdir()}/millrace-tests-`);

function readReport(path: string): TestReport | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as TestReport;
  } catch {
    return undefined;
  }
}

function run(project: string): Count {
  const report = `${folder}/${project}.json`;
  const args = ['run', '--project', project, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const passWithNoTests = filters.length === 0 ? [] : ['--passWithNoTests'];
  const command = `${root}node_modules/.bin/vitest`;
  const { status } = spawnSync(command, [...args, ...passWithNoTests, ...filters], { cwd: root, stdio: 'inherit' });
  return countTests(readReport(report), status);
}

const counts = ['unit', 'systems'].map(run);
rmSync(folder, { recursive: true });
const passed = counts.reduce((sum, count) => sum + count.passed, 0);
const failed = counts.reduce((sum, count) => sum + count.failed, 0);
writeFileSync(summaryFile, `${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
