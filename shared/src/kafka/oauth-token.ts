import { CdcError } from '../errors/cdc-error.ts';
import { z } from 'zod';

const answer = z.object({ access_token: z.string().min(1), expires_in: z.number().positive().optional() });
const renewAtShareOfLife = 0.8;
const timeoutMs = 10_000;

export interface TokenEndpoint {
  readonly url: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly scope: string | null;
}

/**
 * Tokens by the client credentials grant (RFC 6749 §4.4), kept for four fifths of their life. Redirects are not
 * followed, so that the secret goes to the configured place only.
 */
export function tokenSource(endpoint: TokenEndpoint, nowMs: () => number = Date.now): () => Promise<string> {
  let kept: { readonly token: string; readonly renewAtMs: number } | null = null;
  return async () => {
    if (kept !== null && nowMs() < kept.renewAtMs) return kept.token;
    const token = await request(endpoint);
    kept = { token: token.access_token, renewAtMs: nowMs() + (token.expires_in ?? 60) * 1000 * renewAtShareOfLife };
    return kept.token;
  };
}

async function request(endpoint: TokenEndpoint): Promise<z.infer<typeof answer>> {
  const body = new URLSearchParams({ grant_type: 'client_credentials' });
  if (endpoint.scope !== null) body.set('scope', endpoint.scope);
  const basic = Buffer.from(`${endpoint.clientId}:${endpoint.clientSecret}`).toString('base64');
  try {
    const response = await fetch(endpoint.url, {
      method: 'POST',
      headers: { authorization: `Basic ${basic}`, 'content-type': 'application/x-www-form-urlencoded' },
      body,
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (!response.ok) throw new Error(`the endpoint answered ${response.status}`);
    return answer.parse(await response.json());
  } catch (error) {
    throw new CdcError('BROKER_AUTH_FAILED', 'the token endpoint gave no token', {
      details: { endpoint: endpoint.url, reason: error instanceof Error ? error.message : String(error) },
      cause: error,
    });
  }
}
