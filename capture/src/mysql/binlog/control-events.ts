import { logCorrupt } from '../log-corrupt.ts';
import { ByteCursor } from './byte-cursor.ts';

/** All functions take the event's body: after the header, before the checksum. */

export interface Rotate {
  readonly file: string;
  readonly position: number;
}

export function readRotate(bytes: Buffer, start: number, end: number): Rotate {
  const cursor = new ByteCursor(bytes, start, end, 'ROTATE');
  const position = cursor.u64();
  return { position, file: cursor.utf8(cursor.left) };
}

export interface FormatDescription {
  readonly serverVersion: string;
  readonly createdSeconds: number;
  /** Events of this file end in a CRC-32. */
  readonly checksums: boolean;
}

/** `end` is the end of the whole event: a FORMAT_DESCRIPTION always closes with algorithm u8 and CRC u32. */
export function readFormatDescription(bytes: Buffer, start: number, end: number): FormatDescription {
  const cursor = new ByteCursor(bytes, start, end, 'FORMAT_DESCRIPTION');
  const version = cursor.u16();
  if (version !== 4) throw logCorrupt('binary log version is not 4', { version });
  const from = cursor.skip(50);
  const nul = bytes.indexOf(0, from);
  const serverVersion = bytes.toString('latin1', from, nul < 0 || nul > from + 50 ? from + 50 : nul);
  const createdSeconds = cursor.u32();
  if (cursor.u8() !== 19) throw logCorrupt('event headers are not 19 bytes long');
  cursor.skip(cursor.left - 5);
  const algorithm = cursor.u8();
  if (algorithm > 1) throw logCorrupt('unknown checksum algorithm', { algorithm });
  return { serverVersion, createdSeconds, checksums: algorithm === 1 };
}

export interface Heartbeat {
  readonly file: string;
  /** The low 32 bits only for version 1, from the header. */
  readonly position: number | null;
}

export function readHeartbeat(bytes: Buffer, start: number, end: number): Heartbeat {
  return { file: bytes.toString('utf8', start, end), position: null };
}

/** Type, length, value triples; 1 = file name, 2 = position, 0 = end. */
export function readHeartbeatV2(bytes: Buffer, start: number, end: number): Heartbeat {
  const cursor = new ByteCursor(bytes, start, end, 'HEARTBEAT');
  let file = '';
  let position: number | null = null;
  while (cursor.left > 0) {
    const field = cursor.lenenc();
    if (field === 0) break;
    const length = cursor.lenenc();
    if (field === 1) {
      file = cursor.utf8(length);
    } else {
      const from = cursor.skip(length);
      if (field === 2) position = new ByteCursor(bytes, from, from + length, 'HEARTBEAT').lenenc();
    }
  }
  return { file, position };
}

export interface XaPrepare {
  /** `XA COMMIT … ONE PHASE`: the rows are committed here. */
  readonly onePhase: boolean;
  /** As `XA COMMIT` writes it: `X'6731',X'6231',7`. */
  readonly xid: string;
}

export function readXaPrepare(bytes: Buffer, start: number, end: number): XaPrepare {
  const cursor = new ByteCursor(bytes, start, end, 'XA_PREPARE');
  const onePhase = cursor.u8() !== 0;
  const format = cursor.i32();
  const gtridLength = cursor.i32();
  const bqualLength = cursor.i32();
  const gtrid = cursor.skip(gtridLength);
  const bqual = cursor.skip(bqualLength);
  const hex = (from: number, length: number): string => bytes.toString('hex', from, from + length);
  return { onePhase, xid: `X'${hex(gtrid, gtridLength)}',X'${hex(bqual, bqualLength)}',${format}` };
}

export function readIncident(
  bytes: Buffer,
  start: number,
  end: number,
): { readonly number: number; readonly text: string } {
  const cursor = new ByteCursor(bytes, start, end, 'INCIDENT');
  const number = cursor.u16();
  const length = cursor.left > 0 ? cursor.u8() : 0;
  return { number, text: cursor.utf8(Math.min(length, cursor.left)) };
}
