export interface CheckpointOptions {
  readonly store: 'kafka' | 'file';
  /** Compacted topic of checkpoints, where `store` is `kafka`. */
  readonly topic: string;
  readonly intervalMs: number;
}

export interface RetryOptions {
  readonly initialDelayMs: number;
  readonly maxDelayMs: number;
  /** Null = without end. */
  readonly maxAttempts: number | null;
}

export interface MetricsOptions {
  readonly host: string;
  /** 0 = any free port; null = off. */
  readonly port: number | null;
  /** True: the port is the default, so when it is taken the next free one is used. */
  readonly portIsDefault: boolean;
  readonly auth: 'token' | 'proxy' | 'none';
}

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';

/** Block `pipeline`. */
export interface RuntimeOptions {
  readonly checkpoint: CheckpointOptions;
  readonly stateDir: string;
  /** The document or the command line names it: progress is written there. */
  readonly stateDirGiven: boolean;
  /** Records in flight. */
  readonly memoryLimitBytes: number;
  readonly retry: RetryOptions;
  readonly metrics: MetricsOptions;
  readonly logLevel: LogLevel;
  readonly routeMode: 'all-match' | 'first-match';
}
