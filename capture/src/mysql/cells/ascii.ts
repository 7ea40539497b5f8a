/** Small moves of bytes between views; the output may be overwritten up to three bytes past the end (its slack). */

/** Copies `length` bytes by words. `source` must have three bytes behind the range. */
export function copyPadded(out: DataView, at: number, source: DataView, start: number, length: number): number {
  for (let offset = 0; offset < length; offset += 4) {
    out.setInt32(at + offset, source.getInt32(start + offset, true), true);
  }
  return at + length;
}

/** Copies `source[start, end)` byte by byte: for short ranges without slack behind them. */
export function copyBytes(out: DataView, at: number, source: DataView, start: number, end: number): number {
  let position = at;
  for (let from = start; from < end; from++) out.setUint8(position++, source.getUint8(from));
  return position;
}

export function writeNull(out: DataView, at: number): number {
  out.setUint32(at, 0x6c6c_756e, true);
  return at + 4;
}

export function writeBoolean(out: DataView, at: number, value: boolean): number {
  if (value) {
    out.setUint32(at, 0x6575_7274, true);
    return at + 4;
  }
  out.setUint32(at, 0x736c_6166, true);
  out.setUint8(at + 4, 0x65);
  return at + 5;
}

/** The bytes as a Latin-1 string: for digits and other ASCII cells. */
export function asciiText(source: DataView, start: number, end: number): string {
  return Buffer.from(source.buffer, source.byteOffset + start, end - start).toString('latin1');
}

/** A copy of the bytes. */
export function bytesOf(source: DataView, start: number, end: number): Uint8Array {
  return Uint8Array.from(new Uint8Array(source.buffer, source.byteOffset + start, end - start));
}
