/** The object of `GET /status.json`: everything that a person or a console may know about the process. */
export interface StatusSnapshot {
  readonly pipeline: string;
  readonly kind: 'capture' | 'ingest';
  readonly version: string;
  readonly state: PipelineState;
  /** ISO 8601, as all times here. */
  readonly since: string;
  readonly reason: string | null;
  readonly startedAt: string;
  readonly now: string;
  /** Every table is live or paused by a person, and nothing is stopped. */
  readonly green: boolean;
  /** Capture: place in the source's log. */
  readonly position: string | null;
  /** Ingest: topic to partition to next offset that is durable, as text. */
  readonly offsets: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly lag: Readonly<Partial<Record<LagStage, Lag>>>;
  readonly rates: { readonly eventsPerSecond: number; readonly bytesPerSecond: number };
  readonly totals: { readonly events: number; readonly bytes: number };
  readonly heartbeats: readonly { readonly destination: string; readonly ageSeconds: number }[];
  readonly tables: readonly TableSnapshot[];
  readonly errors: readonly ErrorSnapshot[];
  readonly memory: MemorySnapshot;
}

export type PipelineState = 'starting' | 'running' | 'retrying' | 'stopping' | 'stopped' | 'failed';

export type TableState =
  | 'discovered'
  | 'snapshotting'
  | 'catching-up'
  | 'live'
  | 'paused'
  | 'parked'
  | 'error'
  | 'resync'
  | 'removed';

export type LagStage = 'capture' | 'backlog' | 'ingest' | 'lake';

/** Null = unknown, which is not 0. */
export interface Lag {
  readonly events: number | null;
  readonly bytes: number | null;
  readonly seconds: number | null;
}

export interface RowCounts {
  readonly create: number;
  readonly update: number;
  readonly delete: number;
  readonly read: number;
}

export interface ProgressSnapshot {
  readonly done: number;
  /** Null where the source gives no estimate. */
  readonly total: number | null;
  readonly chunksLeft: number | null;
  readonly rowsPerSecond: number;
  readonly etaSeconds: number | null;
}

export interface TableSnapshot {
  readonly table: string;
  readonly state: TableState;
  readonly since: string;
  readonly reason: string | null;
  readonly rows: RowCounts;
  readonly progress: ProgressSnapshot | null;
  readonly lagSeconds: number | null;
  readonly deadLetters: number;
  readonly error: ErrorSnapshot | null;
}

export interface ErrorSnapshot {
  readonly at: string;
  readonly code: string;
  readonly message: string;
  /** Table or other place; null for the pipeline. */
  readonly where: string | null;
  readonly details: Readonly<Record<string, unknown>>;
  readonly fix: string;
}

export interface MemorySnapshot {
  readonly rssBytes: number;
  readonly heapUsedBytes: number;
  readonly inFlightBytes: number;
  readonly limitBytes: number | null;
}
