/** Mean rate over roughly the last `windowMs`, older events counting less and less. */
export class RateMeter {
  readonly #windowMs: number;
  #weightedEvents = 0;
  #updatedMs: number;
  readonly #startedMs: number;

  constructor(nowMs: number, windowMs = 10_000) {
    this.#windowMs = windowMs;
    this.#updatedMs = nowMs;
    this.#startedMs = nowMs;
  }

  add(events: number, nowMs: number): void {
    this.#decay(nowMs);
    this.#weightedEvents += events;
  }

  /** Events per second; exact for a steady rate, also before a whole window has gone by. */
  perSecond(nowMs: number): number {
    this.#decay(nowMs);
    const seenMs = Math.max(nowMs - this.#startedMs, 0);
    const windowMs = this.#windowMs * (1 - Math.exp(-seenMs / this.#windowMs));
    return windowMs < 1 ? 0 : (this.#weightedEvents / windowMs) * 1000;
  }

  #decay(nowMs: number): void {
    const elapsedMs = nowMs - this.#updatedMs;
    if (elapsedMs <= 0) return;
    this.#weightedEvents *= Math.exp(-elapsedMs / this.#windowMs);
    this.#updatedMs = nowMs;
  }
}
