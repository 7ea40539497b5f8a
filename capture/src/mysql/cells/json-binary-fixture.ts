/** Encodes documents in MySQL's binary JSON format, by its description, for tests. */

export type Document =
  | null
  | boolean
  | { readonly int: bigint }
  | { readonly double: number }
  | { readonly opaque: number; readonly bytes: Uint8Array }
  | string
  | readonly Document[]
  | { readonly members: readonly (readonly [string, Document])[] };

interface Encoded {
  readonly type: number;
  readonly bytes: Buffer;
  readonly inline: 'always' | 'large' | 'never';
}

function integer(value: bigint): Encoded {
  const sizes = [
    { type: 5, bytes: 2, min: -(2n ** 15n), max: 2n ** 15n - 1n },
    { type: 6, bytes: 2, min: 0n, max: 2n ** 16n - 1n },
    { type: 7, bytes: 4, min: -(2n ** 31n), max: 2n ** 31n - 1n },
    { type: 8, bytes: 4, min: 0n, max: 2n ** 32n - 1n },
    { type: 9, bytes: 8, min: -(2n ** 63n), max: 2n ** 63n - 1n },
    { type: 10, bytes: 8, min: 0n, max: 2n ** 64n - 1n },
  ];
  const size = sizes.find(({ min, max }) => value >= min && value <= max);
  if (size === undefined) throw new Error('integer out of range');
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
  const inline = size.bytes === 2 ? 'always' : size.bytes === 4 ? 'large' : 'never';
  return { type: size.type, bytes: bytes.subarray(0, size.bytes), inline };
}

function withLength(bytes: Uint8Array): Buffer {
  const length: number[] = [];
  let rest = bytes.length;
  while (rest >= 128) {
    length.push(128 + (rest % 128));
    rest = Math.floor(rest / 128);
  }
  return Buffer.concat([Buffer.from([...length, rest]), bytes]);
}

function isList(document: Document): document is readonly Document[] {
  return Array.isArray(document);
}

function element(document: Document, large: boolean): Encoded {
  if (document === null || typeof document === 'boolean') {
    const literal = document === null ? 0 : document ? 1 : 2;
    return { type: 4, bytes: Buffer.from([literal, 0]), inline: 'always' };
  }
  if (typeof document === 'string') return { type: 12, bytes: withLength(Buffer.from(document)), inline: 'never' };
  if (isList(document)) {
    return { type: large ? 3 : 2, bytes: container([], document, large), inline: 'never' };
  }
  if ('int' in document) return integer(document.int);
  if ('double' in document) {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(document.double);
    return { type: 11, bytes, inline: 'never' };
  }
  if ('opaque' in document) {
    const bytes = Buffer.concat([Buffer.from([document.opaque]), withLength(document.bytes)]);
    return { type: 15, bytes, inline: 'never' };
  }
  const keys = document.members.map(([key]) => Buffer.from(key));
  const values = document.members.map(([, value]) => value);
  return { type: large ? 1 : 0, bytes: container(keys, values, large), inline: 'never' };
}

function container(keys: readonly Buffer[], values: readonly Document[], large: boolean): Buffer {
  const width = large ? 4 : 2;
  const number = (value: number): Buffer => {
    const bytes = Buffer.alloc(width);
    bytes.writeUIntLE(value, 0, width);
    return bytes;
  };
  let offset = 2 * width + keys.length * (width + 2) + values.length * (width + 1);
  const keyEntries = keys.map((key) => {
    const entry = Buffer.concat([number(offset), Buffer.from([key.length & 255, key.length >> 8])]);
    offset += key.length;
    return entry;
  });
  const data: Buffer[] = [...keys];
  const valueEntries = values.map((value) => {
    const encoded = element(value, large);
    if (encoded.inline === 'always' || (large && encoded.inline === 'large')) {
      return Buffer.concat([Buffer.from([encoded.type]), encoded.bytes, Buffer.alloc(width - encoded.bytes.length)]);
    }
    const entry = Buffer.concat([Buffer.from([encoded.type]), number(offset)]);
    offset += encoded.bytes.length;
    data.push(encoded.bytes);
    return entry;
  });
  return Buffer.concat([number(values.length), number(offset), ...keyEntries, ...valueEntries, ...data]);
}

/** A JSON cell without its length prefix. */
export function encodeDocument(document: Document, large = false): Buffer {
  const { type, bytes } = element(document, large);
  return Buffer.concat([Buffer.from([type]), bytes]);
}
