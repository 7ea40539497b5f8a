import { metricDeclarations } from '../../shared/src/observe/metric-declarations.ts';
import type { SourceFile } from './source-files.ts';

/** Declared metrics that no code sets: the reference page would promise what nobody measures. */
export function unsetMetrics(files: readonly SourceFile[]): readonly string[] {
  const using = files.filter(
    ({ path }) =>
      /^(?:shared|capture|ingest)\//.test(path) &&
      !path.endsWith('.test.ts') &&
      !path.endsWith('metric-declarations.ts'),
  );
  return Object.keys(metricDeclarations)
    .filter((name) => !using.some(({ text }) => text.includes(`'${name}'`)))
    .map((name) => `shared/src/observe/metric-declarations.ts: nothing sets ${name}`);
}
