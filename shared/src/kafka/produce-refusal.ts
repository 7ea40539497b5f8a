import { CdcError } from '../errors/cdc-error.ts';
import { brokerRefusal, kafkaError, kafkaErrorName } from './kafka-errors.ts';
import type { PartitionLane, SentBatch } from './partition-lane.ts';
import { batchHeaderBytes } from './record-batch.ts';

const lostProducerState: ReadonlySet<number> = new Set([
  kafkaError.outOfOrderSequence,
  kafkaError.unknownProducerId,
  kafkaError.invalidProducerEpoch,
  kafkaError.producerFenced,
]);

/** Why a batch can never be written, as one of our codes. */
export function produceRefusal(
  lane: PartitionLane,
  batch: SentBatch,
  errorCode: number,
  message: string | null,
): CdcError {
  const details = { topic: lane.topic, partition: lane.partition };
  if (lostProducerState.has(errorCode)) {
    return new CdcError('BROKER_UNAVAILABLE', 'the broker lost the state of this producer', {
      details: { ...details, kafkaError: kafkaErrorName(errorCode) },
      hint: 'Nothing was confirmed that the brokers do not hold; a new producer continues from the checkpoint.',
    });
  }
  if (errorCode === kafkaError.messageTooLarge || errorCode === kafkaError.recordListTooLarge) {
    return new CdcError('BROKER_RECORD_TOO_LARGE', 'the broker refuses a record for its size', {
      details: { ...details, bytes: batch.builder.length - batchHeaderBytes },
    });
  }
  return brokerRefusal('the broker refuses records', errorCode, details, message);
}
