import { describe, expect, test } from 'vitest';

import { CdcError } from '../errors/cdc-error.ts';
import { brokerRefusal, connectionFailure, kafkaErrorName } from './kafka-errors.ts';

function withCode(message: string, code: string, cause?: unknown): Error {
  return Object.assign(new Error(message, { cause }), { code });
}

describe('connectionFailure', () => {
  test('the innermost cause is the one shown', () => {
    const leaf = withCode('connect ECONNREFUSED 127.0.0.1:9', 'ECONNREFUSED');
    const nested = new AggregateError(
      [withCode('Connection failed.', 'PLT_KFK_NETWORK', leaf)],
      'Cannot connect to any broker.',
    );
    const failure = connectionFailure(withCode('metadata failed 3 times.', 'PLT_KFK_MULTIPLE', nested), {
      broker: 'a:1',
    });
    expect(failure).toMatchObject({
      code: 'BROKER_UNAVAILABLE',
      details: { broker: 'a:1', reason: 'connect ECONNREFUSED 127.0.0.1:9' },
    });
  });

  test.each([
    withCode('SASL authentication failed.', 'PLT_KFK_AUTHENTICATION'),
    withCode('outer', 'PLT_KFK_NETWORK', withCode('self-signed certificate', 'DEPTH_ZERO_SELF_SIGNED_CERT')),
    withCode('outer', 'PLT_KFK_NETWORK', withCode('alert', 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED')),
    withCode('outer', 'PLT_KFK_NETWORK', withCode('names differ', 'ERR_TLS_CERT_ALTNAME_INVALID')),
    withCode('Broker requires TLS.', 'PLT_KFK_USER'),
    Object.assign(new Error('x'), { apiCode: 58 }),
  ])('%s means that the broker refuses this client', (error) => {
    expect(connectionFailure(error, {}).code).toBe('BROKER_AUTH_FAILED');
  });

  test('an error of ours stays itself', () => {
    const own = new CdcError('BROKER_TOPIC_INVALID', 'x');
    expect(connectionFailure(own, {})).toBe(own);
  });
});

describe('brokerRefusal', () => {
  test.each([
    [29, 'BROKER_AUTH_FAILED'],
    [10, 'BROKER_RECORD_TOO_LARGE'],
    [6, 'BROKER_UNAVAILABLE'],
    [-1, 'BROKER_UNAVAILABLE'],
    [17, 'BROKER_TOPIC_INVALID'],
  ])('Kafka error %i becomes %s', (errorCode, code) => {
    expect(brokerRefusal('refused', errorCode, { topic: 't' }, 'because')).toMatchObject({
      code,
      details: { topic: 't', kafkaError: kafkaErrorName(errorCode), brokerSays: 'because' },
    });
  });

  test('unknown codes keep their number', () => {
    expect(kafkaErrorName(9999)).toBe('ERROR_9999');
  });
});
