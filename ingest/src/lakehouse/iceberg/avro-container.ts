import { randomBytes } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';

import { CdcError } from '@millrace/shared/errors/cdc-error.ts';

/**
 * Avro object container files. The framing is ours because the schema must reach the file as written, with the field
 * ids that libraries drop when they normalise it.
 */

const magic = Buffer.from([0x4f, 0x62, 0x6a, 0x01]);
const syncBytes = 16;

function zigzag(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value * 2;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}

function lengthPrefixed(bytes: Buffer): Buffer {
  return Buffer.concat([zigzag(bytes.length), bytes]);
}

/** Header, then one deflated block; no block when there are no records. */
export function encodeContainer(
  metadata: ReadonlyMap<string, string>,
  schemaText: string,
  records: readonly Buffer[],
): Buffer {
  const entries = new Map(metadata).set('avro.schema', schemaText).set('avro.codec', 'deflate');
  const sync = randomBytes(syncBytes);
  const parts: Buffer[] = [magic, zigzag(entries.size)];
  for (const [name, text] of entries) {
    parts.push(lengthPrefixed(Buffer.from(name, 'utf8')), lengthPrefixed(Buffer.from(text, 'utf8')));
  }
  parts.push(zigzag(0), sync);
  if (records.length > 0) {
    const block = deflateRawSync(Buffer.concat(records), { level: 1 });
    parts.push(zigzag(records.length), zigzag(block.length), block, sync);
  }
  return Buffer.concat(parts);
}

export interface AvroBlock {
  readonly count: number;
  readonly bytes: Buffer;
}

export interface AvroContainer {
  readonly metadata: ReadonlyMap<string, string>;
  readonly blocks: readonly AvroBlock[];
}

class Cursor {
  at = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.at >= this.#bytes.length;
  }

  long(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.#bytes[this.at++];
      if (byte === undefined || scale > 2 ** 49) throw damaged('number');
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
      scale *= 0x80;
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  take(length: number): Buffer {
    if (length < 0 || this.at + length > this.#bytes.length) throw damaged('length');
    this.at += length;
    return this.#bytes.subarray(this.at - length, this.at);
  }
}

function damaged(reason: string): CdcError {
  return new CdcError('DESTINATION_SCHEMA_INCOMPATIBLE', 'a metadata file of the table cannot be read', {
    details: { reason },
    hint: 'The table is damaged: roll it back to an earlier snapshot, or restore it and replay.',
  });
}

function readMetadata(cursor: Cursor): Map<string, string> {
  const metadata = new Map<string, string>();
  for (;;) {
    let count = cursor.long();
    if (count === 0) return metadata;
    if (count < 0) {
      count = -count;
      cursor.long();
    }
    for (let i = 0; i < count; i++) {
      const name = cursor.take(cursor.long()).toString('utf8');
      metadata.set(name, cursor.take(cursor.long()).toString('utf8'));
    }
  }
}

export function decodeContainer(bytes: Buffer): AvroContainer {
  const cursor = new Cursor(bytes);
  if (!cursor.take(magic.length).equals(magic)) throw damaged('magic');
  const metadata = readMetadata(cursor);
  const codec = metadata.get('avro.codec') ?? 'null';
  if (codec !== 'null' && codec !== 'deflate') throw damaged(`codec ${codec}`);
  const sync = cursor.take(syncBytes);
  const blocks: AvroBlock[] = [];
  while (!cursor.atEnd) {
    const count = cursor.long();
    const body = cursor.take(cursor.long());
    if (!cursor.take(syncBytes).equals(sync)) throw damaged('sync');
    blocks.push({ count, bytes: codec === 'deflate' ? inflateRawSync(body) : body });
  }
  return { metadata, blocks };
}
