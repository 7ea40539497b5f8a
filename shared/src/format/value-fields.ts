import { digitsAt } from '../bytes/digits.ts';
import { cellKind, RowCells } from './json-cells.ts';
import type { Span } from './record-frame.ts';

/** Top-level fields by which the dialects are told apart and read. */
const names = [
  'before',
  'after',
  'op',
  'source',
  'schema',
  'payload',
  'data',
  'old',
  'type',
  'database',
  'table',
  'pkNames',
  'ts',
  'isDdl',
  '_tidb',
  'status',
  'data_collections',
  'ddl',
  'tableChanges',
  'ts_ms',
  'op_type',
  '__deleted',
  '__op',
  '__table',
] as const;

export type ValueField = (typeof names)[number];

const indexOf = Object.fromEntries(names.map((name, index) => [name, index])) as Readonly<Record<ValueField, number>>;

/** Indexes of the fields in `ValueFields.cells`. */
export const field = indexOf;

/** The top-level fields of the value that was read last. */
export class ValueFields {
  readonly cells = new RowCells(names);
  bytes: Buffer = Buffer.alloc(0);

  read(bytes: Buffer, start: number, end: number): void {
    this.bytes = bytes;
    this.cells.read(bytes, start, end);
  }

  has(index: number): boolean {
    return this.cells.kind[index] !== cellKind.absent;
  }

  isObject(index: number): boolean {
    return this.cells.kind[index] === cellKind.object;
  }

  isNull(index: number): boolean {
    return this.cells.kind[index] === cellKind.null;
  }

  isText(index: number): boolean {
    const kind = this.cells.kind[index];
    return kind === cellKind.string || kind === cellKind.escapedString;
  }

  start(index: number): number {
    return this.cells.start[index] as number;
  }

  end(index: number): number {
    return this.cells.end[index] as number;
  }

  /** Only the two fields of an envelope with schema. */
  isEnvelope(): boolean {
    return (
      this.cells.unknownFields === 0 &&
      this.has(field.schema) &&
      this.has(field.payload) &&
      names.every((_, index) => index === field.schema || index === field.payload || !this.has(index))
    );
  }
}

/** Puts the text cell `index` into `span`; leaves the span absent for null, absent and other kinds. */
export function textSpan(cells: RowCells, index: number, span: Span): void {
  const kind = cells.kind[index];
  if (kind !== cellKind.string && kind !== cellKind.escapedString) return;
  span.set(cells.start[index] as number, cells.end[index] as number, kind === cellKind.escapedString);
}

/** An integer cell as a number, 0 when it is none or beyond what a double holds exactly. */
export function safeInteger(bytes: Buffer, cells: RowCells, index: number): number {
  if (cells.kind[index] !== cellKind.number) return 0;
  const start = cells.start[index] as number;
  const end = cells.end[index] as number;
  return end - start > 15 ? 0 : digitsAt(bytes, start, end);
}
