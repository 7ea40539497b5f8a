import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';

import { KafkaClient } from '@millrace/shared/kafka/kafka-client.ts';
import { PartitionReader } from '@millrace/shared/kafka/fetch.ts';
import { RecordCursor } from '@millrace/shared/kafka/record-cursor.ts';

import { kafkaOptions } from '../harness/kafka-records.ts';
import type { DecodedChange, Image } from './decode-input.ts';
import type { TableTotals } from './workload.ts';

/** Adds up what a table holds after a stream of its changes; sums of decimals in ten-thousandths. */
export class StreamTotals {
  #rows = 0n;
  #ids = 0n;
  #sum = 0n;
  readonly #column: string;

  constructor(summedColumn: string) {
    this.#column = summedColumn;
  }

  add({ before, after }: DecodedChange): void {
    if (before !== null) this.#count(before, -1n);
    if (after !== null) this.#count(after, 1n);
  }

  #count(image: NonNullable<Image>, sign: 1n | -1n): void {
    this.#rows += sign;
    this.#ids += sign * BigInt(Number(image['id']));
    this.#sum += sign * BigInt(Math.round(Number(image[this.#column]) * 10_000));
  }

  /** Whether these are the totals that the server computed. */
  equals({ rows, ids, sum }: TableTotals): boolean {
    return (
      String(this.#rows) === rows && String(this.#ids) === ids && this.#sum === BigInt(Math.round(Number(sum) * 10_000))
    );
  }

  toString(): string {
    return `${this.#rows} rows, ids ${this.#ids}, ${this.#column} ${this.#sum}/10000`;
  }
}

/** Reads a topic of ours to its present end; `onChange` gets each value's bytes. */
export async function readTopic(topic: string, onValue: (value: Buffer) => void): Promise<void> {
  const signal = new AbortController().signal;
  await using client = await KafkaClient.connect(kafkaOptions(), signal);
  const partitions = (await client.topics([topic], signal)).get(topic)?.partitions ?? [];
  const cursor = new RecordCursor();
  for (const { index: partition } of partitions) {
    const [end = 0] = await client.listOffsets([{ topic, partition, at: 'latest' }], signal);
    const at = { topic, topicId: null, partition, offset: 0 };
    const limits = { isolationLevel: 'read_committed', minBytes: 1, maxWaitMs: 500, maxBytes: 4_000_000 } as const;
    await using reader = await PartitionReader.open(client, { ...at, ...limits }, signal);
    while (reader.position < end) {
      for (const batch of await reader.next(signal)) {
        cursor.open(batch);
        while (cursor.next()) onValue(cursor.bytes.subarray(cursor.valueStart, cursor.valueEnd));
      }
    }
  }
}

/** Checks the topic against the table's totals and writes up to `limit` values as lines: payloads for the yardstick. */
export async function checkedPayload(
  topic: string,
  summedColumn: string,
  expected: TableTotals,
  payload: { readonly file: string; readonly limit: number },
): Promise<void> {
  const totals = new StreamTotals(summedColumn);
  const out = createWriteStream(payload.file);
  let written = 0;
  await readTopic(topic, (value) => {
    const text = value.toString('utf8');
    totals.add(JSON.parse(text) as DecodedChange);
    if (written >= payload.limit) return;
    written += 1;
    out.write(`${text}\n`);
  });
  out.end();
  await finished(out);
  if (!totals.equals(expected)) {
    throw new Error(`the topic adds up to ${totals.toString()}, the table to ${JSON.stringify(expected)}`);
  }
}
