export interface LakehouseCommit {
  /** First reached. */
  readonly intervalMs: number;
  readonly maxRows: number;
  readonly maxBytes: number;
}

export interface LakehouseSnapshots {
  readonly retainedMs: number;
  readonly minRetained: number;
}

export interface LakehouseSinkOptions {
  readonly kind: 'lakehouse';
  /** `sink.name`, else `lakehouse`: a label. */
  readonly name: string;
  /** Directory, as given without `file://`; relative to the working directory. Tables live in `<warehouse>/<db>/<table>`. */
  readonly warehouse: string;
  readonly tableFormat: 'iceberg';
  readonly formatVersion: 3;
  /** Identity under which offsets are kept in table metadata; `[A-Za-z0-9._-]{1,64}`. */
  readonly commitUser: string;
  readonly commit: LakehouseCommit;
  readonly targetFileSizeBytes: number;
  readonly compression: 'zstd' | 'snappy' | 'none';
  readonly snapshots: LakehouseSnapshots;
}
