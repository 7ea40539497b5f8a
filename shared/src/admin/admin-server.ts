import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { MetricsOptions } from '../config/runtime-options.ts';
import type { Logger } from '../observe/logger.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { PipelineStatus } from '../observe/pipeline-status.ts';
import { exposeTableStates } from '../observe/table-state-metrics.ts';
import { Access, isLoopback } from './access.ts';
import { EventStream } from './event-stream.ts';
import { listen } from './listen.ts';
import { statusPage } from './status-page.ts';

export interface AdminServerOptions {
  readonly metrics: Metrics;
  readonly status: PipelineStatus;
  readonly logger: Logger;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

const maxConnections = 200;

/** Probes, metrics, status and the status page. Serves only reads; its failures never reach the data path. */
export class AdminServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #options: AdminServerOptions;
  readonly #access: Access;
  readonly #events: EventStream;
  readonly #open: Readonly<Record<string, Handler>>;
  readonly #guarded: Readonly<Record<string, Handler>>;
  #url = '';

  private constructor(address: MetricsOptions, options: AdminServerOptions) {
    this.#options = options;
    this.#access = new Access(address, (token) => {
      options.logger.info('status page, token valid once', { url: `${this.#url}?token=${token}` });
    });
    this.#events = new EventStream(() => this.#statusJson());
    this.#open = {
      '/healthz': (_request, response) => send(response, 200, 'text/plain', 'ok\n'),
      '/startupz': (_request, response) => this.#startup(response),
      '/readyz': (_request, response) => this.#readiness(response),
      '/metrics': (_request, response) => this.#metrics(response),
    };
    this.#guarded = {
      '/': (_request, response) => sendPage(response),
      '/status.json': (_request, response) => send(response, 200, 'application/json', this.#statusJson()),
      '/events': (request, response) => this.#subscribe(request, response),
    };
    this.#server = createServer({ requestTimeout: 10_000, headersTimeout: 5000 }, (request, response) => {
      void this.#answer(request, response);
    });
    this.#server.maxConnections = maxConnections;
  }

  /** Null where `metrics.port` turns it off. The log says where it listens. */
  static async start(address: MetricsOptions, options: AdminServerOptions): Promise<AdminServer | null> {
    if (address.port === null) return null;
    const admin = new AdminServer(address, options);
    exposeTableStates(options.status, options.metrics);
    const port = await listen(admin.#server, address.port, address);
    admin.#server.unref();
    const { host } = address;
    admin.#url = `http://${host.includes(':') ? `[${host}]` : host}:${port}/`;
    if (port !== address.port && address.port !== 0) {
      options.logger.warn('the default metrics port is taken, using the next free one', { taken: address.port, port });
    }
    options.logger.info('status and metrics', { url: admin.#url });
    if (!isLoopback(host)) options.logger.info('the status page can be reached from other machines', { host });
    admin.#access.open();
    return admin;
  }

  /** With a slash at its end. */
  get url(): string {
    return this.#url;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      setCommonHeaders(response);
      await this.#route(request, response);
    } catch (error) {
      this.#options.logger.repeatable('admin request failed', { error: error instanceof Error ? error : null });
      if (response.headersSent) response.destroy();
      else send(response, 500, 'text/plain', 'failed; the log says why\n');
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = URL.parse(request.url ?? '/', `http://${request.headers.host ?? 'unknown'}`);
    if (url === null) {
      send(response, 400, 'text/plain', 'bad address\n');
      return;
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      send(response, 405, 'text/plain', 'read only\n');
      return;
    }
    const open = this.#open[url.pathname];
    if (open !== undefined) await open(request, response);
    else await this.#routeGuarded(url, request, response);
  }

  async #routeGuarded(url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const guarded = this.#guarded[url.pathname];
    if (guarded === undefined) {
      send(response, 404, 'text/plain', 'not here: / /status.json /events /metrics /healthz /startupz /readyz\n');
      return;
    }
    const verdict = this.#access.judge(request, url);
    if (verdict.kind === 'refused') send(response, 403, 'text/plain', `${verdict.reason}\n`);
    else if (verdict.kind === 'allowed') await guarded(request, response);
    else {
      response.setHeader('set-cookie', verdict.cookie);
      response.setHeader('location', url.pathname);
      send(response, 303, 'text/plain', 'signed in\n');
    }
  }

  #startup(response: ServerResponse): void {
    const { loaded } = this.#options.status;
    send(response, loaded ? 200 : 503, 'text/plain', loaded ? 'loaded\n' : 'loading configuration and checkpoint\n');
  }

  #readiness(response: ServerResponse): void {
    const { ready, code, reason } = this.#options.status.readiness();
    send(response, ready ? 200 : 503, 'application/json', `${JSON.stringify({ code, reason })}\n`);
  }

  async #metrics(response: ServerResponse): Promise<void> {
    const { metrics } = this.#options;
    send(response, 200, metrics.contentType, await metrics.text());
  }

  #statusJson(): string {
    return JSON.stringify(this.#options.status.snapshot());
  }

  #subscribe(request: IncomingMessage, response: ServerResponse): void {
    if (request.method === 'HEAD') send(response, 200, 'text/event-stream', '');
    else if (!this.#events.add(response)) send(response, 503, 'text/plain', 'too many listeners\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#events[Symbol.dispose]();
    this.#server.closeAllConnections();
    if (this.#server.listening) await this.#server[Symbol.asyncDispose]();
  }
}

function setCommonHeaders(response: ServerResponse): void {
  response.setHeader('cache-control', 'no-store');
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('referrer-policy', 'no-referrer');
}

function sendPage(response: ServerResponse): void {
  response.setHeader('content-security-policy', statusPage.contentSecurityPolicy);
  send(response, 200, 'text/html', statusPage.html);
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  const bytes = Buffer.from(body);
  response.writeHead(status, {
    'content-type': type.includes('charset') ? type : `${type}; charset=utf-8`,
    'content-length': bytes.length,
  });
  response.end(bytes);
}
