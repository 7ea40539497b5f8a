import type { ByteWriter } from '@millrace/shared/bytes/byte-writer.ts';
import type { TableId } from '@millrace/shared/event/table-id.ts';

import type { ValueRendering } from '../../source.ts';
import { opcode } from './opcode.ts';
import { copyPadded, writeNull } from '../cells/ascii.ts';
import { refusal } from '../cells/refusal.ts';
import { writeReplaced } from '../cells/text.ts';
import { shrinkUnitScratch } from '../charset.ts';
import type { CellPlan } from './cell-plan.ts';
import { countedCellBytes, greatestGrowth, largeCellRoom } from './cell-room.ts';
import { refusedCell } from './refused-cell.ts';
import { absentCell } from './spans.ts';
import type { Spans } from './spans.ts';
import { cellPlans, writeCell, writeSmallInteger } from './write-cell.ts';
import type { CellPlans } from './write-cell.ts';

/** A column to write: its name, its place in the table, its cell plan. */
export interface Field {
  readonly name: string;
  readonly column: number;
  readonly cell: CellPlan;
}

export interface FieldPolicy {
  readonly ignoreNulls: boolean;
  readonly zeroDates: ValueRendering['zeroDates'];
  readonly invalidText: ValueRendering['invalidText'];
}

interface NamePrefixes {
  readonly bytes: DataView;
  readonly starts: Int32Array;
  readonly lengths: Int32Array;
}

/** `,"name":` of each field, padded so that they can be copied by words. */
function namePrefixes(fields: readonly Field[]): NamePrefixes {
  const texts = fields.map((field) => Buffer.from(`,${JSON.stringify(field.name)}:`, 'utf8'));
  const starts = new Int32Array(fields.length);
  let size = 0;
  for (const [index, text] of texts.entries()) {
    starts[index] = size;
    size += (text.length + 3) & ~3;
  }
  const bytes = new Uint8Array(size);
  for (const [index, text] of texts.entries()) bytes.set(text, starts[index]);
  return { bytes: new DataView(bytes.buffer), starts, lengths: Int32Array.from(texts, (text) => text.length) };
}

const openBrace = 0x7b;
const closeBrace = 0x7d;

/** Appends a JSON object with the columns of a row, in the order of its fields: a row image, or a record key. */
export class FieldWriter {
  /** Cells in which U+FFFD replaced undecodable bytes, since the start. */
  replacedTexts = 0;

  readonly #table: TableId;
  readonly #policy: FieldPolicy;
  readonly #fields: readonly Field[];
  readonly #plans: CellPlans;
  readonly #columns: Int32Array;
  readonly #names: NamePrefixes;
  readonly #head: DataView;
  readonly #headBytes: number;
  /** The first field's comma gives way to the opening brace. */
  readonly #opens: boolean;
  /** Room of names and constant parts of all cells. */
  readonly #room: number;
  #viewed: Buffer | null = null;
  #view: DataView = new DataView(new ArrayBuffer(0));

  /** `head` opens the object, with members in front of the fields (`{"TableId":"db.t"`) or without (`{`). */
  constructor(table: TableId, fields: readonly Field[], policy: FieldPolicy, head: Uint8Array) {
    this.#opens = head.length === 1 && head[0] === openBrace;
    this.#headBytes = this.#opens ? 0 : head.length;
    const padded = new Uint8Array((head.length + 3) & ~3);
    padded.set(head);
    this.#head = new DataView(padded.buffer);
    this.#table = table;
    this.#policy = policy;
    this.#fields = fields;
    this.#plans = cellPlans(fields.map((field) => field.cell));
    this.#columns = Int32Array.from(fields, (field) => field.column);
    this.#names = namePrefixes(fields);
    this.#room =
      this.#names.bytes.byteLength + fields.reduce((room, field) => room + field.cell.room, head.length + 64);
  }

  append(writer: ByteWriter, source: DataView, cells: Spans): void {
    if (cells.bytes >= countedCellBytes) {
      this.#appendLarge(writer, source, cells);
      return;
    }
    let out = this.#reserve(writer, this.#room + cells.bytes * greatestGrowth);
    const plans = this.#plans;
    const columns = this.#columns;
    const ops = plans.op;
    const { starts, ends } = cells;
    const { bytes: nameBytes, starts: nameStarts, lengths: nameLengths } = this.#names;
    const ignoreNulls = this.#policy.ignoreNulls;
    const first = copyPadded(out, writer.length, this.#head, 0, this.#headBytes);
    let at = first;
    for (let index = 0; index < columns.length; index++) {
      const column = columns[index] as number;
      const start = starts[column] as number;
      if (start < 0 && (ignoreNulls || start === absentCell)) continue;
      const valueAt = copyPadded(out, at, nameBytes, nameStarts[index] as number, nameLengths[index] as number);
      if (start < 0) {
        at = writeNull(out, valueAt);
        continue;
      }
      const end = ends[column] as number;
      const limit = valueAt + (end - start) * greatestGrowth + 512;
      const next =
        (ops[index] as number) <= opcode.lastSmallInteger
          ? writeSmallInteger(ops[index] as number, out, valueAt, source, start)
          : writeCell(plans, index, out, valueAt, source, start, end, limit);
      if (next >= 0) at = next;
      else {
        at = this.#refused(next, writer, index, at, valueAt, source, start, end);
        out = this.#view;
      }
    }
    writer.length = this.#close(out, first, at);
  }

  #close(out: DataView, first: number, at: number): number {
    let next = at;
    if (this.#opens) {
      out.setUint8(first, openBrace);
      if (next === first) next++;
    }
    out.setUint8(next, closeBrace);
    return next + 1;
  }

  /** The same for rows with large cells: room is made cell by cell, by what the cell really needs. */
  #appendLarge(writer: ByteWriter, source: DataView, cells: Spans): void {
    const first = copyPadded(this.#reserve(writer, this.#headBytes), writer.length, this.#head, 0, this.#headBytes);
    writer.length = first;
    for (const [index, field] of this.#fields.entries()) {
      const start = cells.starts[field.column] as number;
      if (start < 0 && (this.#policy.ignoreNulls || start === absentCell)) continue;
      const end = cells.ends[field.column] as number;
      const bytes = start < 0 ? 0 : end - start;
      const large = bytes >= countedCellBytes;
      let room = large ? largeCellRoom(this.#plans, index, source, start, end) : bytes * greatestGrowth;
      const fixed = (this.#names.lengths[index] as number) + field.cell.room + 64;
      for (;;) {
        const out = this.#reserve(writer, fixed + room);
        const at = writer.length;
        const valueAt = copyPadded(
          out,
          at,
          this.#names.bytes,
          this.#names.starts[index] as number,
          this.#names.lengths[index] as number,
        );
        const next =
          start < 0
            ? writeNull(out, valueAt)
            : writeCell(this.#plans, index, out, valueAt, source, start, end, valueAt + room + field.cell.room);
        if (next === refusal.room && room < bytes * greatestGrowth) {
          room = Math.min(room * 2, bytes * greatestGrowth);
          continue;
        }
        writer.length = next >= 0 ? next : this.#refused(next, writer, index, at, valueAt, source, start, end);
        break;
      }
    }
    shrinkUnitScratch();
    writer.length = this.#close(this.#reserve(writer, 2), first, writer.length);
  }

  /** Applies the policy to a refused cell, or throws. Returns where the next field starts. */
  #refused(
    code: number,
    writer: ByteWriter,
    index: number,
    at: number,
    valueAt: number,
    source: DataView,
    start: number,
    end: number,
  ): number {
    if (code === refusal.zeroDate && this.#policy.zeroDates !== 'fail') {
      return this.#policy.ignoreNulls ? at : writeNull(this.#view, valueAt);
    }
    const field = this.#fields[index] as Field;
    const charset = field.cell.charset;
    if (code === refusal.invalidText && this.#policy.invalidText === 'replace' && charset !== null) {
      // Grows nothing but after a large cell, whose counted room does not know of replacements.
      writer.length = valueAt;
      const out = this.#reserve(writer, (end - start) * 6 + 64);
      this.replacedTexts++;
      return writeReplaced(out, valueAt, source, start, end, charset);
    }
    throw refusedCell(code, this.#table, field.name);
  }

  #reserve(writer: ByteWriter, room: number): DataView {
    const bytes = writer.reserve(room);
    if (bytes !== this.#viewed) {
      this.#viewed = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    return this.#view;
  }
}
