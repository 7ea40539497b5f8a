import type { ServerResponse } from 'node:http';

const tickMs = 1000;
const maxClients = 20;
/** A client that stands still with this much unread is let go. */
const maxUnreadBytes = 4 << 20;
/** Above this size a status goes out at every fifth tick only. */
const largeBytes = 256 << 10;

/** Sends the status to every open `/events`, once a second, built once for all. Nobody listening costs nothing. */
export class EventStream implements Disposable {
  readonly #status: () => string;
  readonly #clients = new Set<ServerResponse>();
  #timer: NodeJS.Timeout | undefined;
  #tick = 0;
  #lastBytes = 0;

  constructor(status: () => string) {
    this.#status = status;
  }

  /** False: too many listen already. */
  add(client: ServerResponse): boolean {
    if (this.#clients.size >= maxClients) return false;
    this.#clients.add(client);
    client.once('close', () => {
      this.#clients.delete(client);
      if (this.#clients.size === 0) this.#stop();
    });
    client.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' });
    client.write(`retry: 2000\n\n${this.#event()}`);
    this.#timer ??= setInterval(() => this.#send(), tickMs).unref();
    return true;
  }

  #send(): void {
    this.#tick++;
    if (this.#lastBytes > largeBytes && this.#tick % 5 !== 0) return;
    const event = this.#event();
    for (const client of this.#clients) {
      if (client.writableLength > maxUnreadBytes) client.destroy();
      else client.write(event);
    }
  }

  #event(): string {
    const data = this.#status();
    this.#lastBytes = data.length;
    return `event: status\ndata: ${data}\n\n`;
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  [Symbol.dispose](): void {
    this.#stop();
    for (const client of this.#clients) client.end();
  }
}
