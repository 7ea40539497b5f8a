import { constants, gunzipSync, gzip, gzipSync, zstdCompress, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { promisify } from 'node:util';

import { compressionsAlgorithms } from '@platformatic/kafka';

import { CdcError } from '../errors/cdc-error.ts';

/** Index = the codec number in a batch's attributes. */
export const compressionNames = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

export type Compression = (typeof compressionNames)[number];

export function compressionNumber(compression: Compression): number {
  return compressionNames.indexOf(compression);
}

/** From this size on a second core does the work; below, handing over costs more than it saves. */
const threadPoolBytes = 16_384;

const gzipAsync = promisify(gzip);
const zstdAsync = promisify(zstdCompress);

/**
 * Change events shrink to a sixth or so: a third fits nearly always into one visit to the thread pool, and the buffer
 * that stays alive until the brokers answer is not much larger than its content.
 */
function outputGuess(inputBytes: number): number {
  return Math.ceil(inputBytes / 3) + 1024;
}

/** Level 1 for gzip and zstd: the best of bytes saved per CPU time on change events. */
export function compress(compression: Exclude<Compression, 'none'>, bytes: Buffer): Buffer | Promise<Buffer> {
  const chunkSize = outputGuess(bytes.length);
  switch (compression) {
    case 'gzip': {
      const options = { level: 1, chunkSize };
      return bytes.length < threadPoolBytes ? gzipSync(bytes, options) : gzipAsync(bytes, options);
    }
    case 'zstd': {
      const options = { chunkSize, params: { [constants.ZSTD_c_compressionLevel]: 1 } };
      return bytes.length < threadPoolBytes ? zstdCompressSync(bytes, options) : zstdAsync(bytes, options);
    }
    case 'snappy':
      return compressionsAlgorithms.snappy.compressSync(bytes);
    case 'lz4':
      return compressionsAlgorithms.lz4.compressSync(bytes);
    default:
      return compression satisfies never;
  }
}

/** Undoes any codec of record format v2. The result shares no memory with `bytes`, except for codec 0. */
export function decompress(codec: number, bytes: Buffer): Buffer {
  // Guess of the output size: fewer, larger pieces are joined at the end.
  const chunkSize = Math.min(Math.max(bytes.length * 8, 65_536), 4 * 1024 * 1024);
  try {
    switch (compressionNames[codec]) {
      case 'none':
        return bytes;
      case 'gzip':
        return gunzipSync(bytes, { chunkSize });
      case 'snappy':
        return compressionsAlgorithms.snappy.decompressSync(bytes);
      case 'lz4':
        return compressionsAlgorithms.lz4.decompressSync(bytes);
      case 'zstd':
        return zstdDecompressSync(bytes, { chunkSize });
      case undefined:
        break;
    }
  } catch (error) {
    throw new CdcError('BROKER_BATCH_CORRUPT', 'a record batch cannot be decompressed', {
      details: { codec: compressionNames[codec] ?? codec },
      cause: error,
    });
  }
  throw new CdcError('BROKER_BATCH_CORRUPT', 'a record batch has an unknown codec', { details: { codec } });
}
