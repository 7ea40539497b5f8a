import { sealBatch, unstamped } from '../batch-seal.ts';
import type { ProducerStamp } from '../batch-seal.ts';
import type { Compression } from '../compression.ts';
import { readBatches } from '../fetched-batch.ts';
import type { FetchedBatch } from '../fetched-batch.ts';
import { Gather } from '../gather.ts';
import { RecordBatchBuilder } from '../record-batch.ts';
import { RecordCursor } from '../record-cursor.ts';
import { encodeHeaders } from '../record-headers.ts';

/** A record as plain data, for tests. Bytes as latin1 text, so that differences print well. */
export interface PlainRecord {
  readonly timestampMs: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: readonly (readonly [string, string | null])[];
}

export function latin1(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

export function appendPlain(builder: RecordBatchBuilder, record: PlainRecord): void {
  const key = latin1(record.key ?? '');
  const headers = encodeHeaders(
    record.headers.map(([name, value]) => ({ name, value: value === null ? null : latin1(value) })),
  );
  const keyEnd = record.key === null ? -1 : key.length;
  const value = record.value === null ? null : gathered(latin1(record.value));
  builder.append(record.timestampMs, key, 0, keyEnd, value, headers, 0, headers.length, record.headers.length);
}

/** The bytes as two ranges of a larger buffer. */
export function gathered(bytes: Buffer): Gather {
  const gather = new Gather();
  const padded = Buffer.concat([Buffer.from('<<'), bytes, Buffer.from('>>')]);
  const middle = 2 + (bytes.length >>> 1);
  gather.add(padded, 2, middle);
  gather.add(padded, middle, 2 + bytes.length);
  return gather;
}

/** A sealed batch of its own memory. */
export async function plainBatch(
  records: readonly PlainRecord[],
  compression: Compression = 'none',
  stamp: ProducerStamp = unstamped,
): Promise<Buffer> {
  const builder = new RecordBatchBuilder();
  for (const record of records) appendPlain(builder, record);
  return Buffer.from(await sealBatch(builder, compression, stamp));
}

/** Sets the base offset, as a broker does when it appends. */
export function atOffset(batch: Buffer, baseOffset: number): Buffer {
  const stored = Buffer.from(batch);
  stored.writeBigInt64BE(BigInt(baseOffset), 0);
  return stored;
}

export function readPlain(records: Buffer, startOffset = 0): readonly (PlainRecord & { readonly offset: number })[] {
  const { batches } = readBatches({ topic: 't', partition: 0, startOffset, records, aborted: [] });
  return batches.flatMap((batch) => plainRecords(batch));
}

export function plainRecords(batch: FetchedBatch): readonly (PlainRecord & { readonly offset: number })[] {
  const cursor = new RecordCursor();
  const found: (PlainRecord & { readonly offset: number })[] = [];
  cursor.open(batch);
  while (cursor.next()) {
    found.push({
      offset: cursor.offset,
      timestampMs: cursor.timestampMs,
      key: cut(cursor.bytes, cursor.keyStart, cursor.keyEnd),
      value: cut(cursor.bytes, cursor.valueStart, cursor.valueEnd),
      headers: headersOf(cursor),
    });
  }
  return found;
}

function cut(bytes: Buffer, start: number, end: number): string | null {
  return start < 0 ? null : bytes.toString('latin1', start, end);
}

/** Headers by an own reading of the block, short lengths only. */
function headersOf(cursor: RecordCursor): readonly (readonly [string, string | null])[] {
  let at = cursor.headersStart;
  const length = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = cursor.bytes.readUInt8(at++);
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
  };
  const text = (): string | null => {
    const size = length();
    if (size < 0) return null;
    at += size;
    return cursor.bytes.toString('latin1', at - size, at);
  };
  return Array.from({ length: cursor.headerCount }, () => [text() ?? '', text()] as const);
}
