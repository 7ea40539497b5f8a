import { CdcError, invariantBroken } from '@millrace/shared/errors/cdc-error.ts';
import { keyColumnNames } from '@millrace/shared/format/key-frame.ts';
import type { KeyFrame } from '@millrace/shared/format/key-frame.ts';
import { frameOp } from '@millrace/shared/format/record-frame.ts';
import type { RecordFrame } from '@millrace/shared/format/record-frame.ts';
import type { FetchedBatch } from '@millrace/shared/kafka/fetched-batch.ts';
import type { RecordCursor } from '@millrace/shared/kafka/record-cursor.ts';

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
        if (frame.op === frameOp.delete) this.#delete(cursor, frame, key, place.target, fold, row);
        else this.#upsert(cursor, frame, place.target, fold, row);
      }
    }
  }

  #demandKeys(cursor: RecordCursor, frame: RecordFrame, key: KeyFrame, places: readonly Place[]): void {
    for (const { target } of places) {
      for (let row = 0; row < frame.rows; row++) {
        if (frame.op === frameOp.delete) readDeletedKey(cursor, frame, key, target, row);
        else readWrittenKey(cursor, frame, target, row);
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

  #upsert(cursor: RecordCursor, frame: RecordFrame, target: Target, fold: TableFold, row: number): void {
    const start = frame.afterStart[row] as number;
    const end = frame.afterEnd[row] as number;
    if (!readOwnKey(cursor, target)) {
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
    fold.delete(former, former.length, this.#retained(), before, beforeEnd, this.#range());
    this.#lane?.countChange();
  }

  #delete(cursor: RecordCursor, frame: RecordFrame, key: KeyFrame, target: Target, fold: TableFold, row: number): void {
    readDeletedKey(cursor, frame, key, target, row);
    const start = frame.beforeStart[row] as number;
    if (start >= 0) this.#put(fold, target, false, start, frame.beforeEnd[row] as number);
    else this.#put(fold, target, false, key.columns.start, key.columns.end);
  }

  /** The target's key was read. */
  #put(fold: TableFold, target: Target, isUpsert: boolean, start: number, end: number): void {
    const { bytes, length } = target.key;
    if (isUpsert) fold.upsert(bytes, length, this.#retained(), start, end, this.#range());
    else fold.delete(bytes, length, this.#retained(), start, end, this.#range());
    this.#lane?.countChange();
  }

  #retained(): number {
    if (this.#buffer < 0 && this.#lane !== null && this.#batch !== null) {
      this.#buffer = this.#lane.retain(this.#batch);
    }
    return this.#buffer;
  }

  /** Number of the partition in the lane's batch. */
  #range(): number {
    return this.#lane?.range(this.#topic, this.#partition, BigInt(this.#position)) ?? -1;
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
    }));
    this.#places.set(table, places);
    this.#onTable(table);
    return places;
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

/**
 * Reads the target's key out of the record key, which is shorter than the row. Only where the record key holds exactly
 * the target's key: such a producer writes a change of key as a delete and a create.
 */
function readOwnKey(cursor: RecordCursor, target: Target): boolean {
  const { bytes, keyStart, keyEnd } = cursor;
  if (keyStart < 0 || !isOwnKey(bytes, keyStart, keyEnd)) return false;
  return target.key.read(bytes, keyStart, keyEnd) && target.key.otherFields === 1;
}

function readWrittenKey(cursor: RecordCursor, frame: RecordFrame, target: Target, row: number): void {
  if (readOwnKey(cursor, target)) return;
  const start = frame.afterStart[row] as number;
  if (!target.key.read(cursor.bytes, start, frame.afterEnd[row] as number)) throw nullKey(target);
}

/** From the row as it was, else from the record key. */
function readDeletedKey(cursor: RecordCursor, frame: RecordFrame, key: KeyFrame, target: Target, row: number): void {
  const { bytes } = cursor;
  const start = frame.beforeStart[row] as number;
  if (start >= 0) {
    const found = readOwnKey(cursor, target) || target.key.read(bytes, start, frame.beforeEnd[row] as number);
    if (!found) throw nullKey(target);
    return;
  }
  if (!key.decode(bytes, cursor.keyStart, cursor.keyEnd)) throw missingBefore();
  if (!target.key.read(bytes, key.columns.start, key.columns.end)) throw missingBefore();
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
