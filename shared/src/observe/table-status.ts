import type { CdcError } from '../errors/cdc-error.ts';
import { describeFailure } from './error-history.ts';
import { RateMeter } from './rate-meter.ts';
import type { ErrorSnapshot, ProgressSnapshot, RowCounts, TableSnapshot, TableState } from './status-snapshot.ts';

interface Progress {
  done: number;
  total: number | null;
  chunksLeft: number | null;
  readonly rate: RateMeter;
}

/** What is known about one table. */
export class TableStatus {
  readonly table: string;
  #state: TableState = 'discovered';
  #sinceMs: number;
  #reason: string | null = null;
  readonly #rows = { create: 0, update: 0, delete: 0, read: 0 };
  #progress: Progress | null = null;
  #lagSeconds: number | null = null;
  #deadLetters = 0;
  #error: ErrorSnapshot | null = null;

  constructor(table: string, nowMs: number) {
    this.table = table;
    this.#sinceMs = nowMs;
  }

  get state(): TableState {
    return this.#state;
  }

  /** Any state but `error` clears the last error. */
  enter(state: TableState, reason: string | null, nowMs: number): void {
    if (state !== this.#state) this.#sinceMs = nowMs;
    this.#state = state;
    this.#reason = reason;
    if (state !== 'error') this.#error = null;
  }

  fail(error: CdcError, nowMs: number): void {
    this.enter('error', error.message, nowMs);
    this.#error = describeFailure(error, this.table, nowMs);
  }

  addRows(op: keyof RowCounts, rows: number): void {
    this.#rows[op] += rows;
  }

  addDeadLetters(letters: number): void {
    this.#deadLetters += letters;
  }

  set lagSeconds(seconds: number | null) {
    this.#lagSeconds = seconds;
  }

  /** `done` counts from the snapshot's first start, over restarts; the rate counts from this process's. */
  progress(done: number, total: number | null, chunksLeft: number | null, nowMs: number): void {
    this.#progress ??= { done, total, chunksLeft, rate: new RateMeter(nowMs, 30_000) };
    this.#progress.rate.add(Math.max(0, done - this.#progress.done), nowMs);
    this.#progress.done = done;
    this.#progress.total = total;
    this.#progress.chunksLeft = chunksLeft;
  }

  snapshot(nowMs: number): TableSnapshot {
    return {
      table: this.table,
      state: this.#state,
      since: new Date(this.#sinceMs).toISOString(),
      reason: this.#reason,
      rows: { ...this.#rows },
      progress: this.#progress === null ? null : progressSnapshot(this.#progress, this.#state, nowMs),
      lagSeconds: this.#lagSeconds,
      deadLetters: this.#deadLetters,
      error: this.#error,
    };
  }
}

/** Estimates of row counts are rough: one that is exceeded is worth nothing, and nothing is left once it is over. */
function progressSnapshot(progress: Progress, state: TableState, nowMs: number): ProgressSnapshot {
  const { done, chunksLeft } = progress;
  const running = state === 'snapshotting' || state === 'resync';
  const total = running ? usableEstimate(progress) : done;
  const rowsPerSecond = running ? progress.rate.perSecond(nowMs) : 0;
  const known = running && total !== null && rowsPerSecond > 0;
  return { done, total, chunksLeft, rowsPerSecond, etaSeconds: known ? (total - done) / rowsPerSecond : null };
}

function usableEstimate({ done, total, chunksLeft }: Progress): number | null {
  return total !== null && (done < total || chunksLeft === 0) ? Math.max(done, total) : null;
}
