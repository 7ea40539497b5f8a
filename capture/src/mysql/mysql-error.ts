import { CdcError } from '@millrace/shared/errors/cdc-error.ts';
import type { ErrorCode } from '@millrace/shared/errors/codes.ts';

/** What `mysql2` and `net` put on their errors. */
interface ForeignError {
  readonly code?: unknown;
  readonly errno?: unknown;
  readonly message?: unknown;
}

const authErrno: ReadonlySet<number> = new Set([
  1044, 1045, 1142, 1143, 1227, 1251, 1410, 1698, 1820, 1862, 3118, 3162, 3955, 4052, 4053,
]);

const connectionErrno: ReadonlySet<number> = new Set([
  1040, 1042, 1043, 1053, 1077, 1080, 1129, 1152, 1158, 1159, 1160, 1161, 1184, 1203, 1205, 1226, 1317, 2006, 2013,
  3024, 3032, 3169, 4031,
]);

const tlsCodes: ReadonlySet<string> = new Set(['HANDSHAKE_SSL_ERROR', 'HANDSHAKE_NO_SSL_SUPPORT']);

const authCodes: ReadonlySet<string> = new Set(['AUTH_SWITCH_PLUGIN_ERROR', 'MYSQL_CLEAR_PASSWORD_NOT_ENABLED']);

const connectionCodes: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'ENOENT',
  'EAI_AGAIN',
  'EPIPE',
  'ETIMEDOUT',
  'PROTOCOL_CONNECTION_LOST',
  'PROTOCOL_SEQUENCE_TIMEOUT',
  'PROTOCOL_UNEXPECTED_PACKET',
  'HANDSHAKE_UNKNOWN_ERROR',
]);

function codeOf(errno: number, code: string): readonly [ErrorCode, string] {
  if (tlsCodes.has(code)) return ['SOURCE_AUTH_FAILED', 'the TLS connection to the source cannot be made'];
  if (authErrno.has(errno) || authCodes.has(code)) return ['SOURCE_AUTH_FAILED', 'the source refuses access'];
  if (errno === 1146 || errno === 1049) return ['SOURCE_SCHEMA_UNSUPPORTED', 'a table is gone at the source'];
  if (errno === 1054) return ['SOURCE_SCHEMA_UNSUPPORTED', 'a column is gone at the source'];
  if (connectionErrno.has(errno) || connectionCodes.has(code) || errno === 0) {
    return ['SOURCE_CONNECTION_LOST', 'the source cannot be reached'];
  }
  return ['SOURCE_NOT_READY', 'the source refuses a statement'];
}

/**
 * The one translation of client and server failures. `doing` is constant text for people, such as `reading a chunk`.
 * Server error texts name accounts, tables and statements' positions; statements of ours carry no row values but key
 * bounds, which the server does not repeat in the errors met here.
 */
export function translateMysqlError(error: unknown, doing: string, details: Record<string, string> = {}): CdcError {
  if (error instanceof CdcError) return error;
  const foreign = (typeof error === 'object' && error !== null ? error : {}) as ForeignError;
  const errno = typeof foreign.errno === 'number' && foreign.errno > 0 ? foreign.errno : 0;
  const code = typeof foreign.code === 'string' ? foreign.code : '';
  const reason = typeof foreign.message === 'string' && foreign.message !== '' ? foreign.message : code;
  const [translated, message] = codeOf(errno, code);
  return new CdcError(translated, message, {
    details: { doing, ...details, reason, ...(errno === 0 ? {} : { errno }) },
    cause: error,
  });
}
