const slackBytes = 64;

/**
 * A growing output buffer that is filled and reused. Hot code takes `bytes` and `length` into locals after `reserve`
 * and stores `length` back; `bytes` is replaced only by `reserve`. At least 64 bytes beyond the reserved room may be
 * overwritten (word-wise copies), never read back.
 */
export class ByteWriter {
  bytes: Buffer;
  length = 0;

  constructor(capacity = 65_536) {
    this.bytes = Buffer.allocUnsafeSlow(capacity + slackBytes);
  }

  /** Makes room for `count` more bytes and returns the buffer to write into. */
  reserve(count: number): Buffer {
    const needed = this.length + count + slackBytes;
    if (needed > this.bytes.length) this.#grow(needed);
    return this.bytes;
  }

  append(source: Uint8Array): void {
    this.reserve(source.length).set(source, this.length);
    this.length += source.length;
  }

  /** Copies `source[start, end)` without making a view. */
  appendRange(source: Buffer, start: number, end: number): void {
    const target = this.reserve(end - start);
    source.copy(target, this.length, start, end);
    this.length += end - start;
  }

  appendByte(value: number): void {
    this.reserve(1)[this.length++] = value;
  }

  appendAscii(text: string): void {
    const target = this.reserve(text.length);
    this.length += target.write(text, this.length, 'latin1');
  }

  appendUtf8(text: string): void {
    const target = this.reserve(text.length * 3);
    this.length += target.write(text, this.length, 'utf8');
  }

  /** A copy of what was written. */
  copy(): Buffer {
    return Buffer.from(this.bytes.subarray(0, this.length));
  }

  clear(): void {
    this.length = 0;
  }

  #grow(needed: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }
}
