import { CdcError, invariantBroken } from '@millrace/shared/errors/cdc-error.ts';
import { keyColumnNames } from '@millrace/shared/format/key-frame.ts';
import type { KeyFrame } from '@millrace/shared/format/key-frame.ts';
import { frameOp } from '@millrace/shared/format/record-frame.ts';
import type { RecordFrame } from '@millrace/shared/format/record-frame.ts';
import type { FetchedBatch } from '@millrace/shared/kafka/fetched-batch.ts';
import type { RecordCursor } from '@millrace/shared/kafka/record-cursor.ts';

import type { KeyLayout } from '../merge/key-layout.ts';
import type { LaneFold } from '../merge/lane-fold.ts';
import type { TableFold } from '../merge/table-fold.ts';
import type { SourceTable } from '../project/source-table.ts';
import type { Target } from '../project/target.ts';

/** What a target is to one partition in the current batch. */
interface Place {
  readonly target: Target;
  /** Rows below this offset are applied already. */
  readonly floor: number;
  /** Where the changes go; null until the first one of the batch. */
  fold: TableFold | null;
  /** How the record keys are spelt; null until one was read. */
  layout: KeyLayout | null;
}

export interface RowFolderOptions {
  readonly topic: string;
  readonly partition: number;
  /** Target text → offset below which its rows are applied already. */
  readonly tableOffsets: ReadonlyMap<string, bigint>;
  /** Called when a table is met for the first time in this partition. */
  readonly onTable: (table: SourceTable) => void;
}

/** Puts the rows of decoded records of one partition into the folds of their targets. */
export class RowFolder {
  readonly #topic: string;
  readonly #partition: number;
  readonly #tableOffsets: ReadonlyMap<string, bigint>;
  readonly #onTable: (table: SourceTable) => void;
  readonly #places = new Map<SourceTable, readonly Place[]>();
  #lane: LaneFold | null = null;
  #position = 0;
  #batch: FetchedBatch | null = null;
  /** Number of its bytes in the lane's batch; −1 until a row of it is kept. */
  #buffer = -1;
  /** Number of the partition in the lane's batch; −1 until a row of it is kept. */
  #range = -1;
  #view: DataView = new DataView(new ArrayBuffer(0));
  #skipped = 0;
  #lastTable: SourceTable | null = null;
  #lastPlaces: readonly Place[] = [];

  constructor(options: RowFolderOptions) {
    this.#topic = options.topic;
    this.#partition = options.partition;
    this.#tableOffsets = options.tableOffsets;
    this.#onTable = options.onTable;
  }

  /** Rows that follow lie in `batch`, stand at or after `position` and go into `lane`. */
  begin(lane: LaneFold, position: number, batch: FetchedBatch): void {
    if (lane !== this.#lane) {
      for (const places of this.#places.values()) for (const place of places) place.fold = null;
      this.#range = -1;
    }
    if (batch !== this.#batch) {
      this.#view = new DataView(batch.bytes.buffer, batch.bytes.byteOffset, batch.bytes.length);
    }
    if (lane !== this.#lane || batch !== this.#batch) this.#buffer = -1;
    this.#lane = lane;
    this.#position = position;
    this.#batch = batch;
  }

  takeSkipped(): number {
    const skipped = this.#skipped;
    this.#skipped = 0;
    return skipped;
  }

  fold(cursor: RecordCursor, frame: RecordFrame, key: KeyFrame, table: SourceTable): void {
    const places = this.#placesOf(table, cursor, key);
    // A record is taken in whole or not at all.
    if (frame.rows > 1 || places.length > 1) this.#demandKeys(cursor, frame, key, places);
    for (const place of places) {
      if (cursor.offset < place.floor) {
        this.#skipped++;
        continue;
      }
      const fold = this.#foldOf(place);
      if (frame.op === frameOp.truncate) {
        fold.truncate();
        this.#lane?.countChange();
        continue;
      }
      for (let row = 0; row < frame.rows; row++) {
        if (frame.op === frameOp.delete) this.#delete(cursor, frame, key, place, fold, row);
        else this.#upsert(cursor, frame, place, fold, row);
      }
    }
  }

  #demandKeys(cursor: RecordCursor, frame: RecordFrame, key: KeyFrame, places: readonly Place[]): void {
    for (const place of places) {
      for (let row = 0; row < frame.rows; row++) {
        if (frame.op === frameOp.delete) this.#readDeletedKey(cursor, frame, key, place, row);
        else this.#readWrittenKey(cursor, frame, place, row);
      }
    }
  }

  /** A tombstone: deletes by the record key; false when the key does not hold all key columns of the target. */
  deleteByKey(cursor: RecordCursor, key: KeyFrame, table: SourceTable): boolean {
    let found = false;
    for (const place of this.#placesOf(table, cursor, key)) {
      const { target } = place;
      if (!target.isOpen || cursor.offset < place.floor) continue;
      const { start, end } = key.columns;
      if (!target.key.read(cursor.bytes, start, end)) continue;
      this.#put(this.#foldOf(place), target, false, start, end);
      found = true;
    }
    return found;
  }

  #upsert(cursor: RecordCursor, frame: RecordFrame, place: Place, fold: TableFold, row: number): void {
    const { target } = place;
    const start = frame.afterStart[row] as number;
    const end = frame.afterEnd[row] as number;
    if (!this.#readOwnKey(cursor, place)) {
      const before = frame.beforeStart[row] as number;
      if (frame.op === frameOp.update && before >= 0) {
        this.#deleteFormerKey(cursor, target, fold, before, frame.beforeEnd[row] as number, start, end);
      }
      if (!target.key.read(cursor.bytes, start, end)) throw nullKey(target);
    }
    this.#put(fold, target, true, start, end);
  }

  /** A change of the target's key may stand in one update: always of other producers, and where the target has its own key. */
  #deleteFormerKey(
    cursor: RecordCursor,
    target: Target,
    fold: TableFold,
    before: number,
    beforeEnd: number,
    after: number,
    afterEnd: number,
  ): void {
    const { key } = target;
    if (!key.read(cursor.bytes, before, beforeEnd)) return;
    const former = Buffer.from(key.bytes.subarray(0, key.length));
    if (!key.read(cursor.bytes, after, afterEnd)) throw nullKey(target);
    if (key.length === former.length && former.compare(key.bytes, 0, key.length) === 0) return;
    fold.delete(former, former.length, this.#retained(), before, beforeEnd, this.#rangeNumber());
    this.#lane?.countChange();
  }

  #delete(cursor: RecordCursor, frame: RecordFrame, key: KeyFrame, place: Place, fold: TableFold, row: number): void {
    const { target } = place;
    this.#readDeletedKey(cursor, frame, key, place, row);
    const start = frame.beforeStart[row] as number;
    if (start >= 0) this.#put(fold, target, false, start, frame.beforeEnd[row] as number);
    else this.#put(fold, target, false, key.columns.start, key.columns.end);
  }

  /** The target's key was read. */
  #put(fold: TableFold, target: Target, isUpsert: boolean, start: number, end: number): void {
    const { bytes, length } = target.key;
    if (isUpsert) fold.upsert(bytes, length, this.#retained(), start, end, this.#rangeNumber());
    else fold.delete(bytes, length, this.#retained(), start, end, this.#rangeNumber());
    this.#lane?.countChange();
  }

  #retained(): number {
    if (this.#buffer < 0 && this.#lane !== null && this.#batch !== null) {
      this.#buffer = this.#lane.retain(this.#batch);
    }
    return this.#buffer;
  }

  #rangeNumber(): number {
    if (this.#range < 0) this.#range = this.#lane?.range(this.#topic, this.#partition, BigInt(this.#position)) ?? -1;
    return this.#range;
  }

  #placesOf(table: SourceTable, cursor: RecordCursor, key: KeyFrame): readonly Place[] {
    if (table === this.#lastTable) return this.#lastPlaces;
    const places = this.#places.get(table) ?? this.#firstPlaces(table, cursor, key);
    this.#lastTable = table;
    this.#lastPlaces = places;
    return places;
  }

  #firstPlaces(table: SourceTable, cursor: RecordCursor, key: KeyFrame): readonly Place[] {
    const { bytes, keyStart, keyEnd } = cursor;
    const columns = key.decode(bytes, keyStart, keyEnd) ? keyColumnNames(bytes, key) : [];
    for (const target of table.targets) {
      if (target.isOpen) target.notePartition(this.#topic, this.#partition, columns);
    }
    const places = table.targets.map((target) => ({
      target,
      floor: Number(this.#tableOffsets.get(target.text) ?? 0n),
      fold: null,
      layout: null,
    }));
    this.#places.set(table, places);
    this.#onTable(table);
    return places;
  }

  /**
   * Reads the target's key out of the record key, which is shorter than the row. Only where the record key holds exactly
   * the target's key: such a producer writes a change of key as a delete and a create.
   */
  #readOwnKey(cursor: RecordCursor, place: Place): boolean {
    const { bytes, keyStart, keyEnd } = cursor;
    const { key } = place.target;
    if (place.layout !== null && key.readAs(place.layout, bytes, this.#view, keyStart, keyEnd)) return true;
    if (keyStart < 0 || !isOwnKey(bytes, keyStart, keyEnd)) return false;
    if (!key.read(bytes, keyStart, keyEnd) || key.otherFields !== 1) return false;
    place.layout ??= key.layout(bytes, keyStart, keyEnd);
    return true;
  }

  #readWrittenKey(cursor: RecordCursor, frame: RecordFrame, place: Place, row: number): void {
    if (this.#readOwnKey(cursor, place)) return;
    const { target } = place;
    const start = frame.afterStart[row] as number;
    if (!target.key.read(cursor.bytes, start, frame.afterEnd[row] as number)) throw nullKey(target);
  }

  /** From the row as it was, else from the record key. */
  #readDeletedKey(cursor: RecordCursor, frame: RecordFrame, key: KeyFrame, place: Place, row: number): void {
    const { bytes } = cursor;
    const { target } = place;
    const start = frame.beforeStart[row] as number;
    if (start >= 0) {
      const found = this.#readOwnKey(cursor, place) || target.key.read(bytes, start, frame.beforeEnd[row] as number);
      if (!found) throw nullKey(target);
      return;
    }
    if (!key.decode(bytes, cursor.keyStart, cursor.keyEnd)) throw missingBefore();
    if (!target.key.read(bytes, key.columns.start, key.columns.end)) throw missingBefore();
  }

  #foldOf(place: Place): TableFold {
    if (place.fold !== null) return place.fold;
    const fold = this.#lane?.table(place.target);
    if (fold === undefined) throw invariantBroken('rows outside of a batch');
    place.fold = fold;
    return fold;
  }
}

const ownKeyStart = Buffer.from('{"TableId":');

/** Written by Millrace or OSS: spelt the same for every record of a row. */
function isOwnKey(bytes: Buffer, start: number, end: number): boolean {
  if (end - start < ownKeyStart.length) return false;
  for (let i = 0; i < ownKeyStart.length; i++) if (bytes[start + i] !== ownKeyStart[i]) return false;
  return true;
}

function nullKey(target: Target): CdcError {
  return new CdcError('RECORD_UNDECODABLE', 'a key column is absent or null in the row', {
    details: { reason: 'null-primary-key', table: target.text },
    hint: 'Declare other transform.primary-keys, or fill the column at the source.',
  });
}

function missingBefore(): CdcError {
  return new CdcError('RECORD_UNDECODABLE', 'a delete names no row', {
    details: { reason: 'missing-before' },
    hint: 'Let the source log the old row (PostgreSQL: REPLICA IDENTITY FULL or a key), or write record keys.',
  });
}
