import { createHash } from 'node:crypto';

import type { PemFile } from '../pem-file.ts';

/** What the builders of all blocks need beside their own options. */
export interface BuildContext {
  /** Throws when the file cannot be read. */
  readonly readFile: (path: string) => string;
  readonly pipelineName: string;
  /** `pipeline.parallelism`: default of the source's and the sink's own. */
  readonly parallelism: number | null;
  readonly allowInsecure: boolean;
}

/** Null when the file cannot be read or holds no PEM. */
export function readPem(path: string, context: BuildContext): PemFile | null {
  try {
    const text = context.readFile(path);
    return text.includes('-----BEGIN ') ? { path, text } : null;
  } catch {
    return null;
  }
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}

/**
 * A name of 1 to 64 letters, digits, dots, underscores and dashes, for places that allow no others. A name that has to
 * be changed gets a hash at its end, so that two names never become one identity.
 */
export function safeIdentity(name: string): string {
  if (/^[A-Za-z0-9._-]{1,64}$/.test(name)) return name;
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 8);
  return `${name.replaceAll(/[^A-Za-z0-9._-]+/g, '-').slice(0, 55)}-${digest}`;
}
