import { eventFlag, flagsOffset, logPositionOffset } from '../binlog/event-header.ts';
import type { LogEpoch } from '../log-epoch.ts';
import { logCorrupt } from '../log-corrupt.ts';
import { logFileNumber } from '../position-token.ts';
import type { TokenPool } from '../position-token.ts';
import type { LogProgress } from './log-progress.ts';

/** Where a dump stands in the log: file, 64-bit position and epoch. */
export class LogCursor {
  file = '';
  /** End of the last event, by adding sizes: the event's own field has 32 bits (T105). */
  position = 0;
  /** Where the last event began. */
  eventStart = 0;

  readonly #progress: LogProgress;
  readonly #epoch: LogEpoch;
  readonly #tokens: TokenPool;
  readonly #byGtid: boolean;
  /** Where reading stopped before this dump. */
  readonly #stopped: { readonly file: string; readonly position: number };
  #first = true;

  constructor(progress: LogProgress, epoch: LogEpoch, tokens: TokenPool, byGtid: boolean) {
    this.#progress = progress;
    this.#epoch = epoch;
    this.#tokens = tokens;
    this.#byGtid = byGtid;
    this.#stopped = { file: progress.file, position: progress.position };
  }

  /** Moves over an event of `size` bytes whose header is at `start`; artificial events move nothing. */
  advance(view: DataView, start: number, size: number): void {
    const logPosition = view.getUint32(start + logPositionOffset, true);
    if (logPosition === 0 || (view.getUint16(start + flagsOffset, true) & eventFlag.artificial) !== 0) return;
    const next = this.position + size;
    // By GTID the server passes over whole transactions: the position then moves forward, never back.
    const skipped = (logPosition - next) >>> 0;
    if (skipped !== 0 && !this.#byGtid) {
      throw logCorrupt('event positions do not add up', { file: this.file, expected: next >>> 0, found: logPosition });
    }
    this.position = next + skipped;
    this.eventStart = this.position - size;
  }

  /** Goes on in `file`. */
  open(file: string, position: number): void {
    this.file = file;
    this.position = position;
    this.#progress.epoch = this.#epoch.observe(this.#progress.serverUuid, file);
    this.#tokens.openFile(this.#progress.epoch, file);
  }

  /** An idle server tells where it stands: `position`, or its low 32 bits only. */
  heard(file: string, position: number | null, lowPosition: number): void {
    if (file !== this.file) return;
    const told = position ?? this.position + ((lowPosition - this.position) >>> 0);
    if (told > this.position) this.position = told;
  }

  /** What was read so far is a transaction boundary. */
  markBoundary(): void {
    this.#progress.file = this.file;
    this.#progress.position = this.position;
  }

  /** The first transaction stands before the place where reading stopped: the log was begun anew with the same names. */
  checkRestart(at: number): void {
    if (!this.#first) return;
    this.#first = false;
    const { file, position } = this.#stopped;
    if (!this.#byGtid || file === '') return;
    const number = logFileNumber(this.file);
    const stored = logFileNumber(file);
    if (number > stored || (number === stored && at >= position)) return;
    this.#progress.epoch = this.#epoch.raise();
    this.#tokens.openFile(this.#progress.epoch, this.file);
  }
}
