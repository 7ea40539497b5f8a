import type { ValueRanges } from '../publish/lane.ts';

/** A value that tests can read. */
export class TextValue implements ValueRanges {
  text = '';

  clear(): void {
    this.text = '';
  }

  add(bytes: Buffer, start: number, end: number): void {
    this.text += bytes.toString('utf8', start, end);
  }
}
