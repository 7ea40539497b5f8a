import { hostname } from 'node:os';

import type { SqlSession } from '../connection.ts';
import {
  dumpCommand,
  dumpError,
  dumpGtidCommand,
  dumpStatements,
  heartbeatV2Flag,
  registerCommand,
} from '../binlog/dump.ts';
import type { DumpIdentity } from '../binlog/dump.ts';
import { PacketReader } from '../binlog/frames.ts';
import type { PacketReaderOptions } from '../binlog/frames.ts';

export interface DumpRequest {
  readonly identity: DumpIdentity;
  readonly heartbeatPeriodMs: number;
  readonly flags: number;
  /** Encoded GTID set, or file and position. */
  readonly from: { readonly gtidSet: Buffer } | { readonly file: string; readonly position: number };
  readonly packets: PacketReaderOptions;
}

/** Turns a session into a dump: its packets are events from then on. */
export async function startDump(session: SqlSession, request: DumpRequest, signal: AbortSignal): Promise<PacketReader> {
  const { identity, from } = request;
  for (const statement of dumpStatements(identity, request.heartbeatPeriodMs)) {
    await session.query(statement, signal, 'preparing the dump');
  }
  const packets = new PacketReader(session.takeOver(), request.packets);
  try {
    packets.write(registerCommand(identity.serverId, hostname()));
    await packets.fill(signal);
    if (packets.next() && packets.bytes[packets.start] === 0xff) {
      throw dumpError(packets.bytes, packets.start, packets.end);
    }
    const flags = request.flags | heartbeatV2Flag;
    packets.write(
      'gtidSet' in from
        ? dumpGtidCommand(identity.serverId, flags, from.gtidSet)
        : dumpCommand(identity.serverId, flags, from.file, from.position),
    );
    return packets;
  } catch (error) {
    packets[Symbol.dispose]();
    throw error;
  }
}
