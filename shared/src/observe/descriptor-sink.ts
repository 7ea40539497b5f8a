import { write, writeSync } from 'node:fs';
import type { LogSink } from './logger.ts';

const maxWaitingChars = 1 << 20;
/** Pause before a full non-blocking pipe is tried again. */
const retryMs = 20;

/**
 * Writes lines to an open file descriptor without ever waiting for it: a closed pipe, a full disk or a reader that
 * stands still costs log lines, never data. What still waits at the process's end is written then.
 */
export class DescriptorSink implements LogSink {
  readonly #descriptor: number;
  #waiting: string[] = [];
  #waitingChars = 0;
  #writing = false;
  #dropped = 0;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
    process.on('exit', () => this.#flushAtExit());
  }

  /** Lines that found no room. */
  get dropped(): number {
    return this.#dropped;
  }

  write(line: string): void {
    if (this.#waitingChars + line.length > maxWaitingChars) {
      this.#dropped++;
      return;
    }
    this.#waiting.push(line);
    this.#waitingChars += line.length;
    if (!this.#writing) this.#writeWaiting();
  }

  #writeWaiting(): void {
    this.#writing = true;
    this.#writeBytes(Buffer.from(this.#waiting.join('')));
    this.#waiting = [];
    this.#waitingChars = 0;
  }

  #writeBytes(bytes: Buffer): void {
    write(this.#descriptor, bytes, (error, written) => {
      if (error === null && written < bytes.length) {
        this.#writeBytes(bytes.subarray(written));
        return;
      }
      if (error?.code === 'EAGAIN') {
        setTimeout(() => this.#writeBytes(bytes), retryMs).unref();
        return;
      }
      // Failed bytes are given up: the next line finds out whether the way is free again.
      this.#writing = false;
      if (this.#waiting.length > 0) this.#writeWaiting();
    });
  }

  #flushAtExit(): void {
    if (this.#waiting.length === 0) return;
    try {
      writeSync(this.#descriptor, this.#waiting.join(''));
    } catch {
      // Nobody is left to read it.
    }
  }
}
