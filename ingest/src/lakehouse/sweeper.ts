import type { TableContext } from './table-head.ts';
import type { TableCatalog } from './table-catalog.ts';
import { sweepTable } from './sweep.ts';
import type { SweepMemory } from './sweep.ts';

const sweepEveryMs = 600_000;

/** Looks for files that nobody refers to, in the background, one table after the other. */
export class Sweeper implements AsyncDisposable {
  readonly #context: TableContext;
  readonly #catalog: TableCatalog;
  readonly #memory: SweepMemory = new Map();
  readonly #stop = new AbortController();
  #running: Promise<void> | null = null;
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(context: TableContext, catalog: TableCatalog) {
    this.#context = context;
    this.#catalog = catalog;
  }

  /** Starts a sweep when one is due and none is running. A failed one is logged: nothing depends on it. */
  wake(): void {
    const nowMs = this.#context.hooks.nowMs();
    if (this.#running !== null || nowMs - this.#lastMs < sweepEveryMs) return;
    this.#lastMs = nowMs;
    this.#running = this.#sweep().finally(() => {
      this.#running = null;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #sweep(): Promise<void> {
    const { hooks, options, storage } = this.#context;
    for (const head of this.#catalog.heads()) {
      if (this.#stop.signal.aborted) return;
      try {
        const removed = await sweepTable(storage, head.store, {
          memory: this.#memory,
          graceMs: Math.max(options.snapshotTimeRetainedMs, 3_600_000),
          nowMs: hooks.nowMs(),
          signal: this.#stop.signal,
        });
        if (removed > 0)
          hooks.log.info('files that no snapshot needs were removed', { table: head.place.text, removed });
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        const reason = error instanceof Error ? error.message : String(error);
        hooks.log.warn('the search for unneeded files failed', { table: head.place.text, reason });
      }
    }
  }
}
