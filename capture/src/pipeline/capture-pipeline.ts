import { DurableLine } from '@millrace/shared/checkpoint/durable-line.ts';
import { assertNever, CdcError } from '@millrace/shared/errors/cdc-error.ts';
import type { Position, ResumePoint } from '@millrace/shared/event/position.ts';
import { tableIdText } from '@millrace/shared/event/table-id.ts';

import type { ValueRanges } from '../publish/lane.ts';
import type { SnapshotItem, Snapshotter, WaitingPiece } from '../snapshot/snapshotter.ts';
import type { ChunkWindows } from '../snapshot/window.ts';
import type { RowsEvent, SchemaChangeEvent, SourceEvent, SourceStream, SourceTable, Watermark } from '../source.ts';
import type { CheckpointState, TableState } from './checkpoint-state.ts';
import type { Prepared, TableRegistry } from './table-registry.ts';

/** The part of the producer that the loop drives (see `Producer`). */
export interface RecordFlow {
  readonly pendingBytes: number;
  /** Records at or below may be sent from now on. */
  release(sequence: number): void;
  /** Sends what is released wherever nothing is in flight. */
  flush(): void;
  /** Drops the unsent records at or above. */
  discard(sequence: number): void;
  firstPendingSequence(): number;
  /** Resolves at the next acknowledgement; rejects when the producer failed for good. */
  settled(signal: AbortSignal): Promise<void>;
}

export interface CaptureCounters {
  rows(table: string, op: 'create' | 'update' | 'delete' | 'read', count: number): void;
  /** After each batch: transactions in it and the commit time of the last, µs; 0 when there was none. */
  turn(transactions: number, commitTimeMicros: number): void;
  heartbeat(sourceTimeMicros: number): void;
  /** Texts in which U+FFFD stands for bytes that do not decode. */
  replacedTexts(table: string, count: number): void;
}

export interface CapturePipelineParts<V extends ValueRanges> {
  readonly stream: SourceStream;
  readonly flow: RecordFlow;
  readonly registry: TableRegistry<V>;
  readonly snapshotter: Snapshotter;
  readonly windows: ChunkWindows;
  readonly counters: CaptureCounters;
  /** DDL of a captured table; resolves when the schema log holds it. */
  readonly onSchemaChange: (event: SchemaChangeEvent, signal: AbortSignal) => Promise<void>;
  /** State of a table at its first event; null: it is not captured after all. Throws an error of the table. */
  readonly firstState: (table: SourceTable) => TableState | null;
  readonly onTableStopped: (table: string, error: CdcError) => void;
  readonly onTableLive: (table: string) => void;
  /** Topics written to so far; the same object while nothing changed. */
  readonly topics: () => CheckpointState['topics'];
  /** TRUNCATE is also a record in the table's topic. */
  readonly truncateEvents: boolean;
  readonly memoryLimitBytes: number;
  /** A transaction with more unsent bytes is emitted in parts. */
  readonly transactionMaxBufferBytes: number;
  /** Pieces do not wait until the stream has passed the moment they were read at. */
  readonly skipBackfill: boolean;
}

interface Delivery {
  readonly events: readonly SourceEvent[];
  readonly resume: ResumePoint;
}

const rowIndexZero = '.00000000';
/** How long records may wait for company while the source keeps delivering. */
const mostGatheringMs = 5;

/** Token of a snapshot row: the high watermark's, then chunk and row (kafka-records §1). */
function snapshotPosition(item: WaitingPiece): Buffer {
  const chunk = item.range.chunk.toString(16).padStart(8, '0');
  return Buffer.from(`${item.mark.position}.ffffffff.s${chunk}${rowIndexZero}`, 'latin1');
}

/**
 * The one loop of capture: takes what the source delivers, writes it into the lanes, publishes snapshot pieces between
 * transactions, and knows which state may be stored. Records of a transaction leave only after its commit was seen,
 * unless it outgrows `transactionMaxBufferBytes`.
 */
export class CapturePipeline<V extends ValueRanges> {
  readonly #parts: CapturePipelineParts<V>;
  readonly #line = new DurableLine<CheckpointState>();
  readonly #tables: Map<string, TableState>;
  readonly #writerEpoch: number;
  /** Sequence of the last complete transaction or snapshot piece. */
  #sequence = 0;
  #open = false;
  /** Parts of the open transaction may be at the brokers. */
  #openReleased = false;
  #gtid = '';
  #commitTimeMicros = 0;
  #transactions = 0;
  /** Delivered and not handled yet, with the point to continue from after it. */
  #arrived: Delivery | null = null;
  /** Continues after everything that was handled; the stream itself may be ahead. */
  #resume: ResumePoint;
  #woken = false;
  #pulling = false;
  #flushedAtMs = 0;
  #failure: { readonly error: unknown } | null = null;
  #turn = Promise.withResolvers<void>();
  /** The newest watermark known to be behind everything handled so far. */
  #reached: Watermark | null = null;
  #tablesRecord: Readonly<Record<string, TableState>> | null = null;

  constructor(parts: CapturePipelineParts<V>, initial: CheckpointState) {
    this.#parts = parts;
    this.#tables = new Map(Object.entries(initial.tables));
    this.#writerEpoch = initial.writerEpoch;
    this.#resume = initial.resume;
  }

  /** The newest state that the brokers hold everything of, if it is newer than the one returned before. */
  durable(): CheckpointState | undefined {
    return this.#line.advance(this.#parts.flow.firstPendingSequence());
  }

  tableState(table: string): TableState | undefined {
    return this.#tables.get(table);
  }

  setTable(table: string, state: TableState): void {
    this.#tables.set(table, state);
    this.#tablesRecord = null;
  }

  /** Makes a table known and, where its state says so, begins its snapshot. */
  addTable(table: SourceTable, state: TableState): void {
    const text = tableIdText(table.schema.id);
    this.setTable(text, state);
    if (state.state === 'snapshotting') this.#parts.snapshotter.add(table, state.progress);
  }

  tables(): Iterable<readonly [string, TableState]> {
    return this.#tables;
  }

  /** Tells again of a table that an earlier start stopped. */
  announceStopped(table: string, state: TableState & { readonly state: 'stopped' }): void {
    const hint =
      'It stays stopped, because its changes since then are missing: start with --from-scratch to read it anew.';
    this.#parts.onTableStopped(table, new CdcError(state.code, state.message, { details: { table }, hint }));
  }

  get snapshotDone(): boolean {
    return !this.#parts.snapshotter.active;
  }

  /**
   * Runs until `until` says so (asked after each batch and each `wake`), or the signal aborts (then it throws the
   * reason). An open transaction is dropped at the end: its rows come again, with the same tokens, at the next start.
   */
  async run(until: () => boolean, signal: AbortSignal): Promise<void> {
    const ended = new AbortController();
    const both = AbortSignal.any([signal, ended.signal]);
    const snapshot = this.#parts.snapshotter.run(both).catch((error: unknown) => {
      this.#fail(error);
    });
    const onAbort = (): void => {
      this.#fail(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await this.#loop(until, both);
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#dropOpen();
      ended.abort();
      await snapshot;
    }
  }

  /** Makes the loop look again: at `until`, and at pieces handed over. */
  wake(): void {
    this.#woken = true;
    this.#turn.resolve();
  }

  /** Waits until everything published so far is acknowledged. */
  async drain(signal: AbortSignal): Promise<void> {
    this.#parts.flow.release(this.#sequence);
    for (;;) {
      this.#parts.flow.flush();
      if (this.#parts.flow.firstPendingSequence() > this.#sequence) return;
      await this.#parts.flow.settled(signal);
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#turn.resolve();
  }

  async #loop(until: () => boolean, signal: AbortSignal): Promise<void> {
    for (;;) {
      if (this.#failure !== null) throw this.#failure.error;
      if (this.#arrived === null && until()) return;
      this.#pull(signal);
      await this.#somethingNew();
      const delivery = this.#arrived;
      if (delivery !== null) {
        this.#arrived = null;
        this.#pulling = false;
        await this.#handle(delivery.events, signal);
        this.#resume = delivery.resume;
      }
      this.#noteReached();
      if (!this.#open) await this.#publishPieces(signal);
      await this.#afterTurn(signal);
      await this.#flushWhenDue(signal);
    }
  }

  #pull(signal: AbortSignal): void {
    if (this.#pulling) return;
    this.#pulling = true;
    const { stream } = this.#parts;
    stream.next(signal).then(
      (events) => {
        this.#arrived = { events, resume: stream.resumePoint() };
        this.#turn.resolve();
      },
      (error: unknown) => {
        this.#fail(error);
      },
    );
  }

  /**
   * Adaptive batching: while the source has more at hand, records gather for a few milliseconds, so that a backlog goes
   * out in large batches; a lone change is sent at once.
   */
  async #flushWhenDue(signal: AbortSignal): Promise<void> {
    this.#pull(signal);
    if (this.#arrived === null) await new Promise((resolve) => setImmediate(resolve));
    const now = performance.now();
    if (this.#arrived !== null && now - this.#flushedAtMs < mostGatheringMs) return;
    this.#flushedAtMs = now;
    this.#parts.flow.flush();
  }

  /** One deferred per turn: racing long-lived promises would collect a reaction for every turn. */
  async #somethingNew(): Promise<void> {
    if (this.#arrived === null && !this.#woken && this.#failure === null) {
      this.#turn = Promise.withResolvers();
      await this.#turn.promise;
    }
    this.#woken = false;
  }

  async #handle(events: readonly SourceEvent[], signal: AbortSignal): Promise<void> {
    for (const event of events) {
      switch (event.kind) {
        case 'begin':
          this.#open = true;
          this.#gtid = event.gtid;
          this.#commitTimeMicros = event.commitTimeMicros;
          break;
        case 'rows':
          await this.#rows(event, signal);
          break;
        case 'schema-change':
          await this.#schemaChange(event, signal);
          break;
        case 'commit':
          this.#commit();
          if (this.#parts.snapshotter.peek() !== undefined) await this.#publishPieces(signal);
          break;
        case 'rollback':
        case 'restart':
          this.#dropOpen();
          break;
        case 'heartbeat':
          this.#parts.counters.heartbeat(event.sourceTimeMicros);
          break;
        default:
          assertNever(event);
      }
    }
  }

  /** Parts of it that were already let go stay: their tokens tell readers when they come again. */
  #dropOpen(): void {
    if (this.#openReleased) this.#sequence += 1;
    else this.#parts.flow.discard(this.#sequence + 1);
    this.#open = false;
    this.#openReleased = false;
  }

  #commit(): void {
    this.#sequence += 1;
    this.#open = false;
    this.#openReleased = false;
    this.#transactions += 1;
  }

  async #rows(event: RowsEvent, signal: AbortSignal): Promise<void> {
    const { table } = event.rows;
    const { registry, windows, counters } = this.#parts;
    const prepared = registry.ready(table) ?? (await this.#prepare(table, event, signal));
    if (prepared === null) return;
    const text = prepared.text;
    if (this.#tables.get(text)?.state === 'stopped') return;
    const facts = { gtid: this.#gtid, commitTimeMicros: this.#commitTimeMicros, sequence: this.#sequence + 1 };
    try {
      const count = prepared.stream.publishRows(event, facts, windows.watcher(text));
      counters.rows(text, event.op, count);
      const replaced = prepared.stream.takeReplacedTexts();
      if (replaced > 0) counters.replacedTexts(text, replaced);
    } catch (error) {
      this.stopTable(text, error);
    }
  }

  async #prepare(table: SourceTable, event: RowsEvent, signal: AbortSignal): Promise<Prepared<V> | null> {
    const text = tableIdText(table.schema.id);
    if (this.#tables.get(text)?.state === 'stopped') return null;
    try {
      if (!this.#tables.has(text)) {
        const state = this.#parts.firstState(table);
        if (state === null) return null;
        this.addTable(table, state);
      }
      return await this.#parts.registry.prepare(table, event.position.toString('latin1') as Position, signal);
    } catch (error) {
      this.stopTable(text, error);
      return null;
    }
  }

  /** An error that only concerns its table stops the table, for good; anything else goes up. */
  stopTable(text: string, error: unknown): void {
    if (!(error instanceof CdcError) || error.policy.retry !== 'table') throw error;
    this.setTable(text, { state: 'stopped', code: error.code, message: error.message });
    this.#parts.snapshotter.remove(text);
    this.#parts.onTableStopped(text, error);
  }

  async #schemaChange(event: SchemaChangeEvent, signal: AbortSignal): Promise<void> {
    const text = tableIdText(event.table);
    this.#parts.windows.invalidate(text);
    await this.#parts.onSchemaChange(event, signal);
    const latest = this.#parts.registry.latest(text);
    if (event.change !== 'truncate' || !this.#parts.truncateEvents || latest === undefined) return;
    const facts = { gtid: this.#gtid, commitTimeMicros: this.#commitTimeMicros, sequence: this.#sequence + 1 };
    this.#parts.registry.ready(latest)?.stream.publishTruncate(event.position, facts);
  }

  /**
   * The stream parses a batch as a whole, so that its progress is only comparable once the batch has been handled: the
   * head piece's watermark is looked at here and remembered for the commits of later batches.
   */
  #noteReached(): void {
    const entry = this.#parts.snapshotter.peek();
    if (entry?.kind !== 'piece' || entry.item.mark === this.#reached) return;
    if (this.#parts.stream.hasReached(entry.item.mark)) this.#reached = entry.item.mark;
  }

  /** Publishes waiting pieces whose moment the stream has passed. Only between transactions. */
  async #publishPieces(signal: AbortSignal): Promise<void> {
    const { snapshotter, flow, memoryLimitBytes } = this.#parts;
    for (;;) {
      const entry = snapshotter.peek();
      if (entry === undefined) return;
      while (flow.pendingBytes > memoryLimitBytes) {
        flow.flush();
        await flow.settled(signal);
      }
      if (entry.kind === 'piece' && !(await this.#publishPiece(entry.item, signal))) return;
      this.#finish(entry);
      if (this.#arrived === null) this.#noteReached();
    }
  }

  /** False when it must wait. */
  async #publishPiece(item: WaitingPiece, signal: AbortSignal): Promise<boolean> {
    if (item.window.stale || this.#tables.get(item.table)?.state !== 'snapshotting') return true;
    // Without the wait the log repeats changes that the row has already; keys that it has delivered stay left out.
    if (item.mark !== this.#reached && !this.#parts.skipBackfill) return false;
    const position = snapshotPosition(item);
    const token = `${item.mark.position}${rowIndexZero}` as Position;
    const prepared = await this.#prepareSnapshot(item.source, token, signal);
    if (prepared === null) return true;
    const { piece, window } = item;
    const keep =
      window.changedKeys === 0
        ? null
        : (row: number): boolean =>
            !window.hasChanged(piece.bytes, piece.keyStart[row] as number, piece.keyEnd[row] as number);
    const sequence = this.#sequence + 1;
    const { kind } = item.progress;
    const count = prepared.snapshot.publishPiece(piece, position, item.firstRow, kind, sequence, keep);
    this.#sequence = sequence;
    this.#parts.counters.rows(item.table, 'read', count);
    this.#parts.flow.release(sequence);
    return true;
  }

  /** Null when the table had to be stopped. */
  async #prepareSnapshot(table: SourceTable, position: Position, signal: AbortSignal): Promise<Prepared<V> | null> {
    const { registry } = this.#parts;
    const known = registry.ready(table);
    if (known !== undefined) return known;
    try {
      return await registry.prepare(table, position, signal);
    } catch (error) {
      this.stopTable(tableIdText(table.schema.id), error);
      return null;
    }
  }

  #finish(entry: SnapshotItem): void {
    const { snapshotter } = this.#parts;
    const { table } = entry.item;
    const ended = snapshotter.done();
    if (entry.kind !== 'end') return;
    const progress = snapshotter.progress(table);
    if (ended) {
      this.setTable(table, { state: 'live' });
      this.#parts.onTableLive(table);
    } else if (progress !== undefined) {
      this.setTable(table, { state: 'snapshotting', progress });
    }
  }

  async #afterTurn(signal: AbortSignal): Promise<void> {
    const { flow, counters, memoryLimitBytes, transactionMaxBufferBytes } = this.#parts;
    this.#tablesRecord ??= Object.fromEntries(this.#tables);
    // Also inside a transaction: the resume point is then the boundary before it, which `#sequence` stands for.
    this.#line.record(this.#sequence, {
      writerEpoch: this.#writerEpoch,
      resume: this.#resume,
      tables: this.#tablesRecord,
      topics: this.#parts.topics(),
    });
    counters.turn(this.#transactions, this.#transactions > 0 ? this.#commitTimeMicros : 0);
    this.#transactions = 0;
    flow.release(this.#sequence);
    if (this.#open && flow.pendingBytes > transactionMaxBufferBytes) this.#releaseOpen();
    while (flow.pendingBytes > memoryLimitBytes) {
      // What is held back by an open transaction would never drain: let it go in parts.
      if (flow.firstPendingSequence() > this.#sequence) this.#releaseOpen();
      flow.flush();
      await flow.settled(signal);
    }
  }

  #releaseOpen(): void {
    this.#openReleased = true;
    this.#parts.flow.release(this.#sequence + 1);
    this.#parts.flow.flush();
  }
}
