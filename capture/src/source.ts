import type { ByteWriter } from '@millrace/shared/bytes/byte-writer.ts';
import type { ResumePoint } from '@millrace/shared/event/position.ts';
import type { TableSchema } from '@millrace/shared/event/schema.ts';
import type { TableId } from '@millrace/shared/event/table-id.ts';

/**
 * What a source must offer to the pipeline. Rows stay in the source's wire bytes until a renderer of the same source
 * writes them as JSON; nothing on this path makes an object per row or cell.
 */

/**
 * One version of a captured table. Identity matters: a source hands out the same object for as long as the table's
 * definition stays the same, so that whatever was compiled for it can be kept beside it.
 */
export interface SourceTable {
  readonly schema: TableSchema;
}

/**
 * Rows of one event or one piece of a snapshot chunk, opaque to all but the renderer of the same source.
 * Valid until the next batch is pulled from the stream or chunk that delivered it.
 */
export interface RowBatch {
  readonly table: SourceTable;
}

/** How key columns are joined: `json` closes with `}`; `csv` separates by commas. */
export type KeyStyle = 'json' | 'csv';

export interface RenderSpec {
  /** Names to write, in this order; must exist in the table. */
  readonly columns: readonly string[];
  /** Names that form the record key, in key order; may be empty. */
  readonly keyColumns: readonly string[];
  readonly keyStyle: KeyStyle;
  /** What stands before the first key column: `{"TableId":"db.t"`, a csv table id, or `{` in flavour debezium. */
  readonly keyPrefix: Uint8Array;
  readonly values: ValueRendering;
}

/** Options of the pipeline document that change value bytes (kafka-records reference §9). */
export interface ValueRendering {
  readonly timestampStandard: 'sql' | 'iso-8601';
  /** `scale`: as declared (`99.50`); `plain`: trailing zeros cut; `scientific`: Java's `BigDecimal.toString` after stripping. */
  readonly decimals: 'scale' | 'plain' | 'scientific';
  readonly bigNumbers: 'number' | 'string';
  readonly ignoreNullFields: boolean;
  readonly timeFraction: boolean;
  readonly zeroDates: 'null' | 'keep' | 'fail';
  readonly invalidText: 'fail' | 'replace';
  readonly tinyint1AsBoolean: boolean;
  /** JSON documents without blanks, in snapshot and stream alike. */
  readonly compactJson: boolean;
}

/**
 * Spans of the last rendered row inside the writer that `next` was given; −1 where the row has no such image.
 * An image is a whole JSON object; a key is a whole record key. `keyChanged` only for updates whose key bytes differ.
 */
export interface RenderedRow {
  beforeStart: number;
  beforeEnd: number;
  afterStart: number;
  afterEnd: number;
  beforeKeyStart: number;
  beforeKeyEnd: number;
  afterKeyStart: number;
  afterKeyEnd: number;
  keyChanged: boolean;
  /** Columns whose value the log did not carry (left out of the image); `null` when complete. */
  unavailable: readonly string[] | null;
}

/** Compiled once per table version and reused for each of its rows. Not re-entrant. */
export interface RowRenderer {
  readonly row: RenderedRow;
  /** Cells so far in which U+FFFD stands for bytes that their charset cannot decode. */
  readonly replacedTexts: number;
  /** Puts the renderer onto the rows of `batch`. */
  open(batch: RowBatch): void;
  /** Appends the images and keys of the next row to `out`; false after the last row. Throws `VALUE_UNSUPPORTED`, `SOURCE_LOG_CORRUPT`. */
  next(out: ByteWriter): boolean;
}

export type RowOp = 'create' | 'update' | 'delete';

export interface RowsEvent {
  readonly kind: 'rows';
  readonly op: RowOp;
  readonly rows: RowBatch;
  /**
   * Position token of the event's first row as ASCII; its last eight bytes are the row index in hex, zero here: the
   * pipeline writes the index of each row there. The buffer is the source's and is reused.
   */
  readonly position: Buffer;
}

export interface SchemaChangeEvent {
  readonly kind: 'schema-change';
  readonly change: 'create' | 'alter' | 'rename' | 'truncate' | 'drop';
  readonly table: TableId;
  /** The table's old name, for `rename`. */
  readonly renamedFrom: TableId | null;
  readonly ddl: string;
  readonly position: Buffer;
}

export type SourceEvent =
  | {
      readonly kind: 'begin';
      /** GTID text where the source has one, else empty. */
      readonly gtid: string;
      readonly commitTimeMicros: number;
    }
  | RowsEvent
  | SchemaChangeEvent
  /** Everything since `begin` is committed at the source. Also ends a DDL statement and a transaction without captured rows. */
  | { readonly kind: 'commit' }
  /** The open transaction was rolled back: nothing of it happened. */
  | { readonly kind: 'rollback' }
  /** The connection was lost inside a transaction: drop what came since `begin`; the transaction will be sent again whole. */
  | { readonly kind: 'restart' }
  /** The source is alive and has nothing newer; `sourceTimeMicros` is its clock as far as known. */
  | { readonly kind: 'heartbeat'; readonly sourceTimeMicros: number };

/** A moment of the source that a query can be ordered against. */
export interface Watermark {
  readonly resume: ResumePoint;
  /** Position token (ASCII) of that moment without a row index: rows read at it carry it. */
  readonly position: string;
}

/** The transactions that a stream had delivered at one moment, in whole or in part. */
export interface Delivered {
  /**
   * All of them were visible at `mark`. Commits reach the log before they are visible to queries (T100): only a query
   * that starts after a `mark` for which this holds sees every change that was delivered.
   */
  isWithin(mark: Watermark): boolean;
}

/** A running read of the source's log. One at a time per source. */
export interface SourceStream extends AsyncDisposable {
  /**
   * Events since the last pull, in log order; at least one. Resolves when some are there. The reader's pace is the
   * back-pressure: nothing is read ahead beyond the socket and one buffer. Everything in the batch (row bytes included)
   * is valid until the next call. Reconnects by itself; throws what cannot be mended.
   */
  next(signal: AbortSignal): Promise<readonly SourceEvent[]>;
  /** Where to continue after the last delivered `commit` or `heartbeat` outside a transaction. */
  resumePoint(): ResumePoint;
  /** Every transaction that was visible at `mark` has been delivered by this stream. */
  hasReached(mark: Watermark): boolean;
  /** What was delivered until now, the transaction that is open included. Kept cheaply; does not move with the stream. */
  delivered(): Delivered;
}

/** Exclusive upper or inclusive lower bound of a chunk, in the source's own encoding; kept in checkpoints. */
export type ChunkBound = string & { readonly brand: 'ChunkBound' };

/** One key-ordered slice `[from, to)`; null = open. */
export interface ChunkRange {
  readonly from: ChunkBound | null;
  readonly to: ChunkBound | null;
}

/** Where to begin: modes of `scan.startup.mode` without the snapshot's part. */
export type StartPoint =
  | { readonly kind: 'now' }
  | { readonly kind: 'earliest' }
  | { readonly kind: 'gtid-set'; readonly gtidSet: string }
  | {
      readonly kind: 'file';
      readonly file: string;
      readonly position: number;
      readonly skipEvents: number;
      readonly skipRows: number;
    }
  | { readonly kind: 'timestamp'; readonly millis: number };

export interface SourceBacklog {
  /** Log bytes between the stream and the head of the source's log; null when unknown. */
  readonly bytes: number | null;
  /** Human-readable position of the stream. */
  readonly position: string;
  /** How far the source's clock is ahead of ours; null when unknown. */
  readonly clockOffsetMs: number | null;
}

export interface Source extends AsyncDisposable {
  /** Verifies settings and grants and reports everything missing in one `SOURCE_NOT_READY`; returns warnings. */
  check(signal: AbortSignal): Promise<readonly string[]>;
  /** Tables that the selectors match, now. */
  tables(signal: AbortSignal): Promise<readonly SourceTable[]>;
  resolveStart(start: StartPoint, signal: AbortSignal): Promise<ResumePoint>;
  /** Committed transactions strictly after `after`. */
  stream(after: ResumePoint, signal: AbortSignal): Promise<SourceStream>;
  /** A moment such that everything at or before it is visible to queries that start afterwards. */
  watermark(signal: AbortSignal): Promise<Watermark>;
  estimateRows(table: SourceTable, signal: AbortSignal): Promise<number>;
  /** The bound that ends a chunk of about `rows` rows beginning at `from`; null when the rest is one chunk. */
  chunkEnd(table: SourceTable, from: ChunkBound | null, rows: number, signal: AbortSignal): Promise<ChunkBound | null>;
  /** Reads a range in pieces. Each piece is valid until the next is pulled. Safe to call concurrently up to the pool size. */
  readChunk(table: SourceTable, range: ChunkRange, signal: AbortSignal): AsyncIterable<RowBatch>;
  /** Renderer for rows of the stream, or for rows of chunks (`snapshot`); both write the same bytes for the same row. */
  compile(table: SourceTable, spec: RenderSpec, from: 'stream' | 'snapshot'): RowRenderer;
  /** Everything up to `resume` is durable downstream; the source may discard its log. */
  confirm(resume: ResumePoint): void;
  backlog(signal: AbortSignal): Promise<SourceBacklog>;
}
