import { readFileSync } from 'node:fs';

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { nextBaseSequence, sealBatch, unstamped } from './batch-seal.ts';
import { compressionNames } from './compression.ts';
import { RecordBatchBuilder } from './record-batch.ts';
import type { BatchMark } from './record-batch.ts';
import { appendPlain, plainBatch, readPlain } from './testing/plain-records.ts';
import type { PlainRecord } from './testing/plain-records.ts';

const golden = JSON.parse(
  readFileSync(new URL('golden/java-record-batches.json', import.meta.url), 'utf8'),
) as Readonly<Record<string, string>>;

/** What the golden batches of the Java client hold. */
const goldenRecords: readonly PlainRecord[] = [
  {
    timestampMs: 1700000000000,
    key: '{"id":1}',
    value: 'value one',
    headers: [
      ['mr.pos', '0001'],
      ['n', null],
    ],
  },
  { timestampMs: 1700000000100, key: null, value: 'keyless', headers: [] },
  { timestampMs: 1699999999000, key: '{"id":1}', value: null, headers: [] },
  { timestampMs: 1703000000000, key: '', value: 'x'.repeat(300), headers: [['', '']] },
];

const bytesText = fc.string({ unit: 'binary-ascii', maxLength: 200 });
const header: fc.Arbitrary<[string, string | null]> = fc.tuple(
  fc.string({ unit: 'binary-ascii', maxLength: 20 }),
  fc.option(bytesText),
);
const plainRecord: fc.Arbitrary<PlainRecord> = fc.record({
  timestampMs: fc.integer({ min: 0, max: 4_000_000_000_000 }),
  key: fc.option(bytesText),
  value: fc.option(
    fc.oneof(
      bytesText,
      fc.nat(40_000).map((length) => 'v'.repeat(length)),
    ),
  ),
  headers: fc.array(header, { maxLength: 3 }),
});
const plainRecords = fc.array(plainRecord, { minLength: 1, maxLength: 150 });

function builderOf(records: readonly PlainRecord[]): RecordBatchBuilder {
  const builder = new RecordBatchBuilder(64);
  for (const record of records) appendPlain(builder, record);
  return builder;
}

function withOffsets(records: readonly PlainRecord[]): readonly unknown[] {
  return records.map((record, offset) => ({ ...record, offset }));
}

function readBuilder(builder: RecordBatchBuilder): readonly unknown[] {
  if (builder.count === 0) return [];
  return readPlain(sealBatch(builder, 'none', unstamped) as Buffer);
}

describe('record batch', () => {
  test('an uncompressed batch has the very bytes of the Java client', async () => {
    expect((await plainBatch(goldenRecords)).toString('hex')).toBe(golden['plain']);
  });

  test('producer id, epoch and sequence stand where the Java client puts them', async () => {
    const stamp = { producerId: 4711n, producerEpoch: 3, baseSequence: 2147483646 };
    expect((await plainBatch(goldenRecords, 'none', stamp)).toString('hex')).toBe(golden['stamped']);
  });

  test.each(['plain', 'gzip', 'snappy', 'lz4', 'zstd'])('T147 a %s batch of the Java client is read', (codec) => {
    expect(readPlain(Buffer.from(golden[codec] ?? '', 'hex'))).toEqual(withOffsets(goldenRecords));
  });

  test.each(compressionNames)('T147 any records come back through %s', async (codec) => {
    await fc.assert(
      fc.asyncProperty(plainRecords, async (records) => {
        expect(readPlain(await plainBatch(records, codec))).toEqual(withOffsets(records));
      }),
      { numRuns: 25 },
    );
  });

  test('truncating to a mark leaves exactly the records before it', () => {
    fc.assert(
      fc.property(plainRecords, plainRecords, (kept, dropped) => {
        const builder = builderOf(kept);
        const mark: BatchMark = { length: 0, count: 0, maxTimestampMs: 0 };
        builder.saveMark(mark);
        for (const record of dropped) appendPlain(builder, record);
        builder.truncate(mark);
        expect(readBuilder(builder)).toEqual(withOffsets(kept));
        expect(builder.maxTimestampMs).toBe(Math.max(...kept.map(({ timestampMs }) => timestampMs)));
      }),
      { numRuns: 40 },
    );
  });

  test('a moved tail counts its offsets from zero and keeps its times', () => {
    fc.assert(
      fc.property(plainRecords, fc.nat(), (records, seed) => {
        const split = seed % (records.length + 1);
        const builder = builderOf(records);
        const tail = new RecordBatchBuilder(64);
        builder.moveTail(builder.markAfter(split), tail);
        const [head, rest] = [records.slice(0, split), records.slice(split)];
        expect(readBuilder(builder)).toEqual(withOffsets(head));
        expect(readBuilder(tail)).toEqual(withOffsets(rest));
        expect([builder.count, tail.count]).toEqual([head.length, rest.length]);
      }),
      { numRuns: 40 },
    );
  });

  test('a reused builder holds nothing of its former batch', () => {
    const builder = builderOf(goldenRecords);
    builder.reset();
    appendPlain(builder, { timestampMs: 5, key: 'k', value: 'v', headers: [] });
    expect(readBuilder(builder)).toEqual([{ offset: 0, timestampMs: 5, key: 'k', value: 'v', headers: [] }]);
  });

  test('sequences go on at zero after 2^31 − 1', () => {
    expect(nextBaseSequence(2147483647, 1)).toBe(0);
    expect(nextBaseSequence(2147483646, 5)).toBe(3);
    expect(nextBaseSequence(7, 3)).toBe(10);
  });
});
