import { cellKind } from '@millrace/shared/format/json-cells.ts';
import { byteOf, JsonScanner } from '@millrace/shared/format/json-scanner.ts';

import { rejectCell, writeCell } from './cell.ts';
import type { CellWriter } from './cell.ts';

const backslash = 0x5c;
const quote = 0x22;
const scratchBytes = 4096;

/** COPY text of one element inside a quoted element of an array literal: backslash and quote gain one more escape. */
function putElement(scratch: Buffer, length: number, out: Buffer, at: number): number {
  let to = at;
  out[to++] = quote;
  for (let from = 0; from < length; from++) {
    const byte = scratch[from] as number;
    if (byte === quote) {
      out[to++] = backslash;
      out[to++] = backslash;
      out[to++] = quote;
    } else if (byte === backslash && scratch[from + 1] === backslash) {
      out[to++] = backslash;
      out[to++] = backslash;
      out[to++] = backslash;
      out[to++] = backslash;
      from++;
    } else {
      out[to++] = byte;
    }
  }
  out[to++] = quote;
  return to;
}

function putNull(out: Buffer, at: number): number {
  return at + out.write('NULL', at, 'latin1');
}

/** One-dimensional array: `{"a",NULL}` with every element quoted. `element` writes the elements. */
export function arrayCell(element: CellWriter): CellWriter {
  const scanner = new JsonScanner();
  let scratch = Buffer.allocUnsafe(scratchBytes);
  return {
    copy: null,
    readsEscapes: false,
    bytesPerByte: 32 * (element.bytesPerByte + 1) + 2 * element.extraBytes,
    extraBytes: 2,
    write: (source, kind, start, end, out, at) => {
      if (kind !== cellKind.array) throw rejectCell('kind-of-value');
      scanner.load(source, start, end);
      let to = at;
      out[to++] = byteOf.openBrace;
      let from = scanner.blanks(start + 1);
      while (scanner.peek(from) !== byteOf.closeBracket) {
        if (to > at + 1) out[to++] = byteOf.comma;
        const next = scanner.value(from, 1);
        if (scanner.kind === cellKind.null) {
          to = putNull(out, to);
        } else {
          const quoted = scanner.kind === cellKind.string || scanner.kind === cellKind.escapedString;
          if (scanner.kind === cellKind.array) throw rejectCell('nested-array');
          const needed = (next - from) * element.bytesPerByte + element.extraBytes + 64;
          if (scratch.length < needed) scratch = Buffer.allocUnsafe(needed * 2);
          const inner = quoted ? 1 : 0;
          const length = writeCell(element, source, scanner.kind, from + inner, next - inner, scratch, 0);
          to = putElement(scratch, length, out, to);
        }
        from = scanner.blanks(next);
        if (scanner.peek(from) === byteOf.comma) from = scanner.blanks(from + 1);
      }
      out[to++] = byteOf.closeBrace;
      return to;
    },
  };
}
