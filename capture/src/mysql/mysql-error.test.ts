import { CdcError } from '@millrace/shared/errors/cdc-error.ts';
import { expect, test } from 'vitest';

import { translateMysqlError } from './mysql-error.ts';

function failure(fields: object): Error {
  return Object.assign(new Error('text of the server'), fields);
}

test.each([
  [{ errno: 1045 }, 'SOURCE_AUTH_FAILED'],
  [{ errno: 1142 }, 'SOURCE_AUTH_FAILED'],
  [{ errno: 1227 }, 'SOURCE_AUTH_FAILED'],
  [{ code: 'HANDSHAKE_SSL_ERROR' }, 'SOURCE_AUTH_FAILED'],
  [{ code: 'ECONNREFUSED', errno: -111 }, 'SOURCE_CONNECTION_LOST'],
  [{ code: 'PROTOCOL_CONNECTION_LOST' }, 'SOURCE_CONNECTION_LOST'],
  [{ errno: 1053 }, 'SOURCE_CONNECTION_LOST'],
  [{ errno: 1146 }, 'SOURCE_SCHEMA_UNSUPPORTED'],
  [{ errno: 1064 }, 'SOURCE_NOT_READY'],
])('%j is %s', (fields, code) => {
  expect(translateMysqlError(failure(fields), 'testing')).toMatchObject({
    code,
    details: expect.objectContaining({ doing: 'testing', reason: 'text of the server' }) as object,
  });
});

test('an error of ours stays itself', () => {
  const error = new CdcError('SOURCE_FENCED', 'x');
  expect(translateMysqlError(error, 'testing')).toBe(error);
});
