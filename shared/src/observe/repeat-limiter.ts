/** Lets the first occurrence of a message through, then one line for all that follow within each interval. */
export class RepeatLimiter<T> {
  readonly #intervalMs: number;
  readonly #emit: (key: string, last: T, count: number) => void;
  readonly #held = new Map<string, { count: number; last: T | undefined }>();

  /** `emit` gets the last occurrence of an interval and how many it stands for. */
  constructor(intervalMs: number, emit: (key: string, last: T, count: number) => void) {
    this.#intervalMs = intervalMs;
    this.#emit = emit;
  }

  occurred(key: string, occurrence: T): void {
    const held = this.#held.get(key);
    if (held !== undefined) {
      held.count++;
      held.last = occurrence;
      return;
    }
    this.#emit(key, occurrence, 1);
    this.#hold(key);
  }

  #hold(key: string): void {
    const held: { count: number; last: T | undefined } = { count: 0, last: undefined };
    this.#held.set(key, held);
    const timer = setTimeout(() => {
      this.#held.delete(key);
      if (held.last === undefined) return;
      this.#emit(key, held.last, held.count);
      this.#hold(key);
    }, this.#intervalMs);
    timer.unref();
  }
}
