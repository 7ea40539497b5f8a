import type { CdcError, ErrorDetails } from './cdc-error.ts';

function renderDetail(value: ErrorDetails[string]): string {
  if (value === null) return 'null';
  if (typeof value === 'object') return value.length === 0 ? 'none' : value.join('\n          ');
  return String(value);
}

/** The text a person reads: code and what, then one line per fact, then the fix. Ends without a newline. */
export function renderError(error: CdcError): string {
  const lines = [`${error.code}  ${error.message}`];
  for (const [key, value] of Object.entries(error.details)) {
    lines.push(`  ${key.padEnd(7)} ${renderDetail(value)}`);
  }
  lines.push(`  ${'fix'.padEnd(7)} ${error.hint}`);
  return lines.join('\n');
}
