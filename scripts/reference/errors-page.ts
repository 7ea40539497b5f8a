import { codes } from '../../shared/src/errors/codes.ts';
import type { CodePolicy, Retry } from '../../shared/src/errors/codes.ts';
import { generatedNote, markdownTable } from './markdown.ts';

const retryText: Readonly<Record<Retry, string>> = {
  backoff: 'with growing pauses (`pipeline.retry.*`)',
  slow: 'every minute',
  'reconnect-once': 'once, with a new connection',
  table: 'no; only the table stops',
  stop: 'no',
};

const exitCodes: readonly (readonly [string, string])[] = [
  ['0', 'done, or stopped in order'],
  ['1', 'a failure or a defect'],
  ['2', 'invalid document or usage'],
  ['3', 'something it depends on is unreachable or not ready, after the retries'],
  ['4', '`verify` found a difference; a plan hash is stale'],
  ['5', 'another process owns our source identity or partitions'],
  ['6', 'a person must decide'],
  ['130', 'a second signal ended it at once'],
];

/** Error codes, what follows each, and the exit codes. */
export function errorsPage(): string {
  const rows = Object.entries<CodePolicy>(codes).map(([code, policy]) => [
    `\`${code}\``,
    policy.stage,
    retryText[policy.retry],
    String(policy.exitCode),
    policy.hint,
  ]);
  return `# Errors

${generatedNote}

Every failure has one of these codes. The exit code is that of the process when the failure is final.

${markdownTable(['Code', 'Where', 'Retried', 'Exit', 'What to do'], rows)}

## Exit codes

${markdownTable(['Code', 'Means'], exitCodes)}
`;
}
