import { logCorrupt } from '../log-corrupt.ts';
import { ByteCursor } from './byte-cursor.ts';

/** Fixed part: thread u32 · seconds u32 · schema length u8 · error u16 · status length u16. */
const fixedBytes = 13;

/** EXECUTE_LOAD_QUERY has this much more in its fixed part. */
export const loadQueryExtraBytes = 13;

/** Where the text of a QUERY event begins; it runs to `end`. All that the common BEGIN and COMMIT need. */
export function queryTextStart(bytes: Buffer, start: number, end: number, extraBytes = 0): number {
  if (end - start < fixedBytes + extraBytes) throw logCorrupt('QUERY ends too early');
  const schemaLength = bytes[start + 8] as number;
  const statusLength = (bytes[start + 11] as number) | ((bytes[start + 12] as number) << 8);
  const text = start + fixedBytes + extraBytes + statusLength + schemaLength + 1;
  if (text > end) throw logCorrupt('QUERY ends too early');
  return text;
}

export interface QueryContext {
  /** The session's default database. */
  readonly schema: string;
  readonly ansiQuotes: boolean;
  readonly noBackslashEscapes: boolean;
  /** Collation id of the text; null when the event does not say. */
  readonly clientCollation: number | null;
  /** Databases that the statement changed; null when unknown or too many to list. */
  readonly updatedDatabases: readonly string[] | null;
}

const ansiQuotesBit = 0x4;
const noBackslashEscapesBit = 0x100000;
const tooManyDatabases = 254;

/** Bytes of status variables of fixed size, by code. */
const fixedSizes: Readonly<Record<number, number>> = {
  0: 4,
  3: 4,
  7: 2,
  8: 2,
  9: 8,
  10: 4,
  13: 3,
  16: 1,
  17: 8,
  18: 2,
  19: 1,
  20: 1,
};

/** Reads schema and status variables (binlog protocol, QUERY_EVENT); an unknown variable ends the reading of them. */
export function readQueryContext(bytes: Buffer, start: number, end: number, extraBytes = 0): QueryContext {
  const textAt = queryTextStart(bytes, start, end, extraBytes);
  const schemaLength = bytes[start + 8] as number;
  const statusEnd = textAt - schemaLength - 1;
  const cursor = new ByteCursor(bytes, start + fixedBytes + extraBytes, statusEnd, 'QUERY');
  let sqlModeLow = 0;
  let clientCollation: number | null = null;
  let updatedDatabases: readonly string[] | null = null;
  while (cursor.left > 0) {
    const code = cursor.u8();
    if (code === 1) {
      sqlModeLow = cursor.u32();
      cursor.skip(4);
    } else if (code === 4) {
      clientCollation = cursor.u16();
      cursor.skip(4);
    } else if (code === 2) {
      cursor.skip(cursor.u8() + 1);
    } else if (code === 5 || code === 6) {
      cursor.skip(cursor.u8());
    } else if (code === 11) {
      cursor.skip(cursor.u8());
      cursor.skip(cursor.u8());
    } else if (code === 12) {
      const count = cursor.u8();
      if (count !== tooManyDatabases) updatedDatabases = Array.from({ length: count }, () => cursor.utf8z());
    } else {
      const size = fixedSizes[code];
      if (size === undefined) break;
      cursor.skip(size);
    }
  }
  return {
    schema: bytes.toString('utf8', statusEnd, statusEnd + schemaLength),
    ansiQuotes: (sqlModeLow & ansiQuotesBit) !== 0,
    noBackslashEscapes: (sqlModeLow & noBackslashEscapesBit) !== 0,
    clientCollation,
    updatedDatabases,
  };
}
