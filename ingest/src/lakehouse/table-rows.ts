import { PositionSet } from './deletion-vector/position-set.ts';
import { decodeVector } from './deletion-vector/vector-blob.ts';
import { localPath } from './iceberg/table-state.ts';
import type { DataFile, TableState, VectorReference } from './iceberg/table-state.ts';
import type { IcebergField } from './iceberg/schema.ts';
import { isExactKey, scanKeys } from './recovery.ts';
import type { EncodedUpserts, KeyBatch } from './row-encoder.ts';
import { AddressSpace } from './row-index/address-space.ts';
import type { KeyHash } from './row-index/key-hash.ts';
import { RowIndex } from './row-index/row-index.ts';
import type { LocalStorage } from './storage/local-storage.ts';

interface IndexedFile {
  readonly path: string;
  readonly rows: number;
  base: number;
  alive: boolean;
}

/** Which rows a batch supersedes, worked out against one state of the table and not yet published. */
export interface Superseded {
  /** The whole new vector of each touched file that keeps rows. */
  readonly vectors: Map<string, PositionSet>;
  /** Files of which no row is left. */
  readonly emptied: Set<string>;
}

interface LoadedVector {
  readonly puffinPath: string;
  readonly offset: number;
  readonly set: PositionSet;
}

function sameVector(loaded: LoadedVector, vector: VectorReference): boolean {
  return loaded.puffinPath === vector.puffinPath && loaded.offset === vector.offset;
}

/**
 * Where every live row of our partitions stands: row index and deletion vectors of one table in memory. A cache of the
 * table's files; `follow` brings it up to a state, `publish` to a commit of our own.
 */
export class TableRows {
  readonly #storage: LocalStorage;
  readonly #hash: KeyHash;
  readonly #index: RowIndex;
  readonly #keyFields: readonly IcebergField[];
  #space = new AddressSpace<IndexedFile>();
  readonly #files = new Map<string, IndexedFile>();
  readonly #vectors = new Map<string, LoadedVector>();
  /** Rows whose key another live row has, as found while reading files. */
  duplicates = 0;

  constructor(storage: LocalStorage, keyFields: readonly IcebergField[], hash: KeyHash) {
    this.#storage = storage;
    this.#keyFields = keyFields;
    this.#hash = hash;
    this.#index = new RowIndex(isExactKey(keyFields) ? 2 : 3);
  }

  get size(): number {
    return this.#index.size;
  }

  get indexBytes(): number {
    return this.#index.bytes;
  }

  /** Forgets files that left or that are no longer ours, reads the keys of new ones and takes over their vectors. */
  async follow(state: TableState, wanted: (path: string) => boolean): Promise<void> {
    let lost = 0;
    for (const file of this.#files.values()) {
      if (state.files.has(file.path) && wanted(file.path)) continue;
      file.alive = false;
      lost += file.rows;
      this.#files.delete(file.path);
      this.#vectors.delete(file.path);
    }
    if (lost > this.#index.size / 4) this.#renumber();
    const arrived: DataFile[] = [];
    for (const file of state.files.values()) {
      if (!wanted(file.path)) continue;
      await this.#loadVector(file);
      if (!this.#files.has(file.path)) arrived.push(file);
    }
    this.#index.reserve(
      this.#index.size + arrived.reduce((sum, file) => sum + file.rows - (file.vector?.cardinality ?? 0), 0),
    );
    arrived.sort((a, b) => Number(a.sequenceNumber - b.sequenceNumber));
    for (const file of arrived) await this.#indexFile(file);
  }

  /** The rows that the batch's keys have now. */
  supersede(upserts: KeyBatch, deletes: KeyBatch): Superseded {
    const touched = new Map<IndexedFile, PositionSet>();
    for (const keys of [upserts, deletes]) {
      for (let i = 0; i < keys.count; i++) {
        const address = this.#index.get(
          keys.words[i * 3] as number,
          keys.words[i * 3 + 1] as number,
          keys.words[i * 3 + 2] as number,
        );
        if (address !== 0) this.#mark(touched, address);
      }
    }
    const vectors = new Map<string, PositionSet>();
    const emptied = new Set<string>();
    for (const [file, set] of touched) {
      if (set.cardinality === file.rows) emptied.add(file.path);
      else if (set.cardinality > (this.#vectors.get(file.path)?.set.cardinality ?? 0)) vectors.set(file.path, set);
    }
    return { vectors, emptied };
  }

  /** Addresses for a batch about to be committed; `publish` or `follow` decide whether it came to be. */
  reserve(rows: number): void {
    if (this.#space.next + rows >= 2 ** 32 - 2 ** 20) this.#renumber();
  }

  /** Our commit is durable: the keys of `upserts` stand in `paths` (one per group) now. */
  publish(
    state: TableState,
    superseded: Superseded,
    upserts: EncodedUpserts,
    paths: readonly string[],
    deletes: KeyBatch,
  ): void {
    const { words } = deletes;
    for (let i = 0; i < deletes.count; i++) {
      this.#index.delete(words[i * 3] as number, words[i * 3 + 1] as number, words[i * 3 + 2] as number);
    }
    const bases = upserts.groups.map((group, i) =>
      this.#add(paths[i] as string, group.columns[0]?.builder.length ?? 0),
    );
    const { keys } = upserts;
    for (let i = 0; i < keys.count; i++) {
      const address = (bases[upserts.groupOf[i] as number] as number) + (upserts.positionOf[i] as number);
      this.#index.set(
        keys.words[i * 3] as number,
        keys.words[i * 3 + 1] as number,
        keys.words[i * 3 + 2] as number,
        address,
      );
    }
    for (const path of superseded.emptied) this.#forget(path);
    if (superseded.emptied.size > 0) this.#dropStaleKeys();
    for (const [path, set] of superseded.vectors) {
      const vector = state.files.get(path)?.vector;
      if (vector !== undefined && vector !== null) {
        this.#vectors.set(path, { puffinPath: vector.puffinPath, offset: vector.offset, set });
      }
    }
  }

  /** A truncation leaves keys of files that are gone; they cost room only. */
  #dropStaleKeys(): void {
    let live = 0;
    for (const file of this.#files.values()) live += file.rows;
    if (this.#index.size > live) this.#renumber();
  }

  #forget(path: string): void {
    const file = this.#files.get(path);
    if (file !== undefined) file.alive = false;
    this.#files.delete(path);
    this.#vectors.delete(path);
  }

  #mark(touched: Map<IndexedFile, PositionSet>, address: number): void {
    const file = this.#space.fileOf(address);
    if (!file.alive) return;
    let set = touched.get(file);
    if (set === undefined) {
      set = this.#vectors.get(file.path)?.set.clone() ?? new PositionSet(file.rows);
      touched.set(file, set);
    }
    set.add(address - file.base);
  }

  #add(path: string, rows: number): number {
    const file: IndexedFile = { path, rows, base: 0, alive: true };
    file.base = this.#space.allocate(file, rows);
    this.#files.set(path, file);
    return file.base;
  }

  async #loadVector(file: DataFile): Promise<void> {
    const { vector } = file;
    const loaded = this.#vectors.get(file.path);
    if (vector === null) {
      this.#vectors.delete(file.path);
    } else if (loaded === undefined || !sameVector(loaded, vector)) {
      const blob = await this.#storage.readRange(localPath(vector.puffinPath), vector.offset, vector.length);
      this.#vectors.set(file.path, { puffinPath: vector.puffinPath, offset: vector.offset, set: decodeVector(blob) });
    }
  }

  async #indexFile(file: DataFile): Promise<void> {
    this.reserve(file.rows);
    const base = this.#add(file.path, file.rows);
    if (this.#keyFields.length === 0) return;
    const deleted = this.#vectors.get(file.path)?.set;
    await scanKeys(
      this.#storage,
      localPath(file.path),
      file.sizeBytes,
      this.#keyFields,
      this.#hash,
      (position, w0, w1, w2) => {
        if (deleted?.has(position) === true) return;
        const previous = this.#index.set(w0, w1, w2, base + position);
        if (previous !== 0 && this.#isLive(previous)) this.duplicates++;
      },
    );
  }

  #isLive(address: number): boolean {
    const file = this.#space.fileOf(address);
    return file.alive && this.#vectors.get(file.path)?.set.has(address - file.base) !== true;
  }

  /** Packs the addresses of the files that are left and drops the keys of the others. */
  #renumber(): void {
    const old = this.#space;
    const space = new AddressSpace<IndexedFile>();
    const oldBases = new Map<IndexedFile, number>();
    for (const file of this.#files.values()) {
      oldBases.set(file, file.base);
      file.base = space.allocate(file, file.rows);
    }
    this.#index.remap((address) => {
      const file = old.fileOf(address);
      const base = oldBases.get(file);
      return !file.alive || base === undefined ? 0 : address - base + file.base;
    });
    this.#space = space;
  }
}
