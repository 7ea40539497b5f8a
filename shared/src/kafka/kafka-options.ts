export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}

/** PEM texts. `null` leaves the runtime's default: its list of authorities, no client certificate. */
export interface KafkaTls {
  readonly ca: string | null;
  readonly certificate: string | null;
  readonly key: string | null;
  readonly keyPassphrase: string | null;
  /** Off, a broker may present a certificate for another name; the chain is verified in any case. */
  readonly checkServerName: boolean;
}

/** Called for each new connection and each renewal, so that rotated secrets are picked up. */
export type SecretProvider = () => string | Promise<string>;

export type KafkaSasl =
  | {
      readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
      readonly username: string | SecretProvider;
      readonly password: string | SecretProvider;
    }
  | { readonly mechanism: 'OAUTHBEARER'; readonly token: string | SecretProvider };

export interface KafkaOptions {
  readonly bootstrapServers: readonly BrokerAddress[];
  readonly clientId: string;
  readonly tls: KafkaTls | null;
  readonly sasl: KafkaSasl | null;
  /** How long one request may take; a connection that exceeds it is closed. */
  readonly requestTimeoutMs: number;
  /** Age at which knowledge of topics and leaders is read anew. */
  readonly metadataMaxAgeMs: number;
  /** First pause before a request is tried again; grows with each failure. */
  readonly retryBackoffMs: number;
}

/** `host:port, host:port`, for messages. */
export function addressText(addresses: readonly BrokerAddress[]): string {
  return addresses.map((address) => `${address.host}:${address.port}`).join(', ');
}
