import type { RowGroup, SchemaElement } from 'hyparquet';

import { encodeBound } from '../iceberg/bounds.ts';
import type { IntEntry } from '../iceberg/manifest.ts';
import type { IcebergField } from '../iceberg/schema.ts';
import type { ParquetFile } from './write-file.ts';

/** Column metrics of a manifest entry, by the field id of the leaf. */
export interface FileMetrics {
  readonly column_sizes: readonly IntEntry<bigint>[];
  readonly value_counts: readonly IntEntry<bigint>[];
  readonly null_value_counts: readonly IntEntry<bigint>[];
  readonly nan_value_counts: readonly IntEntry<bigint>[];
  readonly lower_bounds: readonly IntEntry<Buffer>[];
  readonly upper_bounds: readonly IntEntry<Buffer>[];
  readonly split_offsets: readonly bigint[];
}

interface LeafStatistics {
  sizeBytes: bigint;
  values: bigint;
  nulls: bigint;
  nans: bigint | null;
  minimum: unknown;
  maximum: unknown;
}

/** Order of the bounds: bytes for texts and binary, numeric else. */
function below(a: unknown, b: unknown): boolean {
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0;
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) < 0;
  return (a as number) < (b as number);
}

function collect(rowGroups: readonly RowGroup[], leaf: number): LeafStatistics {
  const total: LeafStatistics = { sizeBytes: 0n, values: 0n, nulls: 0n, nans: null, minimum: null, maximum: null };
  for (const group of rowGroups) {
    const data = group.columns[leaf]?.meta_data;
    if (data === undefined) continue;
    const statistics = data.statistics as { nan_count?: bigint } & typeof data.statistics;
    total.sizeBytes += data.total_compressed_size;
    total.values += data.num_values;
    total.nulls += statistics?.null_count ?? 0n;
    if (statistics?.nan_count !== undefined) total.nans = (total.nans ?? 0n) + statistics.nan_count;
    const minimum: unknown = statistics?.min_value ?? null;
    const maximum: unknown = statistics?.max_value ?? null;
    if (minimum !== null && (total.minimum === null || below(minimum, total.minimum))) total.minimum = minimum;
    if (maximum !== null && (total.maximum === null || below(total.maximum, maximum))) total.maximum = maximum;
  }
  return total;
}

/** What the written Parquet file says about its columns, as a manifest wants it. */
export function fileMetrics(fields: readonly IcebergField[], file: ParquetFile): FileMetrics {
  const leaves = file.schema.filter((element: SchemaElement) => element.type !== undefined);
  const metrics = {
    column_sizes: [] as IntEntry<bigint>[],
    value_counts: [] as IntEntry<bigint>[],
    null_value_counts: [] as IntEntry<bigint>[],
    nan_value_counts: [] as IntEntry<bigint>[],
    lower_bounds: [] as IntEntry<Buffer>[],
    upper_bounds: [] as IntEntry<Buffer>[],
    split_offsets: file.rowGroups.flatMap((group) => group.columns[0]?.file_offset ?? []),
  };
  leaves.forEach((leaf, at) => {
    const key = leaf.field_id ?? 0;
    const field = fields[at];
    const statistics = collect(file.rowGroups, at);
    metrics.column_sizes.push({ key, value: statistics.sizeBytes });
    metrics.value_counts.push({ key, value: statistics.values });
    metrics.null_value_counts.push({ key, value: statistics.nulls });
    if (statistics.nans !== null) metrics.nan_value_counts.push({ key, value: statistics.nans });
    if (field === undefined) return;
    const lower = encodeBound(field, statistics.minimum, false);
    const upper = encodeBound(field, statistics.maximum, true);
    if (lower !== null) metrics.lower_bounds.push({ key, value: lower });
    if (upper !== null) metrics.upper_bounds.push({ key, value: upper });
  });
  return metrics;
}
