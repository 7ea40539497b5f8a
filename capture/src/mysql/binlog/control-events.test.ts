import fc from 'fast-check';
import { expect, test } from 'vitest';

import { readFormatDescription, readHeartbeatV2, readIncident, readRotate, readXaPrepare } from './control-events.ts';
import { failureCode } from './failure-code.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const corrupt = expect.objectContaining({ code: 'SOURCE_LOG_CORRUPT' });

test('T105 a heartbeat of version 2 has a position of more than 32 bits', () => {
  const bytes = hex('01 0c 6d7962696e2e303030303035 02 03 fc2121 00');
  expect(readHeartbeatV2(bytes, 0, bytes.length)).toEqual({ file: 'mybin.000005', position: 0x2121 });
  const wide = hex('01 0c 6d7962696e2e303030303035 02 09 fe0000000001000000 00');
  expect(readHeartbeatV2(wide, 0, wide.length).position).toBe(2 ** 32);
});

test('ROTATE names the next file and position', () => {
  const bytes = Buffer.concat([hex('0400000000000000'), Buffer.from('binlog.000007')]);
  expect(readRotate(bytes, 0, bytes.length)).toEqual({ file: 'binlog.000007', position: 4 });
});

function description(algorithm: number): Buffer {
  const version = Buffer.alloc(50);
  version.write('9.7.4');
  return Buffer.concat([
    hex('0400'),
    version,
    hex('01000000'),
    hex('13'),
    Buffer.alloc(42),
    Buffer.of(algorithm),
    Buffer.alloc(4),
  ]);
}

test('T116 the checksum algorithm stands before the checksum of the FORMAT_DESCRIPTION', () => {
  const [off, on, unknown] = [description(0), description(1), description(2)];
  expect(readFormatDescription(off, 0, off.length)).toMatchObject({ checksums: false, serverVersion: '9.7.4' });
  expect(readFormatDescription(on, 0, on.length)).toMatchObject({ checksums: true, createdSeconds: 1 });
  expect(() => readFormatDescription(unknown, 0, unknown.length)).toThrow(corrupt);
});

test('XA_PREPARE gives the identifier as XA COMMIT prints it', () => {
  const bytes = hex('00 07000000 02000000 02000000 6731 6231');
  expect(readXaPrepare(bytes, 0, bytes.length)).toEqual({ onePhase: false, xid: "X'6731',X'6231',7" });
});

test('INCIDENT tells its text', () => {
  const bytes = hex('0100 04 6c6f7374');
  expect(readIncident(bytes, 0, bytes.length)).toEqual({ number: 1, text: 'lost' });
});

test('any bytes give an answer or a corrupt log', () => {
  const readers = [readFormatDescription, readHeartbeatV2, readIncident, readRotate, readXaPrepare];
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.constantFrom(...readers), (data, read) => {
      const bytes = Buffer.from(data);
      expect(failureCode(() => read(bytes, 0, bytes.length))).toBeOneOf([null, 'SOURCE_LOG_CORRUPT']);
    }),
  );
});
