import type { DestinationObserver } from '../destination.ts';
import type { TypeChangePolicy } from './iceberg/schema-evolution.ts';
import type { Compression } from './parquet/write-file.ts';

/** What the lakehouse destination needs to know, apart from how a pipeline document says it. */
export interface LakehouseOptions {
  /** Absolute path of a local directory; tables are written to `<warehouse>/<db>/<table>`. */
  readonly warehouse: string;
  /** Names this pipeline's offsets and epochs in the tables; unique per pipeline. */
  readonly commitUser: string;
  readonly targetFileSizeBytes: number;
  readonly compression: Compression;
  readonly snapshotTimeRetainedMs: number;
  readonly snapshotsRetainedMin: number;
  /** Tables without changes get their offsets in commits of their own, at most this often and when the lane closes. */
  readonly offsetCommitIntervalMs: number;
  readonly typeChange: TypeChangePolicy;
  /** Name and version written into files, such as `millrace 0.1.0`. */
  readonly createdBy: string;
}

export type LogDetails = Readonly<Record<string, string | number>>;

/** Called per commit or per incident, never per row. */
export interface LakehouseLog {
  info(message: string, details: LogDetails): void;
  warn(message: string, details: LogDetails): void;
}

/** Places in a commit, in order; tests stop a process at each of them. */
export type CommitStep =
  | 'data-written'
  | 'puffin-written'
  | 'manifests-written'
  | 'temporary-written'
  | 'linked'
  | 'directory-synced'
  | 'hint-replaced';

export interface LakehouseHooks {
  readonly log: LakehouseLog;
  readonly nowMs: () => number;
  readonly onStep: (step: CommitStep) => void;
  readonly observer?: DestinationObserver;
}
