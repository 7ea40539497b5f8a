import type { Dialect } from './dialect.ts';
import { cellKind, RowCells } from './json-cells.ts';
import { undecodable } from './json-scanner.ts';
import { frameOp } from './record-frame.ts';
import type { RecordFrame } from './record-frame.ts';
import { field, safeInteger, textSpan } from './value-fields.ts';
import type { ValueFields } from './value-fields.ts';

const sourceFields = ['db', 'schema', 'table', 'ts_ms', 'connector'] as const;
const source = { db: 0, schema: 1, table: 2, timeMs: 3, connector: 4 } as const;

const letters = new Map<number, number>([
  [0x63, frameOp.create],
  [0x75, frameOp.update],
  [0x64, frameOp.delete],
  [0x72, frameOp.read],
  [0x74, frameOp.truncate],
  [0x6d, frameOp.ignored],
]);

/** Millrace, OSS, VVR and Debezium's own connectors: `before`, `after`, `op`, `source`. */
export class DebeziumJsonDecoder implements Dialect {
  readonly family = 'debezium-json';
  readonly #source = new RowCells(sourceFields);

  recognises(fields: ValueFields): boolean {
    return fields.has(field.source) && (fields.has(field.before) || fields.has(field.after) || fields.has(field.op));
  }

  decode(fields: ValueFields, frame: RecordFrame): void {
    frame.op = operation(fields);
    if (frame.op === frameOp.ignored) {
      frame.ignored = 'message';
      return;
    }
    this.#readSource(fields, frame);
    if (frame.op === frameOp.truncate) return;
    const row = frame.addRow();
    if (imageIn(fields, field.before)) frame.setBefore(row, fields.start(field.before), fields.end(field.before));
    if (frame.op === frameOp.delete) return;
    if (!imageIn(fields, field.after)) throw undecodable('missing-after');
    frame.setAfter(row, fields.start(field.after), fields.end(field.after));
  }

  #readSource(fields: ValueFields, frame: RecordFrame): void {
    if (!fields.isObject(field.source)) throw undecodable('missing-table');
    const cells = this.#source;
    cells.read(fields.bytes, fields.start(field.source), fields.end(field.source));
    const ofConnector = cells.kind[source.connector] !== cellKind.absent;
    textSpan(cells, source.table, frame.table);
    textSpan(cells, source.schema, frame.schema);
    if (frame.schema.present) {
      // Millrace's full table id; Debezium's PostgreSQL connector names the database too, but its ids do not hold it.
      if (!ofConnector) textSpan(cells, source.db, frame.namespace);
    } else {
      textSpan(cells, source.db, frame.schema);
    }
    if (!frame.table.present) throw undecodable('missing-table');
    frame.timeMs = safeInteger(fields.bytes, cells, source.timeMs);
    if (cells.kind[source.timeMs] === cellKind.number) {
      frame.time.set(cells.start[source.timeMs] as number, cells.end[source.timeMs] as number);
    }
    frame.mayHoldPlaceholders = ofConnector;
  }
}

function operation(fields: ValueFields): number {
  if (!fields.isText(field.op)) throw undecodable('missing-op');
  const at = fields.start(field.op);
  const op = fields.end(field.op) - at === 1 ? letters.get(fields.bytes[at] as number) : undefined;
  if (op === undefined) throw undecodable('unknown-op');
  return op;
}

function imageIn(fields: ValueFields, index: number): boolean {
  if (fields.isObject(index)) return true;
  if (fields.has(index) && !fields.isNull(index)) throw undecodable('not-object');
  return false;
}
