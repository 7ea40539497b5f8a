import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { CdcError } from '../errors/cdc-error.ts';
import type { CheckpointStore } from './checkpoint-store.ts';

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** `<stateDir>/<pipeline>.checkpoint.json`, replaced atomically and synced before `save` resolves. */
export class FileCheckpointStore implements CheckpointStore {
  readonly #path: string;

  constructor(stateDir: string, pipeline: string) {
    this.#path = join(stateDir, `${encodeURIComponent(pipeline)}.checkpoint.json`);
  }

  async load(signal: AbortSignal): Promise<string | null> {
    try {
      return await readFile(this.#path, { encoding: 'utf8', signal });
    } catch (error) {
      if (isMissing(error)) return null;
      signal.throwIfAborted();
      throw new CdcError('CHECKPOINT_UNREADABLE', 'the checkpoint file cannot be read', {
        details: { path: this.#path },
        cause: error,
      });
    }
  }

  async save(text: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const directory = dirname(this.#path);
    const temporary = `${this.#path}.tmp`;
    try {
      await mkdir(directory, { recursive: true });
      const file = await open(temporary, 'w', 0o640);
      try {
        await file.writeFile(text);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, this.#path);
      await syncDirectory(directory);
    } catch (error) {
      throw new CdcError('CHECKPOINT_UNWRITABLE', 'the checkpoint file cannot be written', {
        details: { path: this.#path },
        cause: error,
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing stays open between saves.
  }
}
