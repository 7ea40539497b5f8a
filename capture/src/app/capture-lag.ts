export interface CaptureLagOptions {
  /** The source sends something at least this often. */
  readonly heartbeatMs: number;
  readonly nowMs: () => number;
}

/**
 * How far the capture is behind its source, by the source's clock. While the stream stands at the head of the log, the
 * lag is the delay that its newest change had when it was read; a source that has fallen silent makes it unknown.
 */
export class CaptureLag {
  readonly #options: CaptureLagOptions;
  #newestMicros = 0;
  /** Delay of the newest change when it was read. */
  #delayMs = 0;
  #isAtHead = false;
  #lastPacketMs: number;
  /** How far the source's clock is ahead of ours. */
  #clockOffsetMs = 0;

  constructor(options: CaptureLagOptions) {
    this.#options = options;
    this.#lastPacketMs = options.nowMs();
  }

  /** Changes were read that are not committed yet. */
  packet(): void {
    this.#lastPacketMs = this.#options.nowMs();
    this.#isAtHead = false;
  }

  /** A transaction of this commit time was read. */
  committed(commitTimeMicros: number): void {
    this.packet();
    this.#read(commitTimeMicros);
  }

  /** The source has nothing newer; `sourceTimeMicros` 0 = it did not say its time. */
  heartbeat(sourceTimeMicros: number): void {
    this.packet();
    this.#read(sourceTimeMicros > 0 ? sourceTimeMicros : this.#sourceNowMs() * 1000);
    this.#isAtHead = true;
  }

  /** What a look at the source told; bytes are those of its log that are not read yet. */
  looked(backlogBytes: number | null, clockOffsetMs: number | null): void {
    if (backlogBytes === 0) this.#isAtHead = true;
    if (clockOffsetMs !== null && Number.isFinite(clockOffsetMs)) this.#clockOffsetMs = clockOffsetMs;
  }

  get lastPacketAgeSeconds(): number {
    return Math.max(0, this.#options.nowMs() - this.#lastPacketMs) / 1000;
  }

  /** Null while unknown. */
  get seconds(): number | null {
    const silentMs = this.#options.nowMs() - this.#lastPacketMs;
    if (this.#newestMicros === 0 || silentMs > 2 * this.#options.heartbeatMs) return null;
    const ms = this.#isAtHead ? this.#delayMs : this.#sourceNowMs() - this.#newestMicros / 1000;
    return Math.max(0, ms) / 1000;
  }

  #read(sourceTimeMicros: number): void {
    this.#newestMicros = sourceTimeMicros;
    this.#delayMs = this.#sourceNowMs() - sourceTimeMicros / 1000;
  }

  #sourceNowMs(): number {
    return this.#options.nowMs() + this.#clockOffsetMs;
  }
}
