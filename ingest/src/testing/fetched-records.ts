import type { FetchedBatch } from '@millrace/shared/kafka/fetched-batch.ts';
import { encodeHeaders } from '@millrace/shared/kafka/record-headers.ts';
import { varintBytes, writeVarint } from '@millrace/shared/kafka/varint.ts';

export interface TestRecord {
  readonly key: string | null;
  readonly value: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: one after the record before. */
  readonly offset?: number;
}

/** Records as a fetch delivers them, for tests and measurements. */
export function fetchedRecords(
  topic: string,
  partition: number,
  baseOffset: number,
  records: readonly TestRecord[],
): FetchedBatch {
  let next = baseOffset;
  const parts = records.map((record) => {
    const offset = record.offset ?? next;
    next = offset + 1;
    return encodeRecord(record, offset - baseOffset);
  });
  return {
    topic,
    partition,
    baseOffset,
    nextOffset: next,
    startOffset: baseOffset,
    count: records.length,
    baseTimestampMs: 0,
    appendTimeMs: null,
    bytes: Buffer.concat(parts),
  };
}

function encodeRecord(record: TestRecord, offsetDelta: number): Buffer {
  const headers = Object.entries(record.headers ?? {}).map(([name, value]) => ({ name, value: Buffer.from(value) }));
  const body = Buffer.concat([
    Buffer.from([0]),
    varint(0),
    varint(offsetDelta),
    ...text(record.key),
    ...text(record.value),
    varint(headers.length),
    encodeHeaders(headers),
  ]);
  return Buffer.concat([varint(body.length), body]);
}

function text(value: string | null): readonly Buffer[] {
  if (value === null) return [varint(-1)];
  const bytes = Buffer.from(value);
  return [varint(bytes.length), bytes];
}

function varint(value: number): Buffer {
  const bytes = Buffer.alloc(varintBytes(value));
  writeVarint(bytes, 0, value);
  return bytes;
}
