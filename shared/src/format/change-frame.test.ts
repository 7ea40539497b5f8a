import { expect, test } from 'vitest';

import { canalJsonFrame } from './canal-json-frame.ts';
import { ChangeFrame } from './change-frame.ts';
import type { FrameOp } from './change-frame.ts';
import { debeziumJsonFrame } from './debezium-json-frame.ts';

const id = { namespace: '', schema: 'kafka_test', table: 'customers' };
const before = '{"id":4,"name":"John","address":"New York","phone_number":"2222","age":12}';
const after = '{"id":4,"name":"John","address":"New York","phone_number":"1234","age":12}';

function render(frame: ChangeFrame, op: FrameOp, timeMs: number): string {
  const bytes = Buffer.from(before + after);
  const images = {
    beforeStart: 0,
    beforeEnd: before.length,
    afterStart: before.length,
    afterEnd: before.length + after.length,
  };
  let text = '';
  frame.gather(
    {
      add: (source, start, end) => {
        text += source.toString('utf8', start, end);
      },
    },
    op,
    timeMs,
    bytes,
    images,
  );
  return text;
}

const vvr = { flavour: 'vvr', snapshotOp: 'c', fullTableId: false } as const;

test('a debezium-json update is printed as the published example', () => {
  const frame = new ChangeFrame(debeziumJsonFrame(id, vvr));
  expect(render(frame, 'update', 1728528674000)).toBe(
    `{"before":${before},"after":${after},"op":"u","source":{"db":"kafka_test","table":"customers","ts_ms":1728528674000}}`,
  );
});

test('debezium-json prints create, delete and snapshot rows with null for the missing image', () => {
  const frame = new ChangeFrame(debeziumJsonFrame(id, vvr));
  const source = '"source":{"db":"kafka_test","table":"customers","ts_ms":';
  expect(render(frame, 'create', 1)).toBe(`{"before":null,"after":${after},"op":"c",${source}1}}`);
  expect(render(frame, 'delete', 12)).toBe(`{"before":${before},"after":null,"op":"d",${source}12}}`);
  expect(render(frame, 'read', 0)).toBe(`{"before":null,"after":${after},"op":"c",${source}0}}`);
});

test('a tail follows the commit time up and down in length', () => {
  const frame = new ChangeFrame(debeziumJsonFrame(id, vvr));
  for (const time of [1728528674000, 0, 7, 1728528674001]) {
    expect(render(frame, 'create', time).endsWith(`"ts_ms":${time}}}`)).toBe(true);
  }
});

test('flavour oss prints no times', () => {
  const debezium = new ChangeFrame(debeziumJsonFrame(id, { ...vvr, flavour: 'oss' }));
  expect(render(debezium, 'delete', 5)).toBe(
    `{"before":${before},"after":null,"op":"d","source":{"db":"kafka_test","table":"customers"}}`,
  );
  const canal = new ChangeFrame(canalJsonFrame(id, ['id'], { flavour: 'oss', executeTime: false }));
  expect(render(canal, 'create', 5)).toBe(
    `{"old":null,"data":[${after}],"type":"INSERT","database":"kafka_test","table":"customers","pkNames":["id"]}`,
  );
});

test('canal-json puts the deleted row into data and the full old row into old', () => {
  const frame = new ChangeFrame(canalJsonFrame(id, ['id'], { flavour: 'vvr', executeTime: false }));
  const rest = '"database":"kafka_test","table":"customers","pkNames":["id"],"ts":1728528674000,"es":0}';
  expect(render(frame, 'update', 1728528674000)).toBe(`{"old":[${before}],"data":[${after}],"type":"UPDATE",${rest}`);
  expect(render(frame, 'delete', 1728528674000)).toBe(`{"old":null,"data":[${before}],"type":"DELETE",${rest}`);
  const withExecuteTime = new ChangeFrame(canalJsonFrame(id, [], { flavour: 'vvr', executeTime: true }));
  expect(render(withExecuteTime, 'create', 9).endsWith('"pkNames":[],"ts":9,"es":9}')).toBe(true);
});

test('T74 names with quotes and control characters are escaped', () => {
  const odd = { namespace: '', schema: 'a"b', table: 't\u0001' };
  const frame = new ChangeFrame(debeziumJsonFrame(odd, vvr));
  expect(render(frame, 'create', 0)).toContain('"source":{"db":"a\\"b","table":"t\\u0001","ts_ms":0}}');
});

test('T162 a truncate record of either format has no rows', () => {
  const text = (frame: ChangeFrame): string => {
    let out = '';
    const sink = {
      add: (bytes: Buffer, start: number, end: number) => void (out += bytes.toString('utf8', start, end)),
    };
    frame.gatherTruncate(sink, 5);
    return out;
  };
  expect(text(new ChangeFrame(debeziumJsonFrame(id, vvr)))).toBe(
    '{"before":null,"after":null,"op":"t","source":{"db":"kafka_test","table":"customers","ts_ms":5}}',
  );
  expect(text(new ChangeFrame(canalJsonFrame(id, ['id'], { flavour: 'vvr', executeTime: false })))).toBe(
    '{"old":null,"data":null,"type":"TRUNCATE","database":"kafka_test","table":"customers","pkNames":["id"],"ts":5,"es":0}',
  );
});
