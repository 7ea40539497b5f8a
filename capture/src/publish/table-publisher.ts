import { ByteWriter } from '@millrace/shared/bytes/byte-writer.ts';
import type { ChangeFrame, FrameOp } from '@millrace/shared/format/change-frame.ts';

import type { ChangedColumns } from './changed-columns.ts';
import type { RenderedRow, RowRenderer, RowsEvent } from '../source.ts';
import type { Lane, ValueRanges } from './lane.ts';
import type { Partitioner } from './partitioner.ts';
import { RecordHeaders } from './record-headers.ts';
import type { TableHeaders } from './record-headers.ts';

/** What all rows of one transaction share. */
export interface TransactionFacts {
  readonly gtid: string;
  readonly commitTimeMicros: number;
  readonly sequence: number;
}

/** Told the key of every published change while a snapshot of the table runs. */
export type KeyWatcher = (bytes: Buffer, start: number, end: number) => void;

export interface TablePublisherParts<V extends ValueRanges> {
  readonly renderer: RowRenderer;
  readonly frame: ChangeFrame;
  readonly headers: TableHeaders;
  readonly partition: Partitioner;
  readonly partitionCount: number;
  /** Key of records that concern the table as a whole. */
  readonly tableKey: Buffer;
  readonly lane: (partition: number) => Lane<V>;
  readonly value: V;
  /** A null record follows each delete, under the deleted key. */
  readonly tombstones: boolean;
  /** Cuts the old row of an update down to what changed; null = whole. */
  readonly changed: ChangedColumns | null;
  readonly nowMs: () => number;
}

/** Rows of one snapshot piece, rendered earlier; row `i` spans `[start[i], end[i])`. */
export interface RenderedPiece {
  readonly bytes: Buffer;
  readonly count: number;
  readonly imageStart: Int32Array;
  readonly imageEnd: Int32Array;
  readonly keyStart: Int32Array;
  readonly keyEnd: Int32Array;
}

interface PieceImages {
  beforeStart: number;
  beforeEnd: number;
  afterStart: number;
  afterEnd: number;
}

/**
 * Writes the rows of one table version into the lanes of its topic. Synchronous and without allocation per row but for
 * key changes; one instance per table version.
 */
export class TablePublisher<V extends ValueRanges> {
  readonly #parts: TablePublisherParts<V>;
  readonly #lanes: (Lane<V> | undefined)[] = [];
  readonly #scratch = new ByteWriter();
  readonly #headers = new RecordHeaders();
  readonly #images: PieceImages = { beforeStart: -1, beforeEnd: -1, afterStart: 0, afterEnd: 0 };
  #nowMs = 0;
  #replacedTexts = 0;

  constructor(parts: TablePublisherParts<V>) {
    this.#parts = parts;
  }

  /** Publishes all rows of an event; returns their number. Throws what the renderer throws, with the rows before it published. */
  publishRows(event: RowsEvent, facts: TransactionFacts, watch: KeyWatcher | null): number {
    const { renderer, headers } = this.#parts;
    const { row } = renderer;
    const timeMs = Math.floor(facts.commitTimeMicros / 1000);
    this.#nowMs = this.#parts.nowMs();
    this.#headers.beginEvent(headers, event.position, facts.commitTimeMicros, facts.gtid);
    renderer.open(event.rows);
    let count = 0;
    for (;;) {
      this.#scratch.clear();
      if (!renderer.next(this.#scratch)) return count;
      if (watch !== null) this.#watch(watch, row);
      if (row.keyChanged || row.unavailable !== null) {
        this.#publishSpecial(event, facts, timeMs, count);
        this.#headers.beginEvent(headers, event.position, facts.commitTimeMicros, facts.gtid);
      } else {
        this.#headers.row(count);
        this.#append(event.op, timeMs, facts.sequence);
      }
      count += 1;
    }
  }

  /** Texts with replaced characters since the last call. */
  takeReplacedTexts(): number {
    const { replacedTexts } = this.#parts.renderer;
    const taken = replacedTexts - this.#replacedTexts;
    this.#replacedTexts = replacedTexts;
    return taken;
  }

  /** Publishes rows of a snapshot piece that `keep` accepts; `position` ends in the digits of the row number. */
  publishPiece(
    piece: RenderedPiece,
    position: Buffer,
    firstRow: number,
    kind: 'initial' | 'resync',
    sequence: number,
    keep: ((row: number) => boolean) | null,
  ): number {
    this.#nowMs = this.#parts.nowMs();
    this.#headers.beginSnapshot(this.#parts.headers, position, kind);
    this.#images.beforeStart = -1;
    this.#images.beforeEnd = -1;
    let published = 0;
    for (let row = 0; row < piece.count; row++) {
      if (keep !== null && !keep(row)) continue;
      this.#images.afterStart = piece.imageStart[row] as number;
      this.#images.afterEnd = piece.imageEnd[row] as number;
      const { value } = this.#parts;
      value.clear();
      this.#parts.frame.gather(value, 'read', 0, piece.bytes, this.#images);
      this.#headers.row(firstRow + row);
      this.#send(piece.bytes, piece.keyStart[row] as number, piece.keyEnd[row] as number, value, sequence);
      published += 1;
    }
    return published;
  }

  /** Writes a TRUNCATE record into every partition, in order with the rows there. */
  publishTruncate(position: Buffer, facts: TransactionFacts): void {
    const { value, frame, headers, tableKey, partitionCount } = this.#parts;
    this.#nowMs = this.#parts.nowMs();
    this.#headers.beginEvent(headers, position, facts.commitTimeMicros, facts.gtid);
    for (let partition = 0; partition < partitionCount; partition++) {
      value.clear();
      frame.gatherTruncate(value, Math.floor(facts.commitTimeMicros / 1000));
      this.#sendTo(partition, tableKey, 0, tableKey.length, value, facts.sequence);
    }
  }

  #watch(watch: KeyWatcher, row: RenderedRow): void {
    const { bytes } = this.#scratch;
    if (row.beforeKeyStart >= 0) watch(bytes, row.beforeKeyStart, row.beforeKeyEnd);
    if (row.afterKeyStart >= 0) watch(bytes, row.afterKeyStart, row.afterKeyEnd);
  }

  #append(op: FrameOp, timeMs: number, sequence: number): void {
    const { renderer, frame, value, changed } = this.#parts;
    const { row } = renderer;
    const images = op === 'update' && changed !== null ? this.#withChanged(changed, row) : row;
    const { bytes } = this.#scratch;
    const isDelete = op === 'delete';
    const keyStart = isDelete ? row.beforeKeyStart : row.afterKeyStart;
    const keyEnd = isDelete ? row.beforeKeyEnd : row.afterKeyEnd;
    value.clear();
    frame.gather(value, op, timeMs, bytes, images);
    this.#send(bytes, keyStart, keyEnd, value, sequence);
    if (isDelete && this.#parts.tombstones) this.#send(bytes, keyStart, keyEnd, null, sequence);
  }

  #withChanged(changed: ChangedColumns, row: RenderedRow): PieceImages {
    const images = this.#images;
    images.beforeStart = this.#scratch.length;
    changed.append(this.#scratch, row);
    images.beforeEnd = this.#scratch.length;
    images.afterStart = row.afterStart;
    images.afterEnd = row.afterEnd;
    return images;
  }

  /** A changed key is a delete of the old key, then a create of the new one, linked by headers (T33). */
  #publishSpecial(event: RowsEvent, facts: TransactionFacts, timeMs: number, index: number): void {
    const { renderer, headers } = this.#parts;
    const { row } = renderer;
    const { bytes } = this.#scratch;
    const source = { position: event.position, commitTimeMicros: facts.commitTimeMicros, gtid: facts.gtid };
    const { unavailable } = row;
    if (!row.keyChanged) {
      this.#headers.beginSpecial(headers, source, { afterDelete: false, unavailable, link: null });
      this.#headers.row(index);
      this.#append(event.op, timeMs, facts.sequence);
      return;
    }
    const oldKey = Buffer.from(bytes.subarray(row.beforeKeyStart, row.beforeKeyEnd));
    const newKey = Buffer.from(bytes.subarray(row.afterKeyStart, row.afterKeyEnd));
    const toNew = { name: 'newKey', key: newKey } as const;
    const toOld = { name: 'oldKey', key: oldKey } as const;
    this.#headers.beginSpecial(headers, source, { afterDelete: false, unavailable: null, link: toNew });
    this.#headers.row(index);
    this.#append('delete', timeMs, facts.sequence);
    this.#headers.beginSpecial(headers, source, { afterDelete: true, unavailable, link: toOld });
    this.#headers.row(index);
    this.#append('create', timeMs, facts.sequence);
  }

  #send(bytes: Buffer, keyStart: number, keyEnd: number, value: V | null, sequence: number): void {
    this.#sendTo(this.#parts.partition(bytes, keyStart, keyEnd), bytes, keyStart, keyEnd, value, sequence);
  }

  #sendTo(partition: number, bytes: Buffer, keyStart: number, keyEnd: number, value: V | null, sequence: number): void {
    const lane = (this.#lanes[partition] ??= this.#parts.lane(partition));
    const headers = this.#headers;
    const { bytes: block, length, count } = headers;
    lane.append(this.#nowMs, bytes, keyStart, keyEnd, value, block, 0, length, count, sequence);
  }
}
