import { DatabaseError } from 'pg';
import { expect, test } from 'vitest';

import { copyPlace, destinationError, failureClass } from './sql-state.ts';

function serverError(code: string, fields: Partial<DatabaseError> = {}): DatabaseError {
  return Object.assign(new DatabaseError('key (email)=(secret) exists', 0, 'error'), { code, ...fields });
}

test.each([
  ['40001', 'retry'],
  ['40P01', 'retry'],
  ['55P03', 'retry'],
  ['57014', 'retry'],
  ['08006', 'connection'],
  ['57P01', 'connection'],
  ['25006', 'connection'],
  ['53100', 'resource'],
  ['0A000', 'drift'],
  ['42P01', 'drift'],
  ['22003', 'row'],
  ['23502', 'row'],
  ['54000', 'row'],
  ['23505', 'unique'],
  ['42501', 'rights'],
  ['28P01', 'rights'],
  ['21000', 'defect'],
  ['XX001', 'defect'],
])('%s is of class %s (T153)', (code, kind) => {
  expect(failureClass(serverError(code))).toBe(kind);
});

test('an error without an SQLSTATE is a connection that failed', () => {
  expect(failureClass(new Error('read ECONNRESET'))).toBe('connection');
});

test('a fault of the program is no connection that failed', () => {
  expect(failureClass(new TypeError('x is undefined'))).toBe('defect');
  expect(destinationError(new TypeError('x is undefined')).code).toBe('INVARIANT_BROKEN');
});

test('names of the server report are kept, texts that may hold row values are not', () => {
  const error = destinationError(
    serverError('23505', {
      schema: 's',
      table: 't',
      constraint: 'u',
      detail: 'secret',
      where: 'COPY x, line 1: "secret"',
    }),
  );
  expect(error.details).toEqual({ sqlstate: '23505', table: 's.t', constraint: 'u' });
  expect(error.message).not.toContain('secret');
});

test('COPY names the row and column of its error', () => {
  expect(copyPlace(serverError('22P02', { where: 'COPY mr_stage_7, line 512, column amount: "x"' }))).toEqual({
    row: 511,
    column: 'amount',
  });
  expect(copyPlace(serverError('22P04', { where: 'COPY mr_stage_7, line 3: "a"' }))).toEqual({ row: 2, column: null });
  const inJson = 'JSON data, line 1: {bad...\nCOPY mr_stage_1, line 2, column v: "{bad"';
  expect(copyPlace(serverError('22P02', { where: inJson }))).toEqual({ row: 1, column: 'v' });
  expect(copyPlace(serverError('23505'))).toBeNull();
});
