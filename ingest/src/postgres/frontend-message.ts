import type { ByteWriter } from '@millrace/shared/bytes/byte-writer.ts';

/** Frontend messages of PostgreSQL's protocol 3, appended to one buffer. Parameters and results are in text format. */

const headerBytes = 5;
const nullLength = 0xffff_ffff;

/** Type byte and a length to be set by `close`; returns where the length stands. */
function open(out: ByteWriter, type: string): number {
  const bytes = out.reserve(headerBytes);
  bytes[out.length] = type.charCodeAt(0);
  const lengthAt = out.length + 1;
  out.length += headerBytes;
  return lengthAt;
}

function close(out: ByteWriter, lengthAt: number): void {
  out.bytes.writeUInt32BE(out.length - lengthAt, lengthAt);
}

function putText(out: ByteWriter, text: string): void {
  out.appendUtf8(text);
  out.appendByte(0);
}

function putInt16(out: ByteWriter, value: number): void {
  out.reserve(2).writeUInt16BE(value, out.length);
  out.length += 2;
}

function putInt32(out: ByteWriter, value: number): void {
  out.reserve(4).writeUInt32BE(value, out.length);
  out.length += 4;
}

export function putParse(out: ByteWriter, statementName: string, sql: string): void {
  const at = open(out, 'P');
  putText(out, statementName);
  putText(out, sql);
  putInt16(out, 0);
  close(out, at);
}

export function putBind(out: ByteWriter, statementName: string, parameters: readonly (string | null)[]): void {
  const at = open(out, 'B');
  putText(out, '');
  putText(out, statementName);
  putInt16(out, 0);
  putInt16(out, parameters.length);
  for (const parameter of parameters) {
    if (parameter === null) {
      putInt32(out, nullLength);
    } else {
      const lengthAt = out.length;
      putInt32(out, 0);
      out.appendUtf8(parameter);
      out.bytes.writeUInt32BE(out.length - lengthAt - 4, lengthAt);
    }
  }
  putInt16(out, 0);
  close(out, at);
}

const tab = 0x09;
const newline = 0x0a;
const backslash = 0x5c;

/** Byte that a COPY text escape stands for. */
function unescaped(byte: number): number {
  switch (byte) {
    case 0x62:
      return 0x08;
    case 0x66:
      return 0x0c;
    case 0x6e:
      return newline;
    case 0x72:
      return 0x0d;
    case 0x74:
      return tab;
    default:
      return byte;
  }
}

/** Binds the fields of one row of COPY text, so that both ways of writing a row share one transcoder. Returns the next row. */
export function putBindCopyRow(
  out: ByteWriter,
  statementName: string,
  columnCount: number,
  copyText: Buffer,
  from: number,
): number {
  const at = open(out, 'B');
  putText(out, '');
  putText(out, statementName);
  putInt16(out, 0);
  putInt16(out, columnCount);
  let next = from;
  for (let column = 0; column < columnCount; column++) next = putCopyField(out, copyText, next);
  putInt16(out, 0);
  close(out, at);
  return next;
}

function putCopyField(out: ByteWriter, copyText: Buffer, from: number): number {
  if (copyText[from] === backslash && copyText[from + 1] === 0x4e) {
    putInt32(out, nullLength);
    return from + 3;
  }
  const lengthAt = out.length;
  let end = from;
  while (copyText[end] !== tab && copyText[end] !== newline) end++;
  const bytes = out.reserve(4 + end - from);
  let to = lengthAt + 4;
  for (let at = from; at < end; at++) {
    const byte = copyText[at] as number;
    bytes[to++] = byte === backslash ? unescaped(copyText[++at] as number) : byte;
  }
  out.length = to;
  bytes.writeUInt32BE(to - lengthAt - 4, lengthAt);
  return end + 1;
}

/** Runs the unnamed portal that `putBind` made, all rows. */
export function putExecute(out: ByteWriter): void {
  const at = open(out, 'E');
  putText(out, '');
  putInt32(out, 0);
  close(out, at);
}

/** Returns the token for `closeCopyData`. */
export function openCopyData(out: ByteWriter): number {
  return open(out, 'd');
}

export function closeCopyData(out: ByteWriter, token: number): void {
  close(out, token);
}

export function putCopyDone(out: ByteWriter): void {
  close(out, open(out, 'c'));
}

export function putCopyFail(out: ByteWriter, reason: string): void {
  const at = open(out, 'f');
  putText(out, reason);
  close(out, at);
}

/** End of a pipeline: the server answers everything before it and, after an error, takes commands again. */
export function putSync(out: ByteWriter): void {
  close(out, open(out, 'S'));
}
