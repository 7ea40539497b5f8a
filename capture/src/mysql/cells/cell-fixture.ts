/** For tests of cell writers: bytes in, text out, with a guard behind the text. */

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const before = 3;

/** Runs a writer at an odd position of a fresh output; returns its text, or the refusal that it returned. */
export function written(room: number, write: (out: DataView, at: number) => number): string | number {
  const bytes = Buffer.alloc(before + room + 64, 0x7e);
  const end = write(viewOf(bytes), before);
  if (end < 0) return end;
  if (end > before + room) throw new Error(`${end - before} bytes written where ${room} were announced`);
  if (bytes.subarray(0, before).some((byte) => byte !== 0x7e)) throw new Error('bytes before the start were changed');
  return bytes.toString('utf8', before, end);
}

/** Big-endian bytes of a non-negative number. */
export function bigEndian(value: bigint, length: number): Buffer {
  return Buffer.from(value.toString(16).padStart(length * 2, '0'), 'hex');
}
