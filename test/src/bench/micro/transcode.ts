import { parseArgs } from 'node:util';

import { fetchedRecords } from '@millrace/ingest/testing/fetched-records.ts';
import type { RowSpans } from '@millrace/ingest/destination.ts';
import { PartitionDecoder } from '@millrace/ingest/decode/partition-decoder.ts';
import { LaneFold } from '@millrace/ingest/merge/lane-fold.ts';
import { cellFor } from '@millrace/ingest/postgres/cell-for-type.ts';
import { CopyText } from '@millrace/ingest/postgres/copy-text.ts';
import { parsePgType } from '@millrace/ingest/postgres/pg-type.ts';
import { SourceTables } from '@millrace/ingest/project/source-tables.ts';
import { ByteWriter } from '@millrace/shared/bytes/byte-writer.ts';
import type { FetchedBatch } from '@millrace/shared/kafka/fetched-batch.ts';
import { RecordCursor } from '@millrace/shared/kafka/record-cursor.ts';

import { median } from '../pairs.ts';
import { orderColumns, orderMessage, orders } from './order-messages.ts';

/**
 * Whole messages to COPY text against `JSON.parse` alone on the same bytes (gate I1) and against `JSON.parse` with a
 * COPY line built from the object (gate I2). The sides take turns in one process in short runs; the ratios of
 * neighbouring runs count, not the rates.
 */
const { values: options } = parseArgs({
  options: {
    messages: { type: 'string', default: '10000' },
    rounds: { type: 'string', default: '40' },
    /** Updates in ten messages. */
    updates: { type: 'string', default: '5' },
  },
});
const messages = Number(options.messages);
const rounds = Number(options.rounds);
const batchRecords = 500;
const foldRows = 5000;
const chunkBytes = 256 * 1024;

function makeBatches(): readonly FetchedBatch[] {
  const batches: FetchedBatch[] = [];
  for (let at = 0; at < messages; at += batchRecords) {
    const records = Array.from({ length: Math.min(batchRecords, messages - at) }, (_, index) =>
      orderMessage(at + index, Number(options.updates)),
    );
    batches.push(fetchedRecords('orders', 0, at, records));
  }
  return batches;
}

async function makeTables(): Promise<SourceTables> {
  const rules = { included: true, columns: null, primaryKeys: null, initialSchema: null };
  const tables = new SourceTables({
    rulesFor: () => rules,
    route: (id) => [id],
    inference: { strategy: 'continuous', primitiveAsString: false, preFetchRecords: 50 },
  });
  await tables
    .table(orders.id)
    .resolve(
      orders.fingerprint,
      { byValue: null, byKey: ['id'] },
      { schemaFor: () => Promise.resolve(orders), describe: () => Promise.resolve(null) },
      new AbortController().signal,
    );
  return tables;
}

function makeCopyText(): CopyText {
  const context = { invalidText: 'dead-letter', repairs: { count: 0 } } as const;
  return new CopyText(
    orders.columns.map((column, index) => ({
      field: column.name,
      cell: cellFor(parsePgType(orderColumns[index]?.target ?? ''), column, context),
      isKey: column.name === 'id',
      nullable: column.nullable,
    })),
  );
}

const tables = await makeTables();
const batches = makeBatches();
const copyText = makeCopyText();
const out = new ByteWriter(chunkBytes * 2);

/** Folds all messages; the lists of rows are what a lane would commit. */
function fold(take: (rows: RowSpans) => void): void {
  const decoder = new PartitionDecoder(tables, {
    topic: 'orders',
    partition: 0,
    nextOffset: 0,
    marks: new Map(),
    tableOffsets: new Map(),
    value: { format: 'auto', envelopeRequired: false },
    applyTruncate: true,
    onTable: () => undefined,
  });
  let lane = new LaneFold();
  const close = (): void => {
    for (const table of lane.close().tables) take(table.upserts);
    lane = new LaneFold();
  };
  for (const batch of batches) {
    decoder.open(batch);
    for (let outcome = decoder.run(lane, foldRows); outcome !== 'done'; outcome = decoder.run(lane, foldRows)) {
      if (outcome !== 'full') throw new Error('a version of the table is not known');
      close();
    }
  }
  close();
}

function transcode(rows: RowSpans, chunk: (bytes: Buffer) => void = () => undefined): void {
  for (let row = 0; row < rows.count;) {
    out.clear();
    row = copyText.write(rows, row, out, chunkBytes);
    chunk(out.bytes.subarray(0, out.length));
  }
}

function eachValue(take: (value: string) => void): void {
  const cursor = new RecordCursor();
  for (const batch of batches) {
    cursor.open(batch);
    while (cursor.next()) take(batch.bytes.toString('utf8', cursor.valueStart, cursor.valueEnd));
  }
}

type Row = Readonly<Record<string, string | number | boolean | null>>;

function parseRow(value: string): Row {
  return (JSON.parse(value) as { readonly after: Row }).after;
}

const escapes = new Map([
  ['\\', '\\\\'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
]);

/** What a program without a transcoder of its own would do. */
function copyLine(row: Row): string {
  let line = '';
  for (const { name, target } of orderColumns) {
    const value = row[name];
    if (line !== '') line += '\t';
    if (value === null || value === undefined) line += '\\N';
    else if (typeof value === 'boolean') line += value ? 't' : 'f';
    else if (target === 'bytea') line += `\\\\x${Buffer.from(value.toString(), 'base64').toString('hex')}`;
    else line += value.toString().replaceAll(/[\\\n\r\t]/g, (character) => escapes.get(character) ?? character);
  }
  return `${line}\n`;
}

/** Ours and the parsed object must say the same; bare decimals lose their zeros in a double, so numbers are compared as such. */
function checkRows(): void {
  const lines: string[] = [];
  fold((rows) => {
    transcode(rows, (bytes) => lines.push(...bytes.toString('utf8').split('\n').slice(0, -1)));
  });
  let row = 0;
  eachValue((value) => {
    const ours = (lines[row++] ?? '').split('\t');
    const theirs = copyLine(parseRow(value)).slice(0, -1).replaceAll('Z\t', '+00\t').split('\t');
    const same = theirs.every((field, index) => field === ours[index] || Number(field) === Number(ours[index]));
    if (!same || ours.length !== theirs.length) throw new Error(`row ${row} differs`);
  });
  if (lines.length !== row) throw new Error('rows are missing');
}

let held = 0;
const closed: RowSpans[] = [];
const sides: Readonly<Record<string, () => void>> = {
  'messages to COPY text': () => {
    fold((rows) => {
      transcode(rows);
    });
  },
  'JSON.parse': () => {
    eachValue((value) => {
      held += JSON.parse(value) === null ? 1 : 0;
    });
  },
  'JSON.parse and COPY line': () => {
    eachValue((value) => {
      held += copyLine(parseRow(value)).length;
    });
  },
  'decode and fold': () => {
    closed.length = 0;
    fold((rows) => closed.push(rows));
  },
  'rows to COPY text': () => {
    for (const rows of closed) transcode(rows);
  },
};

function seconds(run: () => void): number {
  const start = process.hrtime.bigint();
  run();
  return Number(process.hrtime.bigint() - start) / 1e9;
}

checkRows();
const times = new Map(Object.keys(sides).map((name) => [name, [] as number[]]));
for (let round = -5; round < rounds; round++) {
  for (const [name, run] of Object.entries(sides)) {
    const spent = seconds(run);
    if (round >= 0) times.get(name)?.push(spent);
  }
}
const yardstick = times.get('JSON.parse') ?? [];
const bytes = batches.reduce((sum, batch) => sum + batch.bytes.length, 0);
process.stdout.write(
  `${messages} messages of ${Math.round(bytes / messages)} B with key and headers, ${rounds} rounds\n`,
);
for (const [name, spent] of times) {
  const ratio = median(spent.map((own, round) => (yardstick[round] ?? Number.NaN) / own));
  const rate = Math.round(messages / median(spent) / 1000);
  process.stdout.write(`${name.padEnd(26)} ${String(rate).padStart(6)}k/s  ${ratio.toFixed(2)} x JSON.parse\n`);
}
if (held < 0) process.exitCode = 1;
