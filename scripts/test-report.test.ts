import { expect, test } from 'vitest';
import { countTests } from './test-report.ts';

const clean = { numPassedTests: 7, numFailedTests: 0, testResults: [] };

test('a clean run counts its tests', () => {
  expect(countTests(clean, 0)).toEqual({ passed: 7, failed: 0 });
});

test('a file that could not be loaded is a failure', () => {
  const testResults = [{ status: 'failed', assertionResults: [] }];
  expect(countTests({ ...clean, numFailedTests: 2, testResults }, 1)).toEqual({ passed: 7, failed: 3 });
});

test('a run that ends badly is a failure even where every test passed', () => {
  expect(countTests(clean, 1)).toEqual({ passed: 7, failed: 1 });
  expect(countTests(clean, null)).toEqual({ passed: 7, failed: 1 });
});

test('no report is a failure', () => {
  expect(countTests(undefined, 0)).toEqual({ passed: 0, failed: 1 });
});
