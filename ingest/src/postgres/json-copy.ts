import type { ByteWriter } from '@millrace/shared/bytes/byte-writer.ts';

/**
 * A place in JSON text and the place in COPY text that it is copied to. `view` may be read up to seven bytes beyond
 * `limit`; `outView` holds room for the row, and bytes beyond `to` may be overwritten.
 */
export class JsonCopy {
  source: Buffer = Buffer.alloc(0);
  view: DataView = new DataView(new ArrayBuffer(0));
  at = 0;
  limit = 0;
  out: Buffer = Buffer.alloc(0);
  outView: DataView = new DataView(new ArrayBuffer(0));
  to = 0;
  /** All words of texts that were copied, by OR: tells whether UTF-8 must be checked. */
  seen = 0;

  open(source: Buffer, start: number, end: number, writer: ByteWriter, out: Buffer): void {
    if (source !== this.source) {
      this.source = source;
      this.view = new DataView(source.buffer, source.byteOffset, source.length);
    }
    if (out !== this.out) {
      this.out = out;
      this.outView = new DataView(out.buffer, out.byteOffset, out.length);
    }
    this.at = start;
    this.limit = end;
    this.to = writer.length;
  }
}

/**
 * Copies the value at `copy.at` when it has the form that a writer of ours gives it: checks it in full, writes what
 * `CellWriter.write` would and moves both places on. False, with the places anywhere, when the value has any other form,
 * valid or not. UTF-8 is left to the caller.
 */
export type CopyCell = (copy: JsonCopy) => boolean;

/** Whether four bytes are digits. */
export function areDigits(word: number): boolean {
  return (word & (0xf0f0f0f0 | 0)) === 0x30303030 && ((word + 0x06060606) & (0xf0f0f0f0 | 0)) === 0x30303030;
}

/** Digits from `copy.at` on; how many there were. */
export function copyDigits(copy: JsonCopy): number {
  const { view, outView, limit } = copy;
  const start = copy.at;
  let at = start;
  let to = copy.to;
  while (at < limit) {
    const byte = view.getUint8(at);
    if (byte < 0x30 || byte > 0x39) break;
    outView.setUint8(to++, byte);
    at++;
  }
  copy.at = at;
  copy.to = to;
  return at - start;
}
