import { copyPadded } from './ascii.ts';
import { writeEscapedUtf8 } from './json-escape.ts';
import { refusal } from './refusal.ts';

/** Labels of an ENUM or SET as JSON strings, ready to copy; entry 0 is the empty label of the invalid value (T20). */
export interface LabelTable {
  readonly bytes: DataView;
  readonly starts: Int32Array;
  readonly lengths: Int32Array;
  /** Room for all of them with commas. */
  readonly totalBytes: number;
  readonly labels: readonly string[];
}

const quote = 0x22;
const comma = 0x2c;

export function labelTable(labels: readonly string[]): LabelTable {
  const texts = ['', ...labels].map((label) => {
    const raw = Buffer.from(label, 'utf8');
    const target = new DataView(new ArrayBuffer(raw.length * 6 + 8));
    const source = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
    target.setUint8(0, quote);
    const end = writeEscapedUtf8(target, 1, source, 0, raw.length);
    target.setUint8(end, quote);
    return new Uint8Array(target.buffer, 0, end + 1);
  });
  const starts = new Int32Array(texts.length);
  const lengths = new Int32Array(texts.length);
  let size = 0;
  for (const [index, text] of texts.entries()) {
    starts[index] = size;
    lengths[index] = text.length;
    size += (text.length + 3) & ~3;
  }
  const bytes = new Uint8Array(size);
  for (const [index, text] of texts.entries()) bytes.set(text, starts[index]);
  return { bytes: new DataView(bytes.buffer), starts, lengths, totalBytes: size + texts.length + 8, labels };
}

function writeLabel(out: DataView, at: number, table: LabelTable, index: number): number {
  return copyPadded(out, at, table.bytes, table.starts[index] as number, table.lengths[index] as number);
}

/** ENUM of the log: 1-based index in one or two bytes. */
export function writeEnum(
  out: DataView,
  at: number,
  source: DataView,
  start: number,
  end: number,
  table: LabelTable,
): number {
  const index = end - start === 1 ? source.getUint8(start) : source.getUint16(start, true);
  return index < table.starts.length ? writeLabel(out, at, table, index) : refusal.corrupt;
}

export function readEnum(source: DataView, start: number, end: number, labels: readonly string[]): string | null {
  const index = end - start === 1 ? source.getUint8(start) : source.getUint16(start, true);
  return index === 0 ? '' : (labels[index - 1] ?? null);
}

/** SET of the log: 1–8 bytes little-endian, bit 0 the first label (T22). */
export function writeSet(
  out: DataView,
  at: number,
  source: DataView,
  start: number,
  end: number,
  table: LabelTable,
): number {
  const count = table.starts.length - 1;
  out.setUint8(at, 0x5b);
  let next = at + 1;
  for (let position = start; position < end; position++) {
    let byte = source.getUint8(position);
    for (let index = (position - start) * 8 + 1; byte !== 0; index++, byte >>>= 1) {
      if ((byte & 1) === 0) continue;
      if (index > count) return refusal.corrupt;
      next = writeLabel(out, next, table, index);
      out.setUint8(next++, comma);
    }
  }
  return closeArray(out, at, next);
}

function closeArray(out: DataView, at: number, next: number): number {
  const end = next === at + 1 ? next : next - 1;
  out.setUint8(end, 0x5d);
  return end + 1;
}

export function readSet(
  source: DataView,
  start: number,
  end: number,
  labels: readonly string[],
): readonly string[] | null {
  let mask = 0n;
  for (let position = end - 1; position >= start; position--) mask = mask * 256n + BigInt(source.getUint8(position));
  if (mask >> BigInt(labels.length) !== 0n) return null;
  return labels.filter((_, index) => ((mask >> BigInt(index)) & 1n) === 1n);
}

/** SET of the text protocol: labels joined by commas, which no label contains. */
export function writeSetText(out: DataView, at: number, source: DataView, start: number, end: number): number {
  out.setUint8(at, 0x5b);
  let next = at + 1;
  let position = start;
  while (position < end) {
    let stop = position;
    while (stop < end && source.getUint8(stop) !== comma) stop++;
    out.setUint8(next, quote);
    next = writeEscapedUtf8(out, next + 1, source, position, stop);
    if (next < 0) return next;
    out.setUint8(next, quote);
    out.setUint8(next + 1, comma);
    next += 2;
    position = stop + 1;
  }
  return closeArray(out, at, next);
}
