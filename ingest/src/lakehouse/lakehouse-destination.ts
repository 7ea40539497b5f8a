import { randomBytes } from 'node:crypto';

import { CdcError, invariantBroken } from '@millrace/shared/errors/cdc-error.ts';
import type { TableSchema } from '@millrace/shared/event/schema.ts';
import { tableSchema } from '@millrace/shared/event/schema.ts';

import type { Destination, DestinationLane } from '../destination.ts';
import { columnOf } from './iceberg/schema-mapping.ts';
import { currentSchema } from './iceberg/table-metadata.ts';
import { TableStore } from './iceberg/table-store.ts';
import { LakehouseLane } from './lane.ts';
import { Ledger } from './ledger.ts';
import type { LakehouseHooks, LakehouseLog, LakehouseOptions } from './options.ts';
import { KeyHash } from './row-index/key-hash.ts';
import { LocalStorage } from './storage/local-storage.ts';
import { Sweeper } from './sweeper.ts';
import { TableCatalog } from './table-catalog.ts';
import { tablePlace } from './table-directory.ts';

/** Iceberg tables (format-version 3, deletion vectors) in a local directory, one lane per process. */
class LakehouseDestination implements Destination {
  readonly laneCount = 1;
  readonly #options: LakehouseOptions;
  readonly #hooks: LakehouseHooks;
  readonly #storage = new LocalStorage();
  #lane: LakehouseLane | null = null;

  constructor(options: LakehouseOptions, hooks: LakehouseHooks) {
    this.#options = options;
    this.#hooks = hooks;
  }

  /** Tries in the warehouse what every commit needs: new files, fsync, and a link that refuses a taken name. */
  async check(signal: AbortSignal): Promise<readonly string[]> {
    const probe = `${this.#options.warehouse}/.millrace/${this.#options.commitUser}`;
    const name = `${probe}/probe-${randomBytes(8).toString('hex')}`;
    await this.#storage.makeDirectory(probe);
    try {
      signal.throwIfAborted();
      await this.#storage.writeNew(name, Buffer.from('probe'));
      const linked = await this.#link(name);
      const again = await this.#link(name);
      if (!linked || again) throw noHardLinks(this.#options.warehouse, null);
      await this.#storage.syncDirectory(probe);
    } finally {
      await this.#storage.remove(name);
      await this.#storage.remove(`${name}.link`);
    }
    return [];
  }

  openLane(index: number, signal: AbortSignal): Promise<DestinationLane> {
    signal.throwIfAborted();
    if (index !== 0 || this.#lane !== null) throw invariantBroken('the lakehouse has one lane', { index });
    const claimed = new Map<string, { readonly epoch: bigint }>();
    const seeds = randomBytes(12);
    const context = {
      storage: this.#storage,
      options: this.#options,
      hooks: this.#hooks,
      hash: new KeyHash([seeds.readUInt32LE(0), seeds.readUInt32LE(4), seeds.readUInt32LE(8)]),
      claimed,
    };
    const catalog = new TableCatalog(context);
    const ledger = new Ledger(this.#storage, this.#options.warehouse, this.#options.commitUser);
    this.#lane = new LakehouseLane(context, claimed, catalog, ledger, new Sweeper(context, catalog));
    return Promise.resolve(this.#lane);
  }

  async describe(schemaName: string, tableName: string, signal: AbortSignal): Promise<TableSchema | null> {
    signal.throwIfAborted();
    const id = { namespace: '', schema: schemaName, table: tableName };
    const place = tablePlace(this.#options.warehouse, id);
    const newest = await new TableStore(this.#storage, place.directory, this.#hooks).newest();
    if (newest === null) return null;
    const schema = currentSchema(newest.metadata);
    const stored = newest.metadata.properties['millrace.key-field-ids'];
    const keyIds = stored === undefined ? (schema['identifier-field-ids'] ?? []) : (JSON.parse(stored) as number[]);
    return tableSchema({
      id,
      columns: schema.fields.map(columnOf),
      primaryKey: keyIds.flatMap((keyId) => schema.fields.find((field) => field.id === keyId)?.name ?? []),
      comment: newest.metadata.properties['comment'] ?? null,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lane?.[Symbol.asyncDispose]();
    this.#lane = null;
  }

  async #link(name: string): Promise<boolean> {
    try {
      return await this.#storage.link(name, `${name}.link`);
    } catch (error) {
      throw noHardLinks(this.#options.warehouse, error);
    }
  }
}

function noHardLinks(warehouse: string, cause: unknown): CdcError {
  return new CdcError('CONFIG_INVALID', 'the warehouse lies on a file system without hard links', {
    details: { warehouse },
    hint: 'Put the warehouse on a file system with hard links, such as ext4, xfs or NFS; commits depend on them.',
    ...(cause === null ? {} : { cause }),
  });
}

/** Of the `hooks` the clock and the call at each step of a commit are for tests. */
export async function openLakehouseDestination(
  options: LakehouseOptions,
  log: LakehouseLog,
  hooks: Partial<Omit<LakehouseHooks, 'log'>> = {},
): Promise<Destination> {
  if (!options.warehouse.startsWith('/') || options.warehouse.length < 2) {
    throw new CdcError('CONFIG_INVALID', 'the warehouse must be an absolute path', {
      details: { warehouse: options.warehouse },
    });
  }
  const warehouse = options.warehouse.replace(/\/+$/, '');
  await new LocalStorage().makeDirectory(warehouse);
  return new LakehouseDestination(
    { ...options, warehouse },
    { log, ...hooks, nowMs: hooks.nowMs ?? Date.now, onStep: hooks.onStep ?? ((): void => undefined) },
  );
}
