import { ByteWriter } from '@millrace/shared/bytes/byte-writer.ts';
import { tableSchema } from '@millrace/shared/event/schema.ts';

import type { RenderSpec, RowOp, RowRenderer, ValueRendering } from '../../source.ts';
import { wireType } from '../column.ts';
import type { MysqlColumn, MysqlTable } from '../column.ts';
import { logicalType, sourceTypeText } from '../logical-column.ts';
import type { BinlogRows, TextRows } from '../rows.ts';
import { compileRenderer } from './compile.ts';

/** Builds tables, row bytes and renderers for tests. */

export const defaultValues: ValueRendering = {
  timestampStandard: 'sql',
  decimals: 'scale',
  bigNumbers: 'number',
  ignoreNullFields: false,
  timeFraction: true,
  zeroDates: 'null',
  invalidText: 'fail',
  tinyint1AsBoolean: true,
  compactJson: false,
};

export const utf8mb4 = 255;
export const latin1 = 8;
export const binary = 63;

export type ColumnParts = Partial<Omit<MysqlColumn, 'schema' | 'wireType'>> & {
  readonly type: keyof typeof wireType;
  readonly sourceType?: string;
};

export function column(parts: ColumnParts): MysqlColumn {
  const { type, sourceType, ...rest } = parts;
  const facts = {
    name: 'v',
    meta: 0,
    scale: 0,
    unsigned: false,
    collation: null,
    labels: null,
    displayWidthOne: false,
    ...rest,
    wireType: wireType[type],
  };
  return {
    ...facts,
    schema: {
      name: facts.name,
      type: logicalType(facts, sourceType ?? null, { tinyint1AsBoolean: true }),
      nullable: true,
      sourceType: sourceType ?? sourceTypeText(facts),
      comment: null,
      defaultValue: null,
      generated: false,
    },
  };
}

export function table(columns: readonly MysqlColumn[], primaryKey: readonly string[] = []): MysqlTable {
  const id = { namespace: '', schema: 'shop', table: 'orders' };
  return { schema: tableSchema({ id, columns: columns.map((c) => c.schema), primaryKey, comment: null }), columns };
}

export function spec(of: MysqlTable, parts: Partial<RenderSpec> = {}): RenderSpec {
  return {
    columns: of.columns.map((c) => c.name),
    keyColumns: of.schema.primaryKey,
    keyStyle: 'json',
    keyPrefix: Buffer.from('{"TableId":"shop.orders"'),
    values: defaultValues,
    ...parts,
  };
}

/** Null bits and cells of one image; a cell is bytes, null for NULL, undefined for absent. */
export function image(cells: readonly (Buffer | null | undefined)[]): Buffer {
  const present = cells.filter((cell) => cell !== undefined);
  const nullBits = Buffer.alloc(Math.ceil(present.length / 8));
  for (const [index, cell] of present.entries()) {
    if (cell === null) nullBits[index >> 3] = (nullBits[index >> 3] as number) | (1 << (index & 7));
  }
  return Buffer.concat([nullBits, ...present.filter((cell) => cell !== null)]);
}

export function presentBits(cells: readonly (Buffer | null | undefined)[]): Buffer {
  const bits = Buffer.alloc(Math.ceil(cells.length / 8));
  for (const [index, cell] of cells.entries()) {
    if (cell !== undefined) bits[index >> 3] = (bits[index >> 3] as number) | (1 << (index & 7));
  }
  return bits;
}

/** A cell with a length prefix of `prefixBytes`. */
export function prefixed(prefixBytes: number, bytes: Buffer | string): Buffer {
  const body = Buffer.from(bytes);
  const prefix = Buffer.alloc(prefixBytes);
  prefix.writeUIntLE(body.length, 0, prefixBytes);
  return Buffer.concat([prefix, body]);
}

/** Rows between other bytes, so that a read beyond the area shows. */
export function binlogRows(
  of: MysqlTable,
  op: RowOp,
  images: readonly Buffer[],
  parts: Partial<BinlogRows> = {},
): BinlogRows {
  const area = Buffer.concat(images);
  const bytes = Buffer.concat([Buffer.alloc(7, 0xaa), area, Buffer.alloc(9, 0xbb)]);
  return {
    kind: 'binlog',
    table: of,
    op,
    bytes,
    start: 7,
    end: 7 + area.length,
    presentBefore: 0,
    presentAfter: 0,
    complete: true,
    ...parts,
  };
}

function lengthEncoded(cell: Buffer | null): Buffer {
  if (cell === null) return Buffer.from([0xfb]);
  if (cell.length < 251) return prefixed(1, cell);
  if (cell.length < 65_536) return Buffer.concat([Buffer.from([0xfc]), prefixed(2, cell)]);
  return Buffer.concat([Buffer.from([0xfd]), prefixed(3, cell)]);
}

export function textRows(of: MysqlTable, rows: readonly (readonly (Buffer | null)[])[]): TextRows {
  const payloads = rows.map((cells) => Buffer.concat(cells.map(lengthEncoded)));
  const bytes = Buffer.concat([Buffer.alloc(5, 0xaa), ...payloads, Buffer.alloc(5, 0xbb)]);
  const rowStart = new Int32Array(rows.length);
  const rowEnd = new Int32Array(rows.length);
  let position = 5;
  for (const [index, payload] of payloads.entries()) {
    rowStart[index] = position;
    position += payload.length;
    rowEnd[index] = position;
  }
  return { kind: 'text', table: of, bytes, count: rows.length, rowStart, rowEnd };
}

export interface Rendered {
  readonly before: string | null;
  readonly after: string | null;
  readonly beforeKey: string | null;
  readonly afterKey: string | null;
  readonly keyChanged: boolean;
  readonly unavailable: readonly string[] | null;
}

/** All rows of a batch as text. */
export function renderAll(renderer: RowRenderer, batch: BinlogRows | TextRows): Rendered[] {
  const out = new ByteWriter(16);
  const rows: Rendered[] = [];
  renderer.open(batch);
  while (renderer.next(out)) {
    const { row } = renderer;
    const text = (start: number, end: number): string | null =>
      start < 0 ? null : out.bytes.toString('utf8', start, end);
    rows.push({
      before: text(row.beforeStart, row.beforeEnd),
      after: text(row.afterStart, row.afterEnd),
      beforeKey: text(row.beforeKeyStart, row.beforeKeyEnd),
      afterKey: text(row.afterKeyStart, row.afterKeyEnd),
      keyChanged: row.keyChanged,
      unavailable: row.unavailable,
    });
  }
  return rows;
}

function onlyValue(rows: readonly Rendered[]): string {
  return (rows[0]?.after ?? '').slice('{"v":'.length, -1);
}

/** JSON of one cell of the log. */
export function streamValue(of: MysqlColumn, cell: Buffer, values: Partial<ValueRendering> = {}): string {
  const single = table([of]);
  const renderer = compileRenderer(single, spec(single, { values: { ...defaultValues, ...values } }), 'stream');
  return onlyValue(renderAll(renderer, binlogRows(single, 'create', [image([cell])])));
}

/** JSON of one cell of the text protocol. */
export function snapshotValue(of: MysqlColumn, cell: Buffer, values: Partial<ValueRendering> = {}): string {
  const single = table([of]);
  const renderer = compileRenderer(single, spec(single, { values: { ...defaultValues, ...values } }), 'snapshot');
  return onlyValue(renderAll(renderer, textRows(single, [[cell]])));
}
