import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, test, vi } from 'vitest';
import type { MetricsOptions } from '../config/runtime-options.ts';
import { CdcError } from '../errors/cdc-error.ts';
import { createLogger } from '../observe/logger.ts';
import { Metrics } from '../observe/metrics.ts';
import { PipelineStatus } from '../observe/pipeline-status.ts';
import { AdminServer } from './admin-server.ts';

const anyPort: MetricsOptions = { host: '127.0.0.1', port: 0, portIsDefault: false, auth: 'token' };

interface Started extends AsyncDisposable {
  readonly admin: AdminServer;
  readonly status: PipelineStatus;
  readonly metrics: Metrics;
  readonly log: Record<string, unknown>[];
}

async function start(address: Partial<MetricsOptions> = {}): Promise<Started> {
  const status = new PipelineStatus({ pipeline: 'shop', kind: 'capture', version: '1' });
  const metrics = new Metrics('shop', 'capture');
  const log: Record<string, unknown>[] = [];
  const sink = { write: (line: string): void => void log.push(JSON.parse(line) as Record<string, unknown>) };
  const logger = createLogger({ level: 'info', terminal: false, sink });
  const admin = await AdminServer.start({ ...anyPort, ...address }, { status, metrics, logger });
  if (admin === null) throw new Error('expected a server');
  return { admin, status, metrics, log, [Symbol.asyncDispose]: () => admin[Symbol.asyncDispose]() };
}

async function get(
  url: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<{ status: number | undefined; headers: IncomingHttpHeaders; body: string }> {
  const request = httpRequest(url, { headers, method, agent: false }).end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

test('liveness asks nobody; startup and readiness follow the status', async () => {
  await using started = await start();
  const { admin, status } = started;
  expect((await get(`${admin.url}healthz`)).status).toBe(200);
  expect((await get(`${admin.url}startupz`)).status).toBe(503);
  status.markLoaded();
  expect((await get(`${admin.url}startupz`)).status).toBe(200);
  status.fail(new CdcError('BROKER_UNAVAILABLE', 'no broker answers'), 'retrying');
  const notReady = await get(`${admin.url}readyz`);
  expect(notReady.status).toBe(503);
  expect(JSON.parse(notReady.body)).toEqual({ code: 'BROKER_UNAVAILABLE', reason: 'no broker answers' });
  status.enter('running');
  expect((await get(`${admin.url}readyz`)).status).toBe(200);
});

test('metrics are Prometheus text and status.json is the status object', async () => {
  await using started = await start();
  const { admin, metrics, status } = started;
  metrics.add('transactions_total', {}, 3);
  status.tableState('shop.orders', 'live');
  const answer = await get(`${admin.url}metrics`);
  expect(answer.headers['content-type']).toContain('text/plain; version=0.0.4');
  expect(answer.body).toContain('millrace_transactions_total{pipeline="shop"} 3');
  expect(JSON.parse((await get(`${admin.url}status.json`)).body)).toMatchObject({
    pipeline: 'shop',
    tables: [{ table: 'shop.orders', state: 'live' }],
  });
});

test('the page loads nothing from elsewhere and its policy allows only its own script and style', async () => {
  await using started = await start();
  const { body, headers } = await get(started.admin.url);
  expect(headers['content-type']).toContain('text/html');
  expect(headers['content-security-policy']).toMatch(
    /default-src 'none'; script-src 'sha256-[^']{44}'; style-src 'sha256-[^']{44}'/,
  );
  expect(body).not.toMatch(/(?:src|href|url)\s*[=(]\s*["']?(?:https?:)?\/\//);
  expect(body).not.toMatch(/innerHTML|insertAdjacentHTML|document\.write|eval\(|\son\w+=/);
});

test('events send the status at once and again when it has changed', async () => {
  await using started = await start();
  const { admin, status } = started;
  const response = await fetch(`${admin.url}events`);
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  let received = '';
  const reading = (async () => {
    for await (const chunk of response.body ?? []) received += new TextDecoder().decode(chunk);
  })();
  await vi.waitFor(() => expect(received).toContain('"state":"starting"'));
  status.enter('running');
  await vi.waitFor(() => expect(received).toContain('"state":"running"'), { timeout: 5000 });
  await admin[Symbol.asyncDispose]();
  await reading.catch(() => undefined);
});

test('only reads are served', async () => {
  await using started = await start();
  expect((await get(`${started.admin.url}status.json`, {}, 'POST')).status).toBe(405);
  expect((await get(`${started.admin.url}elsewhere`)).status).toBe(404);
});

test('a page of another name that was rebound to this address gets nothing', async () => {
  await using started = await start();
  expect((await get(`${started.admin.url}status.json`, { host: 'evil.example' })).status).toBe(403);
  expect((await get(`${started.admin.url}status.json`, { host: 'localhost:1' })).status).toBe(200);
});

async function takenPort(): Promise<{ port: number } & AsyncDisposable> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

test('a default port that is taken gives way to the next free one, and the log says so', async () => {
  await using taken = await takenPort();
  await using started = await start({ port: taken.port, portIsDefault: true });
  const port = Number(new URL(started.admin.url).port);
  expect(port).toBeGreaterThan(taken.port);
  expect(port).toBeLessThanOrEqual(taken.port + 50);
  expect(started.log).toContainEqual(expect.objectContaining({ level: 'warn', taken: taken.port, port }));
});

test('a configured port that is taken is an error of the configuration', async () => {
  await using taken = await takenPort();
  await expect(start({ port: taken.port })).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    details: { 'metrics.port': taken.port },
  });
});

test('no port, no server', async () => {
  const status = new PipelineStatus({ pipeline: 'shop', kind: 'capture', version: '1' });
  const logger = createLogger({ level: 'fatal', terminal: false, sink: { write: () => undefined } });
  const parts = { status, metrics: new Metrics('shop', 'capture'), logger };
  expect(await AdminServer.start({ ...anyPort, port: null }, parts)).toBeNull();
});

test('an open page off loopback is refused before anything listens', async () => {
  await expect(start({ host: '0.0.0.0', auth: 'none' })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
});

const fromElsewhere = { 'x-forwarded-for': '192.0.2.1' };

test('off loopback the token of the log works once and becomes a session', async () => {
  await using started = await start({ host: '0.0.0.0' });
  const base = `http://127.0.0.1:${new URL(started.admin.url).port}/`;
  expect((await get(`${base}status.json`, fromElsewhere)).status).toBe(403);
  expect((await get(`${base}?token=wrong`, fromElsewhere)).status).toBe(403);
  expect((await get(`${base}metrics`, fromElsewhere)).status).toBe(200);
  const link = started.log.map(({ url }) => String(url)).find((url) => url.includes('token='));
  const token = new URL(link ?? '').searchParams.get('token');
  const signedIn = await get(`${base}?token=${token}`, fromElsewhere);
  expect(signedIn.status).toBe(303);
  const cookie = signedIn.headers['set-cookie']?.[0] ?? '';
  expect(cookie).toMatch(/HttpOnly; SameSite=Strict/);
  const session = { ...fromElsewhere, cookie: cookie.split(';')[0] ?? '' };
  expect((await get(`${base}status.json`, session)).status).toBe(200);
  expect((await get(`${base}?token=${token}`, fromElsewhere)).status).toBe(403);
});

test('behind a proxy the proxy must name the user', async () => {
  await using started = await start({ host: '0.0.0.0', auth: 'proxy' });
  const url = `http://127.0.0.1:${new URL(started.admin.url).port}/status.json`;
  expect((await get(url, fromElsewhere)).status).toBe(403);
  expect((await get(url, { ...fromElsewhere, 'x-forwarded-user': 'ada' })).status).toBe(200);
});

test('garbage on the socket and requests that never end leave the server serving', async () => {
  await using started = await start();
  const { port } = new URL(started.admin.url);
  const garbage = connect(Number(port), '127.0.0.1');
  garbage.write('\u0000\u0001 not http\r\n\r\n');
  const unfinished = connect(Number(port), '127.0.0.1');
  unfinished.write('GET / HTTP/1.1\r\n');
  expect((await get(`${started.admin.url}healthz`)).status).toBe(200);
  expect((await get(`${started.admin.url}status.json`, { host: 'a b' })).status).toBe(400);
  garbage.destroy();
  unfinished.destroy();
});
