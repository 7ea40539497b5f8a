import { delay } from '@millrace/shared/async/delay.ts';
import { Gate } from '@millrace/shared/async/gate.ts';
import { CdcError } from '@millrace/shared/errors/cdc-error.ts';
import { tableIdText } from '@millrace/shared/event/table-id.ts';

import type { Delivered, RowRenderer, Source, SourceStream, SourceTable, Watermark } from '../source.ts';
import { PieceBuffer } from './piece.ts';
import { finishChunk, isComplete, planChunk } from './progress.ts';
import type { NumberedRange, TableProgress } from './progress.ts';
import type { ChunkWindow, ChunkWindows } from './window.ts';

export interface SnapshotOptions {
  readonly parallelism: number;
  readonly chunkRows: number;
  /** Rows per second over all tables; 0 = no limit. */
  readonly rowsPerSecond: number;
  /** Rendered bytes that may wait for publication. */
  readonly maxWaitingBytes: number;
}

/** Rows of a chunk that wait until the stream stands behind the moment they were read. */
export interface WaitingPiece {
  readonly table: string;
  readonly source: SourceTable;
  readonly progress: TableProgress;
  readonly range: NumberedRange;
  readonly window: ChunkWindow;
  readonly mark: Watermark;
  readonly piece: PieceBuffer;
  /** Number of the piece's first row inside its chunk. */
  readonly firstRow: number;
}

/** The last piece of a chunk was handed over: when it is published, the chunk is done. */
export interface ChunkEnd {
  readonly table: string;
  readonly range: NumberedRange;
  readonly window: ChunkWindow;
  readonly rows: number;
}

export type SnapshotItem =
  | { readonly kind: 'piece'; readonly item: WaitingPiece }
  | { readonly kind: 'end'; readonly item: ChunkEnd };

interface TableWork {
  source: SourceTable;
  /** The definition changed since `source` was read. */
  stale: boolean;
  progress: TableProgress;
  /** Chunks of the checkpoint that must be read again. */
  readonly redo: NumberedRange[];
  planning: Promise<NumberedRange | null> | null;
}

export interface SnapshotParts {
  readonly source: Source;
  readonly stream: SourceStream;
  readonly windows: ChunkWindows;
  readonly options: SnapshotOptions;
  /** A renderer of its own for each call: workers render side by side. */
  readonly renderer: (table: SourceTable) => RowRenderer;
  /** The definition of the table as it is now. */
  readonly refresh: (table: SourceTable, signal: AbortSignal) => Promise<SourceTable>;
  /** An item waits for publication. */
  readonly onHanded: () => void;
  /** An error that stops only its table; its chunks are given up. */
  readonly onTableError: (table: string, error: CdcError) => void;
  /** Texts of rows read in which U+FFFD stands for bytes that do not decode. */
  readonly onReplacedTexts: (table: string, count: number) => void;
  readonly nowMs: () => number;
}

/**
 * Reads tables chunk by chunk beside the running stream (watermark merge). For each chunk: a window collects the keys
 * that the stream changes from now on; once everything that the stream delivered before is visible to queries (T100),
 * the range is read; each piece of it is published when the stream has passed a moment after the read began, without
 * the rows whose keys are in the window. Rows reach the topic at most once per version, no lock and no long
 * transaction is held, and a piece is all that is kept in memory.
 */
export class Snapshotter {
  readonly #parts: SnapshotParts;
  readonly #tables = new Map<string, TableWork>();
  readonly #queue: SnapshotItem[] = [];
  readonly #changed = new Gate();
  readonly #published = new Gate();
  readonly #spare: PieceBuffer[] = [];
  #waitingBytes = 0;
  #nextRowAtMs = 0;

  constructor(parts: SnapshotParts) {
    this.#parts = parts;
  }

  add(source: SourceTable, progress: TableProgress): void {
    this.#tables.set(tableIdText(source.schema.id), {
      source,
      stale: false,
      progress,
      redo: [...progress.open],
      planning: null,
    });
    this.#changed.open();
  }

  remove(table: string): void {
    this.#tables.delete(table);
  }

  progress(table: string): TableProgress | undefined {
    return this.#tables.get(table)?.progress;
  }

  get active(): boolean {
    return this.#tables.size > 0;
  }

  /** The oldest item that waits for publication. */
  peek(): SnapshotItem | undefined {
    return this.#queue[0];
  }

  /** The oldest item was published: frees its buffer; true when that ended its table's snapshot. */
  done(): boolean {
    const entry = this.#queue.shift();
    if (entry === undefined) return false;
    let ended = false;
    if (entry.kind === 'piece') {
      this.#waitingBytes -= entry.item.piece.byteLength;
      if (this.#spare.length < 8) this.#spare.push(entry.item.piece);
    } else {
      ended = this.#endChunk(entry.item);
    }
    this.#published.open();
    return ended;
  }

  /** Runs the workers until every table added so far and later is read, or the signal aborts. Never resolves otherwise. */
  async run(signal: AbortSignal): Promise<void> {
    const stop = new AbortController();
    const both = AbortSignal.any([signal, stop.signal]);
    try {
      await Promise.all(Array.from({ length: this.#parts.options.parallelism }, () => this.#work(both)));
    } finally {
      stop.abort();
    }
  }

  #endChunk(end: ChunkEnd): boolean {
    this.#parts.windows.close(end.table, end.window);
    const work = this.#tables.get(end.table);
    if (work === undefined) return false;
    if (end.window.stale) {
      // Its pieces were not published, or only in part: the chunk is read again with the new definition.
      work.stale = true;
      work.redo.push(end.range);
      this.#changed.open();
      return false;
    }
    work.progress = finishChunk(work.progress, end.range.chunk, end.rows);
    if (!isComplete(work.progress)) return false;
    this.#tables.delete(end.table);
    return true;
  }

  async #work(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const next = await this.#take(signal);
      if (next === null) await this.#changed.wait(signal);
      else await this.#readOrStopTable(next.table, next.work, next.range, signal);
    }
  }

  async #readOrStopTable(table: string, work: TableWork, range: NumberedRange, signal: AbortSignal): Promise<void> {
    try {
      await this.#read(table, work, range, signal);
    } catch (error) {
      if (!(error instanceof CdcError) || error.policy.retry !== 'table') throw error;
      this.remove(table);
      this.#parts.onTableError(table, error);
    }
  }

  async #take(signal: AbortSignal): Promise<{ table: string; work: TableWork; range: NumberedRange } | null> {
    for (const [table, work] of this.#tables) {
      const redo = work.redo.shift();
      if (redo !== undefined) return { table, work, range: redo };
      const range = await this.#plan(work, signal);
      if (range !== null) return { table, work, range };
    }
    return null;
  }

  /** One planner per table at a time; the others wait for it, then plan the chunk after. */
  async #plan(work: TableWork, signal: AbortSignal): Promise<NumberedRange | null> {
    while (work.planning !== null) await work.planning;
    if (work.progress.planned) return null;
    const { source, options } = this.#parts;
    const planning = (async () => {
      const to = await source.chunkEnd(work.source, work.progress.frontier, options.chunkRows, signal);
      const planned = planChunk(work.progress, to);
      work.progress = planned.progress;
      return planned.range;
    })();
    work.planning = planning;
    try {
      return await planning;
    } finally {
      work.planning = null;
    }
  }

  /** Hands all pieces of a chunk over, then its end; stops early when the table's definition changed on the way. */
  async #read(table: string, work: TableWork, range: NumberedRange, signal: AbortSignal): Promise<void> {
    if (work.stale) {
      work.stale = false;
      work.source = await this.#parts.refresh(work.source, signal);
    }
    const { source } = work;
    const window = this.#parts.windows.open(table);
    await this.#waitUntilVisible(this.#parts.stream.delivered(), signal);
    const renderer = this.#parts.renderer(source);
    let mark: Watermark | null = null;
    let rows = 0;
    for await (const batch of this.#parts.source.readChunk(source, range, signal)) {
      if (window.stale) break;
      // The read view exists since the first row at the latest: a moment after it is late enough for all pieces.
      mark ??= await this.#parts.source.watermark(signal);
      const piece = this.#spare.pop() ?? new PieceBuffer();
      const before = renderer.replacedTexts;
      piece.fill(batch, renderer);
      if (renderer.replacedTexts > before) this.#parts.onReplacedTexts(table, renderer.replacedTexts - before);
      await this.#room(signal);
      const item = { table, source, progress: work.progress, range, window, mark, piece, firstRow: rows };
      this.#hand({ kind: 'piece', item });
      rows += piece.count;
      await this.#pace(piece.count, signal);
    }
    this.#hand({ kind: 'end', item: { table, range, window, rows } });
  }

  async #waitUntilVisible(delivered: Delivered, signal: AbortSignal): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      const low = await this.#parts.source.watermark(signal);
      if (delivered.isWithin(low)) return;
      await delay(Math.min(1 + attempt, 50), signal);
    }
  }

  #hand(item: SnapshotItem): void {
    if (item.kind === 'piece') this.#waitingBytes += item.item.piece.byteLength;
    this.#queue.push(item);
    this.#parts.onHanded();
  }

  async #room(signal: AbortSignal): Promise<void> {
    while (this.#waitingBytes > this.#parts.options.maxWaitingBytes) await this.#published.wait(signal);
  }

  async #pace(rows: number, signal: AbortSignal): Promise<void> {
    const { rowsPerSecond } = this.#parts.options;
    if (rowsPerSecond === 0) return;
    const now = this.#parts.nowMs();
    this.#nextRowAtMs = Math.max(this.#nextRowAtMs, now) + (rows * 1000) / rowsPerSecond;
    if (this.#nextRowAtMs > now) await delay(this.#nextRowAtMs - now, signal);
  }
}
