import type { Socket } from 'node:net';

import { CdcError } from '@millrace/shared/errors/cdc-error.ts';

export interface PacketReaderOptions {
  /** Bytes received but not yet asked for above which the socket is paused. */
  readonly readAheadBytes?: number;
  /** A greater packet is an error. */
  readonly maxPacketBytes: number;
  /** No byte for so long while waiting means a dead peer. */
  readonly silenceMs: number;
}

const initialBytes = 2 * 1024 * 1024;
const slackBytes = 64;
const splitLength = 0xffffff;

function connectionLost(reason: string, cause?: unknown): CdcError {
  return new CdcError('SOURCE_CONNECTION_LOST', 'the connection to the source ended', {
    details: { reason },
    cause,
  });
}

/**
 * Reads protocol packets (`len u24 · seq u8 · payload`) from a socket that was taken over. `fill` waits for at least
 * one whole packet, then `next` walks over all that are there; they lie in `bytes` in place and stay valid until the
 * following `fill`. The caller's pace is the back-pressure: beyond one read-ahead the socket is paused. 64 bytes after
 * every packet may be read (not trusted).
 */
export class PacketReader implements Disposable {
  bytes = Buffer.allocUnsafeSlow(initialBytes + slackBytes);
  view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length);
  /** Payload of the packet that `next` found. */
  start = 0;
  end = 0;
  lastByteAtMs = Date.now();

  readonly #socket: Socket;
  readonly #readAheadBytes: number;
  readonly #maxPacketBytes: number;
  readonly #silenceMs: number;
  #cursor = 0;
  #filled = 0;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #paused = true;
  #failure: CdcError | null = null;
  #wake: (() => void) | null = null;

  constructor(socket: Socket, options: PacketReaderOptions) {
    this.#socket = socket;
    this.#readAheadBytes = options.readAheadBytes ?? 1024 * 1024;
    this.#maxPacketBytes = options.maxPacketBytes;
    this.#silenceMs = options.silenceMs;
    socket.on('data', this.#onData);
    socket.on('error', this.#onError);
    socket.on('end', this.#onEnd);
    socket.on('close', this.#onEnd);
    if (socket.destroyed) this.#failure = connectionLost('the socket was closed');
  }

  write(packet: Uint8Array): void {
    this.#socket.write(packet);
  }

  /** Waits until a whole packet is there. What was received before the connection ended is still delivered first. */
  async fill(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#moveTail();
    this.#takePending();
    while (!this.#hasPacket()) {
      if (this.#failure !== null) throw this.#failure;
      this.#resume();
      await this.#arrival(signal);
      this.#takePending();
    }
    this.#resume();
  }

  /** Moves to the next packet that is there whole; false when `fill` must be called again. */
  next(): boolean {
    const at = this.#cursor;
    if (this.#filled - at < 4) return false;
    const { bytes } = this;
    const length = (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16);
    if (length === splitLength) return this.#nextSplit();
    const end = at + 4 + length;
    if (end > this.#filled) return false;
    this.start = at + 4;
    this.end = end;
    this.#cursor = end;
    return true;
  }

  [Symbol.dispose](): void {
    this.#failure ??= connectionLost('closed here');
    this.#socket.off('data', this.#onData);
    this.#socket.on('error', () => undefined);
    this.#socket.destroy();
    this.#wake?.();
  }

  /** Gives the socket back between two commands, without closing it. */
  release(): Socket {
    this.#socket.off('data', this.#onData);
    this.#socket.off('error', this.#onError);
    this.#socket.off('end', this.#onEnd);
    this.#socket.off('close', this.#onEnd);
    this.#socket.pause();
    return this.#socket;
  }

  /** A packet in several frames (T91): the later payloads are moved down over the headers between them. */
  #nextSplit(): boolean {
    const stop = this.#splitEnd(this.#cursor);
    if (stop < 0) return false;
    const { bytes } = this;
    let from = this.#cursor;
    let to = from + 4;
    for (;;) {
      const length = bytes.readUIntLE(from, 3);
      bytes.copyWithin(to, from + 4, from + 4 + length);
      from += 4 + length;
      to += length;
      if (length < splitLength) break;
    }
    this.start = this.#cursor + 4;
    this.end = to;
    this.#cursor = stop;
    return true;
  }

  /** Where the frames of a split packet end; −1 while incomplete. */
  #splitEnd(from: number): number {
    for (let at = from; ;) {
      if (this.#filled - at < 4) return -1;
      const length = this.bytes.readUIntLE(at, 3);
      at += 4 + length;
      if (at > this.#filled) return -1;
      if (length < splitLength) return at;
    }
  }

  #hasPacket(): boolean {
    const available = this.#filled - this.#cursor;
    if (available < 4) return false;
    const length = this.bytes.readUIntLE(this.#cursor, 3);
    if (length < splitLength) return available >= 4 + length;
    return this.#splitEnd(this.#cursor) >= 0;
  }

  #moveTail(): void {
    const rest = this.#filled - this.#cursor;
    if (this.bytes.length > 4 * initialBytes && rest + this.#pendingBytes < initialBytes) {
      this.#reallocate(initialBytes);
    } else if (this.#cursor > 0) {
      this.bytes.copyWithin(0, this.#cursor, this.#filled);
      this.#filled = rest;
      this.#cursor = 0;
    }
  }

  #takePending(): void {
    const needed = this.#filled + this.#pendingBytes + slackBytes;
    if (needed > this.bytes.length) this.#grow(needed);
    for (const chunk of this.#pending) {
      chunk.copy(this.bytes, this.#filled);
      this.#filled += chunk.length;
    }
    this.#pending = [];
    this.#pendingBytes = 0;
  }

  #grow(needed: number): void {
    if (needed - this.#cursor > this.#maxPacketBytes + this.#readAheadBytes + 2 * initialBytes) {
      this[Symbol.dispose]();
      throw new CdcError('VALUE_UNSUPPORTED', 'an event of the source is greater than the configured limit', {
        details: { limit: this.#maxPacketBytes },
        hint: 'Raise the greatest event size of the pipeline (it bounds memory), or change the row at the source.',
      });
    }
    this.#reallocate(Math.max(needed, this.bytes.length * 2));
  }

  /** Replaces the buffer, with the unread rest at its front. */
  #reallocate(capacity: number): void {
    const fresh = Buffer.allocUnsafeSlow(capacity + slackBytes);
    this.bytes.copy(fresh, 0, this.#cursor, this.#filled);
    this.#filled -= this.#cursor;
    this.#cursor = 0;
    this.bytes = fresh;
    this.view = new DataView(fresh.buffer, fresh.byteOffset, fresh.length);
  }

  #resume(): void {
    if (!this.#paused || this.#failure !== null) return;
    this.#paused = false;
    this.#socket.resume();
  }

  #arrival(signal: AbortSignal): Promise<void> {
    if (this.#pendingBytes > 0) return Promise.resolve();
    return new Promise<void>((resolve, reject) => {
      const finish = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        this.#wake = null;
      };
      const onAbort = (): void => {
        finish();
        reject(signal.reason as Error);
      };
      const timer = setTimeout(() => {
        finish();
        this.#failure ??= connectionLost(`no byte for ${this.#silenceMs} ms`);
        this.#socket.destroy();
        resolve();
      }, this.#silenceMs);
      signal.addEventListener('abort', onAbort, { once: true });
      this.#wake = (): void => {
        finish();
        resolve();
      };
    });
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#pending.push(chunk);
    this.#pendingBytes += chunk.length;
    this.lastByteAtMs = Date.now();
    if (this.#pendingBytes >= this.#readAheadBytes) {
      this.#paused = true;
      this.#socket.pause();
    }
    this.#wake?.();
  };

  readonly #onError = (error: Error): void => {
    this.#failure ??= connectionLost(error.message, error);
    this.#wake?.();
  };

  readonly #onEnd = (): void => {
    this.#failure ??= connectionLost('closed by the server');
    this.#wake?.();
  };
}
