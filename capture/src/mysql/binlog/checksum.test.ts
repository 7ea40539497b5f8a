import { crc32 as zlibCrc32 } from 'node:zlib';

import fc from 'fast-check';
import { expect, test } from 'vitest';

import { crc32 } from './checksum.ts';

test('agrees with zlib at every length and offset', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1200 }), fc.nat(20), fc.nat(20), (data, before, after) => {
      const bytes = Buffer.concat([Buffer.alloc(before, 7), data, Buffer.alloc(after, 9)]);
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      expect(crc32(bytes, view, before, before + data.length)).toBe(zlibCrc32(data));
    }),
  );
});
