import type { KafkaClientOptions } from '../kafka-client-options.ts';
import { safeIdentity } from './context.ts';
import type { BuildContext } from './context.ts';
import { consumerOnly, producerOnly } from './kafka-client-declarations.ts';
import type { kafkaClientDeclarations, KafkaClientBlock } from './kafka-client-declarations.ts';
import { buildSecurity } from './kafka-security.ts';

function warnOtherSide(block: KafkaClientBlock, side: 'source' | 'sink'): void {
  const names = Object.keys(side === 'sink' ? consumerOnly : producerOnly) as (keyof typeof kafkaClientDeclarations)[];
  const given = names.filter((name) => block.given(name));
  const [first] = given;
  if (first === undefined) return;
  block.warning(first, `has no effect: a ${side} does not read ${given.join(', ')}`);
}

const inFlight = 'properties.max.in.flight.requests.per.connection';

function checkClient(block: KafkaClientBlock): void {
  const { values } = block;
  if (values['properties.enable.idempotence'] === false && (values[inFlight] ?? 1) > 1) {
    block.warning(inFlight, 'has no effect: without idempotence one batch at a time keeps the order over retries');
  }
  const heartbeat = values['properties.heartbeat.interval.ms'] ?? 0;
  const session = values['properties.session.timeout.ms'] ?? Number.POSITIVE_INFINITY;
  if (heartbeat >= session) {
    block.problem('conflict', 'properties.heartbeat.interval.ms', 'must be shorter than session.timeout.ms');
  }
}

export interface ClientSettings {
  readonly side: 'source' | 'sink';
  readonly defaultGroupId: string;
}

/** Null after a problem, which is reported. */
export function buildKafkaClient(
  block: KafkaClientBlock,
  settings: ClientSettings,
  context: BuildContext,
): KafkaClientOptions | null {
  warnOtherSide(block, settings.side);
  checkClient(block);
  const security = buildSecurity(block, context);
  const values = block.complete;
  if (values === null || security === null) return null;
  const idempotence = values['properties.enable.idempotence'];
  return {
    bootstrapServers: values['properties.bootstrap.servers'],
    clientId: values['properties.client.id'] ?? `millrace-${safeIdentity(context.pipelineName)}`,
    security,
    requestTimeoutMs: values['properties.request.timeout.ms'],
    metadataMaxAgeMs: values['properties.metadata.max.age.ms'],
    retryBackoffMs: values['properties.retry.backoff.ms'],
    producer: {
      idempotence,
      compression: values['properties.compression.type'],
      lingerMs: values['properties.linger.ms'],
      batchSizeBytes: values['properties.batch.size'],
      maxRequestSizeBytes: values['properties.max.request.size'],
      maxInFlightRequests: idempotence ? (values[inFlight] ?? 5) : 1,
      deliveryTimeoutMs: values['properties.delivery.timeout.ms'],
    },
    consumer: {
      groupId: values['properties.group.id'] ?? settings.defaultGroupId,
      groupInstanceId: values['properties.group.instance.id'],
      autoOffsetReset: values['properties.auto.offset.reset'],
      isolationLevel: values['properties.isolation.level'],
      fetchMinBytes: values['properties.fetch.min.bytes'],
      fetchMaxBytes: values['properties.fetch.max.bytes'],
      fetchMaxWaitMs: values['properties.fetch.max.wait.ms'],
      maxPartitionFetchBytes: values['properties.max.partition.fetch.bytes'],
      sessionTimeoutMs: values['properties.session.timeout.ms'],
      heartbeatIntervalMs: values['properties.heartbeat.interval.ms'],
      maxPollIntervalMs: values['properties.max.poll.interval.ms'],
    },
  };
}
