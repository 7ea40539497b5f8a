import { CdcError } from '@millrace/shared/errors/cdc-error.ts';

import { cellKind } from '@millrace/shared/format/json-cells.ts';
import type { CopyCell } from './json-copy.ts';
import type { InvalidTextPolicy } from './options.ts';

/**
 * Writes one located JSON cell that is neither null nor absent as COPY text at `out[at…)` and returns the place after
 * it. Nothing that it writes can end a field or a row. The caller has reserved the room that `CellWriter` asks for.
 */
export type WriteCell = (source: Buffer, kind: number, start: number, end: number, out: Buffer, at: number) => number;

export interface CellWriter {
  readonly write: WriteCell;
  /** The short way for values in their usual form; null where there is none. */
  readonly copy: CopyCell | null;
  /** Whether `write` takes strings with escapes. */
  readonly readsEscapes: boolean;
  /** Room per byte of the cell. */
  readonly bytesPerByte: number;
  /** Room beside that, never more than 64 but for bit strings. */
  readonly extraBytes: number;
}

/** Why a value cannot go into its column; a closed list, shown to people. */
export type CellReason =
  | 'kind-of-value'
  | 'not-a-number'
  | 'not-an-integer'
  | 'out-of-range'
  | 'scale'
  | 'not-a-boolean'
  | 'not-a-date'
  | 'zero-date'
  | 'not-a-time'
  | 'time-zone'
  | 'unit-unknown'
  | 'not-base64'
  | 'bits'
  | 'invalid-text'
  | 'nested-array'
  | 'absent'
  | 'null-key';

/** The column and row are added by the transcoder, which knows them. */
export function rejectCell(reason: CellReason): CdcError {
  return new CdcError('DESTINATION_WRITE_REJECTED', 'a value does not fit its column', { details: { reason } });
}

/** Counts what a lenient policy changed; reset by its reader. */
export interface TextRepairs {
  count: number;
}

export interface CellContext {
  readonly invalidText: InvalidTextPolicy;
  readonly repairs: TextRepairs;
}

/** The view of the buffer that was asked for last; buffers change once in many cells. */
class LastView {
  #buffer: Buffer = Buffer.alloc(0);
  #view: DataView = new DataView(new ArrayBuffer(0));

  of(buffer: Buffer): DataView {
    if (buffer !== this.#buffer) {
      this.#buffer = buffer;
      this.#view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
    }
    return this.#view;
  }
}

export const sourceViews = new LastView();
export const outViews = new LastView();

const shortCopyBytes = 96;

/** Copies bytes; short runs without the cost of a call into the runtime. */
export function copyBytes(source: Buffer, start: number, end: number, out: Buffer, at: number): number {
  if (end - start > shortCopyBytes) return at + source.copy(out, at, start, end);
  let from = start;
  let to = at;
  if (end - start >= 8) {
    const sourceView = sourceViews.of(source);
    const outView = outViews.of(out);
    const lastWord = end - 4;
    while (from <= lastWord) {
      outView.setInt32(to, sourceView.getInt32(from, true), true);
      from += 4;
      to += 4;
    }
  }
  while (from < end) out[to++] = source[from++] as number;
  return to;
}

/** Writes one cell by a writer that may know nothing of escapes: such text (`\/` in base64) is unescaped first. */
export function writeCell(
  writer: CellWriter,
  source: Buffer,
  kind: number,
  start: number,
  end: number,
  out: Buffer,
  at: number,
): number {
  if (kind !== cellKind.escapedString || writer.readsEscapes) return writer.write(source, kind, start, end, out, at);
  const text = Buffer.from(JSON.parse(`"${source.toString('utf8', start, end)}"`) as string);
  return writer.write(text, cellKind.string, 0, text.length, out, at);
}
