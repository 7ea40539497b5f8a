import { openMysqlSource } from '@millrace/capture/mysql/mysql-source.ts';
import { decodeText } from '@millrace/capture/mysql/charset.ts';
import type { RenderSpec, RowBatch, Source, SourceTable, ValueRendering } from '@millrace/capture/source.ts';
import { ByteWriter } from '@millrace/shared/bytes/byte-writer.ts';
import type { RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { stackEnvironment } from '../harness/environment.ts';
import { MysqlDatabase } from '../harness/mysql-database.ts';
import { charsetTexts, valueCases } from './value-cases.ts';

/**
 * One table per type. Every value is inserted once; the stream's JSON of it and the snapshot's must be the same bytes
 * (T126), under several renderings.
 */

const base: ValueRendering = {
  timestampStandard: 'sql',
  decimals: 'scale',
  bigNumbers: 'number',
  ignoreNullFields: false,
  timeFraction: true,
  zeroDates: 'null',
  invalidText: 'fail',
  tinyint1AsBoolean: true,
  compactJson: false,
};

const renderings: Readonly<Record<string, ValueRendering>> = {
  default: base,
  strict: { ...base, zeroDates: 'keep', compactJson: true, bigNumbers: 'string', timestampStandard: 'iso-8601' },
  oss: { ...base, decimals: 'scientific', timeFraction: false, ignoreNullFields: true },
  plain: { ...base, decimals: 'plain', tinyint1AsBoolean: false },
};

function spec(table: SourceTable, values: ValueRendering): RenderSpec {
  return {
    columns: table.schema.columns.map((column) => column.name),
    keyColumns: ['id', 'v'],
    keyStyle: 'json',
    keyPrefix: Buffer.from('{'),
    values,
  };
}

/** After image and key of each row, by rendering. */
type Rows = Record<string, string[]>;

function render(source: Source, batch: RowBatch, from: 'stream' | 'snapshot', into: Rows): void {
  for (const [name, values] of Object.entries(renderings)) {
    const renderer = source.compile(batch.table, spec(batch.table, values), from);
    const out = new ByteWriter();
    renderer.open(batch);
    const rows = (into[name] ??= []);
    while (renderer.next(out)) {
      const { afterStart, afterEnd, afterKeyStart, afterKeyEnd } = renderer.row;
      const text = (start: number, end: number): string => out.bytes.toString('utf8', start, end);
      rows.push(`${text(afterStart, afterEnd)} ${text(afterKeyStart, afterKeyEnd)}`);
      out.clear();
    }
  }
}

const tableName = (index: number): string => `t${String(index).padStart(3, '0')}`;

describe('every type and value of MySQL', () => {
  const signal = AbortSignal.timeout(120_000);
  let database: MysqlDatabase;
  let source: Source;
  const streamed = new Map<string, Rows>();
  const read = new Map<string, Rows>();

  beforeAll(async () => {
    database = await MysqlDatabase.create('values');
    await database.run("SET SESSION sql_mode = '', time_zone = '+00:00', cte_max_recursion_depth = 10000");
    for (const [index, { type }] of valueCases.entries()) {
      const nullability = type.includes('NULL') ? '' : 'NULL';
      await database.run(`CREATE TABLE ${tableName(index)} (id INT PRIMARY KEY, v ${type} ${nullability})`);
    }
    source = await openMysqlSource(
      {
        connection: {
          ...stackEnvironment().mysqlCapture,
          socketPath: null,
          tls: { mode: 'disabled', ca: null, cert: null, key: null },
          allowPublicKeyRetrieval: true,
          connectTimeoutMs: 10_000,
        },
        connectAttempts: 1,
        declaredZone: null,
        tablesMayCome: false,
        pipelineName: database.name,
        serverIds: { first: 910_000, last: 910_999 },
        stream: {
          heartbeatPeriodMs: 1000,
          maxEventBytes: 64 * 1024 * 1024,
          reconnect: { initialMs: 100, maxMs: 1000, giveUpMs: 30_000 },
        },
        tinyint1AsBoolean: true,
        chunkKeyColumn: () => null,
        chunkSilenceMs: 30_000,
        initialEpoch: 0,
      },
      (id) => id.schema === database.name,
      { onWarning: () => undefined, onReconnect: () => undefined, onIgnoredEvent: () => undefined },
      signal,
    );
    const start = await source.resolveStart({ kind: 'now' }, signal);
    for (const [index, { values }] of valueCases.entries()) {
      for (const [id, value] of values.entries()) {
        await database.run(`INSERT IGNORE INTO ${tableName(index)} VALUES (${id}, ${value})`);
      }
    }
    const last = await source.watermark(signal);
    const stream = await source.stream(start, signal);
    while (!stream.hasReached(last)) {
      for (const event of await stream.next(signal)) {
        if (event.kind !== 'rows') continue;
        const name = event.rows.table.schema.id.table;
        const rows = streamed.get(name) ?? {};
        streamed.set(name, rows);
        render(source, event.rows, 'stream', rows);
      }
    }
    await stream[Symbol.asyncDispose]();
    for (const table of await source.tables(signal)) {
      const rows: Rows = {};
      read.set(table.schema.id.table, rows);
      for await (const batch of source.readChunk(table, { from: null, to: null }, signal)) {
        render(source, batch, 'snapshot', rows);
      }
    }
  });

  afterAll(async () => {
    await source[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
  });

  it.each(valueCases.map(({ type, values }, index) => ({ type, values, name: tableName(index) })))(
    '$type is the same in snapshot and stream (T31, T126)',
    ({ name, values }) => {
      expect(streamed.get(name)?.['default']).toHaveLength(values.length);
      expect(read.get(name)).toEqual(streamed.get(name));
    },
  );

  it.each(Object.entries(charsetTexts))('text of %s is not mangled (T23)', (charset, text) => {
    const index = valueCases.findIndex(({ type }) => type === `VARCHAR(40) CHARACTER SET ${charset}`);
    const [row] = streamed.get(tableName(index))?.['default'] ?? [];
    expect(row).toBe(`{"id":0,"v":${JSON.stringify(text)}} {"id":0,"v":${JSON.stringify(text)}}`);
  });
});

describe('character sets', () => {
  it('decode every byte sequence as the server does (T23)', async () => {
    await using database = await MysqlDatabase.create('charsets');
    await database.run('CREATE TABLE sequence (id INT PRIMARY KEY AUTO_INCREMENT, bytes VARBINARY(4))');
    for (const part of byteSequences()) await database.run(`INSERT INTO sequence (bytes) VALUES ${part}`);
    const wrong: string[] = [];
    for (const charset of Object.keys(charsetTexts)) {
      const [collations] = await database.connection.query<RowDataPacket[]>(
        "SELECT ID AS id FROM information_schema.COLLATIONS WHERE CHARACTER_SET_NAME = ? AND IS_DEFAULT = 'Yes'",
        [charset],
      );
      const collation = Number(collations[0]?.['id']);
      const rows = await database.rows(
        `SELECT HEX(bytes) AS hex, HEX(CONVERT(CONVERT(bytes USING ${charset}) USING utf8mb4)) AS text
         FROM sequence WHERE HEX(CONVERT(bytes USING ${charset})) = HEX(bytes)`,
      );
      for (const { hex, text } of rows) {
        const bytes = Buffer.from(hex ?? '', 'hex');
        const expected = Buffer.from(text ?? '', 'hex').toString('utf8');
        if (!isConverted(charset, bytes, expected)) continue;
        const decoded = decodeText(bytes, 0, bytes.length, collation);
        // Of an incomplete tail the server says nothing.
        if (decoded !== expected && decoded !== `${expected}\ufffd`)
          wrong.push(`${charset} ${hex ?? ''}: ${decoded} instead of ${expected}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});

/** The server gives `?`, U+FFFD or nothing for what it cannot convert, and passes 80–FF of ASCII on as they are. */
function isConverted(charset: string, bytes: Buffer, text: string): boolean {
  const questionMarks = (of: Iterable<number | string>, mark: number | string): number =>
    [...of].filter((one) => one === mark).length;
  if (text === '' || text.includes('\ufffd') || (charset === 'ascii' && bytes.some((byte) => byte > 0x7f)))
    return false;
  return questionMarks(text, '?') <= questionMarks(bytes, 0x3f);
}

/** Value lists: all of one byte, all of two from 80 on, many of three and four. */
function* byteSequences(): Generator<string> {
  let part: string[] = [];
  const all = function* (): Generator<number[]> {
    for (let first = 0; first < 256; first++) yield [first];
    for (let first = 0x80; first < 256; first++) for (let second = 0; second < 256; second++) yield [first, second];
    for (let second = 0xa1; second < 0xff; second++) {
      for (let third = 0xa1; third < 0xff; third++) yield [0x8f, second, third];
    }
    for (let index = 0; index < 50_400; index += 7) {
      const [low, third, second] = [index % 10, Math.floor(index / 10) % 126, Math.floor(index / 1260) % 10];
      yield [0x81 + Math.floor(index / 12_600), 0x30 + second, 0x81 + third, 0x30 + low];
    }
    for (let plane = 0; plane < 17; plane++) {
      for (let unit = 0; unit < 0x1_0000; unit += 97) yield [0, plane, unit >> 8, unit & 255];
    }
  };
  for (const bytes of all()) {
    part.push(`(x'${Buffer.from(bytes).toString('hex')}')`);
    if (part.length < 5000) continue;
    yield part.join(',');
    part = [];
  }
  yield part.join(',');
}
