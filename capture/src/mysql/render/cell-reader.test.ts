import type { Value } from '@millrace/shared/event/value.ts';
import { describe, expect, it } from 'vitest';

import { viewOf } from '../cells/cell-fixture.ts';
import { snapshotReader, streamReader } from './cell-reader.ts';
import { binary, column, latin1, snapshotValue, streamValue, utf8mb4 } from './row-fixture.ts';
import type { ColumnParts } from './row-fixture.ts';

/** The value as JSON: what a generic writer makes of the reader's answer. */
function generic(value: Value, of: ColumnParts): string {
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value).toString('base64'));
  if (of.type === 'decimal' && typeof value === 'string') return (of.meta ?? 0) > 38 ? `"${value}"` : value;
  if (of.type === 'timestamp2' || of.type === 'timestampOld') return `"${String(value)}Z"`;
  if (typeof value === 'number' && (of.type === 'double' || of.type === 'float')) return String(value);
  return JSON.stringify(value);
}

/** Cell of the log without its length prefix, text protocol bytes. */
const cells: readonly (readonly [ColumnParts, string, string | Buffer])[] = [
  [{ type: 'tiny', unsigned: true }, 'ff', '255'],
  [{ type: 'tiny', displayWidthOne: true }, '01', '1'],
  [{ type: 'int24' }, 'ffff7f', '8388607'],
  [{ type: 'longlong' }, '0100000000002000', '9007199254740993'],
  [{ type: 'longlong', unsigned: true }, 'ffffffffffffffff', '18446744073709551615'],
  [{ type: 'decimal', meta: 4, scale: 2 }, '1c9c', '-99.99'],
  [
    { type: 'decimal', meta: 40, scale: 16 },
    '7fff84e4ce6b05f201e1e8f8a432eafffe1dbf',
    '-123456234234234757655.1234567890123456',
  ],
  [{ type: 'double', meta: 8 }, '333333333333f33f', '1.2'],
  [{ type: 'bit', meta: 1 }, '01', Buffer.from([1])],
  [{ type: 'bit', meta: 24 }, 'e38e56', Buffer.from('e38e56', 'hex')],
  [{ type: 'year' }, 'ff', '2155'],
  [{ type: 'date' }, '5cc10f', '2016-10-28'],
  [{ type: 'time2', meta: 4 }, '7f0efafb2d', '-15:04:05.1235'],
  [{ type: 'datetime2', meta: 6 }, '999ab8f7aa0186a0', '2016-10-28 15:30:42.100000'],
  [{ type: 'timestamp2', meta: 3 }, '659200801388', '2024-01-01 00:00:00.500'],
  [{ type: 'timeOld' }, 'a12ffd', '-18:44:15'],
  [{ type: 'datetimeOld' }, 'd2deeb1a56120000', '2016-10-28 15:30:42'],
  [{ type: 'timestampOld' }, 'ffffff7f', '2038-01-19 03:14:07'],
  [{ type: 'varchar', meta: 40, collation: utf8mb4 }, '05c3a9e282ac', 'é€'],
  [{ type: 'varchar', meta: 40, collation: latin1 }, '02e980', Buffer.from('e980', 'hex')],
  [{ type: 'string', meta: 4, collation: binary }, '020102', Buffer.from('01020000', 'hex')],
  [{ type: 'enum', meta: 1, labels: ['a', "b's"], collation: utf8mb4 }, '02', "b's"],
  [{ type: 'set', meta: 1, labels: ['a', 'b', 'c'], collation: utf8mb4 }, '05', 'a,c'],
  [{ type: 'json', meta: 4 }, '03000000040100', 'true'],
];

const prefixBytes = (of: ColumnParts): number => {
  if (of.type === 'varchar' || of.type === 'string') return 1;
  return of.type === 'json' ? 4 : 0;
};

describe('readers and writers give one answer', () => {
  it.each(cells.map(([of, cell, text]) => ({ type: of.type, of, cell, text })))('$type $cell', ({ of, cell, text }) => {
    const facts = column(of);
    const logged = Buffer.from(cell, 'hex');
    const shown = Buffer.from(text);
    const fromLog = streamReader(facts, true)(viewOf(logged), prefixBytes(of), logged.length);
    const fromText = snapshotReader(facts, true)(viewOf(shown), 0, shown.length);
    expect(fromText).toEqual(fromLog);
    expect(streamValue(facts, logged)).toBe(generic(fromLog, of));
    expect(snapshotValue(facts, shown)).toBe(generic(fromText, of));
  });
});
