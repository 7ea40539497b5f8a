import type { Side } from './pairs.ts';

export interface BenchRequest {
  readonly workload: string;
  /** Null = the workload's default. */
  readonly rows: number | null;
  readonly connections: number;
  /** What the preparation is doing, for a person who waits. */
  readonly say: (text: string) => void;
}

/** A benchmark whose data is ready and whose first result was checked; dropped with its scope. */
export interface PreparedBench extends AsyncDisposable {
  readonly ours: Side;
  readonly yardstick: Side;
  readonly inputBytes: number | null;
  /** What the check compared. */
  readonly checked: string;
}
