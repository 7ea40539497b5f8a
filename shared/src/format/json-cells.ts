import { isUtf8 } from 'node:buffer';

import type { CdcError } from '../errors/cdc-error.ts';
import { FieldNames } from './field-names.ts';
import type { FieldName } from './field-names.ts';
import { byteOf, JsonScanner, undecodable, valueKind } from './json-scanner.ts';

/** What stands in a cell. `string` holds no escapes: its bytes are its text. */
export const cellKind = valueKind;

/**
 * Where the cells of one JSON object stand in its bytes. One pass, no object per row or cell; the arrays are reused by
 * the next `read`. Names are compared with the one that followed last time, so rows of one writer never need the map.
 * Names with escapes and `__proto__` are ordinary. Checked: the strict grammar, UTF-8, nesting, repeated names of this
 * object (not of objects inside it), nothing but blanks after it. Not checked: that escaped surrogates come in pairs.
 */
export class RowCells {
  readonly kind: Uint8Array;
  /** Span of the value; of strings the content between the quotes. */
  readonly start: Int32Array;
  readonly end: Int32Array;
  /** Fields of the last object that are none of the columns. */
  unknownFields = 0;
  readonly #names: FieldNames;
  readonly #scanner = new JsonScanner();
  #object = 0;

  constructor(columns: readonly string[]) {
    this.kind = new Uint8Array(columns.length);
    this.start = new Int32Array(columns.length);
    this.end = new Int32Array(columns.length);
    this.#names = new FieldNames(columns);
  }

  /** Throws `RECORD_UNDECODABLE`: `not-object`, `bad-json`, `bad-utf8`, `too-deep`, `duplicate-field`. */
  read(bytes: Buffer, start: number, end: number): void {
    const scanner = this.#scanner;
    scanner.load(bytes, start, end);
    this.kind.fill(cellKind.absent);
    this.unknownFields = 0;
    this.#names.trim();
    this.#object++;
    const first = scanner.blanks(start);
    if (scanner.peek(first) !== byteOf.openBrace) throw notAnObject(scanner, first);
    let at = scanner.blanks(first + 1);
    at = scanner.peek(at) === byteOf.closeBrace ? at + 1 : this.#fields(at);
    at = scanner.blanks(at);
    if (at !== end) throw scanner.fail(at);
    if (scanner.sawNonAscii && !isUtf8(bytes.subarray(start, end))) throw undecodable('bad-utf8');
  }

  #fields(from: number): number {
    const scanner = this.#scanner;
    const view = scanner.view;
    const limit = scanner.limit;
    const { kind, start, end } = this;
    let at = from;
    let previous = this.#names.head;
    for (;;) {
      let name = previous.next;
      if (name !== null && name.standsAt(view, at, limit)) {
        at += name.tokenBytes;
      } else {
        if (scanner.peek(at) !== byteOf.quote) throw scanner.fail(at);
        const close = scanner.string(at + 1);
        name = this.#lookUp(at, close + 1);
        previous.next = name;
        at = scanner.colon(close + 1);
      }
      if (name.seenIn === this.#object) throw undecodable('duplicate-field');
      name.seenIn = this.#object;
      previous = name;
      if (at < limit && view.getUint8(at) <= 0x20) at = scanner.blanks(at);
      const next = scanner.value(at, 1);
      const { column } = name;
      if (column >= 0) {
        const cell = scanner.kind;
        // Strings without their quotes.
        const quotes = cell === cellKind.string || cell === cellKind.escapedString ? 1 : 0;
        kind[column] = cell;
        start[column] = at + quotes;
        end[column] = next - quotes;
      } else {
        this.unknownFields++;
      }
      at = next;
      const byte = at < limit ? view.getUint8(at) : -1;
      if (byte === byteOf.comma) at++;
      else if (byte === byteOf.closeBrace) return at + 1;
      else {
        at = scanner.blanks(at);
        if (scanner.peek(at) === byteOf.closeBrace) return at + 1;
        if (scanner.peek(at) !== byteOf.comma) throw scanner.fail(at);
        at++;
      }
      if (at < limit && view.getUint8(at) <= 0x20) at = scanner.blanks(at);
    }
  }

  #lookUp(from: number, to: number): FieldName {
    const { view } = this.#scanner;
    const token = Buffer.from(view.buffer, view.byteOffset + from, to - from);
    if (!isUtf8(token)) throw undecodable('bad-utf8');
    return this.#names.find(JSON.parse(token.toString('utf8')) as string);
  }
}

function notAnObject(scanner: JsonScanner, at: number): CdcError {
  const byte = scanner.peek(at);
  const otherValue = '["-0123456789tfn'.includes(String.fromCharCode(Math.max(byte, 0)));
  return otherValue ? undecodable('not-object') : scanner.fail(at);
}
