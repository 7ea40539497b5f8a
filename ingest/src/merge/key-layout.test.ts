import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { CdcError } from '@millrace/shared/errors/cdc-error.ts';

import type { KeyLayout } from './key-layout.ts';
import { RowKey } from './row-key.ts';

const columns = ['id', 'na"me'];

function spelt(id: string, name: string, table = 'shop.orders'): string {
  return `{"TableId":"${table}","id":${id},"na\\"me":${name}}`;
}

/** In the middle of a larger buffer, so that reading past either end would be seen. */
function around(key: string | Buffer): Buffer {
  return Buffer.concat([Buffer.from('12'), Buffer.from(key), Buffer.from('34')]);
}

function identity(key: RowKey): string {
  return key.bytes.toString('latin1', 0, key.length);
}

/** By reading all of the object; null when the key is refused, lacks a column or holds others. */
function inFull(bytes: Buffer): string | null {
  const key = new RowKey(columns);
  try {
    return key.read(bytes, 2, bytes.length - 2) && key.otherFields === 1 ? identity(key) : null;
  } catch (error) {
    if (error instanceof CdcError) return null;
    throw error;
  }
}

function layoutOf(text: string): KeyLayout {
  const key = new RowKey(columns);
  const bytes = around(text);
  key.read(bytes, 2, bytes.length - 2);
  const layout = key.layout(bytes, 2, bytes.length - 2);
  if (layout === null) throw new Error('the key has no layout');
  return layout;
}

function byLayout(layout: KeyLayout, bytes: Buffer): string | null {
  const key = new RowKey(columns);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return key.readAs(layout, bytes, view, 2, bytes.length - 2) ? identity(key) : null;
}

const layouts = [layoutOf(spelt('1', '"a"')), layoutOf(spelt('"1"', '2')), layoutOf(spelt('"x"', '"y"'))];
const value = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n }).map(String),
  fc.string({ unit: 'binary', maxLength: 6 }).map((text) => JSON.stringify(text)),
  fc.bigInt().map((integer) => `"${integer}"`),
  fc.constantFrom(
    '01',
    '-0',
    '-',
    '1.0',
    '1e1',
    '"01"',
    '"-0"',
    '""',
    '"-"',
    'null',
    'true',
    '[1]',
    '"\\u0031"',
    '"1"',
  ),
);
const pieces = ['"', '\\', ',', '}', '{', ' ', '0', '-', '"id":1,', '\u0000', '\u00e9', '1'];

describe('a key layout', () => {
  it('gives the identity that the whole object has, or none', () => {
    fc.assert(
      fc.property(
        value,
        value,
        fc.constantFrom(...layouts),
        fc.array(fc.tuple(fc.nat(), fc.nat({ max: 2 }), fc.constantFrom(...pieces)), { maxLength: 2 }),
        (id, name, layout, mutations) => {
          let bytes = Buffer.from(spelt(id, name));
          for (const [where, drop, put] of mutations) {
            const at = where % (bytes.length + 1);
            bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(put), bytes.subarray(at + drop)]);
          }
          const whole = around(bytes);
          const quick = byLayout(layout, whole);
          expect([quick, quick]).toStrictEqual([quick, quick === null ? null : inFull(whole)]);
        },
      ),
      { numRuns: 20_000 },
    );
  }, 60_000);

  it.each([
    [spelt('1', '"a"'), spelt('-9223372036854775808', '"any text, {}"')],
    [spelt('"1"', '2'), spelt('"-17"', '0')],
    [spelt('"x"', '"y"'), spelt('""', '"12"')],
  ])('learnt from %s reads %s', (first, second) => {
    expect(byLayout(layoutOf(first), around(second))).toBe(inFull(around(second)));
  });

  it('is none where the columns stand in another order or hold other values', () => {
    const key = new RowKey(columns);
    const layouted = ['{"na\\"me":1,"TableId":"t","id":2}', spelt('true', '1'), spelt('1', '"\\n"')].map((text) => {
      const bytes = around(text);
      return key.read(bytes, 2, bytes.length - 2) && key.layout(bytes, 2, bytes.length - 2);
    });
    expect(layouted).toStrictEqual([null, null, null]);
  });
});
