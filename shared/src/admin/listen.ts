import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { MetricsOptions } from '../config/runtime-options.ts';
import { CdcError } from '../errors/cdc-error.ts';

const portsToTry = 50;

/** Binds the server and returns its port. A default port that is taken gives way to the next free one, a chosen one does not. */
export async function listen(server: Server, port: number, { host, portIsDefault }: MetricsOptions): Promise<number> {
  const last = portIsDefault && port !== 0 ? Math.min(port + portsToTry, 65_535) : port;
  for (let candidate = port; ; candidate++) {
    try {
      server.listen(candidate, host);
      await once(server, 'listening');
      return (server.address() as AddressInfo).port;
    } catch (cause) {
      const taken = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE';
      if (!taken || candidate >= last) throw cannotListen(host, candidate, taken, cause);
    }
  }
}

function cannotListen(host: string, port: number, taken: boolean, cause: unknown): CdcError {
  return new CdcError('CONFIG_INVALID', taken ? 'the metrics port is taken' : 'the metrics address cannot be used', {
    details: { 'metrics.host': host, 'metrics.port': port },
    hint: 'Choose another metrics.port (0 = any free one, -1 = off) or metrics.host.',
    cause,
  });
}
