import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

import { expect, test } from 'vitest';

import { openSession } from './open-sessions.ts';

/** How often a server that hangs up at once is connected to. */
async function connections(attempts: number): Promise<number> {
  let count = 0;
  const server = createServer((socket) => {
    count += 1;
    socket.destroy();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const options = {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    socketPath: null,
    user: 'u',
    password: 'p',
    tls: { mode: 'disabled', ca: null, cert: null, key: null },
    allowPublicKeyRetrieval: false,
    connectTimeoutMs: 5_000,
  } as const;
  const { signal } = new AbortController();
  const opening = openSession(options, attempts, signal, () => undefined);
  await expect(opening).rejects.toMatchObject({ code: 'SOURCE_CONNECTION_LOST' });
  server.close();
  return count;
}

test('a server that does not answer is asked as often as the document says', async () => {
  expect(await connections(1)).toBe(1);
  expect(await connections(3)).toBe(3);
});
