import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';

import { tokenSource } from './oauth-token.ts';

async function endpoint(reply: (body: string, authorization: string) => { status: number; body: string }) {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => {
      body += part.toString();
    });
    request.on('end', () => {
      const { status, body: text } = reply(body, request.headers.authorization ?? '');
      response.writeHead(status, status === 302 ? { location: 'http://127.0.0.1:1/' } : {}).end(text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/token`,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

test('a token is asked for with the client credentials and kept for four fifths of its life', async () => {
  let asked = 0;
  await using server = await endpoint((body, authorization) => {
    asked += 1;
    expect(body).toBe('grant_type=client_credentials&scope=kafka');
    expect(authorization).toBe(`Basic ${Buffer.from('me:secret').toString('base64')}`);
    return { status: 200, body: JSON.stringify({ access_token: `t${asked}`, expires_in: 100 }) };
  });
  let now = 0;
  const next = tokenSource({ url: server.url, clientId: 'me', clientSecret: 'secret', scope: 'kafka' }, () => now);
  expect(await next()).toBe('t1');
  now = 79_999;
  expect(await next()).toBe('t1');
  now = 80_000;
  expect(await next()).toBe('t2');
});

test.each([
  [401, ''],
  [302, ''],
  [200, '{}'],
])('an answer %i %s is an authentication failure without the secret in it', async (status, body) => {
  await using server = await endpoint(() => ({ status, body }));
  const next = tokenSource({ url: server.url, clientId: 'me', clientSecret: 'hidden', scope: null });
  const error: unknown = await next().catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 'BROKER_AUTH_FAILED' });
  expect(JSON.stringify(error)).not.toContain('hidden');
});
