import { delay } from '@millrace/shared/async/delay.ts';
import type { CheckpointStore } from '@millrace/shared/checkpoint/checkpoint-store.ts';
import type { CapturePipeline as Document } from '@millrace/shared/config/pipeline.ts';
import { CdcError } from '@millrace/shared/errors/cdc-error.ts';
import type { Position } from '@millrace/shared/event/position.ts';
import { tableIdText } from '@millrace/shared/event/table-id.ts';
import type { Gather } from '@millrace/shared/kafka/gather.ts';
import { KafkaClient } from '@millrace/shared/kafka/kafka-client.ts';
import { kafkaOptions } from '@millrace/shared/kafka/options-from-document.ts';
import type { Producer } from '@millrace/shared/kafka/producer.ts';
import type { Logger } from '@millrace/shared/observe/logger.ts';
import type { RunContext } from '@millrace/shared/program/program.ts';
import { SchemaLogWriter } from '@millrace/shared/schema-log/schema-log-writer.ts';

import { CapturePipeline } from '../pipeline/capture-pipeline.ts';
import { Checkpointer } from '../pipeline/checkpointer.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../pipeline/checkpoint-state.ts';
import type { CheckpointState, TableState } from '../pipeline/checkpoint-state.ts';
import { startState } from '../pipeline/start-state.ts';
import { TableRegistry } from '../pipeline/table-registry.ts';
import { checkTopicCollisions } from '../route/topic-route.ts';
import { Snapshotter } from '../snapshot/snapshotter.ts';
import { startProgress } from '../snapshot/progress.ts';
import { ChunkWindows } from '../snapshot/window.ts';
import type { Source, SourceStream, SourceTable } from '../source.ts';
import { CapturedTables } from './captured-tables.ts';
import { actionQuery, epochAfter, openSource, startPoint } from './mysql.ts';
import { openCheckpoints, openProducer } from './open-kafka.ts';
import { keepProgressFile } from './progress-file.ts';
import type { Reporting } from './reporting.ts';
import { SchemaAnnouncer } from './schema-announcer.ts';
import { tableOptions } from './table-options.ts';
import { Topics } from './topics.ts';

const statusIntervalMs = 1000;
const backlogIntervalMs = 5000;
const maxWaitingSnapshotBytes = 32 * 1024 * 1024;
/** Of `memory.limit`; the rest is for what a record in flight costs besides itself: compressed copies, answers, the runtime. */
const inFlightShare = 4;

/** One attempt of a capture: everything it opens is closed before `run` settles. */
export class CaptureSession {
  readonly #document: Document;
  readonly #context: RunContext;
  readonly #reporting: Reporting;
  readonly #captured: CapturedTables;
  readonly #fromScratch: boolean;

  constructor(document: Document, context: RunContext, reporting: Reporting, fromScratch: boolean) {
    this.#document = document;
    this.#context = context;
    this.#reporting = reporting;
    this.#fromScratch = fromScratch;
    const { source } = document;
    this.#captured = new CapturedTables(source.tables, source.newTables, (table) => {
      warnNotCaptured(context.logger, table);
    });
  }

  async run(stop: AbortSignal): Promise<void> {
    const document = this.#document;
    const { logger } = this.#context;
    await using opened = new AsyncDisposableStack();
    const client = opened.use(await KafkaClient.connect(kafkaOptions(document.sink.client), stop));
    const store = opened.use(await openCheckpoints(document, client, stop));
    const stored = await this.#storedCheckpoint(store, stop);
    const initialEpoch = stored !== null && this.#fromScratch ? epochAfter(stored.resume) : 1;
    const source = opened.use(await openSource(document, this.#captured, initialEpoch, logger, stop));
    for (const warning of await source.check(stop)) logger.warn('source', { warning });
    const tables = await this.#matchingTables(source, stop);
    const checkpoint = this.#fromScratch ? null : stored;
    const state = await this.#startState(source, store, checkpoint, tables, stop);
    this.#context.status.markLoaded();

    const producer = opened.use(await openProducer(document, client, this.#reporting, stop));
    const warn = (message: string): void => {
      logger.warn('topic', { reason: message });
    };
    const topics = new Topics(client, producer, document.sink.topicCreation, state.topics, warn);
    const schemaLog = opened.use(await this.#openSchemaLog(client, stop));
    const announcer = new SchemaAnnouncer(
      schemaLog.writer,
      { source: document.source.name, comments: document.source.includeComments },
      this.#reporting,
    );
    const options = tableOptions(document, this.#captured.caseSensitive);
    const registry = new TableRegistry<Gather>({
      source,
      topics,
      options,
      announce: schemaLog.writer === null ? null : announcer.announce,
      nowMs: Date.now,
    });
    checkTopicCollisions(
      tables.map((table) => options.routed(table.schema.id)),
      options.route,
    );
    const stream = opened.use(await source.stream(state.resume, stop));
    await this.#loop({ source, stream, store, producer, topics, registry, announcer, tables, state }, stop);
  }

  async #storedCheckpoint(store: CheckpointStore, stop: AbortSignal): Promise<CheckpointState | null> {
    const text = await store.load(stop);
    return text === null ? null : decodeCheckpoint(text);
  }

  async #matchingTables(source: Source, stop: AbortSignal): Promise<readonly SourceTable[]> {
    const tables = await source.tables(stop);
    if (tables.length > 0) return tables;
    if (this.#document.source.newTables !== 'ignore') {
      this.#context.logger.warn('no table matches yet');
      return tables;
    }
    throw new CdcError('SOURCE_NOT_READY', 'no table matches', {
      details: { kind: 'no-table-matched' },
      hint: 'Check `tables`; `validate` prints how each selector is read.',
    });
  }

  async #startState(
    source: Source,
    store: CheckpointStore,
    checkpoint: CheckpointState | null,
    tables: readonly SourceTable[],
    stop: AbortSignal,
  ): Promise<CheckpointState> {
    const { logger } = this.#context;
    const { startup, newTables } = this.#document.source;
    if (checkpoint !== null) logger.info('goes on from its checkpoint, scan.startup.mode is not looked at');
    const { state, ignored } = startState({
      checkpoint,
      matching: tables.map((table) => tableIdText(table.schema.id)),
      snapshot: startup.mode === 'initial' || startup.mode === 'snapshot',
      newTables,
      resume: checkpoint?.resume ?? (await source.resolveStart(startPoint(startup), stop)),
    });
    for (const table of ignored) warnNotCaptured(logger, table);
    this.#captured.begin(Object.keys(state.tables), ignored);
    // The position to start from must not move when the first attempt fails before its first checkpoint.
    await store.save(encodeCheckpoint(state), stop);
    return state;
  }

  async #openSchemaLog(
    client: KafkaClient,
    stop: AbortSignal,
  ): Promise<AsyncDisposable & { writer: SchemaLogWriter | null }> {
    const { schemaTopic, client: kafka } = this.#document.sink;
    const nothing = { writer: null, [Symbol.asyncDispose]: async () => undefined };
    if (schemaTopic === null) return nothing;
    const { idempotence: idempotent } = kafka.producer;
    const writer = await SchemaLogWriter.open(client, { topic: schemaTopic, idempotent }, stop);
    return { writer, [Symbol.asyncDispose]: () => writer[Symbol.asyncDispose]() };
  }

  async #loop(parts: LoopParts, stop: AbortSignal): Promise<void> {
    const { source, stream, store, producer, topics, registry, announcer, state } = parts;
    const { logger } = this.#context;
    const { snapshot } = this.#document.source;
    const windows = new ChunkWindows();
    const snapshotter: Snapshotter = new Snapshotter({
      source,
      stream,
      windows,
      options: {
        parallelism: snapshot.parallelism,
        chunkRows: snapshot.chunkRows,
        rowsPerSecond: snapshot.rateLimitRows,
        maxWaitingBytes: maxWaitingSnapshotBytes,
      },
      renderer: (table) => registry.snapshotRenderer(table),
      refresh: (table, signal) => this.#refresh(source, table, signal),
      onHanded: () => {
        pipeline.wake();
      },
      onTableError: (table, error) => {
        pipeline.stopTable(table, error);
      },
      onReplacedTexts: (table, count) => {
        this.#reporting.replacedTexts(table, count);
      },
      nowMs: Date.now,
    });
    const pipeline: CapturePipeline<Gather> = new CapturePipeline<Gather>(
      {
        stream,
        flow: producer,
        registry,
        snapshotter,
        windows,
        counters: this.#reporting,
        onSchemaChange: (event, signal) => {
          // Its rows all come from the log: nothing is left for a snapshot.
          if (event.change === 'create') this.#captured.add(tableIdText(event.table));
          return announcer.schemaChange(event, registry.latest(tableIdText(event.table)), signal);
        },
        firstState: (table) => this.#firstState(table),
        onTableStopped: (table, error) => {
          this.#reporting.tableStopped(table, error);
        },
        onTableLive: (table) => {
          logger.info('snapshot done', { table });
        },
        topics: () => topics.known(),
        truncateEvents: this.#document.sink.truncateEvents,
        memoryLimitBytes: Math.floor(this.#document.runtime.memoryLimitBytes / inFlightShare),
        transactionMaxBufferBytes: this.#document.source.transactionMaxBufferBytes,
        skipBackfill: snapshot.skipBackfill,
      },
      state,
    );
    await this.#prepareTables(parts, pipeline, stop);
    const checkpointer = new Checkpointer({
      store,
      durable: () => pipeline.durable(),
      confirmed: (resume) => {
        this.#reporting.checkpointStored();
        source.confirm(resume);
      },
      intervalMs: this.#document.runtime.checkpoint.intervalMs,
    });
    await this.#runUntilStopped({ ...parts, pipeline, snapshotter, checkpointer, head: { mark: null } }, stop);
  }

  /** The table's definition as it is now; the table may be gone, then the old one tells so when it is read. */
  async #refresh(source: Source, table: SourceTable, signal: AbortSignal): Promise<SourceTable> {
    const text = tableIdText(table.schema.id);
    const tables = await source.tables(signal);
    return tables.find((other) => tableIdText(other.schema.id) === text) ?? table;
  }

  /** A table that came while running is read whole, unless its CREATE is in the log; null where the document asks for no snapshot. */
  #firstState(table: SourceTable): TableState | null {
    const text = tableIdText(table.schema.id);
    const { newTables } = this.#document.source;
    const created = this.#captured.has(text);
    if (!created && newTables === 'stream-from-create') {
      this.#captured.ignore(text);
      return null;
    }
    this.#captured.add(text);
    this.#context.logger.info('a new table is added', { table: text });
    if (created) return { state: 'live' };
    if (table.schema.primaryKey.length === 0) throw tableWithoutKey(text);
    return { state: 'snapshotting', progress: startProgress('resync', 0) };
  }

  /** Makes topics and announces schemas before the first record, and hands tables that need it to the snapshot. */
  async #prepareTables(parts: LoopParts, pipeline: CapturePipeline<Gather>, stop: AbortSignal): Promise<void> {
    const { source, registry, tables } = parts;
    const { position } = await source.watermark(stop);
    for (const table of tables) {
      const text = tableIdText(table.schema.id);
      const state = pipeline.tableState(text);
      if (state === undefined || state.state === 'stopped') {
        if (state !== undefined) pipeline.announceStopped(text, state);
        continue;
      }
      try {
        await registry.prepare(table, `${position}.00000000` as Position, stop);
      } catch (error) {
        pipeline.stopTable(text, error);
        continue;
      }
      if (state.state !== 'snapshotting') continue;
      const { progress } = state;
      if (table.schema.primaryKey.length === 0) {
        pipeline.stopTable(text, tableWithoutKey(text));
        continue;
      }
      const rowsEstimated =
        progress.rowsEstimated > 0 ? progress.rowsEstimated : await source.estimateRows(table, stop);
      const started = { ...progress, rowsEstimated };
      pipeline.addTable(table, { state: 'snapshotting', progress: started });
      this.#context.logger.info('snapshot starts', { table: text, rows: rowsEstimated });
    }
  }

  async #runUntilStopped(parts: RunningParts, stop: AbortSignal): Promise<void> {
    const { pipeline, checkpointer, producer } = parts;
    const { status, logger } = this.#context;
    const work = new AbortController();
    const onStop = (): void => {
      pipeline.wake();
    };
    stop.addEventListener('abort', onStop, { once: true });
    const finished = this.#finished(parts);
    const fail = (error: unknown): void => {
      if (!work.signal.aborted) work.abort(error);
    };
    const background = [
      checkpointer.run(work.signal).catch(fail),
      this.#watch(parts, work.signal).catch(fail),
      this.#discover(parts, work.signal).catch(fail),
      ...this.#optional(work.signal).map((task) => task.catch(fail)),
    ];
    status.enter('running');
    logger.info('running');
    try {
      await pipeline.run(() => stop.aborted || finished(), work.signal);
      await pipeline.drain(work.signal);
      await checkpointer.save(work.signal);
    } finally {
      stop.removeEventListener('abort', onStop);
      if (!work.signal.aborted) work.abort();
      await Promise.all(background);
      this.#reporting.inFlight(producer.pendingBytes);
    }
  }

  /** What runs beside the loop only when the document asks for it. */
  #optional(signal: AbortSignal): Promise<void>[] {
    const { stateDir, stateDirGiven } = this.#document.runtime;
    const tasks: Promise<void>[] = [];
    if (stateDirGiven) tasks.push(keepProgressFile(stateDir, this.#context, signal));
    const action = actionQuery(this.#document, this.#context.logger, signal);
    if (action !== null) tasks.push(action);
    return tasks;
  }

  /** When the run ends by itself: after the snapshot in mode `snapshot`, at the head of the log with `--until-idle`. */
  #finished(parts: RunningParts): () => boolean {
    const { pipeline, stream } = parts;
    const onlySnapshot = this.#document.source.startup.mode === 'snapshot';
    return () => {
      if (onlySnapshot) return pipeline.snapshotDone;
      if (!this.#context.untilIdle || !pipeline.snapshotDone) return false;
      return parts.head.mark !== null && stream.hasReached(parts.head.mark);
    };
  }

  /** Status, lag and backlog for people; and the head of the log for `--until-idle`. */
  async #watch(parts: RunningParts, signal: AbortSignal): Promise<void> {
    const { source, pipeline, producer, snapshotter } = parts;
    let nextBacklogMs = 0;
    for (;;) {
      for (const [table, state] of pipeline.tables()) {
        this.#reporting.tableState(table, state, snapshotter.progress(table));
      }
      this.#reporting.inFlight(producer.pendingBytes);
      this.#reporting.refresh();
      if (performance.now() >= nextBacklogMs) {
        nextBacklogMs = performance.now() + backlogIntervalMs;
        this.#reporting.backlog(await source.backlog(signal));
      }
      if (this.#context.untilIdle && pipeline.snapshotDone) {
        parts.head.mark ??= await source.watermark(signal);
        pipeline.wake();
      }
      await delay(statusIntervalMs, signal);
    }
  }

  /** Looks for tables that came to match without a CREATE in the log: renamed, or made visible by a grant. */
  async #discover(parts: RunningParts, signal: AbortSignal): Promise<void> {
    const { source, pipeline, registry } = parts;
    if (this.#document.source.newTables !== 'snapshot') return;
    for (;;) {
      await delay(this.#document.source.tableDiscoveryIntervalMs, signal);
      for (const table of await source.tables(signal)) {
        const text = tableIdText(table.schema.id);
        if (this.#captured.has(text) || pipeline.tableState(text) !== undefined) continue;
        const { position } = await source.watermark(signal);
        try {
          await registry.prepare(table, `${position}.00000000` as Position, signal);
          // The loop may have met the table meanwhile.
          const state = pipeline.tableState(text) === undefined ? this.#firstState(table) : null;
          if (state !== null) pipeline.addTable(table, state);
        } catch (error) {
          pipeline.stopTable(text, error);
        }
      }
    }
  }
}

interface LoopParts {
  readonly source: Source;
  readonly stream: SourceStream;
  readonly store: CheckpointStore;
  readonly producer: Producer;
  readonly topics: Topics;
  readonly registry: TableRegistry<Gather>;
  readonly announcer: SchemaAnnouncer;
  readonly tables: readonly SourceTable[];
  readonly state: CheckpointState;
}

interface RunningParts extends LoopParts {
  readonly pipeline: CapturePipeline<Gather>;
  readonly snapshotter: Snapshotter;
  readonly checkpointer: Checkpointer;
  readonly head: { mark: Awaited<ReturnType<Source['watermark']>> | null };
}

function warnNotCaptured(logger: Logger, table: string): void {
  logger.warn('a table that came later is not captured', {
    table,
    hint: 'Set scan.newly-added-table.enabled: true.',
  });
}

function tableWithoutKey(table: string): CdcError {
  return new CdcError('SOURCE_SCHEMA_UNSUPPORTED', 'a table without a key cannot be snapshotted', {
    details: { table, kind: 'no-key' },
    hint: 'Give it a primary key, or exclude it; a start mode without a snapshot streams it.',
  });
}
