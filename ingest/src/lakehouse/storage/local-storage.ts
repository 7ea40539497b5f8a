import { constants } from 'node:fs';
import { link, mkdir, open, readdir, readFile, rename, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';

import { CdcError } from '@millrace/shared/errors/cdc-error.ts';

function errno(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}

export function isMissing(error: unknown): boolean {
  return errno(error) === 'ENOENT' || errno(error) === 'ENOTDIR';
}

function unavailable(error: unknown, operation: string): CdcError {
  return new CdcError('STORAGE_UNAVAILABLE', 'the warehouse directory refuses an operation', {
    details: { operation, errno: errno(error) },
    cause: error,
  });
}

async function guarded<T>(operation: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw isMissing(error) || error instanceof CdcError ? error : unavailable(error, operation);
  }
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export interface StoredFile {
  readonly name: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}

/**
 * Files of a local directory with the guarantees a table format needs: a written file is on the disk before it can be
 * referenced, and a name is created at most once. Errors are `STORAGE_UNAVAILABLE`, but a missing file stays `ENOENT`.
 */
export class LocalStorage {
  /** Creates the directory and its parents and makes their names durable. */
  makeDirectory(path: string): Promise<void> {
    return guarded('mkdir', async () => {
      const first = await mkdir(path, { recursive: true });
      if (first === undefined) return;
      for (let created = path; ; created = dirname(created)) {
        await syncDirectory(dirname(created));
        if (created === first) return;
      }
    });
  }

  /** Writes a file under a name that nobody has used, contents on the disk; the name is durable after `syncDirectory`. */
  writeNew(path: string, ...parts: readonly Uint8Array[]): Promise<void> {
    return guarded('write', async () => {
      const handle = await open(path, 'wx');
      try {
        for (const part of parts) await handle.writeFile(part);
        await handle.datasync();
      } finally {
        await handle.close();
      }
    });
  }

  syncDirectory(path: string): Promise<void> {
    return guarded('sync', () => syncDirectory(path));
  }

  /** Replaces a file at once: readers see the old or the new content. Made durable by the file system in its own time. */
  replace(path: string, temporary: string, content: Uint8Array): Promise<void> {
    return guarded('replace', async () => {
      await this.writeNew(temporary, content);
      await rename(temporary, path);
    });
  }

  /** The atomic step of a commit. False when the name is taken. Any other outcome throws and may have happened. */
  link(existing: string, name: string): Promise<boolean> {
    return guarded('link', async () => {
      try {
        await link(existing, name);
        return true;
      } catch (error) {
        if (errno(error) === 'EEXIST') return false;
        throw error;
      }
    });
  }

  read(path: string): Promise<Buffer> {
    return guarded('read', () => readFile(path));
  }

  async readIfPresent(path: string): Promise<Buffer | null> {
    try {
      return await this.read(path);
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  }

  readRange(path: string, offset: number, length: number): Promise<Buffer> {
    return guarded('read', async () => {
      const handle = await open(path, 'r');
      try {
        const buffer = Buffer.allocUnsafeSlow(length);
        let filled = 0;
        while (filled < length) {
          const { bytesRead } = await handle.read(buffer, filled, length - filled, offset + filled);
          if (bytesRead === 0) break;
          filled += bytesRead;
        }
        return buffer.subarray(0, filled);
      } finally {
        await handle.close();
      }
    });
  }

  exists(path: string): Promise<boolean> {
    return guarded('stat', () =>
      stat(path).then(
        () => true,
        (error: unknown) => {
          if (isMissing(error)) return false;
          throw error;
        },
      ),
    );
  }

  /** Names in a directory; none when it does not exist. */
  list(path: string): Promise<readonly string[]> {
    return guarded('list', () =>
      readdir(path).catch((error: unknown) => {
        if (isMissing(error)) return [];
        throw error;
      }),
    );
  }

  /** Files (not directories) anywhere below, names relative to `path`. */
  listFiles(path: string): Promise<readonly StoredFile[]> {
    return guarded('list', async () => {
      const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
        if (isMissing(error)) return [];
        throw error;
      });
      const files: StoredFile[] = [];
      for (const entry of entries) {
        if (!entry.isFile()) continue;
        const full = `${entry.parentPath}/${entry.name}`;
        const info = await stat(full).catch(() => null);
        if (info === null) continue;
        files.push({ name: full.slice(path.length + 1), sizeBytes: info.size, modifiedMs: info.mtimeMs });
      }
      return files;
    });
  }

  /** A file that is gone already is no error. */
  async remove(path: string): Promise<void> {
    await guarded('remove', async () => {
      try {
        await unlink(path);
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    });
  }
}
