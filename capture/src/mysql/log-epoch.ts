import { logBaseName } from './position-token.ts';

/**
 * The epoch of position tokens: raised when another server, another log name or a log that starts over is met, so that
 * the tokens of one pipeline never fall (T107, T111). Shared by the stream and the watermarks of one source.
 */
export class LogEpoch {
  #epoch: number;
  #serverUuid = '';
  #baseName = '';

  constructor(initial: number) {
    this.#epoch = initial;
  }

  get current(): number {
    return this.#epoch;
  }

  /** Continues an earlier run. */
  resume(epoch: number, serverUuid: string, file: string): void {
    if (epoch < this.#epoch) return;
    this.#epoch = epoch;
    this.#serverUuid = serverUuid;
    this.#baseName = logBaseName(file);
  }

  /** The epoch of positions in `file` of that server. */
  observe(serverUuid: string, file: string): number {
    const baseName = logBaseName(file);
    const known = this.#serverUuid !== '';
    if (known && (this.#serverUuid !== serverUuid || this.#baseName !== baseName)) this.#epoch += 1;
    this.#serverUuid = serverUuid;
    this.#baseName = baseName;
    return this.#epoch;
  }

  /** The same server's log starts over. */
  raise(): number {
    this.#epoch += 1;
    return this.#epoch;
  }
}
