import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { MetricsOptions } from '../config/runtime-options.ts';
import { CdcError } from '../errors/cdc-error.ts';

export type Verdict =
  | { readonly kind: 'allowed' }
  | { readonly kind: 'refused'; readonly reason: string }
  /** The one-time token was right: the browser gets this cookie and comes back without the token. */
  | { readonly kind: 'session'; readonly cookie: string };

export const cookieName = 'millrace-session';

export function isLoopback(host: string): boolean {
  const address = host.replace(/^::ffff:/, '');
  return address === 'localhost' || address === '::1' || (isIP(address) === 4 && address.startsWith('127.'));
}

/** Who may see the status page and its data. Probes and metrics hold names and numbers only and are open to all. */
export class Access {
  readonly #options: MetricsOptions;
  readonly #onToken: (token: string) => void;
  readonly #sessions = new Set<string>();
  #token = '';

  /** `onToken` is told each new one-time token, for a person to read in the log. */
  constructor(options: MetricsOptions, onToken: (token: string) => void) {
    if (options.auth === 'none' && !isLoopback(options.host)) {
      throw new CdcError('CONFIG_INVALID', 'an open status page off loopback', {
        details: { 'metrics.host': options.host, 'console.auth': options.auth },
        hint: 'Set console.auth to token or proxy, or metrics.host to 127.0.0.1.',
      });
    }
    this.#options = options;
    this.#onToken = onToken;
  }

  /** To be called once the address is known. */
  open(): void {
    if (this.#options.auth === 'token' && !isLoopback(this.#options.host)) this.#renewToken();
  }

  judge(request: IncomingMessage, url: URL): Verdict {
    if (isLocal(request)) {
      // A foreign page whose name was rebound to this address still sends its own name.
      return isLoopback(url.hostname.replace(/^\[|\]$/g, '')) ? allowed : refused('unknown Host header');
    }
    return this.#options.auth === 'proxy' ? judgeProxy(request) : this.#judgeToken(request, url);
  }

  #judgeToken(request: IncomingMessage, url: URL): Verdict {
    if (this.#sessions.has(sessionCookie(request) ?? '')) return allowed;
    if (!sameText(url.searchParams.get('token') ?? '', this.#token)) return refused('needs the token from the log');
    const session = randomBytes(24).toString('base64url');
    this.#sessions.add(session);
    this.#renewToken();
    return { kind: 'session', cookie: `${cookieName}=${session}; HttpOnly; SameSite=Strict; Path=/` };
  }

  #renewToken(): void {
    this.#token = randomBytes(24).toString('base64url');
    this.#onToken(this.#token);
  }
}

const allowed: Verdict = { kind: 'allowed' };
const refused = (reason: string): Verdict => ({ kind: 'refused', reason });

/** From this machine and not handed on by a proxy on it. */
function isLocal(request: IncomingMessage): boolean {
  const { headers, socket } = request;
  return (
    isLoopback(socket.remoteAddress ?? '') &&
    headers['x-forwarded-for'] === undefined &&
    headers['forwarded'] === undefined
  );
}

function judgeProxy({ headers }: IncomingMessage): Verdict {
  const user = headers['x-forwarded-user'] ?? headers['remote-user'];
  return user === undefined || user === '' ? refused('the proxy names no user') : allowed;
}

function sessionCookie({ headers }: IncomingMessage): string | undefined {
  for (const cookie of headers.cookie?.split(';') ?? []) {
    const [name, value] = cookie.trim().split('=', 2);
    if (name === cookieName) return value;
  }
  return undefined;
}

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length > 0 && left.length === right.length && timingSafeEqual(left, right);
}
