import { constants, zstdCompressSync } from 'node:zlib';

import type { CompressionCodec, RowGroup, SchemaElement } from 'hyparquet';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';

import type { IcebergField } from '../iceberg/schema.ts';
import type { ColumnBuilder } from './column-builder.ts';
import { parquetSchemaFor, physicalSchema } from './parquet-schema.ts';

export type Compression = 'zstd' | 'snappy' | 'none';

export interface WrittenColumn {
  readonly field: IcebergField;
  readonly builder: ColumnBuilder;
}

export interface ParquetFile {
  readonly bytes: Uint8Array;
  readonly rows: number;
  readonly schema: readonly SchemaElement[];
  /** Statistics hold whole, unconverted minima and maxima. */
  readonly rowGroups: readonly RowGroup[];
}

const rowGroupRows = 122_880;
const codecs: Readonly<Record<Compression, CompressionCodec>> = {
  zstd: 'ZSTD',
  snappy: 'SNAPPY',
  none: 'UNCOMPRESSED',
};
const zstdOptions = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };
const compressors = { ZSTD: (input: Uint8Array): Uint8Array => zstdCompressSync(input, zstdOptions) };

/** The writer wants the statistics of decimals as bigints, which 32-bit ones are not. */
function widenDecimalStatistics(schema: readonly SchemaElement[], rowGroups: readonly RowGroup[]): void {
  const narrow = new Set(
    schema.filter((leaf) => leaf.type === 'INT32' && leaf.converted_type === 'DECIMAL').map((leaf) => leaf.name),
  );
  for (const column of rowGroups.flatMap((group) => group.columns)) {
    const statistics = column.meta_data?.statistics;
    if (statistics === undefined || !narrow.has(column.meta_data?.path_in_schema[0] ?? '')) continue;
    if (typeof statistics.min_value === 'number') statistics.min_value = BigInt(statistics.min_value);
    if (typeof statistics.max_value === 'number') statistics.max_value = BigInt(statistics.max_value);
  }
}

/** Encodes the collected rows as one Parquet file in memory. */
export function encodeParquet(
  columns: readonly WrittenColumn[],
  compression: Compression,
  createdBy: string,
): ParquetFile {
  const schema = parquetSchemaFor(columns.map((column) => column.field));
  const sink = new ByteWriter();
  const writer = new ParquetWriter({
    writer: sink,
    schema: physicalSchema(schema),
    codec: codecs[compression],
    compressors,
    createdBy,
  });
  void writer.write({
    columnData: columns.map(({ field, builder }) => ({ name: field.name, data: builder.data() as unknown[] })),
    rowGroupSize: rowGroupRows,
  });
  writer.schema = schema;
  widenDecimalStatistics(schema, writer.row_groups);
  void writer.finish();
  return { bytes: sink.getBytes(), rows: Number(writer.num_rows), schema, rowGroups: writer.row_groups };
}
