import type { ProblemKind } from '../document/problem.ts';
import type { PemFile } from '../pem-file.ts';
import { readPem } from './context.ts';
import type { BuildContext } from './context.ts';

type PemOption = 'ssl.ca' | 'ssl.cert' | 'ssl.key';

/** What the function needs of a block that declares the three options. */
interface TlsBlock {
  readonly values: Readonly<Partial<Record<PemOption, string | null>>>;
  problem(kind: ProblemKind, name: PemOption, rule: string): void;
}

/** The file that the option names; null where it is not given and, with a problem noted, where it is no PEM. */
export function pemOption(block: TlsBlock, name: PemOption, context: BuildContext): PemFile | null {
  const path = block.values[name] ?? null;
  if (path === null) return null;
  const pem = readPem(path, context);
  if (pem === null) block.problem('type', name, 'expected a PEM file that can be read');
  return pem;
}
