import { createServer, connect } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { PacketReader } from './frames.ts';

const signal = new AbortController().signal;
let server: Server;
let accept: (socket: Socket) => void = () => undefined;

beforeAll(async () => {
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    accept(socket);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
});

afterAll(() => {
  server.close();
});

/** Both ends of a connection. */
async function pair(): Promise<{ near: Socket; far: Socket }> {
  const { promise, resolve } = Promise.withResolvers<Socket>();
  accept = resolve;
  const near = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const far = await promise;
  near.pause();
  return { near, far };
}

const options = { maxPacketBytes: 64 * 1024 * 1024, silenceMs: 20_000 };

function frame(payload: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; ; at += 0xffffff) {
    const part = payload.subarray(at, at + 0xffffff);
    const head = Buffer.alloc(4);
    head.writeUIntLE(part.length, 0, 3);
    parts.push(head, part);
    if (part.length < 0xffffff) return Buffer.concat(parts);
  }
}

async function take(reader: PacketReader, count: number): Promise<Buffer[]> {
  const packets: Buffer[] = [];
  while (packets.length < count) {
    await reader.fill(signal);
    while (reader.next()) packets.push(Buffer.from(reader.bytes.subarray(reader.start, reader.end)));
  }
  return packets;
}

test('packets arrive whole however the bytes are cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 3000 }), { minLength: 1, maxLength: 30 }),
      fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 10 }),
      async (sizes, cuts) => {
        const { near, far } = await pair();
        using reader = new PacketReader(near, options);
        const payloads = sizes.map((size, index) => Buffer.alloc(size, index + 1));
        const all = Buffer.concat(payloads.map(frame));
        let turn = 0;
        for (let at = 0; at < all.length; turn++) {
          const cut = cuts[turn % cuts.length] as number;
          far.write(all.subarray(at, at + cut));
          at += cut;
          if (turn % 7 === 0) await new Promise(setImmediate);
        }
        expect(await take(reader, payloads.length)).toEqual(payloads);
        far.destroy();
      },
    ),
    { numRuns: 25 },
  );
});

test.each([0xfffffe, 0xffffff, 0x1000000, 2 * 0xffffff, 2 * 0xffffff + 5])(
  'T91 a packet of %i bytes is put together from its frames',
  async (size) => {
    const { near, far } = await pair();
    using reader = new PacketReader(near, options);
    const payload = Buffer.alloc(size);
    for (let at = 0; at < size; at += 4099) payload[at] = at & 0xff;
    const after = Buffer.from('after');
    far.write(frame(payload));
    far.write(frame(after));
    const [first, second] = await take(reader, 2);
    expect(first?.equals(payload)).toBe(true);
    expect(second).toEqual(after);
    far.destroy();
  },
);

test('a packet above the limit is refused by name', async () => {
  const { near, far } = await pair();
  using reader = new PacketReader(near, { maxPacketBytes: 1024 * 1024, silenceMs: 20_000 });
  far.write(frame(Buffer.alloc(15 * 1024 * 1024)));
  await expect(take(reader, 1)).rejects.toMatchObject({ code: 'VALUE_UNSUPPORTED', details: { limit: 1024 * 1024 } });
  far.destroy();
});

test('what was received before the connection ended is delivered first', async () => {
  const { near, far } = await pair();
  using reader = new PacketReader(near, options);
  far.end(frame(Buffer.from('last')));
  expect(await take(reader, 1)).toEqual([Buffer.from('last')]);
  await expect(reader.fill(signal)).rejects.toMatchObject({ code: 'SOURCE_CONNECTION_LOST' });
});

test('T115 a silent peer is dead', async () => {
  const { near, far } = await pair();
  using reader = new PacketReader(near, { ...options, silenceMs: 30 });
  await expect(reader.fill(signal)).rejects.toMatchObject({
    code: 'SOURCE_CONNECTION_LOST',
    details: { reason: 'no byte for 30 ms' },
  });
  far.destroy();
});

test('an abort ends the wait with its reason', async () => {
  const { near, far } = await pair();
  using reader = new PacketReader(near, options);
  const controller = new AbortController();
  const waiting = reader.fill(controller.signal);
  controller.abort(new Error('stop'));
  await expect(waiting).rejects.toThrow('stop');
  far.destroy();
});

test('T189 without a reader the sender is held up', async () => {
  const { near, far } = await pair();
  using reader = new PacketReader(near, options);
  const total = 64 * 1024 * 1024;
  const chunk = frame(Buffer.alloc(60_000));
  far.write(frame(Buffer.from('first')));
  await take(reader, 1);
  let sent = 0;
  while (sent < total && far.write(chunk)) sent += chunk.length;
  const held = await new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(true), 200);
    const onDrain = (): void => {
      while (sent < total && far.write(chunk)) sent += chunk.length;
      if (sent < total) far.once('drain', onDrain);
      else {
        clearTimeout(timer);
        resolve(false);
      }
    };
    far.once('drain', onDrain);
  });
  expect(held).toBe(true);
  expect(sent).toBeLessThan(total);
  far.destroy();
});
