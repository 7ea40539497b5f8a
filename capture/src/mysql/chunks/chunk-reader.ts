import type { Socket } from 'node:net';

import { CdcError } from '@millrace/shared/errors/cdc-error.ts';
import { tableIdText } from '@millrace/shared/event/table-id.ts';

import { commandPacket } from '../binlog/dump.ts';
import { PacketReader } from '../binlog/frames.ts';
import type { MysqlTable } from '../column.ts';
import { logCorrupt } from '../log-corrupt.ts';
import { translateMysqlError } from '../mysql-error.ts';
import type { TextRows } from '../rows.ts';

const commandQuery = 0x03;
/** Rows wait in the socket beyond this: pieces are about as great. */
const readAheadBytes = 256 * 1024;
const initialRows = 1024;
const endOfFileBytes = 9;

export interface ChunkReaderOptions {
  readonly maxRowBytes: number;
  readonly silenceMs: number;
}

/**
 * Runs one SELECT over a socket that was taken over and hands its rows out in pieces, in the packets as they came. Each
 * piece is valid until the next is pulled; the reader's pace is the back-pressure. When the result was read to its end,
 * `release` may hand the socket to the next chunk.
 */
export class ChunkReader implements Disposable {
  readonly #packets: PacketReader;
  #rowStart = new Int32Array(initialRows);
  #rowEnd = new Int32Array(initialRows);
  #finished = false;

  constructor(socket: Socket, options: ChunkReaderOptions) {
    this.#packets = new PacketReader(socket, {
      readAheadBytes,
      maxPacketBytes: options.maxRowBytes,
      silenceMs: options.silenceMs,
    });
  }

  /** The result was read whole: the session can take another command. */
  get finished(): boolean {
    return this.#finished;
  }

  release(): Socket {
    return this.#packets.release();
  }

  [Symbol.dispose](): void {
    this.#packets[Symbol.dispose]();
  }

  async *read(sql: string, table: MysqlTable, signal: AbortSignal): AsyncGenerator<TextRows> {
    const text = Buffer.from(sql, 'utf8');
    const payload = Buffer.allocUnsafe(1 + text.length);
    payload[0] = commandQuery;
    text.copy(payload, 1);
    this.#packets.write(commandPacket(payload));
    await this.#header(table, signal);
    for (;;) {
      await this.#packets.fill(signal);
      const rows = this.#piece(table);
      if (rows.count > 0) yield rows;
      if (this.#finished) return;
    }
  }

  /** Column count, one definition per column, EOF. */
  async #header(table: MysqlTable, signal: AbortSignal): Promise<void> {
    await this.#packet(table, signal);
    const { bytes, start } = this.#packets;
    const first = bytes[start] as number;
    const count = first < 0xfb ? first : bytes.readUInt16LE(start + 1);
    if (count !== table.columns.length) {
      throw logCorrupt('a chunk has another number of columns', { table: tableIdText(table.schema.id), count });
    }
    for (let index = 0; index <= count; index++) await this.#packet(table, signal);
  }

  async #packet(table: MysqlTable, signal: AbortSignal): Promise<void> {
    while (!this.#packets.next()) await this.#packets.fill(signal);
    this.#throwIfError(table);
  }

  #throwIfError(table: MysqlTable): void {
    const { bytes, start, end } = this.#packets;
    if (end === start || bytes[start] !== 0xff) return;
    const text = bytes.toString('utf8', Math.min(start + 9, end), end);
    const error = { errno: bytes.readUInt16LE(start + 1), message: text };
    throw translateMysqlError(error, 'reading a chunk', { table: tableIdText(table.schema.id) });
  }

  /** All rows that have arrived. */
  #piece(table: MysqlTable): TextRows {
    const packets = this.#packets;
    let count = 0;
    while (!this.#finished && packets.next()) {
      const { bytes, start, end } = packets;
      const marker = bytes[start];
      if (marker === 0xff) this.#throwIfError(table);
      if (marker === 0xfe && end - start < endOfFileBytes) {
        this.#finished = true;
        break;
      }
      if (count === this.#rowStart.length) this.#growRows();
      this.#rowStart[count] = start;
      this.#rowEnd[count] = end;
      count += 1;
    }
    const { bytes } = packets;
    return { kind: 'text', table, bytes, count, rowStart: this.#rowStart, rowEnd: this.#rowEnd };
  }

  #growRows(): void {
    const rowStart = new Int32Array(this.#rowStart.length * 2);
    const rowEnd = new Int32Array(this.#rowEnd.length * 2);
    rowStart.set(this.#rowStart);
    rowEnd.set(this.#rowEnd);
    this.#rowStart = rowStart;
    this.#rowEnd = rowEnd;
  }
}

/** Sockets of sessions prepared for chunk reads, kept open between chunks. */
export class ChunkSockets implements AsyncDisposable {
  readonly #connect: (signal: AbortSignal) => Promise<Socket>;
  readonly #idle: { readonly socket: Socket; readonly onClose: () => void }[] = [];
  #closed = false;

  constructor(connect: (signal: AbortSignal) => Promise<Socket>) {
    this.#connect = connect;
  }

  async take(signal: AbortSignal): Promise<Socket> {
    if (this.#closed) throw new CdcError('SOURCE_CONNECTION_LOST', 'the source was closed');
    const idle = this.#idle.pop();
    if (idle === undefined) return this.#connect(signal);
    idle.socket.off('close', idle.onClose);
    idle.socket.off('error', idle.onClose);
    return idle.socket;
  }

  give(socket: Socket): void {
    if (this.#closed || socket.destroyed) {
      socket.destroy();
      return;
    }
    const onClose = (): void => {
      const at = this.#idle.findIndex((entry) => entry.socket === socket);
      if (at >= 0) this.#idle.splice(at, 1);
    };
    socket.on('close', onClose);
    socket.on('error', onClose);
    // Reading is what notices a server that closes the idle session.
    socket.resume();
    this.#idle.push({ socket, onClose });
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const { socket } of this.#idle.splice(0)) socket.destroy();
    return Promise.resolve();
  }
}
