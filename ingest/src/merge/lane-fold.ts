import type { FetchedBatch } from '@millrace/shared/kafka/fetched-batch.ts';
import { RecordCursor } from '@millrace/shared/kafka/record-cursor.ts';

import type { ConsumedRange, LaneBatch, RowSpans, TableBatch, TargetTable, TopicPartition } from '../destination.ts';
import { TableFold } from './table-fold.ts';

/** A target whose schema may grow while changes are folded. */
export interface FoldTarget {
  /** The newest version; taken when the batch is closed. */
  readonly table: TargetTable;
}

export interface RecordPlace extends TopicPartition {
  readonly offset: number;
}

interface OpenRange {
  readonly topic: string;
  readonly partition: number;
  readonly from: bigint;
  to: bigint;
  readonly marks: Map<string, string>;
}

/** Changes of one lane since its last commit, folded per table, with the offsets that they reach. */
export class LaneFold {
  /** Retained bytes of record buffers. */
  bytes = 0;
  /** Newest commit time at the source, µs. */
  sourceTimeMicros = 0;
  readonly #buffers: Buffer[] = [];
  readonly #batches: FetchedBatch[] = [];
  readonly #ranges: OpenRange[] = [];
  readonly #tables = new Map<FoldTarget, TableFold>();
  #rows = 0;

  /** Changes taken in since the last commit. */
  get rows(): number {
    return this.#rows;
  }

  /** No record was taken in or skipped. */
  get isEmpty(): boolean {
    return this.#rows === 0 && this.#ranges.every((range) => range.from === range.to);
  }

  /** Keeps the records of `batch` until they are durable and returns the number of their buffer. */
  retain(batch: FetchedBatch): number {
    this.#batches.push(batch);
    this.#buffers.push(batch.bytes);
    this.bytes += batch.bytes.length;
    return this.#buffers.length - 1;
  }

  /** The record that row `row` of a closed list came from; null when it is none of this batch. */
  originOf(rows: RowSpans, row: number): RecordPlace | null {
    const batch = this.#batches[rows.bufferIndex[row] ?? -1];
    const at = rows.start[row];
    if (batch === undefined || at === undefined) return null;
    const cursor = new RecordCursor();
    cursor.open(batch);
    while (cursor.next()) {
      // Key, value and headers stand in this order: the row lies in the key or the value.
      if (at < Math.max(cursor.keyEnd, cursor.valueEnd)) {
        return { topic: batch.topic, partition: batch.partition, offset: cursor.offset };
      }
    }
    return null;
  }

  /** Number of the partition in this batch; `from` is used when it is new. */
  range(topic: string, partition: number, from: bigint): number {
    const known = this.#ranges.findIndex((range) => range.partition === partition && range.topic === topic);
    if (known >= 0) return known;
    this.#ranges.push({ topic, partition, from, to: from, marks: new Map() });
    return this.#ranges.length - 1;
  }

  /** Records below `offset` are in the batch or were skipped on purpose. */
  advance(range: number, offset: bigint, marks: ReadonlyMap<string, string>): void {
    const open = this.#ranges[range];
    if (open === undefined) return;
    open.to = offset;
    for (const [name, token] of marks) open.marks.set(name, token);
  }

  table(target: FoldTarget): TableFold {
    let fold = this.#tables.get(target);
    if (fold === undefined) {
      fold = new TableFold();
      this.#tables.set(target, fold);
    }
    return fold;
  }

  countChange(): void {
    this.#rows++;
  }

  /** Keys that survive; the rest of `rows` was folded away. */
  survivors(): number {
    let count = 0;
    for (const fold of this.#tables.values()) count += fold.rows;
    return count;
  }

  close(): LaneBatch {
    const tables: TableBatch[] = [];
    for (const [target, fold] of this.#tables) {
      if (!fold.isEmpty) tables.push(fold.toBatch(target.table, this.#buffers));
    }
    const partitions: ConsumedRange[] = this.#ranges;
    return { partitions, tables, sourceTimeMicros: this.sourceTimeMicros };
  }
}
