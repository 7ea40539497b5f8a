import { writeFileSync } from 'node:fs';
import { brotliCompressSync, constants } from 'node:zlib';

import { createConnection } from 'mysql2/promise';
import type { Connection, RowDataPacket } from 'mysql2/promise';

/**
 * Writes the character set tables of `capture/src/mysql/charset/` as a running MySQL server defines them:
 * `node test/src/tools/charset-tables.ts HOST PORT USER [PASSWORD]`.
 */

const folder = new URL('../../../capture/src/mysql/charset/', import.meta.url);

/** Order of the tables in `multi-byte.br`; `multi-byte.ts` has the same list. */
const multiByte = ['big5', 'gbk', 'gb2312', 'euckr', 'sjis', 'cp932', 'ujis', 'eucjpms', 'gb18030'];
const unicode = new Set(['binary', 'ascii', 'utf8mb3', 'utf8mb4', 'ucs2', 'utf16', 'utf16le', 'utf32']);
const unmapped = 0xfffd;

function sequences(): Buffer[] {
  const all: Buffer[] = [];
  for (let first = 0; first < 256; first++) all.push(Buffer.from([first]));
  for (let first = 128; first < 256; first++) {
    for (let second = 0; second < 256; second++) all.push(Buffer.from([first, second]));
  }
  for (let second = 0xa1; second < 0xff; second++) {
    for (let third = 0xa1; third < 0xff; third++) all.push(Buffer.from([0x8f, second, third]));
  }
  return all;
}

async function loadSequences(connection: Connection): Promise<void> {
  await connection.query('CREATE TEMPORARY TABLE byte_sequence (id INT PRIMARY KEY, bytes VARBINARY(4))');
  const all = sequences();
  for (let start = 0; start < all.length; start += 5000) {
    const rows = all.slice(start, start + 5000).map((bytes, index) => `(${start + index},x'${bytes.toString('hex')}')`);
    await connection.query(`INSERT INTO byte_sequence VALUES ${rows.join(',')}`);
  }
}

/** Code unit by byte sequence in hex; what has none, and what the server itself maps to U+FFFD, is left out. */
async function readMap(connection: Connection, charset: string, longest: number): Promise<Map<string, number>> {
  const [rows] = await connection.query<RowDataPacket[]>(
    `SELECT HEX(bytes) AS bytes, HEX(CONVERT(CONVERT(bytes USING ${charset}) USING utf16)) AS units
     FROM byte_sequence
     WHERE LENGTH(bytes) <= ? AND CHAR_LENGTH(CONVERT(bytes USING ${charset})) = 1`,
    [longest],
  );
  const map = new Map<string, number>();
  for (const row of rows) {
    const bytes = row['bytes'] as string;
    const units = row['units'] as string | null;
    if (units === null || units.length !== 4) continue;
    const unit = Number.parseInt(units, 16);
    if (unit === unmapped || (unit === 0x3f && bytes !== '3F')) continue;
    map.set(bytes, unit);
  }
  return map;
}

function singleByteText(map: ReadonlyMap<string, number>): string {
  let text = '';
  for (let byte = 0; byte < 256; byte++) {
    text += String.fromCharCode(map.get(byte.toString(16).toUpperCase().padStart(2, '0')) ?? unmapped);
  }
  const ascii = Array.from({ length: 128 }, (_, byte) => text.charCodeAt(byte) === byte).every(Boolean);
  return ascii ? text.slice(128) : text;
}

function quoted(text: string): string {
  const escaped = Array.from(text, (char) => {
    if (char === "'" || char === '\\') return `\\${char}`;
    return /[\p{L}\p{N}\p{P}\p{S}]/u.test(char) && char !== '\ufffd' && !/[\u0590-\u08ff\ufb1d-\ufeff]/u.test(char)
      ? char
      : `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  return `'${escaped.join('')}'`;
}

function multiByteTable(map: ReadonlyMap<string, number>): Buffer {
  const singles = new Uint16Array(128);
  const doubles = new Uint16Array(128 * 256);
  const triples = new Uint16Array(94 * 94);
  for (const [hex, unit] of map) {
    const [first = 0, second = 0, third = 0] = Buffer.from(hex, 'hex');
    if (hex.length === 2 && first < 128 && unit !== first)
      throw new Error('a multi-byte charset is not ASCII below 80');
    if (hex.length === 2 && first >= 128) singles[first - 128] = unit;
    if (hex.length === 4) doubles[(first - 128) * 256 + second] = unit;
    if (hex.length === 6) triples[(second - 0xa1) * 94 + (third - 0xa1)] = unit;
  }
  return Buffer.concat([singles, doubles, triples].map((table) => Buffer.from(table.buffer)));
}

function idRanges(ids: readonly number[]): string {
  const parts: string[] = [];
  let from = 0;
  let to = -2;
  const flush = (): void => {
    if (to >= 0) parts.push(from === to ? String(from) : `${from}-${to}`);
  };
  for (const id of ids) {
    if (id === to + 1) to = id;
    else {
      flush();
      from = id;
      to = id;
    }
  }
  flush();
  return parts.join(' ');
}

async function collationsFile(connection: Connection): Promise<string> {
  const [rows] = await connection.query<RowDataPacket[]>(
    'SELECT ID AS id, CHARACTER_SET_NAME AS charset FROM information_schema.COLLATIONS ORDER BY ID',
  );
  const byCharset = new Map<string, number[]>();
  for (const row of rows) {
    const ids = byCharset.get(row['charset'] as string) ?? [];
    ids.push(Number(row['id']));
    byCharset.set(row['charset'] as string, ids);
  }
  const lines = [...byCharset]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([charset, ids]) => `  ${charset}: '${idRanges(ids)}',`);
  return [
    '/** Generated by `test/src/tools/charset-tables.ts`: collation ids of each character set of MySQL. */',
    'export const collationIds: Readonly<Record<string, string>> = {',
    ...lines,
    '};',
    '',
  ].join('\n');
}

async function main(): Promise<void> {
  const [host = '127.0.0.1', port = '3306', user = 'root', password = ''] = process.argv.slice(2);
  const connection = await createConnection({ host, port: Number(port), user, password, charset: 'utf8mb4' });
  try {
    await connection.query('CREATE DATABASE IF NOT EXISTS charset_tables');
    await connection.query('USE charset_tables');
    await loadSequences(connection);
    const [charsets] = await connection.query<RowDataPacket[]>(
      'SELECT CHARACTER_SET_NAME AS name, MAXLEN AS longest FROM information_schema.CHARACTER_SETS ORDER BY 1',
    );
    const lines: string[] = [];
    const tables: Buffer[] = [];
    for (const { name, longest } of charsets as { name: string; longest: number }[]) {
      if (longest > 1 || unicode.has(name)) continue;
      lines.push(`  ${name}: ${quoted(singleByteText(await readMap(connection, name, 1)))},`);
    }
    for (const name of multiByte) {
      tables.push(multiByteTable(await readMap(connection, name, name === 'ujis' || name === 'eucjpms' ? 3 : 2)));
    }
    const singleByteFile = [
      '/**',
      ' * Generated by `test/src/tools/charset-tables.ts`: the characters of bytes 80–FF, or of all 256 where the lower half is',
      ' * not ASCII. U+FFFD where a byte has no character.',
      ' */',
      'export const singleByteCharacters: Readonly<Record<string, string>> = {',
      ...lines,
      '};',
      '',
    ].join('\n');
    writeFileSync(new URL('single-byte-characters.ts', folder), singleByteFile);
    writeFileSync(new URL('collation-ids.ts', folder), await collationsFile(connection));
    const packed = brotliCompressSync(Buffer.concat(tables), { params: { [constants.BROTLI_PARAM_LGWIN]: 24 } });
    writeFileSync(new URL('multi-byte.br', folder), packed);
    await connection.query('DROP DATABASE charset_tables');
  } finally {
    await connection.end();
  }
}

await main();
