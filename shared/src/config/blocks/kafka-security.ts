import type { KafkaSasl, KafkaSecurity, KafkaTls } from '../kafka-client-options.ts';
import type { PemFile } from '../pem-file.ts';
import { isLoopback, readPem } from './context.ts';
import type { BuildContext } from './context.ts';
import type { JaasEntry } from './jaas.ts';
import type { KafkaClientBlock } from './kafka-client-declarations.ts';

type StoreOption = 'properties.ssl.truststore.location' | 'properties.ssl.keystore.location';

/** Undefined after a problem. */
function storeFile(block: KafkaClientBlock, name: StoreOption, context: BuildContext): PemFile | null | undefined {
  const path = block.values[name] ?? null;
  if (path === null) return null;
  const pem = readPem(path, context);
  if (pem !== null) return pem;
  block.problem('type', name, 'expected a PEM file that can be read; convert a JKS store with keytool and openssl');
  return undefined;
}

function inline(text: string | null | undefined): PemFile | null {
  return text === null || text === undefined ? null : { path: null, text };
}

function buildTls(block: KafkaClientBlock, context: BuildContext): KafkaTls | undefined {
  const { values } = block;
  const trust = storeFile(block, 'properties.ssl.truststore.location', context);
  const own = storeFile(block, 'properties.ssl.keystore.location', context);
  const chain = inline(values['properties.ssl.keystore.certificate.chain']);
  const key = inline(values['properties.ssl.keystore.key']);
  if ((chain === null) !== (key === null)) {
    const name = chain === null ? 'properties.ssl.keystore.certificate.chain' : 'properties.ssl.keystore.key';
    block.problem('missing', name, 'certificate chain and key are given together');
  }
  if (trust === undefined || own === undefined) return undefined;
  return {
    ca: trust ?? inline(values['properties.ssl.truststore.certificates']),
    cert: own ?? chain,
    key: own ?? key,
    keyPassphrase: values['properties.ssl.key.password'] ?? null,
    verifyHostname: values['properties.ssl.endpoint.identification.algorithm'] !== '',
  };
}

const modules = { PLAIN: 'plain', 'SCRAM-SHA-256': 'scram', 'SCRAM-SHA-512': 'scram', OAUTHBEARER: 'oauthbearer' };

function tokenEndpoint(block: KafkaClientBlock): string | undefined {
  const name = 'properties.sasl.oauthbearer.token.endpoint.url';
  const given = block.values[name] ?? null;
  if (given === null) {
    block.problem('missing', name, 'required with OAUTHBEARER');
    return undefined;
  }
  const url = URL.canParse(given) ? new URL(given) : null;
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname))) return given;
  block.problem('type', name, 'expected an https URL');
  return undefined;
}

function buildSasl(block: KafkaClientBlock): KafkaSasl | undefined {
  const mechanism = block.values['properties.sasl.mechanism'] ?? null;
  const jaas: JaasEntry | null = block.values['properties.sasl.jaas.config'] ?? null;
  if (mechanism === null && !block.given('properties.sasl.mechanism')) {
    block.problem('missing', 'properties.sasl.mechanism', 'required with SASL');
  }
  if (jaas === null) {
    if (!block.given('properties.sasl.jaas.config')) {
      block.problem('missing', 'properties.sasl.jaas.config', 'required with SASL');
    }
    return undefined;
  }
  if (jaas.module === null) {
    const rule = 'only the Plain, Scram and OAuthBearer login modules are known; other classes cannot be loaded here';
    block.problem('unsupported', 'properties.sasl.jaas.config', rule);
    return undefined;
  }
  if (mechanism === null) return undefined;
  if (jaas.module !== modules[mechanism]) {
    block.problem('conflict', 'properties.sasl.jaas.config', `the login module does not belong to ${mechanism}`);
    return undefined;
  }
  return mechanism === 'OAUTHBEARER' ? oauth(block, jaas) : password(block, mechanism, jaas);
}

function password(
  block: KafkaClientBlock,
  mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512',
  jaas: JaasEntry,
): KafkaSasl | undefined {
  const username = jaas.options.get('username');
  const secret = jaas.options.get('password');
  if (username !== undefined && secret !== undefined) return { mechanism, username, password: secret };
  block.problem('missing', 'properties.sasl.jaas.config', 'username and password are required');
  return undefined;
}

function oauth(block: KafkaClientBlock, jaas: JaasEntry): KafkaSasl | undefined {
  const tokenEndpointUrl = tokenEndpoint(block);
  const clientId = jaas.options.get('clientId');
  const clientSecret = jaas.options.get('clientSecret');
  if (clientId === undefined || clientSecret === undefined) {
    block.problem('missing', 'properties.sasl.jaas.config', 'clientId and clientSecret are required');
    return undefined;
  }
  if (tokenEndpointUrl === undefined) return undefined;
  const scope = jaas.options.get('scope') ?? null;
  return { mechanism: 'OAUTHBEARER', tokenEndpointUrl, clientId, clientSecret, scope };
}

/** Null after a problem. */
export function buildSecurity(block: KafkaClientBlock, context: BuildContext): KafkaSecurity | null {
  const protocol = block.values['properties.security.protocol'] ?? 'PLAINTEXT';
  const wantsTls = protocol === 'SSL' || protocol === 'SASL_SSL';
  const wantsSasl = protocol === 'SASL_PLAINTEXT' || protocol === 'SASL_SSL';
  if (!wantsSasl && block.given('properties.sasl.jaas.config')) {
    block.warning('properties.sasl.jaas.config', 'has no effect: properties.security.protocol is without SASL');
  }
  const tls = wantsTls ? buildTls(block, context) : null;
  const sasl = wantsSasl ? buildSasl(block) : null;
  if (sasl?.mechanism === 'PLAIN' && tls === null && !context.allowInsecure) {
    const brokers = block.values['properties.bootstrap.servers'] ?? [];
    if (brokers.some((broker) => !isLoopback(broker.host))) {
      const rule = 'PLAIN sends the password in plaintext: use SASL_SSL, or set pipeline.allow-insecure: true';
      block.problem('conflict', 'properties.security.protocol', rule);
    }
  }
  return tls === undefined || sasl === undefined ? null : { tls, sasl };
}
