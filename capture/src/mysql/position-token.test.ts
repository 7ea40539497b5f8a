import fc from 'fast-check';
import { expect, test } from 'vitest';

import { LogEpoch } from './log-epoch.ts';
import { logFileNumber, momentToken, TokenPool } from './position-token.ts';

test('the token of an event has epoch, file number, 64-bit position and row index', () => {
  const pool = new TokenPool();
  pool.openFile(0x1f, 'mysql-bin.000731');
  expect(pool.token(0x12_3456_789a).toString('latin1')).toBe('001f.000002db.000000123456789a.00000000');
  expect(momentToken(0x1f, 'mysql-bin.000731', 0x12_3456_789a)).toBe('001f.000002db.000000123456789a');
});

test('tokens of one batch do not share a buffer, those of the next batch reuse them', () => {
  const pool = new TokenPool();
  pool.openFile(1, 'b.000001');
  const [first, second] = [pool.token(4), pool.token(5)];
  expect(first).not.toBe(second);
  expect(first.toString('latin1')).toContain('.0000000000000004.');
  pool.reuseAll();
  expect(pool.token(6)).toBe(first);
});

test('T174 tokens compare as text as positions do, across six and seven digits of the file name', () => {
  const place = fc.record({ file: fc.integer({ min: 999_990, max: 1_000_010 }), at: fc.nat(2 ** 48) });
  fc.assert(
    fc.property(place, place, (a, b) => {
      const text = (one: typeof a): string => momentToken(1, `binlog.${String(one.file).padStart(6, '0')}`, one.at);
      const expected = a.file - b.file || a.at - b.at;
      expect(text(a) < text(b)).toBe(expected < 0);
    }),
  );
  expect(logFileNumber('binlog.1000000')).toBe(1_000_000);
});

test('T107 T111 another server or log name raises the epoch, a rotation does not', () => {
  const epoch = new LogEpoch(1);
  epoch.resume(4, 'uuid-1', 'binlog.000009');
  expect(epoch.observe('uuid-1', 'binlog.000010')).toBe(4);
  expect(epoch.observe('uuid-2', 'binlog.000002')).toBe(5);
  expect(epoch.observe('uuid-2', 'binlog.000003')).toBe(5);
  expect(epoch.observe('uuid-2', 'mysql-bin.000003')).toBe(6);
});
