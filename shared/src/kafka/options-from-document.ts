import type { KafkaClientOptions, KafkaSecurity } from '../config/kafka-client-options.ts';
import type { KafkaOptions, KafkaSasl, KafkaTls } from './kafka-options.ts';
import { tokenSource } from './oauth-token.ts';

function tlsOf(security: KafkaSecurity): KafkaTls | null {
  const { tls } = security;
  if (tls === null) return null;
  return {
    ca: tls.ca?.text ?? null,
    certificate: tls.cert?.text ?? null,
    key: tls.key?.text ?? null,
    keyPassphrase: tls.keyPassphrase,
    checkServerName: tls.verifyHostname,
  };
}

function saslOf(security: KafkaSecurity): KafkaSasl | null {
  const { sasl } = security;
  if (sasl === null) return null;
  if (sasl.mechanism !== 'OAUTHBEARER') return sasl;
  const { tokenEndpointUrl: url, clientId, clientSecret, scope } = sasl;
  return { mechanism: 'OAUTHBEARER', token: tokenSource({ url, clientId, clientSecret, scope }) };
}

/** What the client needs of the `properties.*` of a document. */
export function kafkaOptions(options: KafkaClientOptions): KafkaOptions {
  return {
    bootstrapServers: options.bootstrapServers,
    clientId: options.clientId,
    tls: tlsOf(options.security),
    sasl: saslOf(options.security),
    requestTimeoutMs: options.requestTimeoutMs,
    metadataMaxAgeMs: options.metadataMaxAgeMs,
    retryBackoffMs: options.retryBackoffMs,
  };
}

/** Secret texts of the `properties.*`. */
export function kafkaSecrets({ security }: KafkaClientOptions): readonly string[] {
  const { sasl, tls } = security;
  const secrets: string[] = [];
  if (sasl !== null) secrets.push(sasl.mechanism === 'OAUTHBEARER' ? sasl.clientSecret : sasl.password);
  if (tls !== null && tls.keyPassphrase !== null) secrets.push(tls.keyPassphrase);
  return secrets;
}
