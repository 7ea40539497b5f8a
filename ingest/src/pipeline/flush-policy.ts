/** When a lane commits. Whatever the policy, nothing waits while the commit before is still under way. */
export interface FlushPolicy {
  /** Upper bounds of one batch. */
  readonly maxRows: number;
  readonly maxBytes: number;
  /** How long a change may wait for others; 0 commits a lone change at once. */
  readonly delayMs: number;
  /** How long offsets without rows may wait. */
  readonly offsetsDelayMs: number;
}

export interface BatchState {
  readonly rows: number;
  readonly bytes: number;
  /** Since the first record of the batch. */
  readonly ageMs: number;
  /** Someone waits for the batch, or memory is short. */
  readonly urgent: boolean;
}

export function isFull(policy: FlushPolicy, rows: number, bytes: number): boolean {
  return rows >= policy.maxRows || bytes >= policy.maxBytes;
}

/** Milliseconds until the batch is due; 0 = now. */
export function dueInMs(policy: FlushPolicy, batch: BatchState): number {
  if (batch.urgent || isFull(policy, batch.rows, batch.bytes)) return 0;
  const delayMs = batch.rows > 0 ? policy.delayMs : policy.offsetsDelayMs;
  return Math.max(0, delayMs - batch.ageMs);
}
