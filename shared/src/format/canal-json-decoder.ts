import type { Dialect } from './dialect.ts';
import { byteOf, JsonScanner, undecodable } from './json-scanner.ts';
import { cellKind } from './json-cells.ts';
import { frameOp } from './record-frame.ts';
import type { RecordFrame } from './record-frame.ts';
import { field, safeInteger, textSpan } from './value-fields.ts';
import type { ValueFields } from './value-fields.ts';

const operations = new Map<string, number>([
  ['INSERT', frameOp.create],
  ['UPDATE', frameOp.update],
  ['DELETE', frameOp.delete],
  ['TRUNCATE', frameOp.truncate],
]);

/** Millrace, OSS and VVR: `old` and `data` are arrays of whole rows with typed values, `pkNames` names the key. */
export class CanalJsonDecoder implements Dialect {
  readonly family = 'canal-json';
  readonly #scanner = new JsonScanner();

  recognises(fields: ValueFields): boolean {
    return (
      fields.has(field.type) &&
      fields.has(field.data) &&
      fields.has(field.database) &&
      fields.has(field.pkNames) &&
      !fields.has(field.isDdl) &&
      !fields.has(field._tidb)
    );
  }

  decode(fields: ValueFields, frame: RecordFrame): void {
    frame.op = operation(fields);
    const { cells, bytes } = fields;
    textSpan(cells, field.database, frame.schema);
    textSpan(cells, field.table, frame.table);
    if (!frame.table.present) throw undecodable('missing-table');
    if (cells.kind[field.pkNames] === cellKind.array) {
      frame.keyNames.set(fields.start(field.pkNames), fields.end(field.pkNames));
    }
    frame.timeMs = safeInteger(bytes, cells, field.ts);
    if (frame.op === frameOp.truncate) return;
    if (frame.op === frameOp.delete) this.#deleted(fields, frame);
    else this.#written(fields, frame);
  }

  #written(fields: ValueFields, frame: RecordFrame): void {
    const rows = this.#images(fields, field.data, (start, end) => {
      frame.setAfter(frame.addRow(), start, end);
    });
    if (rows === 0) throw undecodable('missing-after');
    if (frame.op !== frameOp.update) return;
    const old = this.#images(fields, field.old, (start, end, row) => {
      if (row < rows) frame.setBefore(row, start, end);
    });
    if (old !== 0 && old !== rows) throw undecodable('data-old-mismatch');
  }

  /** The deleted rows stand in `data`; sinks of before 2025 put them into `old` (T182). */
  #deleted(fields: ValueFields, frame: RecordFrame): void {
    const from = fields.isNull(field.data) ? field.old : field.data;
    const rows = this.#images(fields, from, (start, end) => {
      frame.setBefore(frame.addRow(), start, end);
    });
    if (rows === 0) throw undecodable('missing-before');
  }

  /** Visits the objects of an array; returns how many there are. Null and absent count as none. */
  #images(fields: ValueFields, index: number, visit: (start: number, end: number, row: number) => void): number {
    if (!fields.has(index) || fields.isNull(index)) return 0;
    if (fields.cells.kind[index] !== cellKind.array) throw undecodable('data-old-mismatch');
    const scanner = this.#scanner;
    scanner.load(fields.bytes, fields.start(index), fields.end(index));
    let at = scanner.blanks(fields.start(index) + 1);
    let rows = 0;
    while (scanner.peek(at) !== byteOf.closeBracket) {
      if (scanner.peek(at) !== byteOf.openBrace) throw undecodable('not-object');
      const end = scanner.value(at, 1);
      visit(at, end, rows++);
      at = scanner.blanks(end);
      if (scanner.peek(at) === byteOf.comma) at = scanner.blanks(at + 1);
    }
    return rows;
  }
}

function operation(fields: ValueFields): number {
  if (!fields.isText(field.type)) throw undecodable('unknown-type');
  const op = operations.get(fields.bytes.toString('latin1', fields.start(field.type), fields.end(field.type)));
  if (op === undefined) throw undecodable('unknown-type');
  return op;
}
