import { randomUUID } from 'node:crypto';

import { CdcError, invariantBroken } from '@millrace/shared/errors/cdc-error.ts';

import type { TableBatch } from '../destination.ts';
import { evolveSchema } from './iceberg/schema-evolution.ts';
import type { SchemaPlan } from './iceberg/schema-evolution.ts';
import { thinSnapshots } from './iceberg/snapshot-retention.ts';
import { stageCommit } from './iceberg/stage-commit.ts';
import type { NewDataFile } from './iceberg/stage-commit.ts';
import { currentSchema, currentSnapshot } from './iceberg/table-metadata.ts';
import type { TableMetadata } from './iceberg/table-metadata.ts';
import { tableSize } from './iceberg/table-state.ts';
import type { TableState } from './iceberg/table-state.ts';
import type { TableVersion } from './iceberg/table-store.ts';
import { fileMetrics } from './parquet/file-metrics.ts';
import { encodeParquet } from './parquet/write-file.ts';
import { progressSummary } from './progress.ts';
import type { PartitionProgress, Progress } from './progress.ts';
import { RowEncoder } from './row-encoder.ts';
import type { EncodedUpserts, KeyBatch, RowGroup } from './row-encoder.ts';
import { dataFilePath, partitionOfDataFile } from './table-directory.ts';
import { commitAttempts, keyProperty } from './table-head.ts';
import type { TableContext, TableHead } from './table-head.ts';
import { TableRows } from './table-rows.ts';
import type { Superseded } from './table-rows.ts';

/** One partition's share of a batch for one table. */
export interface BatchPartition {
  readonly key: string;
  readonly topic: string;
  readonly partition: number;
  /** What the partition's progress is once the batch is durable. */
  readonly next: PartitionProgress;
}

const thinningMs = 60_000;

interface Prepared {
  readonly plan: SchemaPlan;
  readonly upserts: EncodedUpserts;
  readonly deletes: KeyBatch;
}

function sameSnapshot(a: TableMetadata, b: TableMetadata): boolean {
  return currentSnapshot(a)?.['manifest-list'] === currentSnapshot(b)?.['manifest-list'];
}

/** Turns batches into commits of one table. Calls never overlap. */
export class TableWriter {
  readonly head: TableHead;
  readonly #context: TableContext;
  #state: TableState | null = null;
  #rows: TableRows | null = null;
  #lastThinningMs = 0;

  constructor(head: TableHead, context: TableContext) {
    this.head = head;
    this.#context = context;
  }

  /**
   * Applies a batch in one atomic commit together with its partitions' progress. False when it changed nothing: then
   * nothing was written and the progress is still to be committed. Throws `DESTINATION_FENCED` without effect.
   */
  async apply(batch: TableBatch, partitions: readonly BatchPartition[], sourceTimeMicros: number): Promise<boolean> {
    let prepared: Prepared | null = null;
    let plannedFor = -1;
    let files: readonly NewDataFile[] | null = null;
    for (let attempt = 0; attempt < commitAttempts; attempt++) {
      const state = await this.#loaded(await this.head.current());
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
      const next = await this.#commitFiles(state, prepared.plan, superseded, files, progress, sourceTimeMicros);
      if (next !== null) {
        this.#state = next;
        this.#context.hooks.observer?.lakeTable(this.head.place.text, tableSize(next));
        const paths = files.map((file) => file.path);
        rows.publish(next, superseded, prepared.upserts, paths, prepared.deletes);
        return true;
      }
      await this.head.lost(attempt);
    }
    throw this.head.conflict('other writers kept committing');
  }

  /** The batch's ranges that the table does not hold yet. A truncation starts the table anew, whatever it holds. */
  isNew(partition: BatchPartition, batch: TableBatch): boolean {
    const stored = this.head.progress.get(partition.key);
    return batch.truncateFirst || stored === undefined || stored.nextOffset < partition.next.nextOffset;
  }

  /** The files of a version; read only when its snapshot is another than the last. */
  async #loaded(version: TableVersion): Promise<TableState> {
    const known = this.#state;
    const unchanged = known !== null && sameSnapshot(known.metadata, version.metadata);
    const state = unchanged ? { ...known, ...version } : await this.head.store.load(version, known);
    this.#state = state;
    return state;
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
        table: this.head.place.text,
        columns,
      });
    }
    if (plan.keyFieldIds.length === 0 && batch.deletes.count > 0) {
      throw new CdcError('DESTINATION_SCHEMA_INCOMPATIBLE', 'rows of a table without a key cannot be deleted', {
        details: { table: this.head.place.text },
        hint: 'Declare a key with transform.primary-keys, or leave the table out.',
      });
    }
    const wanted = (index: number): boolean => {
      const partition = partitions[index];
      return partition !== undefined && this.isNew(partition, batch);
    };
    const { hash, options } = this.#context;
    const encoder = new RowEncoder(this.head.place.text, plan, hash, options.targetFileSizeBytes);
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
        table: this.head.place.text,
        rows: this.#rows.duplicates - before,
      });
    }
    return this.#rows;
  }

  /** Files of our partitions, and those of other writers, whose keys may be anybody's. */
  #isOurs(path: string): boolean {
    const partition = partitionOfDataFile(this.head.place.location, path);
    return partition === null || this.#context.claimed.has(partition);
  }

  #superseded(state: TableState, rows: TableRows, batch: TableBatch, prepared: Prepared): Superseded {
    if (!batch.truncateFirst) return rows.supersede(prepared.upserts.keys, prepared.deletes);
    const emptied = new Set([...state.files.keys()].filter((path) => this.#isOurs(path)));
    return { vectors: new Map(), emptied };
  }

  /** A truncation sets the offsets to the batch's end even where the table was ahead: its rows are gone. */
  #progressAfter(batch: TableBatch, partitions: readonly BatchPartition[]): Map<string, PartitionProgress> {
    const progress = new Map(this.head.progress);
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
      await storage.makeDirectory(`${this.head.place.directory}/data/${partition.topic}`);
      const name = dataFilePath(partition.topic, partition.partition, sequence, randomUUID());
      const parquet = encodeParquet(group.columns, options.compression, options.createdBy);
      writes.push(storage.writeNew(`${this.head.place.directory}/${name}`, parquet.bytes));
      const fields = group.columns.map((column) => column.field);
      files.push({
        path: `${this.head.place.location}/${name}`,
        rows: parquet.rows,
        sizeBytes: parquet.bytes.length,
        metrics: fileMetrics(fields, parquet),
      });
    }
    await Promise.all(writes);
    hooks.onStep('data-written');
    return files;
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
    const revised = this.#thinned(this.head.revised(state, plan, progress));
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
    if (superseded.vectors.size > 0) directories.add(`${this.head.place.directory}/data`);
    const synced = this.head.store.syncDirectories(directories);
    if (!(await this.head.append(state, staged.metadata, progress, synced))) return null;
    return { version: state.version + 1, ...staged };
  }

  #thinned(metadata: TableMetadata): TableMetadata {
    const { options, hooks } = this.#context;
    const nowMs = hooks.nowMs();
    if (nowMs - this.#lastThinningMs < thinningMs) return metadata;
    this.#lastThinningMs = nowMs;
    const retention = { timeRetainedMs: options.snapshotTimeRetainedMs, retainedMin: options.snapshotsRetainedMin };
    return thinSnapshots(metadata, retention, nowMs);
  }
}
