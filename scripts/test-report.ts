/** The part of vitest's JSON report that the count is made from. */
export interface TestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly { readonly status: string; readonly assertionResults: readonly unknown[] }[];
}

export interface Count {
  readonly passed: number;
  readonly failed: number;
}

/**
 * What one run of vitest amounts to. A file that could not be loaded holds no tests and still failed; a run that left
 * no report, or ended badly with nothing to show for it (an unhandled error, no test found), counts as one failure.
 */
export function countTests(report: TestReport | undefined, exitCode: number | null): Count {
  if (report === undefined) return { passed: 0, failed: 1 };
  const unloaded = report.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  );
  const failed = report.numFailedTests + unloaded.length;
  return { passed: report.numPassedTests, failed: failed === 0 && exitCode !== 0 ? 1 : failed };
}
