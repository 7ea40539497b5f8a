import { describe, expect, it } from 'vitest';

import { CdcError } from '../errors/cdc-error.ts';
import { KeyFrame, keyColumnNames } from './key-frame.ts';
import { frameOp, RecordFrame, spanText } from './record-frame.ts';
import type { Span } from './record-frame.ts';
import { ValueDecoder } from './value-decoder.ts';
import type { ValueFormat } from './value-decoder.ts';

const before = '{"id":4,"name":"John","address":"New York","phone_number":"2222","age":12}';
const after = '{"id":4,"name":"John","address":"New York","phone_number":"1234","age":12}';
const vvrSource = '"source":{"db":"kafka_test","table":"customers","ts_ms":1728528674000}';
const connectorSource =
  '"source":{"version":"3.7.0","connector":"mysql","name":"shop","ts_ms":1728528674000,"snapshot":"false","db":"kafka_test","table":"customers","server_id":1,"gtid":null,"file":"mysql-bin.000003","pos":484,"row":0}';

interface Decoded {
  readonly op: number;
  readonly rows: readonly (readonly [before: string | null, after: string | null])[];
  readonly table: string;
  readonly timeMs: number;
}

function decode(value: string, format: ValueFormat = 'auto', envelopeRequired = false): Decoded | null {
  const frame = new RecordFrame();
  // The value stands inside a larger buffer, as in a batch.
  const bytes = Buffer.from(`}{${value}}{`);
  if (!new ValueDecoder(frame, { format, envelopeRequired }).decode(bytes, 2, bytes.length - 2)) return null;
  const image = (start: number | undefined, end: number | undefined): string | null =>
    start === undefined || start < 0 ? null : bytes.toString('utf8', start, end);
  const part = (span: Span): string[] => (span.present ? [spanText(bytes, span)] : []);
  return {
    op: frame.op,
    rows: Array.from({ length: frame.rows }, (_, row) => [
      image(frame.beforeStart[row], frame.beforeEnd[row]),
      image(frame.afterStart[row], frame.afterEnd[row]),
    ]),
    table: [...part(frame.namespace), ...part(frame.schema), ...part(frame.table)].join('.'),
    timeMs: frame.timeMs,
  };
}

function refusal(value: string, format: ValueFormat = 'auto', envelopeRequired = false): unknown {
  try {
    decode(value, format, envelopeRequired);
  } catch (error) {
    return error instanceof CdcError ? error.details['reason'] : error;
  }
  return null;
}

const update: Decoded = {
  op: frameOp.update,
  rows: [[before, after]],
  table: 'kafka_test.customers',
  timeMs: 1728528674000,
};

describe('debezium-json values', () => {
  it('read as Millrace, VVR and OSS write them', () => {
    expect(decode(`{"before":${before},"after":${after},"op":"u",${vvrSource}}`)).toStrictEqual(update);
    const oss = `{"before":${before},"after":${after},"op":"u","source":{"db":"kafka_test","table":"customers"}}`;
    expect(decode(oss)).toStrictEqual({ ...update, timeMs: 0 });
  });

  it('read as a Debezium connector writes them, also inside an envelope with schema', () => {
    const value = `{"before":${before},"after":${after},${connectorSource},"transaction":null,"op":"u","ts_ms":1728528674120}`;
    expect(decode(value)).toStrictEqual(update);
    expect(decode(`{"schema":{"type":"struct","fields":[]},"payload":${value}}`)).toStrictEqual(update);
    expect(decode(` {"schema" : null , "payload" : ${value} } `, 'debezium-json', true)).toStrictEqual(update);
  });

  it('give create, snapshot read, delete and truncate their images', () => {
    const rows = (op: string, old: string, now: string): unknown =>
      decode(`{"before":${old},"after":${now},"op":"${op}",${vvrSource}}`)?.rows;
    expect(rows('c', 'null', after)).toStrictEqual([[null, after]]);
    expect(rows('r', 'null', after)).toStrictEqual([[null, after]]);
    expect(rows('d', before, 'null')).toStrictEqual([[before, null]]);
    expect(rows('t', 'null', 'null')).toStrictEqual([]);
    expect(decode(`{"before":null,"after":${after},"op":"r",${vvrSource}}`)?.op).toBe(frameOp.read);
    expect(decode(`{"op":"t",${vvrSource}}`)?.op).toBe(frameOp.truncate);
  });

  it('name PostgreSQL tables by schema, with the database only where the id holds it', () => {
    const table = (source: string): unknown =>
      decode(`{"before":null,"after":${after},"op":"c","source":{${source}}}`)?.table;
    expect(table('"db":"public","table":"t"')).toBe('public.t');
    expect(table('"db":"app","schema":"public","table":"t"')).toBe('app.public.t');
    expect(table('"connector":"postgresql","db":"app","schema":"public","table":"t"')).toBe('public.t');
    expect(table('"db":"qu\\"o","table":"\\u0074"')).toBe('qu"o.t');
  });

  it('without rows are ignored, not refused', () => {
    const ops = [
      '{"status":"END","id":"1","ts_ms":1,"event_count":0,"data_collections":[]}',
      '{"source":{},"ts_ms":1,"databaseName":"a","schemaName":null,"ddl":"CREATE","tableChanges":[]}',
      '{"ts_ms":1}',
      '{"ts_ms":1,"position":"0001"}',
      `{"op":"m","ts_ms":1,${connectorSource},"message":{"prefix":"a"}}`,
    ].map((value) => decode(value)?.op);
    expect(ops).toStrictEqual(ops.map(() => frameOp.ignored));
  });

  it('with a null payload are tombstones', () => {
    expect(decode('{"schema":null,"payload":null}')).toBeNull();
  });
});

describe('canal-json values', () => {
  const tail = '"database":"kafka_test","table":"customers","pkNames":["id"]';

  it('read as VVR and OSS write them', () => {
    const value = `{"old":[${before}],"data":[${after}],"type":"UPDATE",${tail},"ts":1728528674000,"es":0}`;
    expect(decode(value)).toStrictEqual(update);
    expect(decode(`{"old":[${before}],"data":[${after}],"type":"UPDATE",${tail}}`)).toStrictEqual({
      ...update,
      timeMs: 0,
    });
    expect(decode(`{"old":null,"data":[${after}],"type":"INSERT",${tail},"ts":0,"es":0}`)?.rows).toStrictEqual([
      [null, after],
    ]);
  });

  it('may hold several rows', () => {
    const value = `{"old":[{"a":1}, {"a":2}],"data":[ {"a":3},{"a":[{}]} ],"type":"UPDATE",${tail}}`;
    expect(decode(value)?.rows).toStrictEqual([
      ['{"a":1}', '{"a":3}'],
      ['{"a":2}', '{"a":[{}]}'],
    ]);
  });

  it('carry a deleted row in data, or in old where data is null (T182)', () => {
    const rows = [[before, null]];
    expect(decode(`{"old":null,"data":[${before}],"type":"DELETE",${tail}}`)?.rows).toStrictEqual(rows);
    expect(decode(`{"old":[${before}],"data":null,"type":"DELETE",${tail}}`)?.rows).toStrictEqual(rows);
  });

  it('truncate without rows', () => {
    expect(decode(`{"old":null,"data":null,"type":"TRUNCATE",${tail}}`)?.op).toBe(frameOp.truncate);
  });

  it.each([
    [`{"old":[{}],"data":[{},{}],"type":"UPDATE",${tail}}`, 'data-old-mismatch'],
    [`{"old":null,"data":[],"type":"INSERT",${tail}}`, 'missing-after'],
    [`{"old":null,"data":null,"type":"DELETE",${tail}}`, 'missing-before'],
    [`{"old":null,"data":[{}],"type":"UPSERT",${tail}}`, 'unknown-type'],
    [`{"old":null,"data":[1],"type":"INSERT",${tail}}`, 'not-object'],
  ])('%s is refused as %s', (value, reason) => {
    expect(refusal(value)).toBe(reason);
  });
});

describe('a value that does not decode', () => {
  const image = '"before":null,"after":{"id":1}';

  it.each([
    ['', 'bad-json'],
    ['{"before":', 'bad-json'],
    ['[]', 'not-object'],
    ['"text"', 'not-object'],
    [`{${image},"op":"c","op":"c",${vvrSource}}`, 'duplicate-field'],
    ['{"a":1}', 'unknown-shape'],
    [`{${image},${vvrSource}}`, 'missing-op'],
    [`{${image},"op":"x",${vvrSource}}`, 'unknown-op'],
    [`{${image},"op":"cc",${vvrSource}}`, 'unknown-op'],
    [`{"before":{},"after":null,"op":"c",${vvrSource}}`, 'missing-after'],
    [`{"before":{},"op":"u",${vvrSource}}`, 'missing-after'],
    [`{"after":1,"op":"c",${vvrSource}}`, 'not-object'],
    [`{${image},"op":"c","source":{"db":"a"}}`, 'missing-table'],
    [`{${image},"op":"c","source":null}`, 'missing-table'],
    [`{"before":null,"after":${'{"a":'.repeat(70)}1${'}'.repeat(70)},"op":"c",${vvrSource}}`, 'too-deep'],
  ])('%s is refused as %s', (value, reason) => {
    expect(refusal(value)).toBe(reason);
  });

  it('is refused where an envelope is demanded', () => {
    expect(refusal(`{${image},"op":"c",${vvrSource}}`, 'debezium-json', true)).toBe('missing-envelope');
  });

  it('names the format that fits', () => {
    expect(refusal(`{${image},"op":"c",${vvrSource}}`, 'canal-json')).toBe('dialect-mismatch');
    expect(refusal('{"data":[{}],"type":"INSERT","database":"a","table":"b","pkNames":[]}', 'debezium-json')).toBe(
      'dialect-mismatch',
    );
  });

  it.each([
    ['Flink SQL debezium-json', `{${image},"op":"c"}`],
    ['TiCDC', '{"type":"UPDATE","data":[],"database":"a","table":"b","pkNames":[],"isDdl":false,"_tidb":{}}'],
    ['alibaba/canal', '{"type":"UPDATE","data":[],"database":"a","table":"b","pkNames":[],"isDdl":false}'],
    ['Flink SQL canal-json', '{"type":"INSERT","data":[{"id":1}]}'],
    ['Maxwell', '{"type":"insert","data":{"id":1},"database":"a","table":"b"}'],
    ['Oracle GoldenGate', '{"op_type":"I","table":"A.B","after":{}}'],
    ['ExtractNewRecordState', '{"id":1,"__deleted":"false"}'],
  ])('of %s is refused by name, never misread', (_, value) => {
    expect(refusal(value)).toBe('dialect-unsupported');
  });
});

describe('a record key', () => {
  function keyOf(text: string | null): unknown {
    const key = new KeyFrame();
    const bytes = Buffer.from(`{${text ?? ''}}`);
    const found = text === null ? key.decode(bytes, -1, -1) : key.decode(bytes, 1, bytes.length - 1);
    if (!found) return null;
    return [key.tableId.present ? spanText(bytes, key.tableId) : null, keyColumnNames(bytes, key)];
  }

  it('gives table and key columns as Millrace, OSS and Debezium write them', () => {
    expect(keyOf('{"TableId":"kafka_test.order_items","order_id":7,"line_no":2}')).toStrictEqual([
      'kafka_test.order_items',
      ['order_id', 'line_no'],
    ]);
    expect(keyOf('{"TableId":"kafka_test.log"}')).toStrictEqual(['kafka_test.log', []]);
    expect(keyOf('{"id":4}')).toStrictEqual([null, ['id']]);
    expect(keyOf('{"schema":{"type":"struct"},"payload":{"id":4}}')).toStrictEqual([null, ['id']]);
  });

  it('that is no JSON object names nothing', () => {
    expect([null, '', '4', '"a"', '{broken', 'kafka_test.customers,4'].map((text) => keyOf(text))).toStrictEqual(
      Array.from({ length: 6 }, () => null),
    );
  });
});
