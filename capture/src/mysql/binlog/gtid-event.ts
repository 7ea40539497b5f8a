import { logCorrupt } from '../log-corrupt.ts';

const hexPairs: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

function uuidText(bytes: Buffer, at: number): string {
  let text = '';
  for (let index = 0; index < 16; index++) {
    if (index === 4 || index === 6 || index === 8 || index === 10) text += '-';
    text += hexPairs[bytes[at + index] as number] as string;
  }
  return text;
}

/**
 * The GTID event read last (types 33, 34, 42). One object is reused for all: the text of a source is kept for as long
 * as its bytes stay the same.
 */
export class GtidEvent {
  /** `uuid` or `uuid:tag`. */
  source = '';
  number = 0;
  /** Original commit time, else the immediate one; 0 where the server writes none (5.7). */
  commitTimeMicros = 0;
  /** When it was committed at the server that is read; 0 as above. */
  immediateMicros = 0;
  /** The transaction may hold statement-format changes. */
  statements = false;
  readonly #uuid = Buffer.alloc(16);
  #known = false;

  read(bytes: Buffer, view: DataView, start: number, end: number): void {
    if (end - start < 25) throw logCorrupt('GTID ends too early');
    this.statements = ((bytes[start] as number) & 1) !== 0;
    this.#readSource(bytes, start + 1);
    this.number = number64(view, start + 17);
    this.commitTimeMicros = 0;
    this.immediateMicros = 0;
    // `02` · last_committed i64 · sequence_number i64, then the times, which older servers lack.
    const times = start + 42;
    if (end - times < 7 || bytes[start + 25] !== 2) return;
    const high = (bytes[times + 6] as number) & 0x7f;
    this.immediateMicros = micros(view, times, high);
    if ((bytes[times + 6] as number) < 0x80) {
      this.commitTimeMicros = this.immediateMicros;
    } else {
      if (end - times < 14) throw logCorrupt('GTID ends too early');
      this.commitTimeMicros = micros(view, times + 7, bytes[times + 13] as number);
    }
  }

  #readSource(bytes: Buffer, at: number): void {
    const uuid = this.#uuid;
    if (this.#known) {
      let index = 0;
      while (index < 16 && uuid[index] === bytes[at + index]) index++;
      if (index === 16) return;
    }
    bytes.copy(uuid, 0, at, at + 16);
    this.#known = true;
    this.source = uuidText(bytes, at);
  }

  /** The self-describing form with tags: pairs of field id and value, every number a variable integer. */
  readTagged(bytes: Buffer, start: number, end: number): void {
    const cursor = new VariableIntegers(bytes, start, end);
    cursor.unsigned();
    const stop = start + cursor.unsigned();
    cursor.unsigned();
    if (stop > end) throw logCorrupt('tagged GTID ends too early');
    let uuid = '';
    let tag = '';
    let immediate = 0;
    let original = -1;
    this.number = 0;
    this.statements = false;
    const fields: readonly (() => void)[] = [
      () => {
        this.statements = (cursor.unsigned() & 1) !== 0;
      },
      () => {
        const raw = Buffer.alloc(16);
        for (let index = 0; index < 16; index++) raw[index] = cursor.unsigned();
        uuid = uuidText(raw, 0);
      },
      () => {
        this.number = cursor.signed();
      },
      () => {
        tag = cursor.text();
      },
      () => void cursor.signed(),
      () => void cursor.signed(),
      () => {
        immediate = cursor.unsigned();
      },
      () => {
        original = cursor.unsigned();
      },
      () => void cursor.unsigned(),
      () => void cursor.unsigned(),
      () => void cursor.unsigned(),
      () => void cursor.unsigned(),
    ];
    while (cursor.at < stop) {
      const field = fields[cursor.unsigned()];
      // Field ids ascend, and a field that is not known here may be left unread with all after it.
      if (field === undefined) break;
      field();
    }
    if (uuid === '' || this.number < 1) throw logCorrupt('tagged GTID lacks its number');
    this.#known = false;
    this.source = tag === '' ? uuid : `${uuid}:${tag}`;
    this.immediateMicros = immediate;
    this.commitTimeMicros = original >= 0 ? original : immediate;
  }
}

function micros(view: DataView, at: number, high: number): number {
  return (high * 0x10000 + view.getUint16(at + 4, true)) * 0x1_0000_0000 + view.getUint32(at, true);
}

function number64(view: DataView, at: number): number {
  const high = view.getUint32(at + 4, true);
  if (high > 0x1fffff) throw logCorrupt('a transaction number is beyond 2^53');
  return high * 0x1_0000_0000 + view.getUint32(at, true);
}

/** `n` trailing one-bits of the first byte, then the value in `n` + 1 bytes little-endian, shifted by `n` + 1. */
class VariableIntegers {
  at: number;
  readonly #bytes: Buffer;
  readonly #end: number;

  constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes;
    this.at = start;
    this.#end = end;
  }

  #take(count: number): number {
    const from = this.at;
    if (from + count > this.#end) throw logCorrupt('tagged GTID ends too early');
    this.at = from + count;
    return from;
  }

  unsigned(): number {
    const value = this.#big();
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw logCorrupt('tagged GTID holds a number beyond 2^53');
    return Number(value);
  }

  signed(): number {
    const value = this.#big();
    const number = (value & 1n) === 0n ? value >> 1n : -1n - (value >> 1n);
    if (number > BigInt(Number.MAX_SAFE_INTEGER)) throw logCorrupt('tagged GTID holds a number beyond 2^53');
    return Number(number);
  }

  #big(): bigint {
    const first = this.#bytes[this.#take(1)] as number;
    let ones = 0;
    while (ones < 8 && ((first >> ones) & 1) === 1) ones++;
    let value = BigInt(first);
    const from = this.#take(ones);
    for (let index = 0; index < ones; index++) {
      value |= BigInt(this.#bytes[from + index] as number) << BigInt(8 * (index + 1));
    }
    return ones === 8 ? value >> 8n : value >> BigInt(ones + 1);
  }

  text(): string {
    const length = this.unsigned();
    const from = this.#take(length);
    return this.#bytes.toString('latin1', from, from + length);
  }
}
