import { expect, test } from 'vitest';

import { formatResumePoint, parseResumePoint } from './resume-point.ts';

const resume = {
  serverUuid: '8b4570c1-e545-11f1-960d-02fc00000001',
  gtidSet: '8b4570c1-e545-11f1-960d-02fc00000001:1-5:7',
  file: 'binlog.000003',
  position: 2 ** 40,
  epoch: 3,
  notBeforeMicros: 5,
  skipEvents: 1,
  skipRows: 2,
  xaPrepared: ["X'61',X'',1"],
};

test('what is written is read again', () => {
  expect(parseResumePoint(formatResumePoint(resume))).toEqual(resume);
  const plain = { ...resume, gtidSet: null, notBeforeMicros: 0, skipEvents: 0, skipRows: 0, xaPrepared: [] };
  expect(parseResumePoint(formatResumePoint(plain))).toEqual(plain);
});

test('T104 an ordinary resume point holds no counters', () => {
  const text = formatResumePoint({ ...resume, notBeforeMicros: 0, skipEvents: 0, skipRows: 0, xaPrepared: [] });
  expect(Object.keys(JSON.parse(text) as object)).toEqual(['server_uuid', 'gtid_set', 'file', 'position', 'epoch']);
});

test.each([
  '',
  '{}',
  '[]',
  'null',
  '{"server_uuid":1}',
  '{"server_uuid":"u","gtid_set":null,"file":"f","position":-1}',
])('%j is an unreadable checkpoint', (text) => {
  expect(() => parseResumePoint(text)).toThrow(expect.objectContaining({ code: 'CHECKPOINT_UNREADABLE' }));
});
