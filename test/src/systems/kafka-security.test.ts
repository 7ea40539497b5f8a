import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { CdcError } from '@millrace/shared/errors/cdc-error.ts';
import type { KafkaOptions, KafkaTls } from '@millrace/shared/kafka/kafka-options.ts';

import { canStartBrokers, OwnBroker } from '../harness/kafka-broker.ts';
import { kafkaClient } from '../harness/kafka-records.ts';
import { scratchFolder } from '../harness/scratch-folder.ts';
import type { ScratchFolder } from '../harness/scratch-folder.ts';

const execute = promisify(execFile);
const password = 'changeit';

/** An authority, a broker certificate for 127.0.0.1 and a client certificate, made by openssl. */
async function makeCertificates(folder: string): Promise<void> {
  const openssl = (...args: readonly string[]) => execute('openssl', args, { cwd: folder });
  const authority = async (name: string): Promise<void> => {
    const subject = ['-subj', `/CN=${name}`, '-days', '2', '-nodes'];
    await openssl('req', '-x509', '-newkey', 'rsa:2048', '-keyout', `${name}.key`, '-out', `${name}.pem`, ...subject);
  };
  const signed = async (name: string, alternative: string): Promise<void> => {
    const request = ['-newkey', 'rsa:2048', '-nodes', '-keyout', `${name}.key`, '-subj', `/CN=${name}`];
    await openssl('req', ...request, '-addext', `subjectAltName=${alternative}`, '-out', `${name}.csr`);
    const by = ['-CA', 'authority.pem', '-CAkey', 'authority.key', '-CAcreateserial', '-copy_extensions', 'copy'];
    await openssl('x509', '-req', '-in', `${name}.csr`, ...by, '-days', '2', '-out', `${name}.pem`);
  };
  await authority('authority');
  await authority('stranger');
  await signed('broker', 'IP:127.0.0.1');
  await signed('elsewhere', 'DNS:elsewhere.example');
  await signed('client', 'DNS:client.example');
  for (const name of ['broker', 'elsewhere']) {
    const store = [
      '-inkey',
      `${name}.key`,
      '-in',
      `${name}.pem`,
      '-out',
      `${name}.p12`,
      '-passout',
      `pass:${password}`,
    ];
    await openssl('pkcs12', '-export', ...store);
  }
  const trust = ['-file', 'authority.pem', '-keystore', 'trust.p12', '-storetype', 'PKCS12', '-storepass', password];
  await execute('keytool', ['-importcert', '-noprompt', '-alias', 'authority', ...trust], { cwd: folder });
}

function sslProperties(folder: string, certificate: string, clientAuth: string): Readonly<Record<string, string>> {
  return {
    'ssl.keystore.type': 'PKCS12',
    'ssl.keystore.location': join(folder, `${certificate}.p12`),
    'ssl.keystore.password': password,
    'ssl.truststore.type': 'PKCS12',
    'ssl.truststore.location': join(folder, 'trust.p12'),
    'ssl.truststore.password': password,
    'ssl.client.auth': clientAuth,
  };
}

const jaas = (module: string, entries: string): string =>
  `org.apache.kafka.common.security.${module} required ${entries};`;

async function attempt(broker: OwnBroker, options: Partial<KafkaOptions>): Promise<number> {
  const signal = AbortSignal.timeout(30_000);
  await using client = await kafkaClient(signal, options, broker.port);
  return (await client.allTopics(signal)).size;
}

/** The code of the refusal, or how long one took that took too long. */
async function refusal(broker: OwnBroker, options: Partial<KafkaOptions>): Promise<unknown> {
  const started = Date.now();
  try {
    return await attempt(broker, options);
  } catch (error) {
    const tookMs = Date.now() - started;
    return tookMs < 2_000 && error instanceof CdcError ? error.code : { error, tookMs };
  }
}

describe.runIf(canStartBrokers())('secured brokers', () => {
  let folder: ScratchFolder;
  let tls: KafkaTls;
  let withCertificate: KafkaTls;

  beforeAll(async () => {
    folder = await scratchFolder();
    await makeCertificates(folder.path);
    const pem = (name: string): Promise<string> => readFile(join(folder.path, name), 'utf8');
    tls = { ca: await pem('authority.pem'), certificate: null, key: null, keyPassphrase: null, checkServerName: true };
    withCertificate = { ...tls, certificate: await pem('client.pem'), key: await pem('client.key') };
  });

  afterAll(async () => {
    await folder[Symbol.asyncDispose]();
  });

  test('SASL PLAIN: the right password works, wrong ones, no SASL and unknown mechanisms are refused at once', async () => {
    await using broker = await OwnBroker.start({
      protocol: 'SASL_PLAINTEXT',
      properties: {
        'sasl.enabled.mechanisms': 'PLAIN',
        'listener.name.client.plain.sasl.jaas.config': jaas('plain.PlainLoginModule', 'user_alice="secret"'),
      },
    });
    const sasl = { mechanism: 'PLAIN', username: 'alice', password: 'secret' } as const;
    expect(await attempt(broker, { sasl })).toBe(0);
    expect(await attempt(broker, { sasl: { ...sasl, password: async () => await Promise.resolve('secret') } })).toBe(0);
    expect(await refusal(broker, { sasl: { ...sasl, password: 'wrong' } })).toBe('BROKER_AUTH_FAILED');
    expect(await refusal(broker, { sasl: { ...sasl, username: 'bob' } })).toBe('BROKER_AUTH_FAILED');
    expect(await refusal(broker, { sasl: { ...sasl, mechanism: 'SCRAM-SHA-256' } })).toBe('BROKER_AUTH_FAILED');
    expect(await refusal(broker, { sasl: null })).toBe('BROKER_AUTH_FAILED');
  });

  test('TLS: the chain and the name are checked', async () => {
    await using broker = await OwnBroker.start({
      protocol: 'SSL',
      properties: sslProperties(folder.path, 'broker', 'none'),
    });
    expect(await attempt(broker, { tls })).toBe(0);
    expect(await refusal(broker, { tls: { ...tls, ca: null } })).toBe('BROKER_AUTH_FAILED');
    expect(
      await refusal(broker, { tls: { ...tls, ca: await readFile(join(folder.path, 'stranger.pem'), 'utf8') } }),
    ).toBe('BROKER_AUTH_FAILED');
    expect(await refusal(broker, { tls: null })).toBe('BROKER_AUTH_FAILED');
  });

  test('TLS: a certificate for another name is accepted only where asked', async () => {
    await using broker = await OwnBroker.start({
      protocol: 'SSL',
      properties: sslProperties(folder.path, 'elsewhere', 'none'),
    });
    expect(await refusal(broker, { tls })).toBe('BROKER_AUTH_FAILED');
    expect(await attempt(broker, { tls: { ...tls, checkServerName: false } })).toBe(0);
  });

  test('mTLS: a client without a certificate is refused with the reason', async () => {
    await using broker = await OwnBroker.start({
      protocol: 'SSL',
      properties: sslProperties(folder.path, 'broker', 'required'),
    });
    expect(await attempt(broker, { tls: withCertificate })).toBe(0);
    expect(await refusal(broker, { tls })).toBe('BROKER_AUTH_FAILED');
  });

  test('TLS towards a broker without TLS is refused', async () => {
    await using broker = await OwnBroker.start();
    expect(await refusal(broker, { tls })).toBe('BROKER_AUTH_FAILED');
  });

  test('SCRAM over TLS', async () => {
    await using broker = await OwnBroker.start({
      protocol: 'SASL_SSL',
      properties: {
        ...sslProperties(folder.path, 'broker', 'none'),
        'sasl.enabled.mechanisms': 'SCRAM-SHA-512,PLAIN',
        'listener.name.client.scram-sha-512.sasl.jaas.config': jaas('scram.ScramLoginModule', ''),
        'listener.name.client.plain.sasl.jaas.config': jaas('plain.PlainLoginModule', 'user_admin="admin"'),
      },
    });
    await broker.runTool('kafka.admin.ConfigCommand', [
      '--alter',
      '--entity-type',
      'users',
      '--entity-name',
      'alice',
      '--add-config',
      'SCRAM-SHA-512=[password=secret]',
    ]);
    const sasl = { mechanism: 'SCRAM-SHA-512', username: 'alice', password: 'secret' } as const;
    expect(await attempt(broker, { tls, sasl })).toBe(0);
    expect(await refusal(broker, { tls, sasl: { ...sasl, password: 'wrong' } })).toBe('BROKER_AUTH_FAILED');
  });
});
