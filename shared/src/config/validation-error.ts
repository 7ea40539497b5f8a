import { CdcError } from '../errors/cdc-error.ts';
import { renderProblem } from './document/problem.ts';
import type { Findings } from './document/problem.ts';

/** One error with every problem of a document: `errors`, a line each, and `allowed`, the keys of blocks with an unknown one. */
export function configInvalid(findings: Findings): CdcError {
  const allowed = [...findings.allowedKeys].map(([block, keys]) => `${block}: ${keys.join(', ')}`);
  const details = { errors: findings.problems.map(renderProblem), ...(allowed.length > 0 && { allowed }) };
  return new CdcError('CONFIG_INVALID', 'the pipeline document is not valid', { details });
}

function linesOf(value: CdcError['details'][string] | undefined): readonly string[] {
  if (value === undefined || value === null) return [];
  return typeof value === 'object' ? value : [String(value)];
}

/** The text for a person: code, one line per problem, the allowed keys, the fix. Ends without a newline. */
export function renderValidation(error: CdcError): string {
  const { errors, allowed, ...others } = error.details;
  const count = linesOf(errors).length;
  const lines = [
    `${error.code}  ${error.message}${count === 0 ? '' : `: ${count} ${count === 1 ? 'problem' : 'problems'}`}`,
  ];
  lines.push(...linesOf(errors).map((line) => `  ${line}`));
  for (const [name, value] of Object.entries(others)) lines.push(`  ${name}  ${linesOf(value).join(', ')}`);
  lines.push(...linesOf(allowed).map((line) => `  allowed in ${line}`));
  lines.push(`  fix  ${error.hint}`);
  return lines.join('\n');
}
