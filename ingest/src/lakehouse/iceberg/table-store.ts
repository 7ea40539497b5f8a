import { randomUUID } from 'node:crypto';

import { CdcError } from '@millrace/shared/errors/cdc-error.ts';

import type { LakehouseHooks } from '../options.ts';
import { isMissing } from '../storage/local-storage.ts';
import type { LocalStorage } from '../storage/local-storage.ts';
import { VersionLog } from '../storage/version-log.ts';
import { createTable, keptVersions, parseMetadata, printMetadata } from './table-metadata.ts';
import type { NewTable, TableMetadata } from './table-metadata.ts';
import { loadState } from './table-state.ts';
import type { TableState } from './table-state.ts';

export interface TableVersion {
  readonly version: number;
  readonly metadata: TableMetadata;
}

const oldVersionMs = 3_600_000;

/** The versions of one table on the disk. */
export class TableStore {
  readonly directory: string;
  readonly #storage: LocalStorage;
  readonly #log: VersionLog;

  constructor(storage: LocalStorage, directory: string, hooks: LakehouseHooks) {
    this.#storage = storage;
    this.directory = directory;
    this.#log = new VersionLog(storage, `${directory}/metadata`, '.metadata.json', hooks.onStep);
  }

  /** Newest version; null when there is no table. `from` is a version seen before. */
  async newest(from = 0): Promise<TableVersion | null> {
    for (let attempt = 0; ; attempt++) {
      const version = await this.#log.newest(from === 0 ? await this.#log.hinted() : from);
      if (version === 0) return null;
      try {
        return { version, metadata: parseMetadata(await this.#log.read(version)) };
      } catch (error) {
        // Retention may have removed it between the look and the read; a newer one exists then.
        if (!isMissing(error) || attempt > 2) throw error;
      }
    }
  }

  /** Properties of whatever table stands here, of any format version; none when there is no table. */
  async newestProperties(): Promise<Readonly<Record<string, string>>> {
    const version = await this.#log.newest(await this.#log.hinted());
    if (version === 0) return {};
    const bytes = await this.#log.read(version);
    try {
      const metadata = JSON.parse(bytes.toString('utf8')) as { properties?: Readonly<Record<string, string>> };
      return metadata.properties ?? {};
    } catch (error) {
      throw new CdcError('CHECKPOINT_UNREADABLE', 'the newest metadata of a table does not parse', {
        details: { file: this.#log.pathOf(version) },
        cause: error,
      });
    }
  }

  /** `previous` is an earlier state, whose manifests need not be read again. */
  load(version: TableVersion, previous: TableState | null): Promise<TableState> {
    return loadState(this.#storage, version.version, version.metadata, previous);
  }

  fileOf(version: number): string {
    return `file://${this.#log.pathOf(version)}`;
  }

  /** Creates version 1 with an empty table. False when somebody else did. */
  async create(table: Omit<NewTable, 'uuid' | 'location'>): Promise<boolean> {
    await this.#storage.makeDirectory(`${this.directory}/data`);
    await this.#storage.makeDirectory(`${this.directory}/metadata`);
    const metadata = createTable({ ...table, uuid: randomUUID(), location: `file://${this.directory}` });
    return this.append(0, metadata, Promise.resolve());
  }

  /** Makes `metadata` the version after `base`. False when another writer was faster. */
  async append(base: number, metadata: TableMetadata, prerequisite: Promise<unknown>): Promise<boolean> {
    const won = await this.#log.append(base, printMetadata(metadata), prerequisite);
    if (won) await this.#log.writeHint(base + 1);
    return won;
  }

  /** Names of new manifests are durable after this; of new data files when their directories were created, too. */
  async syncDirectories(dataDirectories: Iterable<string>): Promise<void> {
    const names = new Set([...dataDirectories, `${this.directory}/metadata`]);
    await Promise.all([...names].map((name) => this.#storage.syncDirectory(name)));
  }

  repairHint(version: number): Promise<boolean> {
    return this.#log.repairHint(version);
  }

  /** Removes versions that are both far behind and old; a reader that holds one has had its time. */
  async removeOldVersions(nowMs: number): Promise<void> {
    const last = (await this.#log.newest(await this.#log.hinted())) - keptVersions;
    if (last < 2) return;
    const files = await this.#storage.listFiles(`${this.directory}/metadata`);
    const young = files
      .filter((file) => nowMs - file.modifiedMs < oldVersionMs)
      .flatMap((file) => this.#log.versionOf(file.name) ?? []);
    await this.#log.removeUpTo(Math.min(last, ...young.map((version) => version - 1)));
  }
}
