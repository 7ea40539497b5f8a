import { CdcError } from '@millrace/shared/errors/cdc-error.ts';
import { KeyFrame, keyColumnNames } from '@millrace/shared/format/key-frame.ts';
import { frameOp, RecordFrame, spanText } from '@millrace/shared/format/record-frame.ts';
import { ValueDecoder } from '@millrace/shared/format/value-decoder.ts';
import type { ValueDecoderOptions } from '@millrace/shared/format/value-decoder.ts';
import type { FetchedBatch } from '@millrace/shared/kafka/fetched-batch.ts';
import { RecordCursor } from '@millrace/shared/kafka/record-cursor.ts';

import type { LaneFold } from '../merge/lane-fold.ts';
import type { KeyHints, SourceTable } from '../project/source-table.ts';
import { TableFinder } from '../project/source-tables.ts';
import type { SourceTables } from '../project/source-tables.ts';
import { ChangeHeaders } from './change-headers.ts';
import { noCounts } from './decode-counts.ts';
import type { DecodeCounts } from './decode-counts.ts';
import { PositionMarks } from './position-marks.ts';
import { RowFolder } from './row-folder.ts';
import type { RowFolderOptions } from './row-folder.ts';

export interface PartitionDecoderOptions extends RowFolderOptions {
  /** Position of the first record that will be given. */
  readonly nextOffset: number;
  readonly marks: ReadonlyMap<string, string>;
  readonly value: ValueDecoderOptions;
  /** False: truncate records leave the rows as they are. */
  readonly applyTruncate: boolean;
}

/** A version of a table that must be looked up before the record can be read. */
export interface Lookup {
  readonly table: SourceTable;
  readonly fingerprint: string;
  readonly hints: KeyHints;
}

/** `done`: the batch is used up. `full`: the fold has its rows. A lookup: resolve it, then go on. */
export type DecodeOutcome = 'done' | 'full' | Lookup;

/**
 * Folds the records of one partition into a lane's batch, without an object per record. Always stops between two
 * records, so that the batch may be closed whenever this is not running. Not re-entrant.
 */
export class PartitionDecoder {
  /** Offset after the last record that was taken in or skipped. */
  position: number;
  readonly #options: PartitionDecoderOptions;
  readonly #cursor = new RecordCursor();
  readonly #headers = new ChangeHeaders();
  readonly #frame = new RecordFrame();
  readonly #key = new KeyFrame();
  readonly #values: ValueDecoder;
  readonly #tables: SourceTables;
  readonly #finder: TableFinder;
  readonly #marks: PositionMarks;
  readonly #rows: RowFolder;
  #counts = noCounts();
  #batch: FetchedBatch | null = null;
  /** The cursor stands on a record that was not taken yet. */
  #waiting = false;

  constructor(tables: SourceTables, options: PartitionDecoderOptions) {
    this.#options = options;
    this.position = options.nextOffset;
    this.#tables = tables;
    this.#values = new ValueDecoder(this.#frame, options.value);
    this.#finder = new TableFinder(tables);
    this.#marks = new PositionMarks(options.marks);
    this.#rows = new RowFolder(options);
  }

  open(batch: FetchedBatch): void {
    this.#batch = batch;
    this.#cursor.open(batch);
    this.#waiting = false;
  }

  /** The log holds nothing for a reader below `position`. */
  skipTo(fold: LaneFold, position: number): void {
    const from = this.position;
    this.position = position;
    this.#advance(fold, from);
  }

  /** Takes what was counted since the last call. */
  takeCounts(): DecodeCounts {
    const counts = this.#counts;
    this.#counts = noCounts();
    counts.alreadyApplied = this.#rows.takeSkipped();
    return counts;
  }

  /**
   * Takes records in until the batch is used up or `fold` holds `maxRows` changes. An error leaves the fold with
   * everything before the record that caused it; the error names topic, partition and offset.
   */
  run(fold: LaneFold, maxRows: number): DecodeOutcome {
    const batch = this.#batch;
    if (batch === null) return 'done';
    const from = this.position;
    this.#rows.begin(fold, from, batch);
    try {
      const outcome = this.#take(fold, maxRows);
      if (outcome === 'done') {
        this.position = batch.nextOffset;
        this.#batch = null;
      }
      return outcome;
    } catch (error) {
      throw this.#atRecord(error);
    } finally {
      this.#advance(fold, from);
    }
  }

  #advance(fold: LaneFold, from: number): void {
    if (this.position === from) return;
    const { topic, partition } = this.#options;
    const range = fold.range(topic, partition, BigInt(from));
    fold.advance(range, BigInt(this.position), this.#marks.takeMoved());
  }

  #take(fold: LaneFold, maxRows: number): DecodeOutcome {
    const cursor = this.#cursor;
    for (;;) {
      if (fold.rows >= maxRows) return 'full';
      if (!this.#waiting && !cursor.next()) return 'done';
      this.#waiting = true;
      const lookup = this.#record(fold);
      if (lookup !== null) return lookup;
      this.#waiting = false;
      this.#counts.records++;
      this.position = cursor.offset + 1;
    }
  }

  #record(fold: LaneFold): Lookup | null {
    const cursor = this.#cursor;
    const { bytes } = cursor;
    this.#headers.read(cursor);
    const isTombstone =
      cursor.valueStart < 0 ||
      cursor.valueStart === cursor.valueEnd ||
      !this.#values.decode(bytes, cursor.valueStart, cursor.valueEnd);
    if (isTombstone) return this.#tombstone();
    if (this.#frame.op === frameOp.ignored) {
      this.#counts.rowless++;
      return null;
    }
    return this.#change(fold, this.#finder.find(bytes, this.#frame));
  }

  #change(fold: LaneFold, table: SourceTable): Lookup | null {
    const frame = this.#frame;
    const headers = this.#headers;
    if (!table.rules.included) {
      this.#counts.filtered++;
      return null;
    }
    if (frame.op === frameOp.truncate && !this.#options.applyTruncate) {
      this.#counts.truncatesIgnored++;
      return null;
    }
    const lookup = this.#lookUp(table);
    if (lookup !== null) return lookup;
    this.#refuseUnavailable();
    if (!this.#isNew(table)) return null;
    if (table.needsInference) {
      for (let row = 0; row < frame.rows; row++) {
        const start = frame.afterStart[row] as number;
        if (start >= 0) table.observe(this.#cursor.bytes, start, frame.afterEnd[row] as number, () => this.#hints());
        else this.#observeDeleted(table, row);
      }
    }
    fold.sourceTimeMicros = Math.max(fold.sourceTimeMicros, headers.timeMicros || frame.timeMs * 1000);
    this.#rows.fold(this.#cursor, frame, this.#key, table);
    this.#marks.confirm();
    return null;
  }

  /** A before image tells types too, where no other row has come yet. */
  #observeDeleted(table: SourceTable, row: number): void {
    const start = this.#frame.beforeStart[row] as number;
    if (start < 0 || table.targets.every((target) => target.isOpen)) return;
    table.observe(this.#cursor.bytes, start, this.#frame.beforeEnd[row] as number, () => this.#hints());
  }

  #tombstone(): Lookup | null {
    const cursor = this.#cursor;
    const named = this.#key.decode(cursor.bytes, cursor.keyStart, cursor.keyEnd) && this.#key.tableId.present;
    if (!named) {
      this.#counts.tombstonesSkipped++;
      return null;
    }
    const table = this.#tables.byIdText(spanText(cursor.bytes, this.#key.tableId));
    if (!table.rules.included) {
      this.#counts.filtered++;
      return null;
    }
    this.#frame.clear();
    const lookup = this.#headers.schemaStart >= 0 ? this.#lookUp(table) : null;
    if (lookup !== null) return lookup;
    if (!this.#rows.deleteByKey(cursor, this.#key, table)) this.#counts.tombstonesSkipped++;
    return null;
  }

  /** Null when the record's version is known. */
  #lookUp(table: SourceTable): Lookup | null {
    const { bytes } = this.#cursor;
    const { schemaStart, schemaEnd } = this.#headers;
    if (table.knows(bytes, schemaStart, schemaEnd)) return null;
    const fingerprint = schemaStart < 0 ? '' : bytes.toString('latin1', schemaStart, schemaEnd);
    const hints = this.#hints();
    return { table, fingerprint, hints };
  }

  #hints(): KeyHints {
    const { bytes, keyStart, keyEnd } = this.#cursor;
    const { keyNames } = this.#frame;
    const byKey = this.#key.decode(bytes, keyStart, keyEnd) ? keyColumnNames(bytes, this.#key) : [];
    const byValue = keyNames.present
      ? (JSON.parse(bytes.toString('utf8', keyNames.start, keyNames.end)) as readonly string[])
      : null;
    return { byValue, byKey };
  }

  /** Records of the snapshot are never taken for repeats: chunks are read side by side. */
  #isNew(table: SourceTable): boolean {
    const headers = this.#headers;
    if (headers.positionStart < 0 || headers.isSnapshot) return true;
    const { sourceStart, sourceEnd, positionStart, positionEnd } = headers;
    const { bytes } = this.#cursor;
    if (this.#marks.isNew(table, bytes, sourceStart, sourceEnd, positionStart, positionEnd)) return true;
    this.#counts.duplicates++;
    return false;
  }

  #refuseUnavailable(): void {
    const frame = this.#frame;
    const { bytes } = this.#cursor;
    const placeholder =
      frame.mayHoldPlaceholders &&
      frame.rows > 0 &&
      (frame.afterStart[0] as number) >= 0 &&
      bytes
        .subarray(frame.afterStart[0], frame.afterEnd[frame.rows - 1])
        .includes('__debezium_unavailable_value', 0, 'latin1');
    if (!this.#headers.hasUnavailable && !placeholder) return;
    throw new CdcError('RECORD_UNDECODABLE', 'the record lacks values that the source did not log', {
      details: { reason: 'unavailable-value' },
      hint: 'Let the source log whole rows: binlog_row_image=FULL, or REPLICA IDENTITY FULL.',
    });
  }

  #atRecord(error: unknown): unknown {
    if (!(error instanceof CdcError)) return error;
    if (error.code !== 'RECORD_UNDECODABLE' && error.code !== 'DESTINATION_SCHEMA_INCOMPATIBLE') return error;
    const { topic, partition } = this.#options;
    return new CdcError(error.code, error.message, {
      details: { ...error.details, topic, partition, offset: this.#cursor.offset },
      hint: error.hint,
      cause: error,
    });
  }
}
