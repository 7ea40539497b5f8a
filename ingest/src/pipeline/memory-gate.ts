import { Gate } from '@millrace/shared/async/gate.ts';

/** Counts the bytes of records between the brokers and the destination's commits, and stops fetching at the limit. */
export class MemoryGate {
  heldBytes = 0;
  readonly #limitBytes: number;
  readonly #gate = new Gate();

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get isFull(): boolean {
    return this.heldBytes >= this.#limitBytes;
  }

  async room(signal: AbortSignal): Promise<void> {
    while (this.isFull) await this.#gate.wait(signal);
  }

  hold(bytes: number): void {
    this.heldBytes += bytes;
  }

  release(bytes: number): void {
    this.heldBytes -= bytes;
    if (!this.isFull) this.#gate.open();
  }
}
