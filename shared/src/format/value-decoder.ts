import { CdcError } from '../errors/cdc-error.ts';
import { CanalJsonDecoder } from './canal-json-decoder.ts';
import { DebeziumJsonDecoder } from './debezium-json-decoder.ts';
import type { Dialect } from './dialect.ts';
import { foreignDialects, rowlessKind } from './foreign-dialects.ts';
import { undecodable } from './json-scanner.ts';
import { KnownFrames } from './known-frames.ts';
import type { RecordFrame } from './record-frame.ts';
import { frameOp } from './record-frame.ts';
import { field, ValueFields } from './value-fields.ts';

export type ValueFormat = 'debezium-json' | 'canal-json' | 'auto';

export interface ValueDecoderOptions {
  readonly format: ValueFormat;
  /** Every value must stand in an envelope with its schema. */
  readonly envelopeRequired: boolean;
  /** Every value is checked whole, whether its shape is known or not. */
  readonly wholeValues?: boolean;
}

/**
 * Reads record values into frames. Whoever uses an image must read it with `RowCells`, which checks grammar, UTF-8,
 * nesting and repeated fields. Of a value whose shape is new everything is checked here but repeated fields inside an
 * image; of one whose shape was met before (`KnownFrames`), everything outside of the images.
 */
export class ValueDecoder {
  readonly frame: RecordFrame;
  readonly #options: ValueDecoderOptions;
  readonly #fields = new ValueFields();
  readonly #dialects: readonly Dialect[] = [new DebeziumJsonDecoder(), new CanalJsonDecoder()];
  readonly #known = new KnownFrames();
  #last: Dialect | null = null;

  constructor(frame: RecordFrame, options: ValueDecoderOptions) {
    this.frame = frame;
    this.#options = options;
  }

  /**
   * Returns false when the value is a tombstone inside an envelope. Throws `RECORD_UNDECODABLE` with the reason of the
   * contract.
   */
  decode(bytes: Buffer, start: number, end: number): boolean {
    const { frame } = this;
    const fields = this.#fields;
    frame.clear();
    if (this.#options.wholeValues !== true && this.#known.read(bytes, start, end, frame)) return true;
    fields.read(bytes, start, end);
    const enveloped = fields.isEnvelope();
    if (enveloped) {
      if (fields.isNull(field.payload)) return false;
      if (!fields.isObject(field.payload)) throw undecodable('not-object');
      fields.read(bytes, fields.start(field.payload), fields.end(field.payload));
    } else if (this.#options.envelopeRequired) {
      throw undecodable('missing-envelope');
    }
    const dialect = this.#last?.recognises(fields) === true ? this.#last : this.#find(fields);
    if (dialect === null) return true;
    this.#last = dialect;
    dialect.decode(fields, frame);
    if (!enveloped && dialect.family === 'debezium-json') this.#known.learn(bytes, fields.start(field.op), end, frame);
    return true;
  }

  /** Null when the record carries no rows. */
  #find(fields: ValueFields): Dialect | null {
    const dialect = this.#dialects.find((candidate) => candidate.recognises(fields));
    if (dialect !== undefined) {
      this.#demandFamily(dialect.family);
      return dialect;
    }
    const rowless = rowlessKind(fields);
    if (rowless !== '') {
      this.frame.op = frameOp.ignored;
      this.frame.ignored = rowless;
      return null;
    }
    const foreign = foreignDialects.find((candidate) => candidate.recognises(fields));
    if (foreign === undefined) throw undecodable('unknown-shape');
    this.#demandFamily(foreign.family);
    throw new CdcError('RECORD_UNDECODABLE', 'records of this producer are not read by this version', {
      details: { reason: 'dialect-unsupported', dialect: foreign.name },
      hint: 'Write the topic with Millrace or Flink CDC (debezium-json, canal-json) or with a Debezium connector.',
    });
  }

  #demandFamily(family: string): void {
    const { format } = this.#options;
    if (format === 'auto' || format === family) return;
    throw new CdcError('RECORD_UNDECODABLE', 'the record is of another format', {
      details: { reason: 'dialect-mismatch', format, found: family },
      hint: `Set value.format: ${family}.`,
    });
  }
}
