import type { ColumnSchema } from '@millrace/shared/event/schema.ts';

import type { MappedColumn } from './binlog/table-map.ts';
import type { CatalogueColumn } from './catalogue.ts';
import { binaryCollation, decodeText } from './charset.ts';
import { wireType } from './column.ts';
import type { MysqlColumn } from './column.ts';
import { logicalType, sourceTypeText } from './logical-column.ts';
import type { ColumnFacts, LogicalTypeOptions } from './logical-column.ts';

/** Wire type and fixed `meta` by DATA_TYPE; −1: from the other catalogue columns. */
const wireTypes: Readonly<Record<string, readonly [type: number, meta: number]>> = {
  tinyint: [wireType.tiny, 0],
  smallint: [wireType.short, 0],
  mediumint: [wireType.int24, 0],
  int: [wireType.long, 0],
  bigint: [wireType.longlong, 0],
  decimal: [wireType.decimal, -1],
  float: [wireType.float, 4],
  double: [wireType.double, 8],
  bit: [wireType.bit, -1],
  year: [wireType.year, 0],
  date: [wireType.date, 0],
  time: [wireType.time2, -1],
  datetime: [wireType.datetime2, -1],
  timestamp: [wireType.timestamp2, -1],
  char: [wireType.string, -1],
  binary: [wireType.string, -1],
  varchar: [wireType.varchar, -1],
  varbinary: [wireType.varchar, -1],
  tinyblob: [wireType.blob, 1],
  blob: [wireType.blob, 2],
  mediumblob: [wireType.blob, 3],
  longblob: [wireType.blob, 4],
  tinytext: [wireType.blob, 1],
  text: [wireType.blob, 2],
  mediumtext: [wireType.blob, 3],
  longtext: [wireType.blob, 4],
  enum: [wireType.enum, -1],
  set: [wireType.set, -1],
  json: [wireType.json, 4],
  vector: [wireType.vector, 4],
  geometry: [wireType.geometry, 4],
  point: [wireType.geometry, 4],
  linestring: [wireType.geometry, 4],
  polygon: [wireType.geometry, 4],
  multipoint: [wireType.geometry, 4],
  multilinestring: [wireType.geometry, 4],
  multipolygon: [wireType.geometry, 4],
  geomcollection: [wireType.geometry, 4],
  geometrycollection: [wireType.geometry, 4],
};

/** A column's type is one that row events of this server can hold and we can read. */
export function isDecodable(column: CatalogueColumn): boolean {
  return wireTypes[column.dataType] !== undefined && !/\bcompressed\b/i.test(column.columnType);
}

const binaryTypes: ReadonlySet<string> = new Set(['binary', 'varbinary', 'tinyblob', 'blob', 'mediumblob', 'longblob']);

/** Labels of `enum('a','b''c')` as COLUMN_TYPE prints them. */
export function parseLabels(columnType: string): readonly string[] {
  const labels: string[] = [];
  for (const match of columnType.matchAll(/'((?:[^']|'')*)'/g)) labels.push((match[1] ?? '').replaceAll("''", "'"));
  return labels;
}

function setBytes(members: number): number {
  const bytes = Math.ceil(members / 8);
  return bytes > 4 ? 8 : bytes;
}

function metaOf(column: CatalogueColumn, type: number, fixed: number, labels: number): number {
  if (fixed >= 0) return fixed;
  switch (type) {
    case wireType.decimal:
    case wireType.bit:
      return column.precision;
    case wireType.enum:
      return labels > 255 ? 2 : 1;
    case wireType.set:
      return setBytes(labels);
    case wireType.time2:
    case wireType.datetime2:
    case wireType.timestamp2:
      return column.fraction;
    default:
      return column.octetLength;
  }
}

/** What the catalogue says of a column, in the terms of row events; null for a type that is not known. */
export function factsOfCatalogue(column: CatalogueColumn): ColumnFacts | null {
  const known = wireTypes[column.dataType];
  if (known === undefined) return null;
  const [type, fixed] = known;
  const labelled = type === wireType.enum || type === wireType.set;
  const labels = labelled ? parseLabels(column.columnType) : null;
  return {
    name: column.name,
    wireType: type,
    meta: metaOf(column, type, fixed, labels?.length ?? 0),
    scale: type === wireType.decimal ? column.scale : 0,
    unsigned: type === wireType.year || /\bunsigned\b/i.test(column.columnType),
    collation: column.collation ?? (binaryTypes.has(column.dataType) ? binaryCollation : null),
    labels,
    displayWidthOne: /^tinyint\(1\)/i.test(column.columnType),
  };
}

/** Types of tables that were made before 5.6.4 and never rebuilt: the catalogue prints them as the new ones. */
const newTemporal: Readonly<Record<number, number>> = {
  [wireType.timestampOld]: wireType.timestamp2,
  [wireType.datetimeOld]: wireType.datetime2,
  [wireType.timeOld]: wireType.time2,
};

function sameBaseType(mapped: MappedColumn, facts: ColumnFacts): boolean {
  return (newTemporal[mapped.wireType] ?? mapped.wireType) === facts.wireType;
}

/** The catalogue's column can be the one of the event: equal in everything that the event says. */
export function agrees(mapped: MappedColumn, facts: ColumnFacts, nullable: boolean): boolean {
  return (
    sameBaseType(mapped, facts) &&
    mapped.meta === facts.meta &&
    mapped.scale === facts.scale &&
    mapped.nullable === nullable &&
    (mapped.unsigned === null || mapped.unsigned === facts.unsigned) &&
    (mapped.collation === null || facts.collation === null || mapped.collation === facts.collation)
  );
}

function decodedLabels(mapped: MappedColumn): readonly string[] | null {
  const { labels, collation } = mapped;
  if (labels === null) return null;
  return labels.map((label) => decodeText(label, 0, label.length, collation ?? binaryCollation));
}

/** The event's facts first; what it leaves out, from the catalogue's column of the same name. */
export function factsOfEvent(mapped: MappedColumn, name: string, known: ColumnFacts | null): ColumnFacts {
  const plain = mapped.wireType === wireType.vector;
  return {
    name,
    wireType: mapped.wireType,
    meta: mapped.meta,
    scale: mapped.scale,
    unsigned: mapped.unsigned ?? known?.unsigned ?? mapped.wireType === wireType.year,
    collation: plain ? null : (mapped.collation ?? known?.collation ?? null),
    labels: decodedLabels(mapped) ?? known?.labels ?? null,
    displayWidthOne: known?.displayWidthOne ?? false,
  };
}

/** `described`: the catalogue's row of this very column, or null. */
export function mysqlColumn(
  facts: ColumnFacts,
  nullable: boolean,
  described: CatalogueColumn | null,
  options: LogicalTypeOptions,
): MysqlColumn {
  const schema: ColumnSchema = {
    name: facts.name,
    type: logicalType(facts, described?.columnType ?? null, options),
    nullable,
    sourceType: described?.columnType ?? sourceTypeText(facts),
    comment: described === null || described.comment === '' ? null : described.comment,
    defaultValue: described?.defaultValue ?? null,
    generated: described?.generated ?? false,
  };
  return { ...facts, schema };
}
