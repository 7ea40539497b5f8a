import { varintBytes, writeVarint } from './varint.ts';

export interface RecordHeader {
  readonly name: string;
  readonly value: Uint8Array | null;
}

export interface HeaderBlock {
  /** Encoded headers without their count, as `append` takes them. */
  readonly bytes: Buffer;
  /** Where each value begins inside `bytes`, so that fixed-width values can be patched in place; −1 for null. */
  readonly valueStarts: readonly number[];
}

export function layOutHeaders(headers: readonly RecordHeader[]): HeaderBlock {
  let size = 0;
  const names = headers.map((header) => Buffer.from(header.name));
  for (const [index, header] of headers.entries()) {
    const name = names[index] as Buffer;
    size += varintBytes(name.length) + name.length;
    size += header.value === null ? 1 : varintBytes(header.value.length) + header.value.length;
  }
  const bytes = Buffer.alloc(size);
  const valueStarts: number[] = [];
  let at = 0;
  for (const [index, header] of headers.entries()) {
    const name = names[index] as Buffer;
    at = writeVarint(bytes, at, name.length);
    bytes.set(name, at);
    at += name.length;
    at = writeVarint(bytes, at, header.value === null ? -1 : header.value.length);
    valueStarts.push(header.value === null ? -1 : at);
    if (header.value !== null) bytes.set(header.value, at);
    at += header.value?.length ?? 0;
  }
  return { bytes, valueStarts };
}

/** The header block of a record: names and values, each with its length; the count is given beside it. */
export function encodeHeaders(headers: readonly RecordHeader[]): Buffer {
  return layOutHeaders(headers).bytes;
}
