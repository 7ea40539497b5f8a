import { CdcError } from '@millrace/shared/errors/cdc-error.ts';

import { parseProgress, printProgress } from './progress.ts';
import type { PartitionProgress, Progress, ProgressTexts } from './progress.ts';
import type { LocalStorage } from './storage/local-storage.ts';
import { VersionLog } from './storage/version-log.ts';

const keptVersions = 20;
const attempts = 20;

/**
 * Epochs and offsets of partitions beside the tables, in `<warehouse>/.millrace/<commit user>/`: what is known of a
 * partition before any table holds rows of it, and the one place where every claim is counted.
 */
export class Ledger {
  readonly #storage: LocalStorage;
  readonly #log: VersionLog;
  readonly #directory: string;
  #version = 0;

  constructor(storage: LocalStorage, warehouse: string, commitUser: string) {
    this.#storage = storage;
    this.#directory = `${warehouse}/.millrace/${commitUser}`;
    this.#log = new VersionLog(storage, this.#directory, '.json', () => undefined);
  }

  async load(): Promise<Map<string, PartitionProgress>> {
    this.#version = await this.#log.newest(this.#version);
    if (this.#version === 0) return new Map();
    const bytes = await this.#log.read(this.#version);
    try {
      return parseProgress(JSON.parse(bytes.toString('utf8')) as ProgressTexts);
    } catch (error) {
      throw new CdcError('CHECKPOINT_UNREADABLE', 'the ledger of the lakehouse does not parse', {
        details: { file: this.#log.pathOf(this.#version) },
        cause: error,
      });
    }
  }

  /** Replaces the newest content by what `change` makes of it; repeated when another member was faster. */
  async update(change: (progress: Progress) => Progress): Promise<Progress> {
    await this.#storage.makeDirectory(this.#directory);
    for (let attempt = 0; attempt < attempts; attempt++) {
      const next = change(await this.load());
      if (await this.#log.append(this.#version, Buffer.from(JSON.stringify(printProgress(next)), 'utf8'))) {
        this.#version++;
        await this.#log.removeUpTo(this.#version - keptVersions);
        return next;
      }
    }
    throw new CdcError('COMMIT_CONFLICT', 'other members kept changing the ledger of the lakehouse', {
      details: { attempts },
    });
  }
}
