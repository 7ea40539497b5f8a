import { backoffMs, delay } from '@millrace/shared/async/delay.ts';
import { CdcError, invariantBroken } from '@millrace/shared/errors/cdc-error.ts';
import type { TableSchema } from '@millrace/shared/event/schema.ts';

import { evolveSchema } from './iceberg/schema-evolution.ts';
import type { SchemaPlan } from './iceberg/schema-evolution.ts';
import { revise } from './iceberg/table-metadata.ts';
import type { TableMetadata } from './iceberg/table-metadata.ts';
import { TableStore } from './iceberg/table-store.ts';
import type { TableVersion } from './iceberg/table-store.ts';
import type { LakehouseHooks, LakehouseOptions } from './options.ts';
import { progressFromProperties, progressProperties } from './progress.ts';
import type { PartitionProgress, Progress } from './progress.ts';
import type { KeyHash } from './row-index/key-hash.ts';
import type { LocalStorage } from './storage/local-storage.ts';
import type { TablePlace } from './table-directory.ts';

/** What the tables of one destination share. */
export interface TableContext {
  readonly storage: LocalStorage;
  readonly options: LakehouseOptions;
  readonly hooks: LakehouseHooks;
  readonly hash: KeyHash;
  /** Partitions that this member owns, with their epochs, by partition key. */
  readonly claimed: ReadonlyMap<string, { readonly epoch: bigint }>;
}

/** A member that others keep overtaking loses races in a row; each costs it what the winner changed. */
export const commitAttempts = 40;
const eagerAttempts = 5;
const firstRetryMs = 5;
const lastRetryMs = 50;

/** Property with the field ids of the key, in key order. */
export const keyProperty = 'millrace.key-field-ids';
export const tableIdProperty = 'millrace.table-id';

/** The newest version of a table as far as this process knows, with the offsets and epochs that it holds. */
export class TableHead {
  readonly place: TablePlace;
  readonly store: TableStore;
  readonly #context: TableContext;
  #version: TableVersion | null = null;
  #progress: ReadonlyMap<string, PartitionProgress> = new Map();
  /** Progress of the newest commit that was tried: what a reload may find although its answer was lost. */
  #attempted: Progress = new Map();
  #uncertain = false;
  /** When the table's offsets were last made durable, by whatever commit. */
  lastCommitMs = 0;

  constructor(place: TablePlace, context: TableContext) {
    this.place = place;
    this.store = new TableStore(context.storage, place.directory, context.hooks);
    this.#context = context;
  }

  /** Of every partition that ever fed this table. */
  get progress(): Progress {
    return this.#progress;
  }

  get exists(): boolean {
    return this.#version !== null;
  }

  /** The version to build on; read again first when the outcome of the last commit is not known. */
  async current(): Promise<TableVersion> {
    if (this.#uncertain) await this.refresh();
    if (this.#version === null)
      throw invariantBroken('a table is written before it was read', { table: this.place.text });
    return this.#version;
  }

  /** Reads the newest version. False when there is no table. Throws `DESTINATION_FENCED` when a newer owner wrote it. */
  async refresh(): Promise<boolean> {
    const known = this.#version;
    const newest = await this.store.newest(known?.version ?? 0);
    if (newest === null) {
      if (known !== null) throw this.conflict('the table was dropped while it was written');
      return false;
    }
    if (newest.version !== known?.version) {
      const progress = progressFromProperties(newest.metadata.properties, this.#context.options.commitUser);
      this.#checkFence(progress);
      this.#checkLocation(newest.metadata);
      this.#version = newest;
      this.#progress = progress;
    }
    this.#uncertain = false;
    if (known === null && (await this.store.repairHint(newest.version))) {
      this.#context.hooks.log.warn('the version hint of a table was repaired', { table: this.place.text });
    }
    return true;
  }

  /** Creates the table where there is none. `tracked` are partitions that will feed it, at offsets before its rows. */
  async create(schema: TableSchema, tracked: Progress): Promise<void> {
    const { options, hooks } = this.#context;
    if (await this.refresh()) return;
    const plan = evolveSchema(null, 0, null, schema, options.typeChange);
    if (plan.changed === null) throw invariantBroken('a table without columns', { table: this.place.text });
    await this.store.create({
      schema: plan.changed,
      lastColumnId: plan.lastColumnId,
      properties: {
        [tableIdProperty]: this.place.text,
        [keyProperty]: JSON.stringify(plan.keyFieldIds),
        'write.parquet.compression-codec': options.compression,
        ...(schema.comment === null || schema.comment === '' ? {} : { comment: schema.comment }),
        ...progressProperties(tracked, options.commitUser),
      },
      nowMs: hooks.nowMs(),
    });
    if (!(await this.refresh())) throw invariantBroken('a created table is not there', { table: this.place.text });
  }

  /** A commit without a snapshot: offsets and epochs only. */
  commitProgress(entries: Progress): Promise<void> {
    return this.#commitMetadata((stored) => new Map([...stored, ...entries]));
  }

  /** Takes partitions over: from now on no older owner commits. Their offsets stay what the table says at that moment. */
  raiseEpochs(keys: Iterable<string>): Promise<void> {
    const raised = [...keys];
    return this.#commitMetadata((stored) => {
      const progress = new Map(stored);
      for (const key of raised) {
        const entry = stored.get(key);
        const claim = this.#context.claimed.get(key);
        if (entry !== undefined && claim !== undefined) progress.set(key, { ...entry, epoch: claim.epoch });
      }
      return progress;
    });
  }

  /** The metadata after `base` with new progress, and with a new schema where the plan has one. */
  revised(base: TableVersion, plan: SchemaPlan | null, progress: Progress): TableMetadata {
    const { metadata } = base;
    const { options, hooks } = this.#context;
    return revise(metadata, {
      nowMs: hooks.nowMs(),
      previousFile: this.store.fileOf(base.version),
      properties: {
        ...metadata.properties,
        ...(plan === null ? {} : { [keyProperty]: JSON.stringify(plan.keyFieldIds) }),
        [tableIdProperty]: this.place.text,
        ...progressProperties(progress, options.commitUser),
      },
      schema: plan?.changed ?? null,
      lastColumnId: plan?.lastColumnId ?? 0,
    });
  }

  /**
   * The compare-and-swap. False when another writer was faster. After an error the outcome may be unknown: the next use
   * reads the table again and finds out from its offsets.
   */
  async append(
    base: TableVersion,
    metadata: TableMetadata,
    progress: Progress,
    prerequisite: Promise<unknown>,
  ): Promise<boolean> {
    this.#attempted = progress;
    this.#uncertain = true;
    const won = await this.store.append(base.version, metadata, prerequisite);
    if (!won) return false;
    this.#uncertain = false;
    this.#version = { version: base.version + 1, metadata };
    this.#progress = progress;
    this.lastCommitMs = this.#context.hooks.nowMs();
    return true;
  }

  /** Waits a little after a few lost races, then reads what the winner wrote. */
  async lost(attempt: number): Promise<void> {
    this.#context.hooks.observer?.commitConflict();
    this.#context.hooks.log.info('another writer committed first; trying again', { table: this.place.text, attempt });
    if (attempt >= eagerAttempts) {
      await delay(backoffMs(attempt - eagerAttempts, firstRetryMs, lastRetryMs), new AbortController().signal);
    }
    await this.refresh();
  }

  conflict(reason: string): CdcError {
    return new CdcError('COMMIT_CONFLICT', 'the table could not be committed', {
      details: { table: this.place.text, reason },
    });
  }

  async #commitMetadata(change: (stored: Progress) => Progress): Promise<void> {
    for (let attempt = 0; attempt < commitAttempts; attempt++) {
      const base = await this.current();
      const progress = change(this.#progress);
      if (await this.append(base, this.revised(base, null, progress), progress, Promise.resolve())) return;
      await this.lost(attempt);
    }
    throw this.conflict('other writers kept committing');
  }

  #checkFence(progress: Progress): void {
    for (const [key, claim] of this.#context.claimed) {
      const stored = progress.get(key);
      if (stored === undefined || stored.epoch < claim.epoch) continue;
      const known = this.#progress.get(key);
      const ours = [known?.nextOffset, this.#attempted.get(key)?.nextOffset].includes(stored.nextOffset);
      const moved = known !== undefined && known.epoch === claim.epoch && !ours;
      if (stored.epoch === claim.epoch && !moved) continue;
      throw new CdcError('DESTINATION_FENCED', 'a newer owner of the partition has written the table', {
        details: { table: this.place.text, partition: key, epoch: claim.epoch, newEpoch: stored.epoch },
      });
    }
  }

  #checkLocation(metadata: TableMetadata): void {
    if (metadata.location === this.place.location) return;
    throw new CdcError('DESTINATION_SCHEMA_INCOMPATIBLE', 'the table says that it lies in another directory', {
      details: { table: this.place.text, location: metadata.location },
      hint: 'Mount the warehouse at the path under which it was created.',
    });
  }
}
