import { isIP } from 'node:net';

import { apiVersionsV3, Connection, ResponseError } from '@platformatic/kafka';
import type { API, ConnectionOptions, Reader, Writer } from '@platformatic/kafka';

import { abortable } from '../async/delay.ts';
import { CdcError } from '../errors/cdc-error.ts';
import { connectionFailure } from './kafka-errors.ts';
import type { BrokerAddress, KafkaOptions } from './kafka-options.ts';

/** One request of ours as its wire grammar; flexible versions only (tagged headers). */
export interface WireRequest<T> {
  readonly apiKey: number;
  readonly apiVersion: number;
  write(): Writer;
  parse(reader: Reader): T;
}

/**
 * The seam between protocol logic and sockets: what a broker can be asked. Answers with error codes inside resolve;
 * rejections are `BROKER_UNAVAILABLE` or `BROKER_AUTH_FAILED`, after which the connection is of no more use.
 */
export interface BrokerLink extends AsyncDisposable {
  readonly isOpen: boolean;
  /** The newest of `versions` (descending) that the broker speaks. */
  supported(apiKey: number, versions: readonly number[]): number;
  request<T>(request: WireRequest<T>): Promise<T>;
  /** Calls the newest of `apis` (descending, same arguments) that the broker speaks. */
  call<A extends unknown[], R>(apis: readonly API<A, R>[], ...args: A): Promise<R>;
}

const clientSoftware = 'millrace';
const clientSoftwareVersion = '0.1.0';

/** A connection to one broker. Requests are written in call order and answered in that order. */
export class BrokerConnection implements BrokerLink {
  readonly #connection: Connection;
  readonly #address: BrokerAddress;
  readonly #versions = new Map<number, { readonly min: number; readonly max: number }>();
  #lastError: unknown = undefined;

  private constructor(connection: Connection, address: BrokerAddress) {
    this.#connection = connection;
    this.#address = address;
    // Also keeps the runtime from ending the process for an unheard error event.
    connection.on('error', (error: Error) => {
      this.#lastError = error;
    });
  }

  /** `timeoutMs` bounds every request of this connection: above the waits that the requests themselves ask for. */
  static async open(
    options: KafkaOptions,
    address: BrokerAddress,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<BrokerConnection> {
    signal.throwIfAborted();
    const connection = new Connection(options.clientId, connectionOptions(options, address, timeoutMs));
    const link = new BrokerConnection(connection, address);
    try {
      await abortable(connection.connect(address.host, address.port) as Promise<void>, signal);
      await abortable(link.#learnVersions(), signal);
      return link;
    } catch (error) {
      link.#discard();
      signal.throwIfAborted();
      throw link.#failure(error);
    }
  }

  get isOpen(): boolean {
    const { status } = this.#connection;
    return status === 'connected' || status === 'reauthenticating';
  }

  supported(apiKey: number, versions: readonly number[]): number {
    const range = this.#versions.get(apiKey);
    const found = versions.find((version) => range !== undefined && version >= range.min && version <= range.max);
    if (found === undefined) throw this.#tooOld(apiKey, versions);
    return found;
  }

  request<T>(request: WireRequest<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#connection.send<T>(
        request.apiKey,
        request.apiVersion,
        () => request.write(),
        (_correlationId, _apiKey, _apiVersion, reader) => request.parse(reader),
        true,
        true,
        (error, answer) => {
          if (error === null) resolve(answer as T);
          else reject(this.#failure(error));
        },
      );
    });
  }

  call<A extends unknown[], R>(apis: readonly API<A, R>[], ...args: A): Promise<R> {
    const first = apis[0];
    if (first === undefined) throw this.#tooOld(-1, []);
    const version = this.supported(
      first.key,
      apis.map((api) => api.version),
    );
    const api = apis.find((candidate) => candidate.version === version) ?? first;
    return this.#callApi(api, args);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.close();
  }

  async #callApi<A extends unknown[], R>(api: API<A, R>, args: A): Promise<R> {
    try {
      return await api.async(this.#connection, ...args);
    } catch (error) {
      // Error codes inside an answer are for the caller, who knows which of them matter.
      if (error instanceof ResponseError) return (error as unknown as { readonly response: R }).response;
      throw this.#failure(error);
    }
  }

  async #learnVersions(): Promise<void> {
    const answer = await apiVersionsV3.api.async(this.#connection, clientSoftware, clientSoftwareVersion);
    for (const api of answer.apiKeys) this.#versions.set(api.apiKey, { min: api.minVersion, max: api.maxVersion });
  }

  #failure(error: unknown): CdcError {
    const host = `${this.#address.host}:${this.#address.port}`;
    // A connection that broke says only "closed"; why it broke was told in its error event.
    return connectionFailure(this.#lastError ?? error, { broker: host });
  }

  #tooOld(apiKey: number, versions: readonly number[]): CdcError {
    return new CdcError('CONFIG_INVALID', 'the broker does not speak a protocol version that is needed', {
      details: { broker: `${this.#address.host}:${this.#address.port}`, apiKey, versions: versions.map(String) },
      hint: 'Use Kafka 3.2 or newer.',
    });
  }

  #discard(): void {
    // A socket that is still connecting has no other way to be given up.
    (this.#connection as { readonly socket: Connection['socket'] | undefined }).socket?.destroy();
    void Promise.resolve(this.#connection.close()).catch(() => undefined);
  }
}

function connectionOptions(options: KafkaOptions, address: BrokerAddress, timeoutMs: number): ConnectionOptions {
  return {
    connectTimeout: Math.min(10_000, options.requestTimeoutMs),
    requestTimeout: timeoutMs,
    // Order and number of requests in flight are decided above, per partition.
    maxInflights: 10_000,
    ...(options.tls === null ? {} : { tls: tlsOptions(options.tls), tlsServerName: isIP(address.host) === 0 }),
    ...(options.sasl === null ? {} : { sasl: options.sasl }),
  };
}

function tlsOptions(tls: NonNullable<KafkaOptions['tls']>): NonNullable<ConnectionOptions['tls']> {
  return {
    ...(tls.ca === null ? {} : { ca: tls.ca }),
    ...(tls.certificate === null ? {} : { cert: tls.certificate }),
    ...(tls.key === null ? {} : { key: tls.key }),
    ...(tls.keyPassphrase === null ? {} : { passphrase: tls.keyPassphrase }),
    ...(tls.checkServerName ? {} : { checkServerIdentity: () => undefined }),
  };
}
