import { CdcError } from '@millrace/shared/errors/cdc-error.ts';

/**
 * Position token of a MySQL row (header `mr.pos`): `eeee.ffffffff.pppppppppppppppp.rrrrrrrr`, lower-case hex: epoch,
 * number of the log file, 64-bit position of the row event, row index in the event.
 */
const tokenBytes = 39;
const positionOffset = 14;
const rowSuffix = '.00000000';
const hexDigits = Buffer.from('0123456789abcdef', 'latin1');

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}

/** The number at the end of a log file name; names compare by it, never as text (T174). */
export function logFileNumber(file: string): number {
  const digits = /\.(\d+)$/.exec(file)?.[1];
  const number = digits === undefined ? Number.NaN : Number(digits);
  if (number <= 0xffffffff) return number;
  throw new CdcError('SOURCE_LOG_CORRUPT', 'the log bytes do not add up', {
    details: { what: 'a log file name does not end in a number', file },
  });
}

/** What stands before the number of a log file. */
export function logBaseName(file: string): string {
  return file.replace(/\.\d+$/, '');
}

/** The token without its row index: a moment between events. */
export function momentToken(epoch: number, file: string, position: number): string {
  return `${hex(epoch, 4)}.${hex(logFileNumber(file), 8)}.${hex(position, 16)}`;
}

/**
 * Tokens of the events of one batch: buffers are taken one by one and all given back at once, when the next batch
 * begins.
 */
export class TokenPool {
  readonly #buffers: Buffer[] = [];
  #used = 0;
  #prefix = Buffer.alloc(positionOffset);

  /** Epoch and file of the tokens that follow. */
  openFile(epoch: number, file: string): void {
    this.#prefix = Buffer.from(`${hex(epoch, 4)}.${hex(logFileNumber(file), 8)}.`, 'latin1');
  }

  reuseAll(): void {
    this.#used = 0;
  }

  token(position: number): Buffer {
    let buffer = this.#buffers[this.#used];
    if (buffer === undefined) {
      buffer = Buffer.allocUnsafeSlow(tokenBytes);
      this.#buffers.push(buffer);
    }
    this.#used += 1;
    this.#prefix.copy(buffer, 0);
    writeHex32(buffer, positionOffset, Math.floor(position / 0x1_0000_0000));
    writeHex32(buffer, positionOffset + 8, position >>> 0);
    buffer.write(rowSuffix, positionOffset + 16, 'latin1');
    return buffer;
  }
}

function writeHex32(target: Buffer, at: number, value: number): void {
  for (let shift = 28, offset = at; shift >= 0; shift -= 4, offset++) {
    target[offset] = hexDigits[(value >>> shift) & 15] as number;
  }
}
