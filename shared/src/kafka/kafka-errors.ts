import { protocolErrorsCodesById } from '@platformatic/kafka';

import { CdcError } from '../errors/cdc-error.ts';
import type { ErrorDetails } from '../errors/cdc-error.ts';
import type { ErrorCode } from '../errors/codes.ts';

/** Error codes of the Kafka protocol that decide something here. */
export const kafkaError = {
  offsetOutOfRange: 1,
  corruptMessage: 2,
  unknownTopicOrPartition: 3,
  leaderNotAvailable: 5,
  notLeaderOrFollower: 6,
  messageTooLarge: 10,
  coordinatorLoadInProgress: 14,
  coordinatorNotAvailable: 15,
  notCoordinator: 16,
  invalidTopic: 17,
  recordListTooLarge: 18,
  illegalGeneration: 22,
  unknownMemberId: 25,
  rebalanceInProgress: 27,
  topicAlreadyExists: 36,
  outOfOrderSequence: 45,
  duplicateSequence: 46,
  invalidProducerEpoch: 47,
  unknownProducerId: 59,
  groupIdNotFound: 69,
  memberIdRequired: 79,
  fencedInstanceId: 82,
  invalidRecord: 87,
  producerFenced: 90,
  unknownTopicId: 100,
  inconsistentTopicId: 103,
} as const;

/** Failures that pass by themselves or after a look at fresh metadata. */
const transientErrors: ReadonlySet<number> = new Set([
  kafkaError.corruptMessage,
  kafkaError.unknownTopicOrPartition,
  kafkaError.leaderNotAvailable,
  kafkaError.notLeaderOrFollower,
  7, // request timed out
  8, // broker not available
  9, // replica not available
  13, // network exception
  kafkaError.coordinatorLoadInProgress,
  kafkaError.coordinatorNotAvailable,
  kafkaError.notCoordinator,
  19, // not enough replicas
  20, // not enough replicas after append
  41, // not controller
  51, // concurrent transactions
  56, // storage error
  74, // fenced leader epoch
  75, // unknown leader epoch
  78, // offset not available
  89, // throttling quota exceeded
  kafkaError.unknownTopicId,
  kafkaError.inconsistentTopicId,
]);

const authErrors: ReadonlySet<number> = new Set([
  29, // topic authorization failed
  30, // group authorization failed
  31, // cluster authorization failed
  33, // unsupported SASL mechanism
  34, // illegal SASL state
  53, // transactional id authorization failed
  54, // security disabled
  58, // SASL authentication failed
]);

const tooLargeErrors: ReadonlySet<number> = new Set([kafkaError.messageTooLarge, kafkaError.recordListTooLarge]);

export function isTransient(errorCode: number): boolean {
  return transientErrors.has(errorCode);
}

export function kafkaErrorName(errorCode: number): string {
  return protocolErrorsCodesById[errorCode] ?? (errorCode === -1 ? 'UNKNOWN_SERVER_ERROR' : `ERROR_${errorCode}`);
}

function codeFor(errorCode: number): ErrorCode {
  if (authErrors.has(errorCode)) return 'BROKER_AUTH_FAILED';
  if (tooLargeErrors.has(errorCode)) return 'BROKER_RECORD_TOO_LARGE';
  if (isTransient(errorCode) || errorCode < 0) return 'BROKER_UNAVAILABLE';
  return 'BROKER_TOPIC_INVALID';
}

/** A broker's error answer as one of our codes. `action` is constant text that says what was refused. */
export function brokerRefusal(
  action: string,
  errorCode: number,
  details: ErrorDetails,
  text?: string | null,
): CdcError {
  return new CdcError(codeFor(errorCode), action, {
    details: {
      ...details,
      kafkaError: kafkaErrorName(errorCode),
      ...(text === undefined || text === null || text === '' ? {} : { brokerSays: text }),
    },
  });
}

interface NestedError {
  readonly message?: string;
  readonly code?: string;
  readonly apiCode?: number;
  readonly cause?: unknown;
  readonly errors?: readonly unknown[];
}

/** The innermost causes, outer ones last: what went wrong first is what a person must see first. */
function* leavesFirst(error: unknown, depth = 0): Generator<NestedError> {
  if (typeof error !== 'object' || error === null || depth > 8) return;
  const nested: NestedError = error;
  for (const inner of nested.errors ?? []) yield* leavesFirst(inner, depth + 1);
  yield* leavesFirst(nested.cause, depth + 1);
  yield nested;
}

const credentialFailure =
  /^(ERR_SSL|ERR_TLS|ERR_OSSL|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|HOSTNAME_MISMATCH|EPROTO|PLT_KFK_AUTHENTICATION)/;
const credentialMessage = /requires TLS|TLS handshake|secure TLS connection|SASL|certificate/i;

/**
 * Translates what the library or the runtime threw while talking to a broker. Wrong passwords, mechanisms and
 * certificates become `BROKER_AUTH_FAILED`, everything else `BROKER_UNAVAILABLE`.
 */
export function connectionFailure(error: unknown, details: ErrorDetails): CdcError {
  if (error instanceof CdcError) return error;
  let reason: string | null = null;
  let credentials = false;
  for (const leaf of leavesFirst(error)) {
    reason ??= leaf.message === undefined || leaf.message === '' ? (leaf.code ?? null) : leaf.message;
    credentials ||= credentialFailure.test(leaf.code ?? '') || credentialMessage.test(leaf.message ?? '');
    credentials ||= authErrors.has(leaf.apiCode ?? 0);
  }
  const shown = { ...details, reason: reason ?? String(error) };
  return credentials
    ? new CdcError('BROKER_AUTH_FAILED', 'the broker refuses this client', { details: shown, cause: error })
    : new CdcError('BROKER_UNAVAILABLE', 'the broker cannot be reached', { details: shown, cause: error });
}
