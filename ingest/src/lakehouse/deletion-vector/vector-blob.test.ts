import { createHash } from 'node:crypto';

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { PositionSet } from './position-set.ts';
import { encodePuffin } from './puffin.ts';
import { decodeVector, encodeVector } from './vector-blob.ts';

function setOf(positions: Iterable<number>): PositionSet {
  const set = new PositionSet();
  for (const position of positions) set.add(position);
  return set;
}

function range(first: number, last: number, step = 1): number[] {
  return Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, i) => first + i * step);
}

describe('golden vectors of Iceberg and CRoaring', () => {
  const vectors: readonly [string, readonly number[], string][] = [
    ['empty', [], '0000000cd1d339640000000000000000bf18480c'],
    ['{0}', [0], '00000022d1d339640100000000000000000000003a3000000100000000000000100000000000f7a6b4b5'],
    [
      '{1,3,5,7,9}',
      [1, 3, 5, 7, 9],
      '0000002ad1d339640100000000000000000000003a30000001000000000004001000000001000300050007000900b3fb20be',
    ],
    [
      '{3,4,7,11,18,29}',
      [3, 4, 7, 11, 18, 29],
      '0000002cd1d339640100000000000000000000003a3000000100000000000500100000000300040007000b0012001d00acd74a79',
    ],
    ['{0..9} as a run', range(0, 9), '0000001fd1d339640100000000000000000000003b30000001000009000100000009005605ea77'],
    [
      'two containers',
      [65_535, 65_536],
      '0000002cd1d339640100000000000000000000003a300000020000000000000001000000180000001a000000ffff0000c485d11c',
    ],
    [
      'containers far apart',
      [100, 101, 2_147_483_747, 2_147_483_748],
      '00000030d1d339640100000000000000000000003a300000020000000000010000800100180000001c000000640065006300640015eb1c7c',
    ],
  ];
  test.each(vectors)('%s', (_name, positions, hex) => {
    expect(encodeVector(setOf(positions)).toString('hex')).toBe(hex);
    expect([...decodeVector(Buffer.from(hex, 'hex'))]).toEqual(positions);
  });

  test.each([
    [8190, '0724b1fa90c96232c23a9f7bdc30341048f7e13923f730788943921a2763ae27'],
    [8192, 'e900d975e966226df6a61ab3b3c4f0e236af7285f51e18aac2ee38e9266df7b8'],
    [9998, 'c87d786bbf50b2ed400bb07794dab42f8432dee2992a2c4911ede32111018939'],
  ])('even positions up to %i cross the array limit', (last, digest) => {
    const blob = encodeVector(setOf(range(0, last, 2)));
    expect(blob.length).toBe(8232);
    expect(createHash('sha256').update(blob).digest('hex')).toBe(digest);
  });

  test('array and runs of one bitmap, as Java writes them for its lower key', () => {
    // The lower half of the two-key file of Iceberg: {5,7}, {1..999}, {1..65534} with the same bytes as there.
    const blob = encodeVector(setOf([5, 7, ...range(65_537, 66_535), ...range(131_073, 196_606)]));
    expect(blob.subarray(20, -4).toString('hex')).toBe(
      '3b30020006000001000100e6030200fdff0500070001000100e60301000100fdff',
    );
  });
});

test('any set of positions survives encoding', () => {
  const scattered = fc.uniqueArray(fc.integer({ min: 0, max: 400_000 }), { maxLength: 300 });
  const run = fc.tuple(fc.integer({ min: 0, max: 300_000 }), fc.integer({ min: 1, max: 70_000 }));
  fc.assert(
    fc.property(scattered, fc.array(run, { maxLength: 3 }), (single, runs) => {
      const members = new Set(single);
      for (const [first, length] of runs) for (const position of range(first, first + length)) members.add(position);
      const set = setOf(members);
      expect(set.cardinality).toBe(members.size);
      const back = decodeVector(encodeVector(set));
      expect(back.cardinality).toBe(members.size);
      expect([...back]).toEqual([...members].sort((a, b) => a - b));
    }),
    { numRuns: 40 },
  );
});

test('a damaged byte anywhere is noticed', () => {
  const blob = encodeVector(setOf([1, 3, 5, 70_000]));
  for (let at = 0; at < blob.length; at++) {
    const damaged = Buffer.from(blob);
    damaged[at] = (damaged[at] as number) ^ 0x10;
    expect(() => decodeVector(damaged), `byte ${at}`).toThrow('cannot be read');
  }
});

test('empty bitmaps of lower keys, which Java writes, are accepted; positions beyond 32 bits are not', () => {
  const highKey = '00000022d1d339640100000000000000010000003a3000000100000000000000100000000000e08ed075';
  expect(() => decodeVector(Buffer.from(highKey, 'hex'))).toThrow('cannot be read');
});

describe('a puffin file', () => {
  const sets = [setOf(range(0, 8190, 2)), setOf([1]), setOf(range(0, 99)), setOf([2]), setOf([5, 7, 9])];
  const vectors = sets.map((set, i) => ({
    referencedDataFile: `file:///t/${i}.parquet`,
    cardinality: set.cardinality,
    blob: encodeVector(set),
  }));
  const { bytes, offsets } = encodePuffin(vectors, 'millrace test');
  const footerBytes = bytes.readInt32LE(bytes.length - 12);
  const footer = JSON.parse(bytes.toString('utf8', bytes.length - 12 - footerBytes, bytes.length - 12)) as {
    blobs: { offset: number; length: number; properties: Record<string, string> }[];
  };

  test('frames its blobs at the offsets it names', () => {
    expect(bytes.toString('latin1', 0, 4)).toBe('PFA1');
    expect(bytes.toString('latin1', bytes.length - 4)).toBe('PFA1');
    expect(bytes.toString('latin1', bytes.length - 16 - footerBytes, bytes.length - 12 - footerBytes)).toBe('PFA1');
    expect(new Set(footer.blobs.map((blob) => blob.offset))).toEqual(new Set(offsets));
    vectors.forEach((vector, i) => {
      const entry = footer.blobs.find((blob) => blob.properties['referenced-data-file'] === vector.referencedDataFile);
      expect(entry).toMatchObject({ offset: offsets[i], length: vector.blob.length });
      const blob = bytes.subarray(entry?.offset ?? 0, (entry?.offset ?? 0) + (entry?.length ?? 0));
      expect([...decodeVector(blob)]).toEqual([...(sets[i] ?? [])]);
    });
  });

  test('never leaves a whole vector in a gap that is no longer than the vector before it', () => {
    const inFile = footer.blobs.toSorted((a, b) => a.offset - b.offset);
    inFile.forEach((blob, i) => {
      for (const later of inFile.slice(i + 2)) {
        expect(later.offset - blob.offset - blob.length).toBeGreaterThan(blob.length);
      }
    });
  });
});
