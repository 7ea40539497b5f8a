/** Where a failure arose; shown to people and used as a metric label. */
export type Stage = 'config' | 'source' | 'broker' | 'destination' | 'state' | 'internal';

/**
 * What the supervisor does with a failure.
 * `backoff`: retry with growing, jittered delays. `slow`: retry every minute (a person may be fixing it).
 * `reconnect-once`: one new connection, then stop. `table`: only that table stops. `stop`: the pipeline ends.
 */
export type Retry = 'backoff' | 'slow' | 'reconnect-once' | 'table' | 'stop';

export interface CodePolicy {
  readonly stage: Stage;
  readonly retry: Retry;
  /** Process exit code when the failure is final. */
  readonly exitCode: number;
  /** What a person should do, used where the thrower knows nothing more exact. */
  readonly hint: string;
}

/** The one list of failures. `docs/reference/errors.md` is generated from it. */
export const codes = {
  CONFIG_INVALID: {
    stage: 'config',
    retry: 'stop',
    exitCode: 2,
    hint: 'Correct the named options; `validate` checks the document without starting anything.',
  },
  SOURCE_CONNECTION_LOST: {
    stage: 'source',
    retry: 'backoff',
    exitCode: 3,
    hint: 'Check that the source server is up and reachable from here.',
  },
  SOURCE_AUTH_FAILED: {
    stage: 'source',
    retry: 'slow',
    exitCode: 3,
    hint: 'Check user, password and grants at the source; secrets are read again at each attempt.',
  },
  SOURCE_NOT_READY: {
    stage: 'source',
    retry: 'slow',
    exitCode: 3,
    hint: 'Run the listed statements at the source server.',
  },
  SOURCE_SLOT_IN_USE: {
    stage: 'source',
    retry: 'slow',
    exitCode: 3,
    hint: 'Another process reads this slot: stop it, or choose another slot name.',
  },
  SOURCE_POSITION_LOST: {
    stage: 'source',
    retry: 'stop',
    exitCode: 6,
    hint: 'The log that the checkpoint needs is gone: snapshot the tables again, and keep the log for longer.',
  },
  SOURCE_SCHEMA_UNSUPPORTED: {
    stage: 'source',
    retry: 'table',
    exitCode: 1,
    hint: 'Exclude the table, or change the named column.',
  },
  SOURCE_LOG_CORRUPT: {
    stage: 'source',
    retry: 'reconnect-once',
    exitCode: 1,
    hint: 'The log bytes do not add up: check the server log and the network path, then restart.',
  },
  SOURCE_LOG_INCIDENT: {
    stage: 'source',
    retry: 'stop',
    exitCode: 6,
    hint: 'The server says that events were lost: snapshot the tables again.',
  },
  SOURCE_EVENT_UNKNOWN: {
    stage: 'source',
    retry: 'stop',
    exitCode: 6,
    hint: 'The server writes an event kind that this version does not know: upgrade Millrace.',
  },
  SOURCE_STATEMENT_EVENT: {
    stage: 'source',
    retry: 'stop',
    exitCode: 6,
    hint: 'A session wrote in statement format: set binlog_format=ROW everywhere, then snapshot the table again.',
  },
  SOURCE_FENCED: {
    stage: 'source',
    retry: 'stop',
    exitCode: 5,
    hint: 'Another capture of this pipeline has taken over; stop one of the two.',
  },
  VALUE_UNSUPPORTED: {
    stage: 'source',
    retry: 'table',
    exitCode: 1,
    hint: 'Change the value at the source, or choose another rendering for the column.',
  },
  BROKER_UNAVAILABLE: {
    stage: 'broker',
    retry: 'backoff',
    exitCode: 3,
    hint: 'Check that the brokers are up and that their advertised addresses are reachable from here.',
  },
  BROKER_AUTH_FAILED: {
    stage: 'broker',
    retry: 'slow',
    exitCode: 3,
    hint: 'Check the SASL or TLS settings and the ACLs of the user.',
  },
  BROKER_TOPIC_INVALID: {
    stage: 'broker',
    retry: 'stop',
    exitCode: 6,
    hint: 'The topic is not the one that was used before: decide where to continue, then start again.',
  },
  BROKER_RECORD_TOO_LARGE: {
    stage: 'broker',
    retry: 'stop',
    exitCode: 6,
    hint: 'Raise max.message.bytes of the topic and properties.max.request.size of the pipeline.',
  },
  BROKER_BATCH_CORRUPT: {
    stage: 'broker',
    retry: 'reconnect-once',
    exitCode: 1,
    hint: 'A record batch fails its checksum: check the broker log directories.',
  },
  RECORD_UNDECODABLE: {
    stage: 'destination',
    retry: 'stop',
    exitCode: 6,
    hint: 'Look at the record at the named offset; check value.format.',
  },
  DESTINATION_UNAVAILABLE: {
    stage: 'destination',
    retry: 'backoff',
    exitCode: 3,
    hint: 'Check that the destination is up and reachable from here.',
  },
  DESTINATION_AUTH_FAILED: {
    stage: 'destination',
    retry: 'slow',
    exitCode: 3,
    hint: 'Check user, password and grants at the destination.',
  },
  DESTINATION_SCHEMA_INCOMPATIBLE: {
    stage: 'destination',
    retry: 'table',
    exitCode: 1,
    hint: 'Make the destination table fit the stream, or write to another table.',
  },
  DESTINATION_WRITE_REJECTED: {
    stage: 'destination',
    retry: 'stop',
    exitCode: 6,
    hint: 'The destination refuses the row: see the SQLSTATE and column.',
  },
  DESTINATION_FENCED: {
    stage: 'destination',
    retry: 'stop',
    exitCode: 5,
    hint: 'A newer owner holds these partitions; this process had no effect after that.',
  },
  STORAGE_UNAVAILABLE: {
    stage: 'destination',
    retry: 'backoff',
    exitCode: 3,
    hint: 'Check free space and permissions of the directory.',
  },
  COMMIT_CONFLICT: {
    stage: 'destination',
    retry: 'backoff',
    exitCode: 1,
    hint: 'Another writer committed first; the commit is rebased and tried again.',
  },
  COMMIT_UNKNOWN: {
    stage: 'destination',
    retry: 'backoff',
    exitCode: 1,
    hint: 'The answer to a commit was lost; the stored offsets tell whether it took effect.',
  },
  CHECKPOINT_UNREADABLE: {
    stage: 'state',
    retry: 'stop',
    exitCode: 6,
    hint: 'The stored checkpoint does not parse: restore it, or start with --from-scratch.',
  },
  CHECKPOINT_UNWRITABLE: {
    stage: 'state',
    retry: 'backoff',
    exitCode: 3,
    hint: 'Check the checkpoint topic or the state directory.',
  },
  INVARIANT_BROKEN: {
    stage: 'internal',
    retry: 'stop',
    exitCode: 1,
    hint: 'This is a defect of Millrace: keep the log and report it.',
  },
} as const satisfies Record<string, CodePolicy>;

export type ErrorCode = keyof typeof codes;
