import { createHash } from 'node:crypto';

import { CdcError } from '@millrace/shared/errors/cdc-error.ts';

import { quoteText } from '../sql-text.ts';

/** Wire form of a command: `len u24 · seq u8 = 0 · payload`. */
export function commandPacket(payload: Buffer): Buffer {
  const packet = Buffer.allocUnsafe(4 + payload.length);
  packet.writeUIntLE(payload.length, 0, 3);
  packet[3] = 0;
  payload.copy(packet, 4);
  return packet;
}

export interface DumpIdentity {
  readonly serverId: number;
  /** By it the server ends an older dump of the same pipeline. */
  readonly replicaUuid: string;
}

/** A UUID that is always the same for a pipeline, so that a restarted or second copy ends the older dump. */
export function replicaUuidOf(pipelineName: string): string {
  const hash = createHash('sha256').update(`millrace capture ${pipelineName}`).digest();
  hash[6] = ((hash[6] as number) & 0x0f) | 0x80;
  hash[8] = ((hash[8] as number) & 0x3f) | 0x80;
  const hex = hash.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}

/** Both spellings of each variable: servers before 8.0.26 know only the older one. Semi-sync is never asked for. */
export function dumpStatements(identity: DumpIdentity, heartbeatPeriodMs: number): readonly string[] {
  const period = heartbeatPeriodMs * 1_000_000;
  const uuid = quoteText(identity.replicaUuid);
  return [
    'SET @source_binlog_checksum = @@global.binlog_checksum, @master_binlog_checksum = @@global.binlog_checksum',
    `SET @source_heartbeat_period = ${period}, @master_heartbeat_period = ${period}`,
    `SET @replica_uuid = ${uuid}, @slave_uuid = ${uuid}`,
  ];
}

const commandRegister = 0x15;
const commandDump = 0x12;
const commandDumpGtid = 0x1e;
/** MySQL: heartbeats of version 2, with 64-bit positions (T167). */
export const heartbeatV2Flag = 0x2;
/** End the dump at the end of the log instead of waiting. */
export const nonBlockingFlag = 0x1;
const throughGtidFlag = 0x4;

/** Makes the dump visible in SHOW REPLICAS. */
export function registerCommand(serverId: number, hostName: string): Buffer {
  const host = Buffer.from(hostName.slice(0, 60), 'utf8');
  const payload = Buffer.alloc(1 + 4 + 1 + host.length + 1 + 1 + 2 + 4 + 4);
  payload[0] = commandRegister;
  payload.writeUInt32LE(serverId, 1);
  payload[5] = host.length;
  host.copy(payload, 6);
  return commandPacket(payload);
}

export function dumpCommand(serverId: number, flags: number, file: string, position: number): Buffer {
  const name = Buffer.from(file, 'utf8');
  const payload = Buffer.alloc(11 + name.length);
  payload[0] = commandDump;
  // The field has 32 bits: greater positions are only reachable by GTID.
  if (position > 0xffffffff) {
    throw new CdcError('SOURCE_POSITION_LOST', 'a position beyond 4 GiB can only be reached by GTID', {
      details: { file, position },
    });
  }
  payload.writeUInt32LE(position, 1);
  payload.writeUInt16LE(flags, 5);
  payload.writeUInt32LE(serverId, 7);
  name.copy(payload, 11);
  return commandPacket(payload);
}

/** `set`: the exact executed set, holes included (T110), as `GtidSet.encode` gives it. */
export function dumpGtidCommand(serverId: number, flags: number, set: Buffer): Buffer {
  const payload = Buffer.alloc(1 + 2 + 4 + 4 + 8 + 4 + set.length);
  payload[0] = commandDumpGtid;
  payload.writeUInt16LE(flags | throughGtidFlag, 1);
  payload.writeUInt32LE(serverId, 3);
  payload.writeUInt32LE(0, 7);
  payload.writeBigUInt64LE(4n, 11);
  payload.writeUInt32LE(set.length, 19);
  set.copy(payload, 23);
  return commandPacket(payload);
}

interface Refusal {
  readonly pattern: RegExp;
  readonly code: 'SOURCE_POSITION_LOST' | 'SOURCE_LOG_CORRUPT' | 'SOURCE_FENCED';
  readonly message: string;
}

/** Error 1236 means many things; only its text tells them apart (T122). */
const refusals: readonly Refusal[] = [
  {
    pattern: /same server_uuid|same server_id|server_uuid\/server_id/i,
    code: 'SOURCE_FENCED',
    message: 'another reader with the identity of this pipeline has connected',
  },
  {
    pattern: /Could not find first log file name/i,
    code: 'SOURCE_POSITION_LOST',
    message: 'the log file that the checkpoint needs is gone',
  },
  {
    pattern: /purged required binary logs|has purged binary logs/i,
    code: 'SOURCE_POSITION_LOST',
    message: 'the log that the checkpoint needs is gone',
  },
  {
    pattern: /more GTIDs than the (source|master) has/i,
    code: 'SOURCE_POSITION_LOST',
    message: 'the source lacks transactions that were read from it',
  },
  {
    pattern: /position > file size|position < 4|impossible position/i,
    code: 'SOURCE_POSITION_LOST',
    message: 'the position is not in the log file of the source',
  },
  {
    pattern: /truncated in the middle of event|max_allowed_packet|log event entry exceeded|bogus data|checksum/i,
    code: 'SOURCE_LOG_CORRUPT',
    message: 'the source cannot read its own log at this position',
  },
];

const errorFatalReadingLog = 1236;
const errorAccess = 1227;

/** Translates the ERR packet (`ff · code u16 · # · state · text`) that ends a dump. */
export function dumpError(bytes: Buffer, start: number, end: number): CdcError {
  const errno = end - start >= 3 ? bytes.readUInt16LE(start + 1) : 0;
  const textAt = bytes[start + 3] === 0x23 ? start + 9 : start + 3;
  const reason = bytes.toString('utf8', Math.min(textAt, end), end);
  const details = { errno, reason };
  if (errno === errorFatalReadingLog) {
    const known = refusals.find(({ pattern }) => pattern.test(reason));
    if (known !== undefined) return new CdcError(known.code, known.message, { details });
    return new CdcError('SOURCE_LOG_CORRUPT', 'the source refuses to send its log', { details });
  }
  if (errno === errorAccess || errno === 1045) {
    return new CdcError('SOURCE_AUTH_FAILED', 'the source refuses access', {
      details,
      hint: 'Run GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO the capture user.',
    });
  }
  return new CdcError('SOURCE_CONNECTION_LOST', 'the source ended the stream', { details });
}
