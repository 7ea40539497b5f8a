import { gunzipSync, zstdDecompressSync } from 'node:zlib';

import type { AsyncBuffer, FileMetaData, SchemaElement } from 'hyparquet';
import { parquetMetadataAsync, parquetRead } from 'hyparquet';

import { ByteWriter } from '@millrace/shared/bytes/byte-writer.ts';
import { CdcError } from '@millrace/shared/errors/cdc-error.ts';

import { elementType, parsePrimitive } from './iceberg/schema.ts';
import type { IcebergField } from './iceberg/schema.ts';
import { writeBytesKey, writeDecimalKey, writeDoubleKey, writeIntegerKey } from './parquet/typed-column.ts';
import type { KeyHash } from './row-index/key-hash.ts';
import type { LocalStorage } from './storage/local-storage.ts';

/** Reads the keys of a data file back, of whatever writer, as the row index holds them. */

export type KeyVisitor = (position: number, word0: number, word1: number, word2: number) => void;

/** One int or bigint column is its own key; everything else is hashed. */
export function isExactKey(keyFields: readonly IcebergField[]): boolean {
  const [only] = keyFields;
  return keyFields.length === 1 && (only?.type === 'int' || only?.type === 'long');
}

const wholeFileBytes = 4 * 1024 * 1024;

const compressors = {
  ZSTD: (input: Uint8Array): Uint8Array => zstdDecompressSync(input),
  GZIP: (input: Uint8Array): Uint8Array => gunzipSync(input),
};

async function openFile(storage: LocalStorage, path: string, sizeBytes: number): Promise<AsyncBuffer> {
  const read = async (start: number, end: number): Promise<ArrayBuffer> => {
    const bytes = await storage.readRange(path, start, end - start);
    return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
  };
  if (sizeBytes > wholeFileBytes) {
    return { byteLength: sizeBytes, slice: (start, end) => read(start, end ?? sizeBytes) };
  }
  const whole = await read(0, sizeBytes);
  return { byteLength: whole.byteLength, slice: (start, end) => whole.slice(start, end) };
}

/** Without logical types the reader hands out what is stored: unscaled integers, microseconds, bytes. */
function physical(element: SchemaElement): SchemaElement {
  if (element.num_children !== undefined) return element;
  const { converted_type: _converted, logical_type: _logical, scale: _scale, precision: _precision, ...rest } = element;
  return rest;
}

function keyColumnNames(metadata: FileMetaData, keyFields: readonly IcebergField[], path: string): string[] {
  return keyFields.map((field) => {
    const element = metadata.schema.find((candidate) => candidate.field_id === field.id);
    if (element === undefined) {
      throw new CdcError('DESTINATION_SCHEMA_INCOMPATIBLE', 'a data file of the table lacks a key column', {
        details: { file: path, column: field.name },
      });
    }
    return element.name;
  });
}

function bigEndianInteger(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return BigInt.asIntN(bytes.length * 8, value);
}

function storedKeyWriter(field: IcebergField): (value: unknown, out: ByteWriter) => void {
  const type = parsePrimitive(elementType(field.type));
  switch (type?.kind) {
    case 'float':
    case 'double':
      return (value, out) => {
        writeDoubleKey(value as number, out);
      };
    case 'boolean':
      return (value, out) => {
        out.appendByte(value === true ? 1 : 0);
      };
    case 'string':
    case 'binary':
    case 'uuid':
      return (value, out) => {
        writeBytesKey(value as Uint8Array, out);
      };
    case 'decimal':
      return (value, out) => {
        writeDecimalKey(value instanceof Uint8Array ? bigEndianInteger(value) : BigInt(value as bigint | number), out);
      };
    default:
      return (value, out) => {
        writeIntegerKey(BigInt(value as bigint | number), out);
      };
  }
}

type Chunk = ArrayLike<unknown>;

function visitExact(chunk: Chunk, rowStart: number, visit: KeyVisitor): void {
  if (chunk instanceof BigInt64Array) {
    const words = new Uint32Array(chunk.buffer, chunk.byteOffset, chunk.length * 2);
    for (let i = 0; i < chunk.length; i++) {
      visit(rowStart + i, words[i * 2] as number, words[i * 2 + 1] as number, 0);
    }
    return;
  }
  for (let i = 0; i < chunk.length; i++) {
    const value = BigInt.asUintN(64, BigInt(chunk[i] as bigint | number));
    visit(rowStart + i, Number(value & 0xffffffffn), Number(value >> 32n), 0);
  }
}

function visitHashed(
  columns: readonly (readonly Chunk[])[],
  keyFields: readonly IcebergField[],
  rowStart: number,
  hash: KeyHash,
  visit: KeyVisitor,
): void {
  const writers = keyFields.map(storedKeyWriter);
  const flat = columns.map((chunks) =>
    chunks.length === 1 ? (chunks[0] as Chunk) : chunks.flatMap((c) => Array.from(c)),
  );
  const out = new ByteWriter(256);
  const rows = flat[0]?.length ?? 0;
  for (let row = 0; row < rows; row++) {
    out.clear();
    for (let column = 0; column < writers.length; column++) {
      (writers[column] as (value: unknown, out: ByteWriter) => void)((flat[column] as Chunk)[row], out);
    }
    hash.update(out.bytes, 0, out.length);
    visit(rowStart + row, hash.word0, hash.word1, hash.word2);
  }
}

/** Visits every row of the file, deleted ones included, in order. */
export async function scanKeys(
  storage: LocalStorage,
  path: string,
  sizeBytes: number,
  keyFields: readonly IcebergField[],
  hash: KeyHash,
  visit: KeyVisitor,
): Promise<void> {
  const file = await openFile(storage, path, sizeBytes);
  const metadata = await parquetMetadataAsync(file);
  const names = keyColumnNames(metadata, keyFields, path);
  const patched = { ...metadata, schema: metadata.schema.map(physical) };
  const exact = isExactKey(keyFields);
  let rowStart = 0;
  for (const group of metadata.row_groups) {
    const rowEnd = rowStart + Number(group.num_rows);
    const chunks = new Map<string, Chunk[]>(names.map((name) => [name, []]));
    const ranges: number[] = [];
    await parquetRead({
      file,
      metadata: patched,
      columns: names,
      rowStart,
      rowEnd,
      utf8: false,
      compressors,
      onChunk: ({ columnName, columnData, rowStart: start }) => {
        chunks.get(columnName)?.push(columnData as Chunk);
        if (columnName === names[0]) ranges.push(start);
      },
    });
    const columns = names.map((name) => chunks.get(name) ?? []);
    if (exact) columns[0]?.forEach((chunk, i) => visitExact(chunk, ranges[i] ?? rowStart, visit));
    else visitHashed(columns, keyFields, rowStart, hash, visit);
    rowStart = rowEnd;
  }
}
