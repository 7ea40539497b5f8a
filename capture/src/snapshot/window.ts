const mostKeys = 200_000;

/**
 * Keys of one table that the stream changed while a chunk of it was being read. A row whose key stands here is left out
 * of the chunk: the stream has published, or will publish, what became of it.
 */
export class ChunkWindow {
  readonly #keys = new Set<string>();
  /** The chunk must be read again: the table's definition changed meanwhile, or too many of its keys did. */
  stale = false;

  record(bytes: Buffer, start: number, end: number): void {
    if (this.#keys.size >= mostKeys) {
      // Memory stays bounded: such a chunk is read again instead.
      this.stale = true;
      this.#keys.clear();
    }
    if (this.stale) return;
    this.#keys.add(bytes.toString('latin1', start, end));
  }

  get changedKeys(): number {
    return this.#keys.size;
  }

  hasChanged(bytes: Buffer, start: number, end: number): boolean {
    return this.#keys.size > 0 && this.#keys.has(bytes.toString('latin1', start, end));
  }
}

/** Open windows by table. */
export class ChunkWindows {
  readonly #byTable = new Map<string, Set<ChunkWindow>>();

  open(table: string): ChunkWindow {
    const window = new ChunkWindow();
    let windows = this.#byTable.get(table);
    if (windows === undefined) {
      windows = new Set();
      this.#byTable.set(table, windows);
    }
    windows.add(window);
    return window;
  }

  close(table: string, window: ChunkWindow): void {
    const windows = this.#byTable.get(table);
    windows?.delete(window);
    if (windows?.size === 0) this.#byTable.delete(table);
  }

  /** Records a changed key in all open windows of a table; null when none is open. */
  watcher(table: string): ((bytes: Buffer, start: number, end: number) => void) | null {
    const windows = this.#byTable.get(table);
    if (windows === undefined) return null;
    return (bytes, start, end) => {
      for (const window of windows) window.record(bytes, start, end);
    };
  }

  /** The definition of a table changed. */
  invalidate(table: string): void {
    for (const window of this.#byTable.get(table) ?? []) window.stale = true;
  }
}
