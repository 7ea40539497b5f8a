import type { Block } from '../declare/block.ts';
import { boolean, duration, fraction, grammar, integer, oneOf, size, text } from '../declare/option-type.ts';
import { defaulted, notYet, optional, refused, required, withoutEffect } from '../declare/option.ts';
import { parsed, unparsable } from '../parsed.ts';
import type { Parsed } from '../parsed.ts';
import { sharedSinkDeclarations } from './shared-sink-declarations.ts';

/** A directory; object storage is not in this version. */
function parseWarehouse(given: string): Parsed<string> {
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(given)?.[1]?.toLowerCase();
  if (scheme === 'file') {
    const path = given.slice('file://'.length);
    return path.startsWith('/') ? parsed(path) : unparsable('file:///absolute/path, or a directory');
  }
  if (scheme !== undefined) {
    const rule = scheme.startsWith('s3') ? 'object storage is not in this version: use a directory' : 'use a directory';
    return { ...unparsable(rule), kind: 'unsupported' };
  }
  return given === '' ? unparsable('a directory') : parsed(given);
}

const remote = 'belongs to a remote catalog, and none is contacted';
const otherEngine = 'a setting of another engine';
const otherMerge = { as: 'refused', reason: 'rows are merged by key: deduplicate' } as const;
const otherCatalog = { as: 'refused', reason: 'tables are kept in a directory: filesystem' } as const;
const otherFile = { as: 'refused', reason: 'data files are Parquet' } as const;
const inTable = (name: string): { readonly aliases: readonly string[] } => ({ aliases: [`table.properties.${name}`] });

/** `sink` with type lakehouse, iceberg or paimon. */
export const lakehouseSinkDeclarations = {
  type: required(oneOf(['lakehouse', 'iceberg', 'paimon']), { doc: 'Kind of sink; the three are one' }),
  warehouse: required(grammar('directory', parseWarehouse), {
    doc: 'Directory of the tables, relative to the working directory, or file://',
    aliases: ['catalog.properties.warehouse'],
  }),
  'table-format': defaulted(oneOf(['iceberg']), 'iceberg', {
    doc: 'Table format',
    notes: {
      delta: { as: 'refused', reason: `${notYet}; use iceberg` },
      paimon: { as: 'refused', reason: 'not in this build; use iceberg' },
    },
  }),
  'format-version': defaulted(oneOf(['3']), '3', {
    doc: '3 = deletion vectors',
    ...inTable('format-version'),
    notes: { '2': { as: 'refused', reason: `position deletes: ${notYet}; use 3` } },
  }),
  'table.properties.deletion-vectors.enabled': defaulted(boolean, 'true', {
    doc: 'Deletes as deletion vectors',
    notes: { false: { as: 'refused', reason: `copy-on-write: ${notYet}; leave the option out` } },
  }),
  'commit.interval': defaulted(duration({ min: 1 }), '2s', { doc: 'Commit at the first reached' }),
  'commit.max-rows': defaulted(integer({ min: 1 }), '50000', { doc: 'Commit at the first reached' }),
  'commit.max-size': defaulted(size(), '16mb', { doc: 'Commit at the first reached' }),
  'target-file-size': defaulted(size(), '128mb', { doc: 'Size of data files', ...inTable('target-file-size') }),
  'table.properties.file.format': defaulted(oneOf(['parquet']), 'parquet', {
    doc: 'Data files',
    notes: { orc: otherFile, avro: otherFile },
  }),
  'table.properties.file.compression': defaulted(oneOf(['zstd', 'snappy', 'none']), 'zstd', { doc: 'Of data files' }),
  'compaction.enabled': defaulted(boolean, 'true', { doc: 'No compaction in this version' }),
  'table.properties.write-only': defaulted(boolean, 'false', { doc: 'true = no compaction' }),
  'compaction.min-files': defaulted(integer({ min: 2 }), '8', { doc: 'No compaction in this version' }),
  'compaction.deleted-ratio': defaulted(fraction({ min: 0, max: 1 }), '0.2', { doc: 'No compaction in this version' }),
  'compaction.interval': defaulted(duration({ min: 1 }), '1min', { doc: 'No compaction in this version' }),
  'snapshot.time-retained': defaulted(duration(), '1h', {
    doc: 'Age of kept snapshots',
    ...inTable('snapshot.time-retained'),
  }),
  'snapshot.num-retained.min': defaulted(integer({ min: 1 }), '20', {
    doc: 'Number of kept snapshots',
    ...inTable('snapshot.num-retained.min'),
  }),
  bucket: defaulted(integer({ min: -1 }), '-1', {
    doc: '-1 = unbucketed',
    ...inTable('bucket'),
    later: `buckets: ${notYet}; use -1`,
  }),
  'bucket-key': optional(text(), { doc: 'Columns to hash', ...inTable('bucket-key'), later: `buckets: ${notYet}` }),
  'partition.key': optional(text(), { doc: 'Partition columns', later: `partitioned tables: ${notYet}` }),
  'catalog.properties.metastore': defaulted(oneOf(['filesystem', 'hadoop', 'rest']), 'filesystem', {
    doc: 'rest is accepted: tables are written under warehouse all the same',
    status: 'D',
    aliases: ['catalog.properties.type'],
    notes: { hive: otherCatalog, jdbc: otherCatalog, glue: otherCatalog },
  }),
  'catalog.properties.uri': withoutEffect(remote),
  'catalog.properties.token': withoutEffect(remote),
  'catalog.properties.token.provider': withoutEffect(remote),
  'catalog.properties.dlf.*': withoutEffect(remote),
  'catalog.properties.region': withoutEffect(remote),
  'catalog.properties.catalog-impl': refused('class names cannot be loaded here'),
  'catalog.properties.io-impl': refused('class names cannot be loaded here'),
  'hadoop.conf.*': refused('no Hadoop runs here'),
  'table.properties.merge-engine': defaulted(oneOf(['deduplicate']), 'deduplicate', {
    doc: 'The last state of each key',
    status: 'D',
    notes: { 'partial-update': otherMerge, aggregation: otherMerge, 'first-row': otherMerge },
  }),
  'table.properties.*': withoutEffect(otherEngine),
  'sink.compaction.*': withoutEffect(otherEngine),
  'sink.commit.parallelism': withoutEffect(otherEngine),
  'sink.cross-partition-upsert.tables': withoutEffect(
    'a changed partition value is always a delete in the old and an insert in the new partition',
  ),
  'job.id.prefix': withoutEffect(otherEngine),
  ...sharedSinkDeclarations,
};

export type LakehouseSinkBlock = Block<typeof lakehouseSinkDeclarations>;
