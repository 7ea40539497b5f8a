import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { CdcError } from '../errors/cdc-error.ts';
import { RowCells } from './json-cells.ts';
import { KnownFrames } from './known-frames.ts';
import { frameOp, RecordFrame, spanText } from './record-frame.ts';
import type { Span } from './record-frame.ts';
import { ValueDecoder } from './value-decoder.ts';

const options = { format: 'auto', envelopeRequired: false } as const;
const row = '{"id":4,"name":"John"}';
const sources = [
  '"source":{"db":"shop","table":"customers","ts_ms":1728528674000}',
  '"source":{"db":"shop","table":"orders","ts_ms":0}',
  '"source":{"db":"shop","table":"customers"}',
  '"source":{"db":"app","schema":"public","table":"customers","ts_ms":1}',
  '"source":{"table":"qu\\"o\\u0074e","db":"shop","more":{"a":[1,{"b":2}]},"ts_ms":99}}',
  '"source":{"db":"shop","table":"customers","connector":"mysql","ts_ms":5},"ts_ms":7',
];

function valueOf(before: string, after: string, op: string, source: string): string {
  return `{"before":${before},"after":${after},"op":"${op}",${source}}`;
}

/** Everything that a frame says about `bytes`. */
function said(frame: RecordFrame, bytes: Buffer): unknown {
  const images = (start: Int32Array, end: Int32Array): unknown =>
    Array.from({ length: frame.rows }, (_, index) =>
      (start[index] as number) < 0 ? null : [start[index], bytes.toString('latin1', start[index], end[index])],
    );
  const name = (span: Span): unknown => (span.present ? spanText(bytes, span) : null);
  return {
    op: frame.op,
    before: images(frame.beforeStart, frame.beforeEnd),
    after: images(frame.afterStart, frame.afterEnd),
    names: [name(frame.namespace), name(frame.schema), name(frame.table)],
    timeMs: frame.timeMs,
    mayHoldPlaceholders: frame.mayHoldPlaceholders,
    ignored: frame.ignored,
  };
}

function reasonOf(act: () => void): unknown {
  try {
    act();
  } catch (error) {
    if (!(error instanceof CdcError) || error.code !== 'RECORD_UNDECODABLE') throw error;
    return error.details['reason'];
  }
  return null;
}

class Reader {
  readonly #frame = new RecordFrame();
  readonly #decoder = new ValueDecoder(this.#frame, options);

  /** What the frame says, or the reason of a refusal. */
  read(bytes: Buffer): { readonly said: unknown; readonly refused: unknown } {
    const refused = reasonOf(() => {
      this.#decoder.decode(bytes, 2, bytes.length - 2);
    });
    return { said: refused === null ? said(this.#frame, bytes) : null, refused };
  }

  /** Whether an image of the value read last is no JSON object. */
  hasBrokenImage(bytes: Buffer): boolean {
    const { beforeStart, beforeEnd, afterStart, afterEnd } = this.#frame;
    const broken = (start: number, end: number): boolean =>
      start >= 0 && reasonOf(() => new RowCells([]).read(bytes, start, end)) !== null;
    return (
      broken(beforeStart[0] as number, beforeEnd[0] as number) || broken(afterStart[0] as number, afterEnd[0] as number)
    );
  }
}

/** A decoder that has met records of every source. */
function experienced(): Reader {
  const reader = new Reader();
  for (const source of sources) reader.read(around(Buffer.from(valueOf('null', row, 'c', source))));
  return reader;
}

/** In the middle of a larger buffer, so that reading past either end would be seen. */
function around(value: Buffer): Buffer {
  return Buffer.concat([Buffer.from('"{'), value, Buffer.from('"}')]);
}

const hostile = [
  '},"after":{',
  '{"before":{',
  '{"before":null,"after":{',
  '},"after":null',
  '"x":{},"after":{"id":5}',
  '"x":{"before":{"id":1},"after":{"id":2}},',
  '{"a":1}',
  ',"x":{"y":1}',
  ',"x":{ "y":1}',
  ',"x":1',
  ',"x":[{}]',
  '{',
  '}',
  '"',
  '\\',
  ' ',
  ',',
  '\u0000',
  '\u00e9',
];
const text = fc.oneof(
  fc.string({ maxLength: 8 }),
  fc.constantFrom(...hostile),
  fc.jsonValue().map((v) => JSON.stringify(v)),
);
const cell = fc.oneof(fc.integer(), fc.boolean(), fc.constant(null), text, fc.array(text, { maxLength: 3 }));
const flat = fc.dictionary(fc.oneof(fc.constantFrom('id', 'name', 'after', 'before', 'op', 'source'), text), cell, {
  maxKeys: 5,
});
const nested = fc.dictionary(
  fc.constantFrom('id', 'after', 'before', 'x'),
  fc.oneof(cell, flat, fc.array(flat, { maxLength: 2 })),
  {
    maxKeys: 4,
  },
);
const image = fc.oneof(
  { weight: 6, arbitrary: flat.map((value) => JSON.stringify(value)) },
  { weight: 3, arbitrary: nested.map((value) => JSON.stringify(value)) },
  { weight: 2, arbitrary: nested.map((value) => JSON.stringify(value, null, 1)) },
  { weight: 2, arbitrary: fc.constant('null') },
);
const value = fc
  .tuple(image, image, fc.constantFrom('c', 'u', 'd', 'r', 't', 'm', 'x'), fc.constantFrom(...sources))
  .map((parts) => valueOf(...parts));
const mutation = fc.tuple(fc.nat(), fc.constantFrom(0, 0, 0, 1, 2), fc.constantFrom(...hostile));

function mutated(whole: string, mutations: readonly (readonly [number, number, string])[]): Buffer {
  let bytes = Buffer.from(whole);
  for (const [where, drop, put] of mutations) {
    // Mostly where one token meets the next.
    const places = [...bytes.keys()].filter((index) => ',:{}[]"'.includes(String.fromCharCode(bytes[index] ?? 0)));
    const at = where % 4 === 0 ? where % (bytes.length + 1) : (places[where % places.length] ?? 0);
    bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(put), bytes.subarray(at + drop)]);
  }
  return bytes;
}

describe('a decoder that knows the shape of its records', () => {
  it('reads every value as one does that never met it, or leaves a broken image to its reader', () => {
    const reader = experienced();
    fc.assert(
      fc.property(value, fc.array(mutation, { maxLength: 3 }), (whole, mutations) => {
        const bytes = around(mutated(whole, mutations));
        const full = new Reader().read(bytes);
        const fast = reader.read(bytes);
        const isLeft = full.refused !== null && fast.refused === null && reader.hasBrokenImage(bytes);
        const accepted = full.refused === null ? full : null;
        expect(isLeft || fast.refused !== null ? null : fast).toStrictEqual(accepted);
      }),
      { numRuns: 20_000 },
    );
  }, 60_000);

  it.each([
    [
      'an object inside of the before image',
      `{"before":{"a":{},"after":{"id":1}},"after":{"id":2},"op":"u",${sources[0]}}`,
    ],
    [
      'the border spelt otherwise',
      `{"before":{"a":{},"after":{"id":1}}, "\\u0061fter":{"id":2},"op":"u",${sources[0]}}`,
    ],
    ['a text after the images', `{"before":null,"after":{"id":1},"x":"}","op":"c",${sources[0]}}`],
    ['a number after the images', `{"before":null,"after":{"id":1},"x":1,"op":"c",${sources[0]}}`],
    ['a field between the images', `{"before":{"id":1},"x":{"id":2},"after":null,"op":"d",${sources[0]}}`],
    ['a field after the images', `{"before":null,"after":{"id":1},"x":{"id":2},"op":"c",${sources[0]}}`],
    ['the border inside of a text', `{"before":{"a":"},\\"after\\":{"},"after":{"id":2},"op":"u",${sources[0]}}`],
    ['JSON inside of a text', `{"before":{"a":"{\\"k\\": {}}"},"after":{"a":"[{\\"k\\": 1}]"},"op":"u",${sources[0]}}`],
    [
      'a time that ends in zeros in front',
      `{"before":null,"after":{"id":1},"op":"c",${sources[0]?.replace('17', '00')}}`,
    ],
    [
      'a time beyond what a double holds',
      `{"before":null,"after":{"id":1},"op":"c",${sources[0]?.replace('17', '99999')}}`,
    ],
  ])('is not misled by %s', (_, whole) => {
    const bytes = around(Buffer.from(whole));
    expect(experienced().read(bytes)).toStrictEqual(new Reader().read(bytes));
  });
});

describe('KnownFrames', () => {
  function knows(whole: string): boolean {
    const frame = new RecordFrame();
    const frames = new KnownFrames();
    const first = around(Buffer.from(valueOf('null', row, 'c', sources[0] ?? '')));
    new ValueDecoder(frame, options).decode(first, 2, first.length - 2);
    frames.learn(first, first.indexOf('"op":"') + 6, first.length - 2, frame);
    frame.clear();
    const bytes = around(Buffer.from(whole));
    return frames.read(bytes, 2, bytes.length - 2, frame) && frame.op !== frameOp.ignored;
  }

  it.each([
    [valueOf('null', row, 'c', sources[0] ?? '')],
    [valueOf('null', row, 'r', '"source":{"db":"shop","table":"customers","ts_ms":0}')],
    [valueOf(row, '{"id":4,"name":"{\\"a\\": {\\"b\\": [{\\"c\\": 1}]}}"}', 'u', sources[0] ?? '')],
    [valueOf('{"id":4,"tags":["},","{"],"name":null}', row, 'u', sources[0] ?? '')],
    [valueOf(row, 'null', 'd', sources[0] ?? '')],
  ])('recognises %s', (whole) => {
    expect(knows(whole)).toBe(true);
  });

  it.each([
    [valueOf('null', row, 't', sources[0] ?? '')],
    [valueOf('null', row, 'c', sources[1] ?? '')],
    [valueOf('null', 'null', 'c', sources[0] ?? '')],
    [valueOf(row, row, 'd', sources[0] ?? '')],
    ['{}'],
    ['}}'],
  ])('leaves %s to the full decoder', (whole) => {
    expect(knows(whole)).toBe(false);
  });

  it('recognises a shape again after a run of tails that never came again', () => {
    const reads: boolean[] = [];
    const frame = new RecordFrame();
    const frames = new KnownFrames();
    const decoder = new ValueDecoder(frame, { ...options, wholeValues: true });
    for (let index = 0; index < 2000; index++) {
      const source = `"source":{"db":"shop","table":"${index < 1000 ? `t${index}` : 'one'}","ts_ms":1}`;
      const bytes = around(Buffer.from(valueOf('null', row, 'c', source)));
      frame.clear();
      const known = frames.read(bytes, 2, bytes.length - 2, frame);
      reads.push(known);
      if (known) continue;
      decoder.decode(bytes, 2, bytes.length - 2);
      frames.learn(bytes, bytes.indexOf('"op":"') + 6, bytes.length - 2, frame);
    }
    expect(reads.indexOf(true)).toBeGreaterThan(1000);
    expect(reads.slice(1100)).not.toContain(false);
  });
});
