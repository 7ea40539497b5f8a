import type { ConnectionOptions } from 'node:tls';

import type { PostgresAddress, TlsMode } from './options.ts';

const loopback = /^(?:localhost|127\.\d+\.\d+\.\d+|::1|\/.*)$/;

/** TLS is required off the loopback and preferred on it, unless the configuration says otherwise. */
export function effectiveTlsMode(address: PostgresAddress): TlsMode {
  return address.tls?.mode ?? (loopback.test(address.hostname) ? 'prefer' : 'require');
}

/** What `pg` takes as `ssl`, as libpq defines the modes. */
export function tlsConfig(address: PostgresAddress, mode: TlsMode): false | ConnectionOptions {
  if (mode === 'disable') return false;
  const { ca, cert, key } = address.tls ?? {};
  const material = {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
  // As in libpq, `require` checks a given authority although only encryption was asked for.
  const checksAuthority = mode === 'verify-ca' || mode === 'verify-full' || (mode === 'require' && ca !== undefined);
  const checksName = mode === 'verify-full' ? {} : { checkServerIdentity: () => undefined };
  return { ...material, ...checksName, rejectUnauthorized: checksAuthority };
}
