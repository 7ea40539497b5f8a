import { initProducerIdV3, initProducerIdV4, initProducerIdV5 } from '@platformatic/kafka';

import { abortable } from '../async/delay.ts';
import type { Cluster } from './cluster.ts';
import { brokerRefusal } from './kafka-errors.ts';
import { retryingUnavailable } from './retrying.ts';

export interface ProducerIdentity {
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

/** Without idempotence. */
export const noIdentity: ProducerIdentity = { producerId: -1n, producerEpoch: -1 };

/** A new producer id. −1/−1 in the request asks for one; anything else would claim one that somebody else may hold. */
export function acquireProducerId(cluster: Cluster, signal: AbortSignal): Promise<ProducerIdentity> {
  const apis = [initProducerIdV5.api, initProducerIdV4.api, initProducerIdV3.api];
  return retryingUnavailable(
    cluster.options,
    async () => {
      const link = await cluster.anyLink(signal);
      const answer = await abortable(link.call(apis, null, cluster.options.requestTimeoutMs, -1n, -1), signal);
      if (answer.errorCode !== 0) throw brokerRefusal('the brokers give no producer id', answer.errorCode, {});
      return { producerId: answer.producerId, producerEpoch: answer.producerEpoch };
    },
    signal,
  );
}
