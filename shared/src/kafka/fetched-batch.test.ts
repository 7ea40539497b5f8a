import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { crc32c } from '@node-rs/crc32';
import { CdcError } from '../errors/cdc-error.ts';
import { readBatches } from './fetched-batch.ts';
import type { AbortedTransaction } from './fetched-batch.ts';
import { RecordCursor } from './record-cursor.ts';
import { atOffset, latin1, plainBatch, plainRecords, readPlain } from './testing/plain-records.ts';

function record(value: string) {
  return { timestampMs: 1_700_000_000_000, key: 'k', value, headers: [] };
}

function read(records: Buffer, startOffset = 0, aborted: readonly AbortedTransaction[] = []) {
  return readBatches({ topic: 't', partition: 3, startOffset, records, aborted });
}

function values(records: Buffer, startOffset = 0, aborted: readonly AbortedTransaction[] = []) {
  return read(records, startOffset, aborted).batches.flatMap((batch) => plainRecords(batch).map(({ value }) => value));
}

const transactional = 0x10;
const control = 0x20;

/** A batch with other attributes, its checksum made good again. */
async function marked(value: string, baseOffset: number, producerId: bigint, attributes: number): Promise<Buffer> {
  const batch = atOffset(
    await plainBatch([record(value)], 'none', { producerId, producerEpoch: 0, baseSequence: 0 }),
    baseOffset,
  );
  batch.writeInt16BE(attributes, 21);
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17);
  return batch;
}

describe('readBatches', () => {
  test('records below the wanted offset are skipped', async () => {
    const records = atOffset(await plainBatch(['a', 'b', 'c', 'd'].map(record)), 100);
    expect(readPlain(records, 102).map(({ offset, value }) => [offset, value])).toEqual([
      [102, 'c'],
      [103, 'd'],
    ]);
  });

  test('an answer cut off anywhere gives its whole batches and where to go on', async () => {
    const first = atOffset(await plainBatch(['a', 'b'].map(record), 'zstd'), 10);
    const second = atOffset(await plainBatch(['c'].map(record)), 12);
    const whole = Buffer.concat([first, second]);
    for (let length = first.length; length < whole.length; length++) {
      const cut = read(whole.subarray(0, length), 10);
      expect(cut.batches.length).toBe(1);
      expect(cut.nextOffset).toBe(12);
    }
    expect(read(whole, 10).nextOffset).toBe(13);
    expect(read(whole.subarray(0, 30), 10)).toEqual({ batches: [], nextOffset: 10 });
  });

  test('any flipped bit after the length is noticed', async () => {
    const batch = await plainBatch(['first', 'second'].map(record));
    fc.assert(
      fc.property(fc.integer({ min: 17 * 8, max: batch.length * 8 - 1 }), (bit) => {
        const broken = Buffer.from(batch);
        broken.writeUInt8(broken.readUInt8(bit >>> 3) ^ (1 << (bit & 7)), bit >>> 3);
        expect(() => read(broken)).toThrow(expect.objectContaining({ code: 'BROKER_BATCH_CORRUPT' }));
      }),
    );
  });

  test('a batch length that points backwards is an error, not an endless loop', async () => {
    const batch = await plainBatch([record('a')]);
    batch.writeInt32BE(-200, 8);
    expect(() => read(Buffer.concat([batch, batch]))).toThrow(CdcError);
  });

  test('records of an older format are refused by name', async () => {
    const batch = await plainBatch([record('a')]);
    batch.writeInt8(1, 16);
    expect(() => read(batch)).toThrow(expect.objectContaining({ code: 'BROKER_TOPIC_INVALID' }));
  });

  test('T149 an aborted transaction is left out, a committed one of the same producer is not', async () => {
    const log = Buffer.concat([
      await marked('aborted', 0, 7n, transactional),
      await marked('other', 1, 8n, transactional),
      await marked('aborted too', 2, 7n, transactional),
      await marked('abort marker', 3, 7n, transactional | control),
      await marked('committed', 4, 7n, transactional),
      await marked('commit marker', 5, 7n, transactional | control),
      await marked('plain', 6, 9n, 0),
    ]);
    const aborted = [{ producerId: 7n, firstOffset: 0 }];
    expect(values(log, 0, aborted)).toEqual(['other', 'committed', 'plain']);
    expect(read(log, 0, aborted).nextOffset).toBe(7);
  });

  test('T149 a second aborted transaction of one producer is left out as well', async () => {
    const log = Buffer.concat([
      await marked('one', 0, 7n, transactional),
      await marked('abort marker', 1, 7n, transactional | control),
      await marked('kept', 2, 7n, transactional),
      await marked('commit marker', 3, 7n, transactional | control),
      await marked('three', 4, 7n, transactional),
      await marked('abort marker', 5, 7n, transactional | control),
    ]);
    const aborted = [
      { producerId: 7n, firstOffset: 4 },
      { producerId: 7n, firstOffset: 0 },
    ];
    expect(values(log, 0, aborted)).toEqual(['kept']);
  });

  test('a topic that stamps by append time gives that time to every record', async () => {
    const batch = await plainBatch([
      { ...record('a'), timestampMs: 1 },
      { ...record('b'), timestampMs: 2 },
    ]);
    batch.writeInt16BE(0x08, 21);
    batch.writeBigInt64BE(1_700_000_000_123n, 35);
    batch.writeUInt32BE(crc32c(batch.subarray(21)), 17);
    expect(readPlain(batch).map(({ timestampMs }) => timestampMs)).toEqual([1_700_000_000_123, 1_700_000_000_123]);
  });
});

describe('RecordCursor', () => {
  test('header finds the last value of a name and tells null from empty', async () => {
    const batch = read(
      await plainBatch([
        {
          ...record('v'),
          headers: [
            ['mr.pos', '1'],
            ['mr.po', 'x'],
            ['mr.pos', '22'],
            ['nothing', null],
            ['empty', ''],
          ],
        },
      ]),
    ).batches[0];
    if (batch === undefined) throw new Error('no batch');
    const cursor = new RecordCursor();
    cursor.open(batch);
    expect(cursor.next()).toBe(true);
    const found = (name: string): string | null | undefined => {
      if (!cursor.header(latin1(name))) return undefined;
      if (cursor.headerValueStart < 0) return null;
      return cursor.bytes.toString('latin1', cursor.headerValueStart, cursor.headerValueEnd);
    };
    expect(['mr.pos', 'nothing', 'empty', 'absent'].map(found)).toEqual(['22', null, '', undefined]);
    expect(cursor.next()).toBe(false);
  });

  test('records that overrun their batch are an error', async () => {
    const batch = read(await plainBatch([record('some value')])).batches[0];
    if (batch === undefined) throw new Error('no batch');
    for (let length = 0; length < batch.bytes.length; length++) {
      const cursor = new RecordCursor();
      cursor.open({ ...batch, bytes: batch.bytes.subarray(0, length) });
      expect(() => cursor.next()).toThrow(expect.objectContaining({ code: 'BROKER_BATCH_CORRUPT' }));
    }
  });
});
