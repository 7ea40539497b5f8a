import { delay } from '@millrace/shared/async/delay.ts';
import type { CheckpointStore } from '@millrace/shared/checkpoint/checkpoint-store.ts';
import type { ResumePoint } from '@millrace/shared/event/position.ts';

import { encodeCheckpoint } from './checkpoint-state.ts';
import type { CheckpointState } from './checkpoint-state.ts';

export interface CheckpointerParts {
  readonly store: CheckpointStore;
  /** The newest state that may be stored, if it is newer than the last one asked for. */
  readonly durable: () => CheckpointState | undefined;
  /** Told after each save. */
  readonly confirmed: (resume: ResumePoint) => void;
  readonly intervalMs: number;
}

/** Stores what has become durable, every interval and at the end. Saves never overlap; an equal state is not saved again. */
export class Checkpointer {
  readonly #parts: CheckpointerParts;
  #saved = '';

  constructor(parts: CheckpointerParts) {
    this.#parts = parts;
  }

  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      await delay(this.#parts.intervalMs, signal);
      await this.save(signal);
    }
  }

  async save(signal: AbortSignal): Promise<void> {
    const state = this.#parts.durable();
    if (state === undefined) return;
    const text = encodeCheckpoint(state);
    if (text !== this.#saved) await this.#parts.store.save(text, signal);
    this.#saved = text;
    this.#parts.confirmed(state.resume);
  }
}
