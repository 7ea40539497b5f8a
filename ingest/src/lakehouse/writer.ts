import { randomUUID } from 'node:crypto';

import { backoffMs, delay } from '@millrace/shared/async/delay.ts';
import { CdcError, invariantBroken } from '@millrace/shared/errors/cdc-error.ts';
import type { TableSchema } from '@millrace/shared/event/schema.ts';

import type { TableBatch } from '../destination.ts';
import { evolveSchema } from './iceberg/schema-evolution.ts';
import type { SchemaPlan } from './iceberg/schema-evolution.ts';
import { thinSnapshots } from './iceberg/snapshot-retention.ts';
import { stageCommit } from './iceberg/stage-commit.ts';
import type { NewDataFile } from './iceberg/stage-commit.ts';
import { currentSchema, revise } from './iceberg/table-metadata.ts';
import type { TableMetadata } from './iceberg/table-metadata.ts';
import type { TableState } from './iceberg/table-state.ts';
import { TableStore } from './iceberg/table-store.ts';
import type { LakehouseHooks, LakehouseOptions } from './options.ts';
import { fileMetrics } from './parquet/file-metrics.ts';
import { encodeParquet } from './parquet/write-file.ts';
import { progressFromProperties, progressProperties, progressSummary } from './progress.ts';
import type { PartitionProgress, Progress } from './progress.ts';
import { RowEncoder } from './row-encoder.ts';
import type { EncodedUpserts, KeyBatch, RowGroup } from './row-encoder.ts';
import type { KeyHash } from './row-index/key-hash.ts';
import type { LocalStorage } from './storage/local-storage.ts';
import { dataFilePath, partitionOfDataFile } from './table-directory.ts';
import type { TablePlace } from './table-directory.ts';
import { TableRows } from './table-rows.ts';
import type { Superseded } from './table-rows.ts';

/** What the tables of one destination share. */
export interface WriterContext {
  readonly storage: LocalStorage;
  readonly options: LakehouseOptions;
  readonly hooks: LakehouseHooks;
  readonly hash: KeyHash;
  /** Partitions that this member owns, with their epochs, by partition key. */
  readonly claimed: ReadonlyMap<string, { readonly epoch: bigint }>;
}

/** One partition's share of a batch for one table. */
export interface BatchPartition {
  readonly key: string;
  readonly topic: string;
  readonly partition: number;
  /** What the partition's progress is once the batch is durable. */
  readonly next: PartitionProgress;
}

/** A member that others keep overtaking loses races in a row; each costs it what the winner changed. */
const attempts = 40;
const eagerAttempts = 5;
const firstRetryMs = 5;
const lastRetryMs = 50;
const thinningMs = 60_000;

const keyProperty = 'millrace.key-field-ids';
export const tableIdProperty = 'millrace.table-id';

interface Prepared {
  readonly plan: SchemaPlan;
  readonly upserts: EncodedUpserts;
  readonly deletes: KeyBatch;
}

/** The one writer of this process for a table. Calls never overlap. */
export class TableWriter {
  readonly place: TablePlace;
  readonly store: TableStore;
  readonly #context: WriterContext;
  #state: TableState | null = null;
  #rows: TableRows | null = null;
  #progress: Map<string, PartitionProgress> = new Map();
  #mustReload = false;
  /** Progress of the newest commit that was tried: what a reload may find although its answer was lost. */
  #attempted: Progress = new Map();
  #lastThinningMs = 0;
  /** When the table's offsets were last made durable, by whatever commit. */
  lastCommitMs = 0;

  constructor(place: TablePlace, context: WriterContext) {
    this.place = place;
    this.store = new TableStore(context.storage, place.directory, context.hooks);
    this.#context = context;
  }

  /** Progress of every partition that ever fed this table, as its newest known version says. */
  get progress(): Progress {
    return this.#progress;
  }

  get state(): TableState | null {
    return this.#state;
  }

  get rows(): TableRows | null {
    return this.#rows;
  }

  /** Reads the newest version. False when there is no table. Throws `DESTINATION_FENCED` when a newer owner wrote it. */
  async refresh(): Promise<boolean> {
    const newest = await this.store.newest(this.#state?.version ?? 0);
    if (newest === null) {
      if (this.#state !== null) throw this.#conflict('the table was dropped while it was written');
      return false;
    }
    this.#mustReload = false;
    if (newest.version === this.#state?.version) return true;
    const progress = progressFromProperties(newest.metadata.properties, this.#context.options.commitUser);
    this.#checkFence(progress);
    if (newest.metadata.location !== this.place.location) {
      throw new CdcError('DESTINATION_SCHEMA_INCOMPATIBLE', 'the table says that it lies in another directory', {
        details: { table: this.place.text, location: newest.metadata.location },
        hint: 'Mount the warehouse at the path under which it was created.',
      });
    }
    const first = this.#state === null;
    this.#state = await this.store.load(newest, this.#state);
    this.#progress = progress;
    if (first && (await this.store.repairHint(newest.version))) {
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

  async #commitMetadata(change: (stored: Progress) => Map<string, PartitionProgress>): Promise<void> {
    if (this.#mustReload) await this.refresh();
    for (let attempt = 0; attempt < attempts; attempt++) {
      const state = this.#current();
      const progress = change(this.#progress);
      const metadata = this.#revised(state, null, progress);
      this.#attempted = progress;
      if (await this.#append(state, metadata, Promise.resolve())) {
        this.#adopt({ ...state, version: state.version + 1, metadata }, progress);
        return;
      }
      await this.#lost(attempt);
    }
    throw this.#conflict('other writers kept committing');
  }

  /**
   * Applies a batch in one atomic commit together with its partitions' progress. False when it changed nothing: then
   * nothing was written and the progress is still to be committed. Throws `DESTINATION_FENCED` without effect.
   */
  async apply(batch: TableBatch, partitions: readonly BatchPartition[], sourceTimeMicros: number): Promise<boolean> {
    if (this.#mustReload) await this.refresh();
    let prepared: Prepared | null = null;
    let plannedFor = -1;
    let files: readonly NewDataFile[] | null = null;
    for (let attempt = 0; attempt < attempts; attempt++) {
      const state = this.#current();
      if (prepared === null || plannedFor !== state.metadata['current-schema-id']) {
        prepared = this.#prepare(state, batch, partitions);
        plannedFor = state.metadata['current-schema-id'];
        files = null;
      }
      const rows = await this.#followed(state, prepared.plan);
      rows.reserve(prepared.upserts.keys.count);
      const superseded = this.#superseded(state, rows, batch, prepared);
      if (prepared.upserts.keys.count + superseded.vectors.size + superseded.emptied.size === 0) return false;
      files ??= await this.#writeDataFiles(state, prepared.upserts.groups, partitions);
      const progress = this.#progressAfter(batch, partitions);
      this.#attempted = progress;
      const next = await this.#commitFiles(state, prepared.plan, superseded, files, progress, sourceTimeMicros);
      if (next !== null) {
        rows.publish(
          next,
          superseded,
          prepared.upserts,
          this.#pathsOf(files, prepared.upserts.groups),
          prepared.deletes,
        );
        this.#adopt(next, progress);
        return true;
      }
      await this.#lost(attempt);
    }
    throw this.#conflict('other writers kept committing');
  }

  /** The batch's ranges that the table does not hold yet. A truncation starts the table anew, whatever it holds. */
  isNew(partition: BatchPartition, batch: TableBatch): boolean {
    const stored = this.#progress.get(partition.key);
    return batch.truncateFirst || stored === undefined || stored.nextOffset < partition.next.nextOffset;
  }

  #current(): TableState {
    if (this.#state === null)
      throw invariantBroken('a table is written before it was read', { table: this.place.text });
    return this.#state;
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

  #prepare(state: TableState, batch: TableBatch, partitions: readonly BatchPartition[]): Prepared {
    const { metadata } = state;
    const { schema } = batch.target;
    const storedKey = metadata.properties[keyProperty];
    const plan = evolveSchema(
      currentSchema(metadata),
      metadata['last-column-id'],
      storedKey === undefined ? null : (JSON.parse(storedKey) as number[]),
      schema,
      this.#context.options.typeChange,
    );
    for (const columns of plan.setAside) {
      this.#context.hooks.log.warn('a column changed its type and goes on beside the old one', {
        table: this.place.text,
        columns,
      });
    }
    if (plan.keyFieldIds.length === 0 && batch.deletes.count > 0) {
      throw new CdcError('DESTINATION_SCHEMA_INCOMPATIBLE', 'rows of a table without a key cannot be deleted', {
        details: { table: this.place.text },
        hint: 'Declare a key with transform.primary-keys, or leave the table out.',
      });
    }
    const wanted = (index: number): boolean => {
      const partition = partitions[index];
      return partition !== undefined && this.isNew(partition, batch);
    };
    const encoder = new RowEncoder(this.place.text, plan, this.#context.hash);
    return {
      plan,
      upserts: encoder.upserts(batch.upserts, batch.upsertPartition, wanted),
      deletes: encoder.deletes(batch.deletes, batch.deletePartition, wanted),
    };
  }

  async #followed(state: TableState, plan: SchemaPlan): Promise<TableRows> {
    const keyFields = plan.keyFieldIds.flatMap((id) => plan.written.find(({ field }) => field.id === id)?.field ?? []);
    this.#rows ??= new TableRows(this.#context.storage, keyFields, this.#context.hash);
    const before = this.#rows.duplicates;
    await this.#rows.follow(state, (path) => this.#isOurs(path));
    if (this.#rows.duplicates > before) {
      this.#context.hooks.log.warn('keys stand more than once in the table; the newest row counts', {
        table: this.place.text,
        rows: this.#rows.duplicates - before,
      });
    }
    return this.#rows;
  }

  /** Files of our partitions, and those of other writers, whose keys may be anybody's. */
  #isOurs(path: string): boolean {
    const partition = partitionOfDataFile(this.place.location, path);
    return partition === null || this.#context.claimed.has(partition);
  }

  #superseded(state: TableState, rows: TableRows, batch: TableBatch, prepared: Prepared): Superseded {
    if (!batch.truncateFirst) return rows.supersede(prepared.upserts.keys, prepared.deletes);
    const emptied = new Set([...state.files.keys()].filter((path) => this.#isOurs(path)));
    return { vectors: new Map(), emptied };
  }

  /** A truncation sets the offsets to the batch's end even where the table was ahead: its rows are gone. */
  #progressAfter(batch: TableBatch, partitions: readonly BatchPartition[]): Map<string, PartitionProgress> {
    const progress = new Map(this.#progress);
    for (const partition of partitions) {
      const known = progress.get(partition.key);
      if (this.isNew(partition, batch)) progress.set(partition.key, partition.next);
      else if (known !== undefined) progress.set(partition.key, { ...known, epoch: partition.next.epoch });
    }
    return progress;
  }

  async #writeDataFiles(
    state: TableState,
    groups: readonly RowGroup[],
    partitions: readonly BatchPartition[],
  ): Promise<readonly NewDataFile[]> {
    const { storage, options, hooks } = this.#context;
    const sequence = state.metadata['last-sequence-number'] + 1;
    const writes: Promise<void>[] = [];
    const files: NewDataFile[] = [];
    for (const group of groups) {
      const partition = partitions[group.partitionIndex];
      if (partition === undefined) throw invariantBroken('a row names a partition that the batch lacks');
      await storage.makeDirectory(`${this.place.directory}/data/${partition.topic}`);
      const name = dataFilePath(partition.topic, partition.partition, sequence, randomUUID());
      const parquet = encodeParquet(group.columns, options.compression, options.createdBy);
      writes.push(storage.writeNew(`${this.place.directory}/${name}`, parquet.bytes));
      const fields = group.columns.map((column) => column.field);
      files.push({
        path: `${this.place.location}/${name}`,
        rows: parquet.rows,
        sizeBytes: parquet.bytes.length,
        metrics: fileMetrics(fields, parquet),
      });
    }
    await Promise.all(writes);
    hooks.onStep('data-written');
    return files;
  }

  #pathsOf(files: readonly NewDataFile[], groups: readonly RowGroup[]): readonly string[] {
    if (files.length !== groups.length) throw invariantBroken('data files and row groups differ in number');
    return files.map((file) => file.path);
  }

  async #commitFiles(
    state: TableState,
    plan: SchemaPlan,
    superseded: Superseded,
    files: readonly NewDataFile[],
    progress: Progress,
    sourceTimeMicros: number,
  ): Promise<TableState | null> {
    const { storage, options, hooks } = this.#context;
    const revised = this.#thinned(this.#revised(state, plan, progress));
    const staged = await stageCommit(
      storage,
      state,
      revised,
      {
        added: files,
        vectors: superseded.vectors,
        removed: superseded.emptied,
        summary: {
          ...progressSummary(progress, options.commitUser, sourceTimeMicros),
          'engine-name': 'millrace',
          'engine-version': options.createdBy.replace(/^millrace /, ''),
        },
      },
      options.createdBy,
      hooks.nowMs(),
      () => {
        hooks.onStep('puffin-written');
      },
    );
    hooks.onStep('manifests-written');
    const directories = new Set(files.map((file) => file.path.slice('file://'.length, file.path.lastIndexOf('/'))));
    if (superseded.vectors.size > 0) directories.add(`${this.place.directory}/data`);
    const synced = this.store.syncDirectories(directories);
    if (!(await this.#append(state, staged.metadata, synced))) return null;
    return { version: state.version + 1, ...staged };
  }

  #revised(state: TableState, plan: SchemaPlan | null, progress: Progress): TableMetadata {
    const { metadata } = state;
    const { options, hooks } = this.#context;
    const key = plan === null ? {} : { [keyProperty]: JSON.stringify(plan.keyFieldIds) };
    return revise(metadata, {
      nowMs: hooks.nowMs(),
      previousFile: this.store.fileOf(state.version),
      properties: {
        ...metadata.properties,
        ...key,
        [tableIdProperty]: this.place.text,
        ...progressProperties(progress, options.commitUser),
      },
      schema: plan?.changed ?? null,
      lastColumnId: plan?.lastColumnId ?? 0,
    });
  }

  #thinned(metadata: TableMetadata): TableMetadata {
    const { options, hooks } = this.#context;
    const nowMs = hooks.nowMs();
    if (nowMs - this.#lastThinningMs < thinningMs) return metadata;
    this.#lastThinningMs = nowMs;
    const retention = { timeRetainedMs: options.snapshotTimeRetainedMs, retainedMin: options.snapshotsRetainedMin };
    return thinSnapshots(metadata, retention, nowMs);
  }

  /** After an error the outcome may be unknown: the next use reads the table again and finds out from its offsets. */
  async #append(state: TableState, metadata: TableMetadata, prerequisite: Promise<unknown>): Promise<boolean> {
    this.#mustReload = true;
    const won = await this.store.append(state.version, metadata, prerequisite);
    this.#mustReload = !won;
    return won;
  }

  #adopt(state: TableState, progress: Map<string, PartitionProgress>): void {
    this.#state = state;
    this.#progress = progress;
    this.lastCommitMs = this.#context.hooks.nowMs();
  }

  async #lost(attempt: number): Promise<void> {
    this.#context.hooks.log.info('another writer committed first; trying again', { table: this.place.text, attempt });
    if (attempt >= eagerAttempts) {
      await delay(backoffMs(attempt - eagerAttempts, firstRetryMs, lastRetryMs), new AbortController().signal);
    }
    await this.refresh();
  }

  #conflict(reason: string): CdcError {
    return new CdcError('COMMIT_CONFLICT', 'the table could not be committed', {
      details: { table: this.place.text, reason },
    });
  }
}
