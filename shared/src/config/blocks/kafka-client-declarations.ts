import type { Block } from '../declare/block.ts';
import { boolean, duration, grammar, integer, oneOf, secret, size, text } from '../declare/option-type.ts';
import { defaulted, optional, refused, required, withoutEffect } from '../declare/option.ts';
import type { BrokerAddress } from '../kafka-client-options.ts';
import { parsed, unparsable } from '../parsed.ts';
import type { Parsed } from '../parsed.ts';
import { parseJaas } from './jaas.ts';

function parseBootstrapServers(given: string): Parsed<readonly BrokerAddress[]> {
  const brokers: BrokerAddress[] = [];
  for (const piece of given.split(',')) {
    const match = /^(?:[A-Za-z_]+:\/\/)?(\[[\da-fA-F:.]+\]|[^\s:[\]/]+):(\d{1,5})$/.exec(piece.trim());
    const port = Number(match?.[2]);
    if (match?.[1] === undefined || port < 1 || port > 65_535) return unparsable('host:port[,host:port…]');
    brokers.push({ host: match[1].replaceAll(/^\[|\]$/g, ''), port });
  }
  return parsed(brokers);
}

const className = 'class names cannot be loaded here';
const pemOnly = 'only PEM stores can be read; convert the store with keytool and openssl';
const storeNotes = {
  jks: { as: 'refused', reason: pemOnly },
  pkcs12: { as: 'refused', reason: pemOnly },
} as const;
const weakAcks = {
  as: 'refused',
  reason: 'a position is stored only after all replicas hold the records: all',
} as const;

/** Options that only a producer or only a consumer reads. */
export const producerOnly = {
  'properties.acks': defaulted(oneOf(['all', '-1']), 'all', {
    doc: 'Always all',
    notes: { '0': weakAcks, '1': weakAcks },
  }),
  'properties.enable.idempotence': defaulted(boolean, 'true', {
    doc: 'false for brokers without idempotent writes; then one request in flight per partition keeps the order',
  }),
  'properties.compression.type': defaulted(oneOf(['none', 'gzip', 'snappy', 'lz4', 'zstd']), 'none', {
    doc: 'Compression of record batches',
  }),
  'properties.linger.ms': defaulted(duration(), '5', { doc: 'Longest wait for a fuller batch' }),
  'properties.batch.size': defaulted(size(), '512kb', { doc: 'Upper bound of a record batch per partition' }),
  'properties.max.request.size': defaulted(size(), '1mb', { doc: 'Largest request and record that is sent' }),
  'properties.max.in.flight.requests.per.connection': optional(integer({ min: 1, max: 5 }), {
    doc: 'Batches under way per partition: default 5; always 1 without idempotence, so that a retry cannot reorder',
  }),
  'properties.delivery.timeout.ms': defaulted(duration({ min: 1 }), '120000', {
    doc: 'Until a batch counts as undeliverable and the pipeline retries',
  }),
};

export const consumerOnly = {
  'properties.group.id': optional(text(), { doc: 'Consumer group; default `millrace-<commit.user>`' }),
  'properties.group.instance.id': optional(text(), { doc: 'Static membership of this process' }),
  'properties.auto.offset.reset': defaulted(oneOf(['earliest', 'latest', 'none']), 'earliest', {
    doc: 'Where group-offsets begins without a committed offset; never resets afterwards',
  }),
  'properties.isolation.level': defaulted(oneOf(['read_committed', 'read_uncommitted']), 'read_committed', {
    doc: 'Records of open transactions',
  }),
  'properties.fetch.min.bytes': defaulted(size(), '1', { doc: 'The broker waits for this much' }),
  'properties.fetch.max.bytes': defaulted(size(), '50mb', { doc: 'Upper bound of one fetch' }),
  'properties.fetch.max.wait.ms': defaulted(duration(), '500', { doc: 'Longest wait for fetch.min.bytes' }),
  'properties.max.partition.fetch.bytes': defaulted(size(), '1mb', { doc: 'Upper bound per partition and fetch' }),
  'properties.session.timeout.ms': defaulted(duration({ min: 1 }), '45000', {
    doc: 'Without a heartbeat for so long, a member loses its partitions',
  }),
  'properties.heartbeat.interval.ms': defaulted(duration({ min: 1 }), '3000', { doc: 'Group heartbeat' }),
  'properties.max.poll.interval.ms': defaulted(duration({ min: 1 }), '300000', {
    doc: 'A member that makes no progress for so long leaves its group',
  }),
};

/** `properties.*` of source and sink: an allow-list with the names of the Kafka client. */
export const kafkaClientDeclarations = {
  'properties.bootstrap.servers': required(grammar('host:port,…', parseBootstrapServers, { separator: ',' }), {
    doc: 'Brokers to find the cluster by',
  }),
  'properties.client.id': optional(text(), { doc: 'Default `millrace-<pipeline name>`' }),
  'properties.client.rack': withoutEffect('partitions are read from their leaders'),
  'properties.security.protocol': defaulted(oneOf(['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL']), 'PLAINTEXT', {
    doc: 'Encryption and login',
  }),
  'properties.sasl.mechanism': optional(oneOf(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER']), {
    doc: 'Required with SASL',
    notes: {
      gssapi: { as: 'refused', reason: 'Kerberos needs a native library; use SCRAM-SHA-512 or OAUTHBEARER' },
      aws_msk_iam: { as: 'refused', reason: 'use OAUTHBEARER or SCRAM-SHA-512' },
    },
  }),
  'properties.sasl.jaas.config': optional(grammar('JAAS entry', parseJaas, { secret: true, warnLiteral: true }), {
    doc: 'User and password of the Plain, Scram or OAuthBearer login module',
  }),
  'properties.sasl.oauthbearer.token.endpoint.url': optional(text({ label: 'URL' }), {
    doc: 'Where OAUTHBEARER gets its tokens',
  }),
  'properties.ssl.truststore.type': optional(oneOf(['PEM']), { doc: 'PEM', notes: storeNotes }),
  'properties.ssl.truststore.location': optional(text({ label: 'file' }), { doc: 'Certificates to trust' }),
  'properties.ssl.truststore.certificates': optional(text({ label: 'PEM' }), { doc: 'The same, in the document' }),
  'properties.ssl.truststore.password': withoutEffect('PEM stores have no password'),
  'properties.ssl.keystore.type': optional(oneOf(['PEM']), { doc: 'PEM', notes: storeNotes }),
  'properties.ssl.keystore.location': optional(text({ label: 'file' }), {
    doc: 'Own certificate chain and private key in one file',
  }),
  'properties.ssl.keystore.certificate.chain': optional(text({ label: 'PEM' }), { doc: 'Own chain, in the document' }),
  'properties.ssl.keystore.key': optional(secret, { doc: 'Own private key, in the document' }),
  'properties.ssl.keystore.password': withoutEffect('PEM stores have no password; see ssl.key.password'),
  'properties.ssl.key.password': optional(secret, { doc: 'Of an encrypted private key' }),
  'properties.ssl.endpoint.identification.algorithm': defaulted(
    text({
      label: 'https or empty',
      pattern: /^(https)?$/i,
      allowEmpty: true,
      expected: 'https, or empty to skip the check of the host name',
    }),
    'https',
    {
      doc: 'Empty: the host name in the certificate is not checked',
    },
  ),
  'properties.request.timeout.ms': defaulted(duration({ min: 1 }), '30000', { doc: 'Until a request counts as lost' }),
  'properties.metadata.max.age.ms': defaulted(duration({ min: 1 }), '300000', {
    doc: 'Topics and partitions are looked up at least so often',
  }),
  'properties.retry.backoff.ms': defaulted(duration(), '100', { doc: 'First pause before a repeat' }),
  ...producerOnly,
  ...consumerOnly,
  'properties.transactional.id': refused('transactions are managed by sink.delivery-guarantee'),
  'properties.partitioner.class': refused(`${className}; use partition.strategy`),
  'properties.interceptor.classes': refused(className),
  'properties.sasl.client.callback.handler.class': refused(className),
  'properties.sasl.login.callback.handler.class': refused(className),
  'properties.sasl.server.callback.handler.class': refused(className),
  'properties.metric.reporters': refused(`${className}; metrics are served over HTTP`),
  'properties.retries': withoutEffect('a batch is tried until properties.delivery.timeout.ms has passed'),
  'properties.max.poll.records': withoutEffect('records are handed on in the batches that the broker holds'),
  'properties.key.serializer': withoutEffect('see key.format'),
  'properties.value.serializer': withoutEffect('see value.format'),
  'properties.enable.auto.commit': withoutEffect('offsets are stored with the rows'),
  'properties.transaction.timeout.ms': withoutEffect('no transaction is open longer than one batch'),
  'properties.*': withoutEffect('not a client property that is read here'),
};

export type KafkaClientBlock = Block<typeof kafkaClientDeclarations>;
