import { RecordCursor } from '@millrace/shared/kafka/record-cursor.ts';
import { expect, it } from 'vitest';

import { fetchedRecords } from '../testing/fetched-records.ts';
import { ChangeHeaders } from './change-headers.ts';

function read(headers: Readonly<Record<string, string>>): object {
  const cursor = new RecordCursor();
  cursor.open(fetchedRecords('t', 0, 0, [{ key: 'k', value: 'v', headers }]));
  cursor.next();
  const found = new ChangeHeaders();
  found.read(cursor);
  const text = (start: number, end: number): string | null =>
    start < 0 ? null : cursor.bytes.toString('utf8', start, end);
  return {
    source: text(found.sourceStart, found.sourceEnd),
    position: text(found.positionStart, found.positionEnd),
    schema: text(found.schemaStart, found.schemaEnd),
    timeMicros: found.timeMicros,
    isSnapshot: found.isSnapshot,
    hasUnavailable: found.hasUnavailable,
  };
}

const none = {
  source: null,
  position: null,
  schema: null,
  timeMicros: 0,
  isSnapshot: false,
  hasUnavailable: false,
};

it('finds its own headers among others, in any order', () => {
  const long = 'x'.repeat(300);
  expect(
    read({
      [long]: long,
      'mr.gtid': 'a:1',
      'mr.ts': '1728528674000123',
      'mr.schema': '9f2c4be1a07d3358',
      'mr.pos': '0001.00000012',
      'mr.unavailable': '["bio"]',
      'mr.src': 'Łódź',
      'mr.snap': 'initial',
    }),
  ).toStrictEqual({
    source: 'Łódź',
    position: '0001.00000012',
    schema: '9f2c4be1a07d3358',
    timeMicros: 1728528674000123,
    isSnapshot: true,
    hasUnavailable: true,
  });
});

it('takes no other header for one of its own', () => {
  const others = {
    'mr.': '1',
    'mr.tx': '5',
    'mr.txi': '6',
    'mr.sr': '7',
    'mr.source': '8',
    'mr.position': '9',
    ts: '1',
  };
  expect(read(others)).toStrictEqual(none);
  expect(read({})).toStrictEqual(none);
});
