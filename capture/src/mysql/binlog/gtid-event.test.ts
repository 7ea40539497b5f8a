import { expect, test } from 'vitest';

import { GtidEvent } from './gtid-event.ts';

const view = (bytes: Buffer): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/[\s|]/g, ''), 'hex');

const plain = hex(
  '00 8b4570c1e54511f1960d02fc00000001 0400000000000000 02 0200000000000000 0300000000000000 ' +
    'cc47a4c5be6006 fc1e04 50620100',
);
const tagged = hex(
  '02 72 00 | 00 00 | 02 2d02 8a e0 0503 9503 8a 22 c503 5902 1a 04 f103 00 00 00 02 | 04 04 | 06 0a 6d79746167 | ' +
    '08 00 | 0a 04 | 0c 7f4d546ecabe6006 | 10 8904 | 12 83120b',
);

test('number, source and commit time of a GTID event', () => {
  const event = new GtidEvent();
  event.read(plain, view(plain), 0, plain.length);
  expect(event).toMatchObject({
    source: '8b4570c1-e545-11f1-960d-02fc00000001',
    number: 4,
    commitTimeMicros: 0x0660bec5a447cc,
    immediateMicros: 0x0660bec5a447cc,
    statements: false,
  });
});

test('the original commit time wins where a replica wrote the event', () => {
  const original = Buffer.concat([plain.subarray(0, 48), hex('86'), hex('00000000000600'), plain.subarray(49)]);
  const event = new GtidEvent();
  event.read(original, view(original), 0, original.length);
  expect(event.commitTimeMicros).toBe(0x06_0000000000);
  expect(event.immediateMicros).toBe(0x0660bec5a447cc);
});

test('a GTID event without times, as 5.7 writes it', () => {
  const event = new GtidEvent();
  event.read(plain, view(plain), 0, 42);
  expect(event).toMatchObject({ number: 4, commitTimeMicros: 0 });
});

test('a tagged GTID event', () => {
  const event = new GtidEvent();
  event.readTagged(tagged, 0, tagged.length);
  expect(event).toMatchObject({ source: '8b4570c1-e545-11f1-960d-02fc00000001:mytag', number: 1 });
  expect(new Date(event.commitTimeMicros / 1000).getUTCFullYear()).toBe(2026);
});

test('the source text follows the bytes through tagged and plain events', () => {
  const event = new GtidEvent();
  event.read(plain, view(plain), 0, plain.length);
  event.readTagged(tagged, 0, tagged.length);
  event.read(plain, view(plain), 0, plain.length);
  expect(event.source).toBe('8b4570c1-e545-11f1-960d-02fc00000001');
});

test('an event that ends too early is a corrupt log', () => {
  const corrupt = expect.objectContaining({ code: 'SOURCE_LOG_CORRUPT' });
  const event = new GtidEvent();
  expect(() => event.read(plain, view(plain), 0, 24)).toThrow(corrupt);
  for (const length of [0, 1, 3, 10, 24, 30]) expect(() => event.readTagged(tagged, 0, length)).toThrow(corrupt);
});
