import { CdcError } from '@millrace/shared/errors/cdc-error.ts';

/** Inclusive intervals, ascending and never touching: start, end, start, end … */
type Intervals = number[];

function malformed(text: string): CdcError {
  return new CdcError('CONFIG_INVALID', 'a GTID set cannot be read', {
    details: { text: text.length > 200 ? `${text.slice(0, 200)}…` : text },
  });
}

/** Index of the first interval (of its start slot) whose end is at or after `value`. */
function firstEndingAtOrAfter(list: Intervals, value: number): number {
  let low = 0;
  let high = list.length / 2;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((list[middle * 2 + 1] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low * 2;
}

function addInterval(list: Intervals, start: number, end: number): void {
  const last = list.length - 1;
  if (last > 0 && start > (list[last - 1] as number) && start <= (list[last] as number) + 1) {
    if (end > (list[last] as number)) list[last] = end;
    return;
  }
  const from = firstEndingAtOrAfter(list, start - 1);
  let to = from;
  let low = start;
  let high = end;
  while (to < list.length && (list[to] as number) <= end + 1) {
    low = Math.min(low, list[to] as number);
    high = Math.max(high, list[to + 1] as number);
    to += 2;
  }
  list.splice(from, to - from, low, high);
}

function containsNumber(list: Intervals, value: number): boolean {
  const last = list.length - 1;
  if (last === 1) return value >= (list[0] as number) && value <= (list[1] as number);
  const at = firstEndingAtOrAfter(list, value);
  return at < list.length && (list[at] as number) <= value;
}

/** `a` without `b`. */
function subtractIntervals(a: Intervals, b: Intervals): Intervals {
  const result: Intervals = [];
  for (let index = 0; index < a.length; index += 2) {
    let start = a[index] as number;
    const end = a[index + 1] as number;
    for (let at = firstEndingAtOrAfter(b, start); at < b.length && (b[at] as number) <= end; at += 2) {
      if ((b[at] as number) > start) result.push(start, (b[at] as number) - 1);
      start = Math.max(start, (b[at + 1] as number) + 1);
    }
    if (start <= end) result.push(start, end);
  }
  return result;
}

function printIntervals(list: Intervals): string {
  let text = '';
  for (let index = 0; index < list.length; index += 2) {
    const start = list[index] as number;
    const end = list[index + 1] as number;
    text += start === end ? `:${start}` : `:${start}-${end}`;
  }
  return text;
}

const uuidPattern = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/;
const tagPattern = /^[a-z_][a-z0-9_]{0,31}$/;
const intervalPattern = /^(\d{1,19})(?:\s*-\s*(\d{1,19}))?$/;

function dashed(uuid: string): string {
  const hex = uuid.replaceAll('-', '');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/**
 * A set of MySQL GTIDs. A source is `uuid` or `uuid:tag`, lower case. Transaction numbers are kept as doubles; greater
 * than 2^53 is refused.
 */
export class GtidSet {
  readonly #sources = new Map<string, Intervals>();

  /** Any case, blanks and line feeds, tags, empty parts: as the server prints it or a person writes it (T109). */
  static parse(text: string): GtidSet {
    const set = new GtidSet();
    for (const part of text.toLowerCase().split(',')) {
      if (part.trim() !== '')
        set.#parseSource(
          part.split(':').map((piece) => piece.trim()),
          text,
        );
    }
    return set;
  }

  #parseSource(pieces: readonly string[], text: string): void {
    const [first = '', ...rest] = pieces;
    if (!uuidPattern.test(first)) throw malformed(text);
    const uuid = dashed(first);
    let source = uuid;
    let count = 0;
    for (const piece of rest) {
      const interval = intervalPattern.exec(piece);
      if (interval !== null) {
        const start = Number(interval[1]);
        const end = interval[2] === undefined ? start : Number(interval[2]);
        if (start < 1 || !Number.isSafeInteger(end)) throw malformed(text);
        if (end >= start) this.addRange(source, start, end);
        count += 1;
      } else {
        if (!tagPattern.test(piece)) throw malformed(text);
        source = `${uuid}:${piece}`;
      }
    }
    if (count === 0) throw malformed(text);
  }

  get isEmpty(): boolean {
    return this.#sources.size === 0;
  }

  /** Cheap for the number that follows the last one of its source. */
  add(source: string, number: number): void {
    const list = this.#sources.get(source);
    if (list === undefined) {
      this.#sources.set(source, [number, number]);
      return;
    }
    const last = list.length - 1;
    if (list[last] === number - 1) list[last] = number;
    else addInterval(list, number, number);
  }

  addRange(source: string, start: number, end: number): void {
    const list = this.#sources.get(source);
    if (list === undefined) this.#sources.set(source, [start, end]);
    else addInterval(list, start, end);
  }

  contains(source: string, number: number): boolean {
    const list = this.#sources.get(source);
    return list !== undefined && containsNumber(list, number);
  }

  containsSet(other: GtidSet): boolean {
    for (const [source, list] of other.#sources) {
      const own = this.#sources.get(source);
      if (own === undefined) return false;
      for (let index = 0; index < list.length; index += 2) {
        const at = firstEndingAtOrAfter(own, list[index] as number);
        if (at >= own.length || (own[at] as number) > (list[index] as number)) return false;
        if ((own[at + 1] as number) < (list[index + 1] as number)) return false;
      }
    }
    return true;
  }

  clone(): GtidSet {
    const copy = new GtidSet();
    for (const [source, list] of this.#sources) copy.#sources.set(source, [...list]);
    return copy;
  }

  union(other: GtidSet): GtidSet {
    const result = this.clone();
    for (const [source, list] of other.#sources) {
      for (let index = 0; index < list.length; index += 2) {
        result.addRange(source, list[index] as number, list[index + 1] as number);
      }
    }
    return result;
  }

  subtract(other: GtidSet): GtidSet {
    const result = new GtidSet();
    for (const [source, list] of this.#sources) {
      const rest = subtractIntervals(list, other.#sources.get(source) ?? []);
      if (rest.length > 0) result.#sources.set(source, rest);
    }
    return result;
  }

  intersect(other: GtidSet): GtidSet {
    return this.subtract(this.subtract(other));
  }

  /**
   * Of a set that names only what was read: adds, per source that `server` has, what the server executed before the
   * first number, and drops what the server does not have. Holes inside stay holes.
   */
  completedFrom(server: GtidSet): GtidSet {
    const result = new GtidSet();
    for (const [source, list] of this.#sources) {
      const executed = server.#sources.get(source);
      if (executed === undefined) {
        result.#sources.set(source, [...list]);
        continue;
      }
      const own = new GtidSet();
      own.#sources.set(source, [...list]);
      own.addRange(source, 1, list[0] as number);
      const known = new GtidSet();
      known.#sources.set(source, executed);
      const kept = own.intersect(known).#sources.get(source);
      if (kept !== undefined) result.#sources.set(source, kept);
    }
    return result;
  }

  #sorted(): readonly (readonly [string, Intervals])[] {
    return [...this.#sources].sort((a, b) => (a[0] < b[0] ? -1 : 1));
  }

  /** As the server prints it, without line feeds: `uuid:1-65:mytag:1`. */
  toString(): string {
    let text = '';
    let previous = '';
    for (const [source, list] of this.#sorted()) {
      const uuid = source.slice(0, 36);
      if (uuid === previous) text += source.slice(36) + printIntervals(list);
      else text += (text === '' ? '' : ',') + source + printIntervals(list);
      previous = uuid;
    }
    return text;
  }

  /** Body of COM_BINLOG_DUMP_GTID: the plain form, or the tagged one (MySQL ≥ 8.3) where a tag makes it necessary. */
  encode(): Buffer {
    const sources = this.#sorted();
    const tagged = sources.some(([source]) => source.length > 36);
    const parts: Buffer[] = [Buffer.alloc(8)];
    const head = parts[0] as Buffer;
    if (tagged) {
      head[0] = 1;
      head.writeUIntLE(sources.length, 1, 6);
      head[7] = 1;
    } else {
      head.writeBigUInt64LE(BigInt(sources.length));
    }
    for (const [source, list] of sources) parts.push(encodeSource(source, list, tagged));
    return Buffer.concat(parts);
  }
}

function encodeSource(source: string, list: Intervals, tagged: boolean): Buffer {
  const uuid = Buffer.from(source.slice(0, 36).replaceAll('-', ''), 'hex');
  const tag = Buffer.from(source.slice(37), 'latin1');
  const numbers = Buffer.alloc(8 + list.length * 8);
  numbers.writeBigUInt64LE(BigInt(list.length / 2));
  for (let index = 0; index < list.length; index++) {
    numbers.writeBigUInt64LE(BigInt((list[index] as number) + (index & 1)), 8 + index * 8);
  }
  return tagged ? Buffer.concat([uuid, Buffer.of(tag.length * 2), tag, numbers]) : Buffer.concat([uuid, numbers]);
}

/** Reads what `encode` writes; the body of PREVIOUS_GTIDS has the same form. */
export function decodeGtidSet(bytes: Buffer): GtidSet {
  const set = new GtidSet();
  const fail = (): CdcError =>
    new CdcError('SOURCE_LOG_CORRUPT', 'the log bytes do not add up', { details: { what: 'GTID set' } });
  if (bytes.length < 8) throw fail();
  const tagged = bytes[7] === 1;
  const count = tagged ? bytes.readUIntLE(1, 6) : Number(bytes.readBigUInt64LE());
  let at = 8;
  const need = (length: number): number => {
    if (at + length > bytes.length) throw fail();
    at += length;
    return at - length;
  };
  for (let index = 0; index < count; index++) {
    const from = need(16);
    let source = dashed(bytes.toString('hex', from, from + 16));
    if (tagged) {
      const tagLength = (bytes[need(1)] as number) >>> 1;
      const tagAt = need(tagLength);
      if (tagLength > 0) source += `:${bytes.toString('latin1', tagAt, tagAt + tagLength)}`;
    }
    const intervals = Number(bytes.readBigUInt64LE(need(8)));
    for (let interval = 0; interval < intervals; interval++) {
      const start = Number(bytes.readBigUInt64LE(need(8)));
      const end = Number(bytes.readBigUInt64LE(need(8))) - 1;
      if (start < 1 || end < start || !Number.isSafeInteger(end)) throw fail();
      set.addRange(source, start, end);
    }
  }
  return set;
}
