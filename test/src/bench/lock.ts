import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function create(path: string): boolean {
  try {
    const file = openSync(path, 'wx');
    writeSync(file, String(process.pid));
    closeSync(file);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** One benchmark at a time on a machine: two would measure each other. A lock whose owner is gone is taken over. */
export function takeBenchLock(path = join(tmpdir(), 'millrace-bench.lock')): Disposable {
  for (;;) {
    if (create(path)) return { [Symbol.dispose]: () => rmSync(path, { force: true }) };
    const owner = Number(readFileSync(path, 'utf8'));
    if (owner > 0 && isRunning(owner)) throw new Error(`another benchmark runs on this machine (pid ${owner})`);
    rmSync(path, { force: true });
  }
}
