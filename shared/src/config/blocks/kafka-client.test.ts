import { describe, expect, it } from 'vitest';

import type { KafkaClientOptions } from '../kafka-client-options.ts';
import {
  failureOf,
  loadCapture,
  loadIngest,
  loadText,
  plainCapture,
  plainPostgres,
  problemsOf,
  withLines,
} from '../sample-documents.ts';
import type { Overrides } from '../sample-documents.ts';

const pem = '-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n';
const remote = plainCapture.replace('localhost:9092', 'kafka.example:9092');

function client(lines: readonly string[], overrides?: Overrides): KafkaClientOptions {
  const properties = lines.map((line) => `properties.${line}`);
  return loadCapture(withLines(plainCapture, 'sink', ...properties), overrides).sink.client;
}

function problems(text: string, ...lines: readonly string[]): readonly string[] {
  return problemsOf(withLines(text, 'sink', ...lines.map((line) => `properties.${line}`)), {
    files: { 'store.jks': '\u00fe\u00ed' },
  });
}

const plainLogin = 'org.apache.kafka.common.security.plain.PlainLoginModule required username="app" password="p;\\"w";';

describe('security', () => {
  it('is plaintext without login by default', () => {
    expect(client([]).security).toEqual({ tls: null, sasl: null });
  });

  it('takes user and password out of the JAAS entry, relocated classes included', () => {
    const lines = ['security.protocol: SASL_SSL', 'sasl.mechanism: SCRAM-SHA-512'];
    const relocated =
      "org.apache.flink.kafka.shaded.org.apache.kafka.common.security.scram.ScramLoginModule required username=app password='p w';";
    expect(client([...lines, `sasl.jaas.config: ${JSON.stringify(relocated)}`]).security).toEqual({
      tls: { ca: null, cert: null, key: null, keyPassphrase: null, verifyHostname: true },
      sasl: { mechanism: 'SCRAM-SHA-512', username: 'app', password: 'p w' },
    });
  });

  it('unescapes quoted JAAS options', () => {
    const lines = ['security.protocol: SASL_PLAINTEXT', 'sasl.mechanism: PLAIN', `sasl.jaas.config: '${plainLogin}'`];
    expect(client(lines).security.sasl).toEqual({ mechanism: 'PLAIN', username: 'app', password: 'p;"w' });
  });

  it('refuses PLAIN in plaintext off loopback unless allowed', () => {
    const lines = ['security.protocol: SASL_PLAINTEXT', 'sasl.mechanism: PLAIN', `sasl.jaas.config: '${plainLogin}'`];
    expect(problems(remote, ...lines)).toEqual([
      "sink.properties.security.protocol  'SASL_PLAINTEXT'  conflict: PLAIN sends the password in plaintext: use SASL_SSL, or set pipeline.allow-insecure: true",
    ]);
    const allowed = withLines(remote, 'pipeline', 'allow-insecure: true');
    expect(
      loadCapture(withLines(allowed, 'sink', ...lines.map((line) => `properties.${line}`))).sink.client.security.tls,
    ).toBeNull();
  });

  it('gets OAuth tokens from https only', () => {
    const lines = [
      'security.protocol: SASL_SSL',
      'sasl.mechanism: OAUTHBEARER',
      `sasl.jaas.config: org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required clientId=id clientSecret=s scope="a b";`,
    ];
    expect(client([...lines, 'sasl.oauthbearer.token.endpoint.url: https://idp.example/token']).security.sasl).toEqual({
      mechanism: 'OAUTHBEARER',
      tokenEndpointUrl: 'https://idp.example/token',
      clientId: 'id',
      clientSecret: 's',
      scope: 'a b',
    });
    expect(problems(plainCapture, ...lines)[0]).toContain('missing: required with OAUTHBEARER');
    expect(
      problems(plainCapture, ...lines, 'sasl.oauthbearer.token.endpoint.url: http://169.254.169.254/')[0],
    ).toContain('type: expected an https URL');
  });

  it.each([
    [['security.protocol: SASL_SSL'], ['mechanism  missing', 'jaas.config  missing']],
    [
      ['security.protocol: SASL_SSL', 'sasl.mechanism: GSSAPI'],
      ['unsupported: Kerberos', 'jaas.config  missing'],
    ],
    [
      ['security.protocol: SASL_SSL', 'sasl.mechanism: PLAIN', 'sasl.jaas.config: com.acme.Login required a="b";'],
      ['unsupported: only the Plain'],
    ],
    [
      ['security.protocol: SASL_SSL', 'sasl.mechanism: SCRAM-SHA-256', `sasl.jaas.config: '${plainLogin}'`],
      ['conflict: the login module'],
    ],
    [
      ['security.protocol: SASL_SSL', 'sasl.mechanism: PLAIN', 'sasl.jaas.config: nonsense'],
      ['syntax: expected a login module class'],
    ],
    [['security.protocol: SSL', 'ssl.truststore.type: JKS'], ['unsupported: only PEM stores']],
    [['security.protocol: SSL', 'ssl.truststore.location: store.jks'], ['type: expected a PEM file']],
    [['security.protocol: SSL', 'ssl.keystore.key: x'], ['certificate.chain  missing']],
  ])('refuses %j', (lines, expected) => {
    const found = problems(plainCapture, ...lines);
    expect(found.length).toBe(expected.length);
    for (const part of expected) expect(found.join('\n')).toContain(part);
  });

  it('reads PEM stores', () => {
    const files = { 'ca.pem': pem, 'own.pem': pem };
    const lines = [
      'security.protocol: SSL',
      'ssl.truststore.location: ca.pem',
      'ssl.keystore.location: own.pem',
      'ssl.key.password: ${env:PASSWORD}',
      "ssl.endpoint.identification.algorithm: ''",
    ];
    expect(client(lines, { files }).security.tls).toEqual({
      ca: { path: 'ca.pem', text: pem },
      cert: { path: 'own.pem', text: pem },
      key: { path: 'own.pem', text: pem },
      keyPassphrase: 'pw',
      verifyHostname: false,
    });
  });

  it('never prints the JAAS entry', () => {
    const lines = [
      'properties.security.protocol: SASL_SSL',
      'properties.sasl.mechanism: PLAIN',
      "properties.sasl.jaas.config: 'hunter2'",
    ];
    const text = failureOf(withLines(plainCapture, 'sink', ...lines));
    expect(text).not.toContain('hunter2');
    expect(text).toContain('properties.sasl.jaas.config  ***  syntax');
  });
});

describe('client properties', () => {
  it('read brokers with IPv6 and listener names', () => {
    const text = plainCapture.replace('localhost:9092', "'[::1]:9092, PLAINTEXT://k2:9093'");
    expect(loadCapture(text).sink.client.bootstrapServers).toEqual([
      { host: '::1', port: 9092 },
      { host: 'k2', port: 9093 },
    ]);
  });

  it.each([
    'acks: 0',
    'acks: 1',
    'max.in.flight.requests.per.connection: 6',
    'compression.type: lzma',
    'linger.ms: -1',
  ])('refuse %s', (line) => {
    expect(problems(plainCapture, line)).toHaveLength(1);
  });

  it('list unknown names once, in one warning', () => {
    const { warnings } = loadText(withLines(plainCapture, 'sink', 'properties.buffer.memory: 1', 'properties.foo: 2'));
    expect(warnings).toEqual([
      'pipeline.yaml:9:3  sink.properties.buffer.memory  has no effect: not a client property that is read here (also properties.foo)',
    ]);
  });

  it('warn of properties of the other side', () => {
    const { warnings } = loadText(
      withLines(plainPostgres, 'source', 'properties.acks: all', 'properties.linger.ms: 3'),
    );
    expect(warnings.map((warning) => warning.replace(/^\S+ +/, ''))).toEqual([
      'source.properties.acks  has no effect: a source does not read properties.acks, properties.linger.ms',
    ]);
  });

  it('read committed records from the earliest offset by default', () => {
    expect(loadIngest(plainPostgres).source.client.consumer).toMatchObject({
      isolationLevel: 'read_committed',
      autoOffsetReset: 'earliest',
      groupId: 'millrace-pipeline',
    });
  });

  it('need a heartbeat shorter than the session', () => {
    const lines = ['properties.session.timeout.ms: 3000', 'properties.heartbeat.interval.ms: 3000'];
    expect(problemsOf(withLines(plainPostgres, 'source', ...lines))[0]).toContain('conflict: must be shorter');
  });
});
