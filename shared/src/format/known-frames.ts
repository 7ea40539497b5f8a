import { ConstantBytes } from './constant-bytes.ts';
import { byteOf } from './json-scanner.ts';
import { frameOp } from './record-frame.ts';
import type { RecordFrame, Span } from './record-frame.ts';

const createdHead = new ConstantBytes(Buffer.from('{"before":null,"after":{'));
const changedHead = new ConstantBytes(Buffer.from('{"before":{'));
const border = new ConstantBytes(Buffer.from('},"after":{'));
const noAfter = new ConstantBytes(Buffer.from('},"after":null'));

const maxTails = 64;
const maxDigits = 15;
/** Shapes learnt in vain after which only one of as many is learnt: tails that never come again are not worth it. */
const maxLearntInVain = 64;

const letters = new Map<number, number>([
  [0x63, frameOp.create],
  [0x75, frameOp.update],
  [0x64, frameOp.delete],
  [0x72, frameOp.read],
]);

/** Place of a name, counted from the front of the tail. */
interface Place {
  readonly start: number;
  readonly end: number;
  readonly escaped: boolean;
}

function placeOf(span: Span, tail: number): Place | null {
  return span.present ? { start: span.start - tail, end: span.end - tail, escaped: span.escaped } : null;
}

function put(span: Span, place: Place | null, tail: number): void {
  if (place !== null) span.set(tail + place.start, tail + place.end, place.escaped);
}

/**
 * What stands after the images of a table's records: constant but for the letter of the operation and the digits of the
 * commit time.
 */
class FrameTail {
  readonly #beforeLetter: ConstantBytes;
  readonly #beforeTime: ConstantBytes;
  readonly #afterTime: ConstantBytes;
  readonly #hasTime: boolean;
  readonly #namespace: Place | null;
  readonly #schema: Place | null;
  readonly #table: Place | null;
  readonly #mayHoldPlaceholders: boolean;

  /** `frame` was read from the record; the commit time is absent or stands after the letter. */
  constructor(bytes: Buffer, tail: number, letter: number, end: number, frame: RecordFrame) {
    const { time } = frame;
    this.#hasTime = time.present;
    this.#beforeLetter = new ConstantBytes(bytes.subarray(tail, letter));
    this.#beforeTime = new ConstantBytes(bytes.subarray(letter + 1, time.present ? time.start : end));
    this.#afterTime = new ConstantBytes(bytes.subarray(time.present ? time.end : end, end));
    this.#namespace = placeOf(frame.namespace, tail);
    this.#schema = placeOf(frame.schema, tail);
    this.#table = placeOf(frame.table, tail);
    this.#mayHoldPlaceholders = frame.mayHoldPlaceholders;
  }

  /** Where the tail of the value `[start, end)` begins; −1 when it ends otherwise. Sets `frame.timeMs`. */
  find(view: DataView, start: number, end: number, frame: RecordFrame): number {
    const constantBytes = this.#beforeLetter.length + 1 + this.#beforeTime.length + this.#afterTime.length;
    let at = end - this.#afterTime.length;
    const earliest = start + constantBytes - this.#afterTime.length;
    if (at < earliest || !this.#afterTime.standsAt(view, at)) return -1;
    frame.timeMs = 0;
    if (this.#hasTime) {
      let scale = 1;
      const timeEnd = at;
      for (; at > earliest; at--) {
        const digit = view.getUint8(at - 1) - byteOf.zero;
        if (digit < 0 || digit > 9) break;
        frame.timeMs += digit * scale;
        scale *= 10;
      }
      const digits = timeEnd - at;
      const leadingZero = digits > 1 && view.getUint8(at) === byteOf.zero;
      if (digits === 0 || digits > maxDigits || leadingZero) return -1;
    }
    at -= this.#beforeTime.length;
    if (at - 1 - this.#beforeLetter.length < start || !this.#beforeTime.standsAt(view, at)) return -1;
    at -= 1 + this.#beforeLetter.length;
    return this.#beforeLetter.standsAt(view, at) ? at : -1;
  }

  /** The letter of a tail that begins at `tail`. */
  letter(view: DataView, tail: number): number {
    return view.getUint8(tail + this.#beforeLetter.length);
  }

  fill(frame: RecordFrame, tail: number): void {
    put(frame.namespace, this.#namespace, tail);
    // Names stand after the letter and before the time, at a constant distance from the front.
    put(frame.schema, this.#schema, tail);
    put(frame.table, this.#table, tail);
    frame.mayHoldPlaceholders = this.#mayHoldPlaceholders;
  }
}

/**
 * Reads debezium-json values of a shape that was read in full before, without stepping through the images: the ends are
 * compared with what is known, the border between the images is found by its bytes.
 *
 * Whatever JSON document it accepts, it reads as the full decoder does, because these bytes can only mean one thing:
 * - A quote that follows a comma or brace is not escaped, so inside a text it would end the text, and then no JSON
 *   follows. Hence the border and the tail stand outside of texts, and the tail's fields are those of the outermost
 *   object.
 * - Between the images' opening braces and the tail no brace opens another object (checked), so that the brace before
 *   the border ends `before` and the brace before the tail ends `after`.
 *
 * Bytes that are no JSON document may be accepted too. Then one of the images is broken, which its reader finds: so
 * every image that is used must be read by `RowCells`, which checks grammar and UTF-8; an image that nothing needs is
 * not looked at.
 */
export class KnownFrames {
  readonly #tails: FrameTail[] = [];
  #next = 0;
  #learntInVain = 0;
  #last: FrameTail | null = null;
  #bytes: Buffer | null = null;
  #view: DataView = new DataView(new ArrayBuffer(0));

  /** Fills `frame`, which is clear; false, with the frame clear, when the full decoder must read the value. */
  read(bytes: Buffer, start: number, end: number, frame: RecordFrame): boolean {
    if (this.#last === null) return false;
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    const tailStart = this.#findTail(start, end, frame);
    if (tailStart >= 0 && this.#images(bytes, start, tailStart, frame)) {
      this.#learntInVain = 0;
      return true;
    }
    frame.clear();
    return false;
  }

  /**
   * Remembers the shape of a value that the full decoder read into `frame`: `letter` is the place of its operation.
   * Shapes that cannot be found again are left out.
   */
  learn(bytes: Buffer, letter: number, end: number, frame: RecordFrame): void {
    const before = frame.beforeStart[0] as number;
    const after = frame.afterStart[0] as number;
    const tail = frame.afterEnd[0] as number;
    if (frame.rows !== 1 || after < 0 || before > after || letter < tail) return;
    const { time } = frame;
    if (time.present && (time.start < letter || time.end - time.start > maxDigits || !isDigits(bytes, time))) return;
    for (const name of [frame.namespace, frame.schema, frame.table]) {
      if (name.present && (name.start < letter || (time.present && name.end > time.start))) return;
    }
    this.#learntInVain++;
    if (this.#learntInVain > maxLearntInVain && this.#learntInVain % maxLearntInVain !== 0) return;
    const learnt = new FrameTail(bytes, tail, letter, end, frame);
    this.#tails[this.#next] = learnt;
    this.#next = (this.#next + 1) % maxTails;
    this.#last = learnt;
  }

  #findTail(start: number, end: number, frame: RecordFrame): number {
    const view = this.#view;
    const tail = this.#last?.find(view, start, end, frame) ?? -1;
    if (tail >= 0) return tail;
    for (const other of this.#tails) {
      const found = other.find(view, start, end, frame);
      if (found < 0) continue;
      this.#last = other;
      return found;
    }
    return -1;
  }

  #images(bytes: Buffer, start: number, tail: number, frame: RecordFrame): boolean {
    const view = this.#view;
    const known = this.#last;
    const op = known === null ? undefined : letters.get(known.letter(view, tail));
    if (known === null || op === undefined) return false;
    frame.op = op;
    known.fill(frame, tail);
    return op === frameOp.delete ? this.#deleted(bytes, start, tail, frame) : this.#written(bytes, start, tail, frame);
  }

  #deleted(bytes: Buffer, start: number, tail: number, frame: RecordFrame): boolean {
    const view = this.#view;
    const before = start + changedHead.length - 1;
    const end = tail - noAfter.length;
    if (end <= before || !changedHead.standsAt(view, start) || !noAfter.standsAt(view, end)) return false;
    if (nextObject(bytes, before + 1, tail) !== tail) return false;
    frame.setBefore(frame.addRow(), before, end + 1);
    return true;
  }

  #written(bytes: Buffer, start: number, tail: number, frame: RecordFrame): boolean {
    const view = this.#view;
    if (tail - start <= createdHead.length || view.getUint8(tail - 1) !== byteOf.closeBrace) return false;
    let before = -1;
    let after = start + createdHead.length - 1;
    if (!createdHead.standsAt(view, start)) {
      if (!changedHead.standsAt(view, start)) return false;
      before = start + changedHead.length - 1;
      after = nextObject(bytes, before + 1, tail);
      if (after === tail || after - border.length < before || !border.standsAt(view, after - border.length + 1)) {
        return false;
      }
    }
    if (nextObject(bytes, after + 1, tail) !== tail) return false;
    const row = frame.addRow();
    if (before >= 0) frame.setBefore(row, before, after - border.length + 2);
    frame.setAfter(row, after, tail);
    return true;
  }
}

function isDigits(bytes: Buffer, span: Span): boolean {
  for (let at = span.start; at < span.end; at++) {
    const byte = bytes[at] as number;
    if (byte < byteOf.zero || byte > byteOf.nine) return false;
  }
  return true;
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/**
 * The first brace in `[from, limit)` that may open an object, `limit` when there is none. A brace inside a text is
 * passed over when its neighbours rule an object out: one opens after a colon, comma, bracket or blank, and goes on with
 * a name, its end or a blank. JSON inside of texts goes on with an escaped quote.
 */
function nextObject(bytes: Buffer, from: number, limit: number): number {
  let at = from;
  for (;;) {
    at = bytes.indexOf(byteOf.openBrace, at);
    if (at < 0 || at >= limit) return limit;
    const ahead = bytes[at - 1] as number;
    const next = bytes[at + 1] as number;
    const opensAfter =
      ahead === byteOf.colon || ahead === byteOf.comma || ahead === byteOf.openBracket || isBlank(ahead);
    if (opensAfter && (next === byteOf.quote || next === byteOf.closeBrace || isBlank(next))) return at;
    at++;
  }
}
