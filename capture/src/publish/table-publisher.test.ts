import { ChangeFrame } from '@millrace/shared/format/change-frame.ts';
import { debeziumJsonFrame } from '@millrace/shared/format/debezium-json-frame.ts';
import { expect, test } from 'vitest';

import { plainValues } from '../testing/plain-values.ts';
import { TextValue } from '../testing/text-value.ts';
import { ModelRenderer, modelTable } from '../testing/model-source.ts';
import type { ModelChange } from '../testing/model-source.ts';
import type { RowBatch, RowOp } from '../source.ts';
import { ChangedColumns } from './changed-columns.ts';
import { tableHeaders } from './record-headers.ts';
import { TablePublisher } from './table-publisher.ts';

interface Sent {
  readonly partition: number;
  readonly key: string;
  readonly value: string | null;
  readonly headers: readonly (readonly [string, string])[];
}

/** Reads an encoded header block back: varint name length, name, varint value length, value. */
function decodeHeaders(bytes: Buffer, start: number, end: number): [string, string][] {
  let at = start;
  const length = (): number => {
    let value = 0;
    let shift = 0;
    let byte: number;
    do {
      byte = bytes[at++] ?? 0;
      value |= (byte & 127) << shift;
      shift += 7;
    } while (byte > 127);
    return value >>> 1;
  };
  const text = (): string => {
    const size = length();
    at += size;
    return bytes.toString('utf8', at - size, at);
  };
  const headers: [string, string][] = [];
  for (;;) {
    if (at >= end) return headers;
    headers.push([text(), text()]);
  }
}

function publisher(options: { tombstones?: boolean; changedOldOnly?: boolean; unavailable?: readonly string[] } = {}) {
  const sent: Sent[] = [];
  const renderer = new ModelRenderer({
    columns: ['id', 'version'],
    keyColumns: ['id'],
    keyStyle: 'json',
    keyPrefix: Buffer.from('{"TableId":"db.t"'),
    values: plainValues,
  });
  renderer.row.unavailable = options.unavailable ?? null;
  const tables = new TablePublisher<TextValue>({
    renderer,
    frame: new ChangeFrame(
      debeziumJsonFrame(modelTable.schema.id, { flavour: 'vvr', snapshotOp: 'c', fullTableId: false }),
    ),
    headers: tableHeaders({
      tableHeaders: [],
      customHeaders: [['site', 'köln']],
      sourceName: 'shop',
      fingerprint: '0123456789abcdef',
      positions: true,
    }),
    partition: (bytes, start, end) => bytes.toString('utf8', start, end).length % 2,
    partitionCount: 2,
    tableKey: Buffer.from('{"TableId":"db.t"}'),
    lane: (partition) => ({
      append: (_time, key, keyStart, keyEnd, value, headers, headersStart, headersEnd, headerCount) => {
        const list = decodeHeaders(headers, headersStart, headersEnd);
        expect(list).toHaveLength(headerCount);
        sent.push({
          partition,
          key: key.toString('utf8', keyStart, keyEnd),
          value: value?.text ?? null,
          headers: list,
        });
      },
    }),
    value: new TextValue(),
    tombstones: options.tombstones ?? false,
    changed: options.changedOldOnly === true ? new ChangedColumns(['id', 'version'], false) : null,
    nowMs: () => 1,
  });
  return { tables, sent };
}

const position = Buffer.from('0001.00000012.0000000000004a10.00000000');
const facts = { gtid: 'u:7', commitTimeMicros: 1728528674000123, sequence: 1 };

function rows(op: RowOp, changes: readonly Omit<ModelChange, 'op'>[]) {
  const batch: RowBatch & { changes: readonly ModelChange[] } = {
    table: modelTable,
    changes: changes.map((change) => ({ op, ...change })),
  };
  return { kind: 'rows', op, rows: batch, position } as const;
}

const row = (id: number, version: number) => ({ id, version });

test('headers stand in the documented order and the position counts the rows of the event', () => {
  const { tables, sent } = publisher();
  const changes = Array.from({ length: 18 }, (_, index) => ({ before: null, after: row(index, 1) }));
  expect(tables.publishRows(rows('create', changes), facts, null)).toBe(18);
  expect(sent[17]?.headers).toEqual([
    ['site', 'köln'],
    ['mr.src', 'shop'],
    ['mr.pos', '0001.00000012.0000000000004a10.00000011'],
    ['mr.ts', '1728528674000123'],
    ['mr.gtid', 'u:7'],
    ['mr.schema', '0123456789abcdef'],
  ]);
  expect(sent[0]?.headers[2]).toEqual(['mr.pos', '0001.00000012.0000000000004a10.00000000']);
});

test('T33 a changed key is a delete of the old key and a create of the new one, linked, with two tokens', () => {
  const { tables, sent } = publisher();
  const changes = [
    { before: row(1, 1), after: row(1, 2) },
    { before: row(1, 2), after: row(22, 3) },
    { before: row(5, 4), after: row(5, 5) },
  ];
  tables.publishRows(rows('update', changes), facts, null);
  const of = (index: number, name: string) => sent[index]?.headers.find(([header]) => header === name)?.[1];
  expect(sent.map((record) => (JSON.parse(record.value ?? '') as { op: string }).op)).toEqual(['u', 'd', 'c', 'u']);
  expect(sent.map((record) => record.key)).toEqual([1, 1, 22, 5].map((id) => `{"TableId":"db.t","id":${id}}`));
  expect(sent[1]?.partition).not.toBe(sent[2]?.partition);
  expect(of(1, 'mr.pos')).toBe('0001.00000012.0000000000004a10.00000001');
  expect(of(2, 'mr.pos')).toBe('0001.00000012.0000000000004a10.00000001.1');
  expect(of(3, 'mr.pos')).toBe('0001.00000012.0000000000004a10.00000002');
  expect(of(1, '__debezium.newkey')).toBe('{"TableId":"db.t","id":22}');
  expect(of(2, '__debezium.oldkey')).toBe('{"TableId":"db.t","id":1}');
  expect(of(3, '__debezium.oldkey')).toBeUndefined();
});

test('T136 a tombstone under the deleted key follows a delete where asked for', () => {
  const { tables, sent } = publisher({ tombstones: true });
  tables.publishRows(rows('delete', [{ before: row(4, 1), after: null }]), facts, null);
  expect(sent.map((record) => record.value === null)).toEqual([false, true]);
  expect(sent[1]?.key).toBe(sent[0]?.key);
});

test('the old row of an update holds the changed columns alone where asked for, other records are whole', () => {
  const { tables, sent } = publisher({ changedOldOnly: true });
  tables.publishRows(rows('update', [{ before: row(4, 1), after: row(4, 2) }]), facts, null);
  tables.publishRows(rows('delete', [{ before: row(4, 2), after: null }]), facts, null);
  expect(sent.map((record) => JSON.parse(record.value ?? '') as unknown)).toMatchObject([
    { before: { version: 1 }, after: row(4, 2), op: 'u' },
    { before: row(4, 2), after: null, op: 'd' },
  ]);
  expect(sent[0]?.value).toContain('"before":{"version":1}');
});

test('T41 columns the log did not carry are named in a header', () => {
  const { tables, sent } = publisher({ unavailable: ['note'] });
  tables.publishRows(rows('update', [{ before: row(4, 1), after: row(4, 2) }]), facts, null);
  expect(sent[0]?.headers).toContainEqual(['mr.unavailable', '["note"]']);
});

test('a truncate reaches every partition', () => {
  const { tables, sent } = publisher();
  tables.publishTruncate(position, facts);
  expect(sent.map((record) => record.partition)).toEqual([0, 1]);
  expect(sent[1]?.value).toContain('"op":"t"');
});

test('keys of both images are told to whoever watches', () => {
  const { tables } = publisher();
  const seen: string[] = [];
  tables.publishRows(rows('update', [{ before: row(1, 1), after: row(2, 2) }]), facts, (bytes, start, end) =>
    seen.push(bytes.toString('utf8', start, end)),
  );
  expect(seen).toEqual(['{"TableId":"db.t","id":1}', '{"TableId":"db.t","id":2}']);
});
