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

/** Letters, digits, dot, underscore and dash only, for places that allow no others. */
export function safeIdentity(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9._-]+/g, '-').slice(0, 64);
}
