import type { TableId } from '../event/table-id.ts';
import type { FrameText } from './change-frame.ts';
import { jsonText } from './json-text.ts';

export interface DebeziumJsonFrameOptions {
  /** `oss` prints no `ts_ms`; `vvr` prints it last in `source`. */
  readonly flavour: 'vvr' | 'oss';
  readonly snapshotOp: 'c' | 'r';
  /** Adds `schema` to `source` and puts the namespace into `db` (PostgreSQL only). */
  readonly fullTableId: boolean;
}

/** Text of debezium-json without schema: `before`, `after`, `op`, `source` in this order. */
export function debeziumJsonFrame(id: TableId, options: DebeziumJsonFrameOptions): FrameText {
  const full = options.fullTableId && id.namespace !== '';
  const db = full ? id.namespace : id.schema;
  const schema = full ? `,"schema":${jsonText(id.schema)}` : '';
  const source = `"source":{"db":${jsonText(db)}${schema},"table":${jsonText(id.table)}`;
  const tail = (op: string): readonly string[] =>
    options.flavour === 'oss' ? [`,"op":"${op}",${source}}}`] : [`,"op":"${op}",${source},"ts_ms":`, '}}'];
  const deleteTail = tail('d');
  const created = '{"before":null,"after":';
  return {
    head: { create: created, read: created, update: '{"before":', delete: '{"before":' },
    middle: ',"after":',
    tail: {
      create: tail('c'),
      read: tail(options.snapshotOp),
      update: tail('u'),
      delete: deleteTail.map((part, index) => (index === 0 ? `,"after":null${part}` : part)),
    },
    truncate: tail('t').map((part, index) => (index === 0 ? `{"before":null,"after":null${part}` : part)),
  };
}
