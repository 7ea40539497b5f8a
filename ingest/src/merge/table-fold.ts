import type { RowSpans, TableBatch, TargetTable } from '../destination.ts';
import { ByteKeyTable } from './byte-key-table.ts';

const upserted = 1;
const deleted = 2;

interface RowList {
  readonly spans: RowSpans;
  readonly partitions: Int32Array;
}

function longer(old: Int32Array): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(old.length * 2);
  grown.set(old);
  return grown;
}

/**
 * The last change of each key of one target table. Changes are kept as places in retained buffers; nothing is copied
 * but the keys.
 */
export class TableFold {
  readonly #keys = new ByteKeyTable();
  #state = new Uint8Array(256);
  #buffer = new Int32Array(256);
  #start = new Int32Array(256);
  #end = new Int32Array(256);
  #partition = new Int32Array(256);
  /** Index in `log` of the key's last change. */
  #last = new Int32Array(256);
  /** The key of each change, in order of arrival. */
  #log = new Int32Array(256);
  #logged = 0;
  #truncateFirst = false;

  /** Distinct keys with a change. */
  get rows(): number {
    return this.#keys.count;
  }

  get isEmpty(): boolean {
    return this.#keys.count === 0 && !this.#truncateFirst;
  }

  upsert(key: Buffer, keyEnd: number, buffer: number, start: number, end: number, partition: number): void {
    this.#put(upserted, key, keyEnd, buffer, start, end, partition);
  }

  delete(key: Buffer, keyEnd: number, buffer: number, start: number, end: number, partition: number): void {
    this.#put(deleted, key, keyEnd, buffer, start, end, partition);
  }

  truncate(): void {
    this.#keys.clear();
    this.#logged = 0;
    this.#truncateFirst = true;
  }

  /** Rows in the order of their last change, so that a row that frees a unique value stands before the one that takes it. */
  toBatch(target: TargetTable, buffers: readonly Buffer[]): TableBatch {
    const upserts = this.#collect(upserted, buffers);
    const deletes = this.#collect(deleted, buffers);
    return {
      target,
      upserts: upserts.spans,
      deletes: deletes.spans,
      upsertPartition: upserts.partitions,
      deletePartition: deletes.partitions,
      truncateFirst: this.#truncateFirst,
    };
  }

  #put(
    state: number,
    key: Buffer,
    keyEnd: number,
    buffer: number,
    start: number,
    end: number,
    partition: number,
  ): void {
    const entry = this.#keys.add(key, 0, keyEnd);
    if (entry >= this.#state.length) this.#growEntries();
    if (this.#logged === this.#log.length) this.#log = longer(this.#log);
    this.#log[this.#logged] = entry;
    this.#last[entry] = this.#logged++;
    this.#state[entry] = state;
    this.#buffer[entry] = buffer;
    this.#start[entry] = start;
    this.#end[entry] = end;
    this.#partition[entry] = partition;
  }

  #collect(state: number, buffers: readonly Buffer[]): RowList {
    let count = 0;
    for (let entry = 0; entry < this.#keys.count; entry++) if (this.#state[entry] === state) count++;
    const bufferIndex = new Int32Array(count);
    const start = new Int32Array(count);
    const end = new Int32Array(count);
    const partitions = new Int32Array(count);
    let row = 0;
    for (let change = 0; change < this.#logged; change++) {
      const entry = this.#log[change] as number;
      if (this.#last[entry] !== change || this.#state[entry] !== state) continue;
      bufferIndex[row] = this.#buffer[entry] as number;
      start[row] = this.#start[entry] as number;
      end[row] = this.#end[entry] as number;
      partitions[row] = this.#partition[entry] as number;
      row++;
    }
    return { spans: { count, buffers, bufferIndex, start, end }, partitions };
  }

  #growEntries(): void {
    const state = new Uint8Array(this.#state.length * 2);
    state.set(this.#state);
    this.#state = state;
    this.#buffer = longer(this.#buffer);
    this.#start = longer(this.#start);
    this.#end = longer(this.#end);
    this.#partition = longer(this.#partition);
    this.#last = longer(this.#last);
  }
}
