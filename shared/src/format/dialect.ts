import type { RecordFrame } from './record-frame.ts';
import type { ValueFields } from './value-fields.ts';

/** One shape of records. A new dialect is one file and one line in `ValueDecoder`. */
export interface Dialect {
  /** The `value.format` that its records belong to. */
  readonly family: 'debezium-json' | 'canal-json';
  /** Whether the top-level fields are this dialect's. */
  recognises(fields: ValueFields): boolean;
  /** Fills `frame`, which is clear. */
  decode(fields: ValueFields, frame: RecordFrame): void;
}
