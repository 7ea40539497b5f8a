/**
 * Finds the newest state that may be stored while records resolve out of order. Work is numbered by a rising sequence;
 * a state recorded at sequence `s` may be stored once nothing at or below `s` is pending any more.
 */
export class DurableLine<S> {
  #entries: { sequence: number; state: S }[] = [];

  /** `state` covers everything up to and including `sequence`, which must not fall. A later state at the same sequence replaces the earlier. */
  record(sequence: number, state: S): void {
    const last = this.#entries.at(-1);
    if (last !== undefined && last.sequence === sequence) {
      last.state = state;
      return;
    }
    this.#entries.push({ sequence, state });
  }

  /**
   * The newest state below `firstPending` (the lowest unresolved sequence, Infinity when none); forgets it and all older
   * ones. Undefined when nothing new became durable.
   */
  advance(firstPending: number): S | undefined {
    let taken = 0;
    while (taken < this.#entries.length) {
      const entry = this.#entries[taken];
      if (entry === undefined || entry.sequence >= firstPending) break;
      taken += 1;
    }
    if (taken === 0) return undefined;
    const newest = this.#entries[taken - 1];
    this.#entries = this.#entries.slice(taken);
    return newest?.state;
  }
}
