import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { stackEnvironment } from './environment.ts';
import type { TextRow } from './mysql-database.ts';

export interface LakeRows {
  /** Column name to DuckDB type. */
  readonly types: Readonly<Record<string, string>>;
  /** Every value as DuckDB's own text (BLOB: `\xAB` escapes), so that nothing passes through a double. */
  readonly rows: readonly TextRow[];
}

const script = fileURLToPath(new URL('read_lake.py', import.meta.url));

/**
 * Runs one SELECT in DuckDB, an engine that shares no code with ours, for example
 * `SELECT * FROM iceberg_scan('<table>/metadata/v3.metadata.json') ORDER BY id`.
 */
export async function readLake(sql: string): Promise<LakeRows> {
  const python = stackEnvironment().readersPython;
  if (python === undefined) throw new Error('no lake readers: run scripts/stack readers');
  const child = spawn(python, [script], { stdio: ['pipe', 'pipe', 'pipe'] });
  const exited = once(child, 'exit');
  child.stdin.end(sql);
  const [output, complaint, [code]] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
  if (code !== 0) throw new Error(`DuckDB refused: ${complaint.trim()}`);
  return JSON.parse(output) as LakeRows;
}
