import { parsed, unparsable } from '../parsed.ts';
import type { Parsed } from '../parsed.ts';

export interface PostgresUrl {
  readonly hostname: string;
  readonly port: number;
  readonly database: string;
  readonly username: string | null;
  readonly password: string | null;
  readonly sslMode: string | null;
  /** Has query parameters that are not read. */
  readonly surplus: boolean;
}

function decoded(text: string | null): string | null {
  if (text === null || text === '') return null;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** `postgresql://[user[:password]@]host[:port]/database[?sslmode=…]`, also `postgres:` and with `jdbc:` in front. */
export function parsePostgresUrl(text: string): Parsed<PostgresUrl> {
  const rule = 'postgresql://host:5432/database or jdbc:postgresql://host:5432/database';
  const plain = text.replace(/^jdbc:/, '');
  const url = /^postgres(?:ql)?:\/\//.test(plain) && URL.canParse(plain) ? new URL(plain) : null;
  const database = decoded(url?.pathname.slice(1) ?? null);
  if (url === null || url.hostname === '' || database === null) return unparsable(rule);
  const query = url.searchParams;
  return parsed({
    hostname: url.hostname.replaceAll(/^\[|\]$/g, ''),
    port: url.port === '' ? 5432 : Number(url.port),
    database,
    username: decoded(url.username) ?? query.get('user'),
    password: decoded(url.password) ?? query.get('password'),
    sslMode: query.get('sslmode'),
    surplus: [...query.keys()].some((name) => !['user', 'password', 'sslmode'].includes(name)),
  });
}
